"""A reference: another drawing that a model sees cell by cell while it draws its own.

At every step the network is shown what stands in the reference about the cell that comes next. It costs
nothing in length, and a copy of the whole needs no memory: the model only has to learn where to trust what
it sees. It learns that from spoilt copies. ``spoil`` takes away more the higher the ``level`` is: at 1 a
glyph here and there, at 4 all but the places of the ink.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from asciiloom.jit import njit
from asciiloom.tokens.layout import I16
from asciiloom.tokens.tokenizer import EOS, NEWLINE, GridTokenizer, Ids

# (rows down, columns right) of the cells that are seen, from the cell that comes next.
WINDOW: tuple[tuple[int, int], ...] = (
    (0, 0), (0, 1), (0, -1), (0, 2), (0, -2), (1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1), (2, 0),
)  # fmt: skip
# Glyphs that stand for one another in a drawing; the first of each class stands for all of them.
_CLASSES = (
    ".,'`:;\"^*",
    "|!1lI[]{}",
    "-_=~",
    "/",
    "\\",
    "()oO0cCuUvVsSqQeabdpg69",
    "#%&$@MWNHBX8Kmw",
)
# At each level: share of cells changed, of rows moved aside, of patches blanked, of glyphs told by class only.
_CHANGED = (0.0, 0.03, 0.08, 0.12, 0.05)
_MOVED = (0.0, 0.02, 0.08, 0.12, 0.15)
_BLANKED = (0.0, 0.02, 0.08, 0.20, 0.05)
_CLASSED = (0.0, 0.0, 0.25, 0.75, 1.0)
_PATCH = 4  # rows; a patch is twice as many columns wide


def reference_grid(text: str, tokenizer: GridTokenizer) -> Ids:
    """The ids of ``text`` on a grid (height + 1, width + 1): right of a row's end is a newline, below the
    last row the end token, as the model would draw them."""
    rows = [tokenizer.encode(row) for row in text.split("\n")]
    rows = [row[tokenizer.cells[row] > 0] for row in rows]
    out = np.full((len(rows) + 1, max(map(len, rows)) + 1), NEWLINE, np.uint16)
    for number, row in enumerate(rows):
        out[number, : len(row)] = row
    out[len(rows) - 1, len(rows[-1]) :] = EOS
    out[len(rows)] = EOS
    return out


def reference_window(
    grids: Sequence[Ids | None], next_cell: I16, first: NDArray[np.int16], none: int
) -> Ids:
    """What stands about each next cell: uint16 (batch, time, 12), ``none`` where nothing does.

    ``next_cell`` (batch, time, 2) as in a layout (art from row 1 on); ``first`` (batch,): the place of the
    last id of each prompt, from which on the art is drawn.
    """
    batch, time = next_cell.shape[:2]
    out = np.full((batch, time, len(WINDOW)), none, np.uint16)
    window = np.array(WINDOW, np.int16)
    for row, grid in enumerate(grids):
        if grid is not None:
            _look(grid, next_cell[row], int(first[row]), window, out[row])
    return out


@njit
def _look(grid: Ids, next_cell: I16, first: int, window: I16, out: Ids) -> None:
    height, width = grid.shape
    for t in range(first, next_cell.shape[0]):
        for k in range(window.shape[0]):
            y = next_cell[t, 0] - 1 + window[k, 0]
            x = next_cell[t, 1] + window[k, 1]
            if y >= 0 and x >= 0:
                # The last row and column go on for ever.
                out[t, k] = grid[min(y, height - 1), min(x, width - 1)]


def spoil(text: str, level: int, rng: np.random.Generator) -> str:
    """``text`` with what a reference of ``level`` is not to tell taken away: cells changed, rows moved aside,
    patches blanked, glyphs replaced by the first of their class. Same ``rng``, same result."""
    rows = text.split("\n")
    width = max(map(len, rows))
    flat = "".join(row.ljust(width) for row in rows).encode("utf-32-le")
    cells = np.frombuffer(flat, np.uint32).reshape(len(rows), width).copy()
    if rng.random() < _CLASSED[level]:
        cells = _by_class(cells)
    ink = cells != 32
    inks = cells[ink]
    if not len(inks):
        return text
    changed = ink & (rng.random(cells.shape) < _CHANGED[level])
    cells[changed] = np.where(rng.random(changed.sum()) < 0.3, 32, rng.choice(inks, changed.sum()))
    grown = ~ink & (rng.random(cells.shape) < _CHANGED[level] * ink.mean() * 0.5)
    cells[grown] = rng.choice(inks, grown.sum())
    patches = (
        rng.random((-(-cells.shape[0] // _PATCH), -(-width // (2 * _PATCH)))) < _BLANKED[level]
    )
    blank = np.repeat(np.repeat(patches, _PATCH, 0), 2 * _PATCH, 1)[: cells.shape[0], :width]
    cells[blank] = 32
    for row in np.flatnonzero(rng.random(len(rows)) < _MOVED[level]):
        cells[row] = np.roll(cells[row], int(rng.choice((-1, 1))))
    if level > 1 and rng.random() < 0.3:
        aside = np.roll(
            np.pad(cells, ((0, 0), (1, 1)), constant_values=32), int(rng.choice((-1, 1))), 1
        )
        cells = aside[:, 1:-1]
    return "\n".join(row.tobytes().decode("utf-32-le").rstrip() for row in cells)


def _by_class(cells: NDArray[np.uint32]) -> NDArray[np.uint32]:
    table = np.arange(128, dtype=np.uint32)
    for glyphs in _CLASSES:
        table[[ord(c) for c in glyphs]] = ord(glyphs[0])
    return np.where(cells < 128, table[np.minimum(cells, 127)], cells)
