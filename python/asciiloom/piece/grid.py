"""A piece as a grid: one code point per terminal cell, so that pictures can be compared in 2D."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from wcwidth import iter_graphemes, wcswidth

SPACE = 0x20
WIDE_TAIL = 0  # the second cell of a double-width glyph

# Glyphs that turn into another one in a mirror; all others are taken to be symmetric.
MIRROR = str.maketrans("/\\()[]{}<>bdpqJLsz`',.", "\\/)(][}{><dbqpLJzs'`.,")


@dataclass(frozen=True, slots=True)
class Grid:
    """``cells``: uint32 array (height, width) of code points, padded with spaces."""

    cells: NDArray[np.uint32]

    @property
    def height(self) -> int:
        return int(self.cells.shape[0])

    @property
    def width(self) -> int:
        return int(self.cells.shape[1])

    @classmethod
    def from_text(cls, text: str) -> "Grid":
        r"""The cells of ``text`` (canonical); a grapheme's first code point fills its cell."""
        rows = text.split("\n")
        plain = text.isascii()
        rows_of_cells = [
            np.frombuffer(r.encode("utf-32-le"), np.uint32) if plain else _cells(r) for r in rows
        ]
        width = max((len(row) for row in rows_of_cells), default=0)
        cells = np.full((len(rows), width), SPACE, np.uint32)
        for y, row in enumerate(rows_of_cells):
            cells[y, : len(row)] = row
        return cls(cells)

    def to_text(self) -> str:
        """The text again (combining marks are not kept: a cell holds one code point)."""
        rows = (
            row[row != WIDE_TAIL].tobytes().decode("utf-32-le").rstrip(" ") for row in self.cells
        )
        return "\n".join(rows)

    def ink(self) -> NDArray[np.bool_]:
        """True where a cell shows something: (height, width)."""
        return np.asarray((self.cells != SPACE) & (self.cells != WIDE_TAIL))


def _cells(row: str) -> NDArray[np.uint32]:
    out: list[int] = []
    for grapheme in iter_graphemes(row):
        cells = max(0, wcswidth(grapheme))
        if cells:
            out.append(ord(grapheme[0]))
            out += [WIDE_TAIL] * (cells - 1)
    return np.asarray(out, np.uint32)


def mirror_text(text: str) -> str:
    """``text`` as seen in a mirror: rows reversed on their own, glyphs swapped where they have a twin."""
    rows = text.translate(MIRROR)[::-1].split("\n")
    rows.reverse()
    return "\n".join(rows)
