"""PCB (PCBoard): text with @X codes for colours; as ANSI once the codes are translated."""

import re

from asciiloom.readers.screens.emulator.dialect import DOS_COLUMNS, Dialect, dialect, render_ansi
from asciiloom.readers.screens.reader import Drawn, ScreenReader
from asciiloom.readers.screens.sauce import split_sauce

_CODE = re.compile(
    rb"@X([0-9A-Fa-f])([0-9A-Fa-f])|@CLS@|@POS:(\d{1,3})@|@(?:PAUSE|MORE|WAIT|BEEP|HANGUP|PON|POFF)@"
)
_COLOUR = re.compile(rb"@X[0-9A-Fa-f]{2}")
# VGA attribute bits are blue, green, red; SGR's are red, green, blue.
_SGR = (0, 4, 2, 6, 1, 5, 3, 7)


def _sequence(match: re.Match[bytes]) -> bytes:
    if match[1]:
        back, fore = int(match[1], 16), int(match[2], 16)
        codes = f"\x1b[0;{30 + _SGR[fore & 7]};{40 + _SGR[back & 7]}"
        return (codes + ";1" * (fore > 7) + ";5" * (back > 7) + "m").encode()
    if match[3]:
        # To a column: from the far left, past it by a relative move.
        stop = int(match[3])
        return b"\x1b[999D" + (f"\x1b[{stop - 1}C".encode() if stop > 1 else b"")
    return b"\x1b[2J" if match[0] == b"@CLS@" else b""


def draw(data: bytes, encoding: str | None = None) -> Drawn:
    """The screen of a PCBoard file."""
    body, sauce = split_sauce(data)
    stated = dialect(body, sauce)
    how = stated if stated.dos else Dialect("cp437", DOS_COLUMNS)
    screen = render_ansi(_CODE.sub(_sequence, body), how, sauce.ice if sauce else True)
    return Drawn(screen, sauce)


PCBOARD = ScreenReader(
    name="pcboard",
    rank=270,
    extensions=(".pcb",),
    summary="PCBoard text with @X colour codes",
    recognised="three or more @X codes; .pcb",
    oracle="ansilove",
    knows=lambda head, path: path.endswith(".pcb") or len(_COLOUR.findall(head)) >= 3,
    draw=draw,
)
