"""JSON files that strangers wrote: read whole or refused, at a bounded cost.

Size is looked at before reading, and a name given twice, ``NaN`` or hundreds of brackets inside one another
are refused, although Python's ``json`` takes them.
"""

import json
import math
import stat
from pathlib import Path
from typing import Any

MAX_DEPTH = 32


def read_object(path: Path, max_bytes: int) -> dict[str, Any]:
    """The JSON object in ``path``. ``OSError`` or ``ValueError`` (one line) says why there is none."""
    return parse_object(read_bounded(path, max_bytes))


def read_bounded(path: Path, max_bytes: int) -> bytes:
    """The bytes of an ordinary file of at most ``max_bytes``."""
    # A pipe would be waited for, and a device has no end.
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("it is not an ordinary file")
    with path.open("rb") as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        size = path.stat().st_size
        raise ValueError(f"it has {size:,} bytes, and at most {max_bytes:,} are read")
    return data


def parse_object(data: bytes) -> dict[str, Any]:
    """The JSON object in ``data``; ``ValueError`` says why there is none."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 text (byte {error.start})") from error
    if text.startswith("\ufeff"):
        raise ValueError("it begins with a byte order mark; save it as UTF-8 without one")
    value = parse_json(text)
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object of names and values")
    return value


def parse_json(text: str) -> Any:
    """The JSON value in ``text``; ``ValueError`` says why there is none."""
    try:
        value = json.loads(
            text,
            object_pairs_hook=_named_once,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except RecursionError as error:
        raise ValueError(f"it is nested more than {MAX_DEPTH} deep") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON: {error}") from error
    _check_depth(value)
    return value


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in pairs:
        if name in out:
            raise ValueError(f"it names {ascii(name)[:60]} twice")
        out[name] = value
    return out


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"{digits[:20]} is beyond the numbers that a computer counts with")
    return value


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return
    raise ValueError(f"it is nested more than {MAX_DEPTH} deep")
