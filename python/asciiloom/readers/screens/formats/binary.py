"""BIN: a screen's memory as it was, a glyph byte and an attribute byte for every cell.

It has no header. Width comes from the SAUCE record (half of it in the file type), or is 160.
"""

import numpy as np

from asciiloom.readers.screens.reader import Drawn, ScreenError, ScreenReader
from asciiloom.readers.screens.sauce import BINARY_TEXT, split_sauce
from asciiloom.readers.screens.screen import (
    MAX_ROWS,
    VGA,
    Screen,
    attribute_colours,
    glyph_table,
)

COLUMNS = 160


def cells_screen(
    cells: np.ndarray, columns: int, ice: bool, palette: np.ndarray = VGA, font: str = ""
) -> Screen:
    """The screen of uint8 pairs (glyph, attribute); a last row that is not full is padded."""
    pairs = cells[: len(cells) // 2 * 2].reshape(-1, 2)
    rows = -(-len(pairs) // columns)
    full = np.zeros((rows * columns, 2), np.uint8)
    full[:, 0] = 32
    full[:, 1] = 7
    full[: len(pairs)] = pairs
    glyphs = glyph_table(font)[full[:, 0]].reshape(rows, columns)
    fore, back = attribute_colours(full[:, 1].reshape(rows, columns), ice, palette)
    return Screen(glyphs, fore, back)


def _is_screen(body: bytes) -> bool:
    """Attributes are few and the glyph of most blanks is a space; other binaries are neither."""
    cells = np.frombuffer(body[: len(body) // 2 * 2], np.uint8).reshape(-1, 2)
    if not len(cells):
        return False
    glyphs, attributes = cells[:, 0], cells[:, 1]
    common = np.sort(np.bincount(attributes, minlength=256))[::-1][:16].sum()
    drawn = np.isin(glyphs, [*range(32, 127), *range(176, 224), 254]).mean()
    return bool(common >= 0.9 * len(cells) and drawn >= 0.8)


def draw(data: bytes, encoding: str | None = None) -> Drawn:
    """The screen of a BIN file."""
    body, sauce = split_sauce(data)
    columns = COLUMNS
    if sauce and sauce.datatype == BINARY_TEXT and sauce.columns:
        columns = sauce.columns
    rows = len(body) // (2 * columns)
    if rows:  # what follows the last full row is no row of the screen
        body = body[: rows * 2 * columns]
    if rows > MAX_ROWS:
        raise ScreenError("too-large", f"{rows:,} rows; at most {MAX_ROWS:,}")
    if len(body) < 2 or (not sauce and not _is_screen(body)):
        detail = "no SAUCE record, and the bytes are not glyph and attribute pairs"
        raise ScreenError("binary", detail)
    screen = cells_screen(np.frombuffer(body, np.uint8), columns, bool(sauce and sauce.ice))
    return Drawn(screen, sauce)


BIN = ScreenReader(
    name="bin",
    rank=260,
    extensions=(".bin",),
    summary="BIN: the memory of a text screen, glyph and attribute",
    recognised=".bin",
    oracle="ansilove",
    knows=lambda head, path: path.endswith(".bin"),
    draw=draw,
    limit=16 << 20,
)
