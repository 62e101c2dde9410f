"""ADF (Artworx): a version byte, a palette of 64 registers, a font, and BIN 80 columns wide."""

import numpy as np

from asciiloom.readers.screens.formats.binary import cells_screen
from asciiloom.readers.screens.formats.xbin import six_bit_palette
from asciiloom.readers.screens.reader import Drawn, ScreenError, ScreenReader
from asciiloom.readers.screens.sauce import split_sauce
from asciiloom.readers.screens.screen import MAX_ROWS

COLUMNS = 80
_PALETTE, _FONT = 192, 4096
_CELLS = 1 + _PALETTE + _FONT
# Which of the 64 EGA registers are the 16 colours.
_REGISTERS = (0, 1, 2, 3, 4, 5, 20, 7, 56, 57, 58, 59, 60, 61, 62, 63)


def draw(data: bytes, encoding: str | None = None) -> Drawn:
    """The screen of an ADF file."""
    body, sauce = split_sauce(data)
    if len(body) < _CELLS + 2:
        raise ScreenError("truncated", "no cells after palette and font")
    if len(body) - _CELLS > 2 * COLUMNS * MAX_ROWS:
        raise ScreenError("too-large", f"more than {MAX_ROWS:,} rows")
    registers = b"".join(body[1 + 3 * r : 4 + 3 * r] for r in _REGISTERS)
    cells = np.frombuffer(body[_CELLS:], np.uint8)
    screen = cells_screen(cells, COLUMNS, True, six_bit_palette(registers))
    return Drawn(screen, sauce, flags=("custom-font",))


ARTWORX = ScreenReader(
    name="adf",
    rank=250,
    extensions=(".adf",),
    summary="ADF: Artworx, a screen with palette and font",
    recognised=".adf with version byte 1",
    oracle="ansilove",
    knows=lambda head, path: path.endswith(".adf") and head[:1] == b"\x01",
    draw=draw,
)
