"""Grids of many pieces end to end in one array, so that compiled kernels see whole batches.

Near-twins are compared as *tight* grids: only the picture, without the border, caption and signature
around it, cut to its ink. So two pieces that differ in just these, or in their indent, are alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asciiloom.jit import njit
from asciiloom.piece import MIRROR, CodeArray, Codes, Grid, cell_widths
from asciiloom.similarity.arrays import I64, U8, U16, U32
from asciiloom.similarity.boxes import picture_boxes

# Glyphs are counted by so many counters; see ``counter``.
_COUNTERS = 64


@dataclass(frozen=True, slots=True)
class GridBatch:
    """Grids of many pieces: ``cells`` flat, piece i at ``start[i]``, ``height[i]`` x ``width[i]``.

    A cell is a byte, so that a million pieces fit in memory. ASCII is kept as it is; every other glyph
    is folded onto one of the 127 bytes above, where two glyphs meet by chance once in 127 times.
    """

    cells: U8
    start: I64
    height: I64
    width: I64

    @classmethod
    def from_texts(cls, texts: Sequence[str]) -> "GridBatch":
        """The grids of ``texts``, one cell a code point.

        Only texts with joined or empty glyphs go through ``Grid.from_text``, which is slow.
        """
        if not texts:
            none = np.empty(0, np.int64)
            return cls(np.empty(0, np.uint8), none, none, none)
        joined = CodeArray.of(texts)
        cell_width = np.ones(128, np.int8) if joined.is_ascii else cell_widths()
        height, width = _sizes(joined.codes, joined.first, cell_width)
        odd = {i: Grid.from_text(texts[i]).cells for i in np.flatnonzero(width < 0).tolist()}
        for i, cells in odd.items():
            height[i], width[i] = cells.shape
        size = height * width
        start = np.cumsum(size) - size
        out = np.full(int(size.sum()), 32, np.uint8)
        skip = np.zeros(len(texts), np.bool_)
        for i, cells in odd.items():
            skip[i] = True
            flat = cells.ravel()
            out[start[i] : start[i] + cells.size] = fold(flat)
        _write_cells(joined.codes, joined.first, cell_width, skip, start, width, out)
        return cls(out, start, height, width)

    def __len__(self) -> int:
        return len(self.start)

    def tight(self) -> "GridBatch":
        """Without borders, captions and signatures around the pictures, each cut to its ink."""
        box = picture_boxes(self.cells, self.start, self.height, self.width)
        height, width = box[:, 2], box[:, 3]
        size = height * width
        start = np.cumsum(size) - size
        out = np.empty(int(size.sum()), np.uint8)
        _cut(self.cells, self.start, self.width, box, start, out)
        return GridBatch(out, start, height.copy(), width.copy())

    def mirrored(self) -> "GridBatch":
        """Each grid as seen in a mirror, glyphs swapped where they have a twin."""
        twin_of = np.arange(256, dtype=np.uint8)
        for code, twin in MIRROR.items():
            twin_of[code] = twin
        out = np.empty_like(self.cells)
        _mirror(self.cells, self.start, self.height, self.width, twin_of, out)
        return GridBatch(out, self.start, self.height, self.width)

    def take(self, which: I64) -> "GridBatch":
        """The same cells, only the grids ``which``."""
        return GridBatch(self.cells, self.start[which], self.height[which], self.width[which])

    def packed(self) -> "GridBatch":
        """The same grids without the cells of others."""
        size = self.height * self.width
        start = np.cumsum(size) - size
        out = np.empty(int(size.sum()), np.uint8)
        box = np.zeros((len(self), 4), np.int64)
        box[:, 2], box[:, 3] = self.height, self.width
        _cut(self.cells, self.start, self.width, box, start, out)
        return GridBatch(out, start, self.height, self.width)

    @classmethod
    def concatenate(cls, batches: "Sequence[GridBatch]") -> "GridBatch":
        """The grids of several batches, one after another."""
        ends = np.cumsum([0, *(len(batch.cells) for batch in batches)])
        return cls(
            np.concatenate([batch.cells for batch in batches]),
            np.concatenate([b.start + end for b, end in zip(batches, ends, strict=False)]),
            np.concatenate([batch.height for batch in batches]),
            np.concatenate([batch.width for batch in batches]),
        )

    def histograms(self) -> tuple[I64, NDArray[np.uint16]]:
        """(ink cells, counts by glyph modulo 64) of each grid: (n,) and uint16 (n, 64)."""
        counts = np.zeros((len(self), _COUNTERS), np.uint16)
        ink = np.zeros(len(self), np.int64)
        _count(self.cells, self.start, self.height, self.width, ink, counts)
        return ink, counts


def fold(codes: U32) -> U8:
    """Code points as cells."""
    return np.where(codes < 128, codes, 128 + (codes ^ (codes >> 7)) % 127).astype(np.uint8)


def entropy(ink: I64, counts: U16) -> NDArray[np.float64]:
    """Bits a glyph says, of grids with these histograms: 0 where all ink is one glyph."""
    share = counts / np.maximum(ink, 1)[:, None]
    return np.asarray(-(share * np.log2(np.where(share > 0, share, 1))).sum(1))


@njit
def _sizes(codes: Codes, first: I64, cell_width: NDArray[np.int8]) -> tuple[I64, I64]:
    """Height in rows and width in cells of each text; width -1 where only graphemes tell it."""
    n = len(first) - 1
    height = np.zeros(n, np.int64)
    width = np.zeros(n, np.int64)
    for i in range(n):
        x = 0
        for k in range(first[i], first[i + 1]):
            code = codes[k]
            if code == 10:
                height[i] += 1
                if width[i] >= 0 and x > width[i]:
                    width[i] = x
                x = 0
            elif code < 128:
                x += 1
            elif code >= len(cell_width) or cell_width[code] < 0:
                width[i] = -1
            else:
                x += cell_width[code]
    return height, width


@njit
def _write_cells(
    codes: Codes,
    first: I64,
    cell_width: NDArray[np.int8],
    skip: NDArray[np.bool_],
    start: I64,
    width: I64,
    out: U8,
) -> None:
    """Write text i from ``out[start[i]]`` on, but for those to ``skip``; ``out`` is blank before."""
    for i in range(len(first) - 1):
        if skip[i]:
            continue
        row = start[i]
        x = 0
        for k in range(first[i], first[i + 1]):
            code = codes[k]
            if code == 10:
                row += width[i]
                x = 0
                continue
            out[row + x] = code if code < 128 else 128 + (code ^ (code >> 7)) % 127
            x += 1
            if code >= 128:
                for _ in range(1, cell_width[code]):
                    out[row + x] = 0  # the tail of a double-width glyph
                    x += 1


@njit
def _cut(cells: U8, start: I64, width: I64, box: I64, out_start: I64, out: U8) -> None:
    """Write what is within ``box`` of each grid, from ``out[out_start[i]]`` on."""
    for i in range(len(start)):
        top, left, rows, columns = box[i]
        for y in range(rows):
            for x in range(columns):
                out[out_start[i] + y * columns + x] = cells[
                    start[i] + (top + y) * width[i] + left + x
                ]


@njit
def _mirror(cells: U8, start: I64, height: I64, width: I64, twin: U8, out: U8) -> None:
    """Write every row backwards, each glyph as its ``twin`` in the mirror, (256,)."""
    for i in range(len(start)):
        for y in range(height[i]):
            row = start[i] + y * width[i]
            for x in range(width[i]):
                code = cells[row + x]
                out[row + width[i] - 1 - x] = twin[code] if code < len(twin) else code


@njit
def counter(code: int) -> int:
    """Which counter of a histogram a cell is counted by."""
    return (code ^ (code >> 6)) & (_COUNTERS - 1)


@njit
def _count(
    cells: U8, start: I64, height: I64, width: I64, ink: I64, counts: NDArray[np.uint16]
) -> None:
    """Add up each grid's cells of ink, and its glyphs by counter; a full counter stays full."""
    for i in range(len(start)):
        row = counts[i]
        for k in range(start[i], start[i] + height[i] * width[i]):
            code = cells[k]
            if code > 32:
                ink[i] += 1
                slot = counter(code)
                if row[slot] < 65535:
                    row[slot] += 1
