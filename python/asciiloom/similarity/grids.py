"""Grids of many pieces end to end in one array, so that compiled kernels see whole batches.

Near-twins are compared as *tight* grids: without the border, the caption and the signature around the
picture and cut to its ink, so that none of these nor an indent is a difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asciiloom.jit import njit
from asciiloom.piece import MIRROR, CodeArray, Codes, Grid, cell_widths
from asciiloom.similarity.arrays import I64, U8, U16, U32

# What is around a picture is taken off only where at least this much ink of so many glyphs is left,
# and at most so many layers: a border, a signature, a caption of a few rows.
LEFT_INK = 24
LEFT_GLYPHS = 2
LAYERS = 5
SIGNATURE_LETTERS = 10
# Of a border's side this share is one glyph.
SIDE_SHARE = 0.85
_BUCKETS = 64


@dataclass(frozen=True, slots=True)
class GridBatch:
    """Grids of many pieces: ``cells`` flat, piece i at ``start[i]``, ``height[i]`` x ``width[i]``.

    A cell is a byte: ASCII as it is, and every other glyph folded onto the 127 bytes above, so that
    unequal glyphs are taken for equal once in 127 times, and a million pieces fit in memory.
    """

    cells: U8
    start: I64
    height: I64
    width: I64

    @classmethod
    def from_texts(cls, texts: Sequence[str]) -> "GridBatch":
        """One cell a code point; what has joined or empty glyphs goes by ``Grid.from_text``."""
        if not texts:
            none = np.empty(0, np.int64)
            return cls(np.empty(0, np.uint8), none, none, none)
        laid = CodeArray.of(texts)
        table = np.ones(128, np.int8) if laid.is_ascii else cell_widths()
        height, width = _sizes(laid.codes, laid.first, table)
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
        _lay(laid.codes, laid.first, table, skip, start, width, out)
        return cls(out, start, height, width)

    def __len__(self) -> int:
        return len(self.start)

    def tight(self) -> "GridBatch":
        """Without borders, captions and signatures around the pictures, each cut to its ink."""
        box = _boxes(self.cells, self.start, self.height, self.width)
        height, width = box[:, 2], box[:, 3]
        size = height * width
        start = np.cumsum(size) - size
        out = np.empty(int(size.sum()), np.uint8)
        _cut(self.cells, self.start, self.width, box, start, out)
        return GridBatch(out, start, height.copy(), width.copy())

    def mirrored(self) -> "GridBatch":
        """Each grid as seen in a mirror, glyphs swapped where they have a twin."""
        table = np.arange(256, dtype=np.uint8)
        for code, twin in MIRROR.items():
            table[code] = twin
        out = np.empty_like(self.cells)
        _mirror(self.cells, self.start, self.height, self.width, table, out)
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
        counts = np.zeros((len(self), _BUCKETS), np.uint16)
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
def _sizes(codes: Codes, first: I64, table: NDArray[np.int8]) -> tuple[I64, I64]:
    """Rows and cells of the widest row; width -1 where only graphemes tell."""
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
            elif code >= len(table) or table[code] < 0:
                width[i] = -1
            else:
                x += table[code]
    return height, width


@njit
def _lay(
    codes: Codes,
    first: I64,
    table: NDArray[np.int8],
    skip: NDArray[np.bool_],
    start: I64,
    width: I64,
    out: U8,
) -> None:
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
                for _ in range(1, table[code]):
                    out[row + x] = 0  # the tail of a double-width glyph
                    x += 1


@njit
def _ink(cells: U8, start: int, width: int, box: I64) -> tuple[int, int]:
    """(ink cells, distinct glyphs up to ``LEFT_GLYPHS``) within ``box``: top, left, rows, columns."""
    ink = 0
    kinds = 0
    seen = np.zeros(LEFT_GLYPHS, np.uint32)
    for y in range(box[0], box[0] + box[2]):
        for x in range(box[1], box[1] + box[3]):
            code = cells[start + y * width + x]
            if code > 32:
                ink += 1
                known = False
                for k in range(kinds):
                    known = known or seen[k] == code
                if not known and kinds < LEFT_GLYPHS:
                    seen[kinds] = code
                    kinds += 1
    return ink, kinds


@njit
def _shrink(cells: U8, start: int, width: int, box: I64) -> None:
    """Cut ``box`` to its ink; rows 0 where it has none."""
    top, bottom, left, right = 1 << 40, -1, 1 << 40, -1
    for y in range(box[0], box[0] + box[2]):
        for x in range(box[1], box[1] + box[3]):
            if cells[start + y * width + x] > 32:
                top = min(top, y)
                bottom = y
                left = min(left, x)
                right = max(right, x)
    if bottom < 0:
        box[2] = box[3] = 0
    else:
        box[0], box[1], box[2], box[3] = top, left, bottom - top + 1, right - left + 1


@njit
def _is_side(cells: U8, first: int, step: int, count: int) -> bool:
    """Whether ``count`` cells from ``first`` on are all ink, and nearly all of one glyph."""
    for probe in (count // 2, count // 3):
        glyph = cells[first + probe * step]
        alike = 0
        for k in range(count):
            code = cells[first + k * step]
            if code <= 32:
                return False
            alike += code == glyph
        if alike >= SIDE_SHARE * count:
            return True
    return False


@njit
def _framed(cells: U8, start: int, width: int, box: I64) -> bool:
    """Whether the outer ring is a border: full, each side of one glyph but for its corners."""
    rows, columns = box[2], box[3]
    if rows < 4 or columns < 5:
        return False
    top = start + box[0] * width + box[1]
    bottom = top + (rows - 1) * width
    for corner in (top, top + columns - 1, bottom, bottom + columns - 1):
        if cells[corner] <= 32:
            return False
    return (
        _is_side(cells, top + 1, 1, columns - 2)
        and _is_side(cells, bottom + 1, 1, columns - 2)
        and _is_side(cells, top + width, width, rows - 2)
        and _is_side(cells, top + width + columns - 1, width, rows - 2)
    )


@njit
def _is_written(cells: U8, row: int, columns: int, alone: bool) -> bool:
    """Whether a row at the edge is a caption (words, where it stands ``alone``), a signature (one word)
    or a stray cell."""
    letters = others = words = longest = length = 0
    for x in range(columns):
        code = cells[row + x]
        if code <= 32:
            length = 0
            continue
        length += 1
        longest = max(longest, length)
        if length == 1:
            words += 1
        if 48 <= code < 58 or 65 <= code < 91 or 97 <= code < 123:
            letters += 1
        else:
            others += 1
    if words == 1:
        signed = longest <= SIGNATURE_LETTERS and others <= 1 and letters >= 2
        return signed or longest == 1
    return alone and words >= 2 and letters >= 4 * others and longest <= 20


@njit
def _blank_row(cells: U8, row: int, columns: int) -> bool:
    return bool((cells[row : row + columns] <= 32).all())


@njit
def _boxes(cells: U8, start: I64, height: I64, width: I64) -> I64:
    """(top, left, rows, columns) of each picture, within its border, without caption and signature."""
    n = len(start)
    out = np.zeros((n, 4), np.int64)
    smaller = np.zeros(4, np.int64)
    for i in range(n):
        box = out[i]
        box[2], box[3] = height[i], width[i]
        _shrink(cells, start[i], width[i], box)
        for _ in range(LAYERS):
            if box[2] < 3:
                break
            smaller[:] = box
            first = start[i] + box[0] * width[i] + box[1]
            last = first + (box[2] - 1) * width[i]
            if _framed(cells, start[i], width[i], box):
                smaller[0] += 1
                smaller[1] += 1
                smaller[2] -= 2
                smaller[3] -= 2
            elif _is_written(cells, last, box[3], _blank_row(cells, last - width[i], box[3])):
                smaller[2] -= 1
            elif _is_written(cells, first, box[3], _blank_row(cells, first + width[i], box[3])):
                smaller[0] += 1
                smaller[2] -= 1
            else:
                break
            ink, kinds = _ink(cells, start[i], width[i], smaller)
            if ink < LEFT_INK or kinds < LEFT_GLYPHS:
                break
            _shrink(cells, start[i], width[i], smaller)
            box[:] = smaller
    return out


@njit
def _cut(cells: U8, start: I64, width: I64, box: I64, place: I64, out: U8) -> None:
    for i in range(len(start)):
        top, left, rows, columns = box[i]
        for y in range(rows):
            for x in range(columns):
                out[place[i] + y * columns + x] = cells[start[i] + (top + y) * width[i] + left + x]


@njit
def _mirror(cells: U8, start: I64, height: I64, width: I64, table: U8, out: U8) -> None:
    for i in range(len(start)):
        for y in range(height[i]):
            row = start[i] + y * width[i]
            for x in range(width[i]):
                code = cells[row + x]
                out[row + width[i] - 1 - x] = table[code] if code < len(table) else code


@njit
def _count(
    cells: U8, start: I64, height: I64, width: I64, ink: I64, counts: NDArray[np.uint16]
) -> None:
    for i in range(len(start)):
        row = counts[i]
        for k in range(start[i], start[i] + height[i] * width[i]):
            code = cells[k]
            if code > 32:
                ink[i] += 1
                slot = (code ^ (code >> 6)) & 63
                if row[slot] < 65535:
                    row[slot] += 1
