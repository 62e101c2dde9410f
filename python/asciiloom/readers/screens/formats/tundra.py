"""TND (TundraDraw): glyphs with 24-bit colours, and jumps, one command byte before each."""

import numpy as np

from asciiloom.readers.screens.reader import Drawn, ScreenError, ScreenReader
from asciiloom.readers.screens.sauce import split_sauce
from asciiloom.readers.screens.screen import MAX_COLUMNS, MAX_ROWS, Screen, glyph_table

MAGIC = b"\x18TUNDRA24"
COLUMNS = 80
_MAX_CELLS = 4 << 20


def draw(data: bytes, encoding: str | None = None) -> Drawn:
    """The screen of a TundraDraw file."""
    from asciiloom.readers.screens.formats.kernels import draw_tundra

    body, sauce = split_sauce(data)
    columns = sauce.columns if sauce and 0 < sauce.columns <= MAX_COLUMNS else COLUMNS
    commands = np.frombuffer(body[len(MAGIC) :], np.uint8)
    # A byte draws one cell at most; only jumps reach further.
    rows = min(MAX_ROWS, _MAX_CELLS // columns)
    glyphs, fore, back, height = draw_tundra(commands, columns, rows)
    if height < 0:
        raise ScreenError("too-large", f"a jump or a row beyond {columns:,}x{rows:,}")
    if not height:
        raise ScreenError("empty", "nothing is drawn")
    table = glyph_table(sauce.font if sauce else "")
    return Drawn(Screen(table[glyphs[:height]], fore[:height], back[:height]), sauce)


TUNDRA = ScreenReader(
    name="tundra",
    rank=130,
    extensions=(".tnd",),
    summary="TND: TundraDraw, a screen in 24-bit colours",
    recognised="0x18 TUNDRA24",
    oracle="ansilove",
    knows=lambda head, path: head.startswith(MAGIC),
    draw=draw,
)
