"""IDF (iCE Draw): a header with the corners, cells in runs, then a font and a palette."""

import struct

import numpy as np

from asciiloom.readers.screens.formats.binary import cells_screen
from asciiloom.readers.screens.formats.xbin import six_bit_palette
from asciiloom.readers.screens.reader import Drawn, ScreenError, ScreenReader
from asciiloom.readers.screens.sauce import split_sauce
from asciiloom.readers.screens.screen import MAX_COLUMNS, MAX_ROWS

_MAX_CELLS = 4 << 20
MAGICS = (b"\x041.4", b"\x041.3")
_HEADER = struct.Struct("<4s4H")
_FONT, _PALETTE = 4096, 48


def draw(data: bytes, encoding: str | None = None) -> Drawn:
    """The screen of an IDF file."""
    from asciiloom.readers.screens.formats.kernels import unpack_icedraw

    body, sauce = split_sauce(data)
    if len(body) < _HEADER.size + _FONT + _PALETTE + 2:
        raise ScreenError("truncated", "no room for cells, font and palette")
    _, left, _, right, _ = _HEADER.unpack_from(body)
    columns = right - left + 1
    if not 0 < columns <= MAX_COLUMNS:
        raise ScreenError("too-large", f"columns {left} to {right}; at most {MAX_COLUMNS:,}")
    raw = np.frombuffer(body[_HEADER.size : -_FONT - _PALETTE], np.uint8)
    limit = min(columns * MAX_ROWS, _MAX_CELLS)
    cells = unpack_icedraw(raw, limit + 1)
    if len(cells) > 2 * limit:
        raise ScreenError("too-large", f"more than {limit:,} cells")
    if not len(cells):
        raise ScreenError("truncated", "a header without cells")
    screen = cells_screen(cells, columns, True, six_bit_palette(body[-_PALETTE:]))
    return Drawn(screen, sauce, flags=("custom-font",))


ICEDRAW = ScreenReader(
    name="idf",
    rank=140,
    extensions=(".idf",),
    summary="IDF: iCE Draw, a screen with font and palette",
    recognised="0x04 1.4",
    oracle="ansilove",
    knows=lambda head, path: head.startswith(MAGICS),
    draw=draw,
)
