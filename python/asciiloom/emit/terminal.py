"""What may be printed to a terminal: never a raw control character."""

import re

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def neutral(text: str) -> str:
    """``text`` with every control character (but newline and tab) shown as ``\\xNN``."""
    return _CONTROLS.sub(lambda m: f"\\x{ord(m[0]):02x}", text)
