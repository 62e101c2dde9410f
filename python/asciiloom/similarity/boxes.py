"""Where in a grid the picture is: without the border, the caption and the signature around it.

A border, a caption row or a signature is taken off as one layer, then the box is cut to its ink again;
so what stands inside a border inside a caption is found layer by layer.
"""

import numpy as np

from asciiloom.jit import njit
from asciiloom.similarity.arrays import I64, U8

# A layer is taken off only where this much ink, of so many distinct glyphs, is left within it.
LEFT_INK = 24
LEFT_GLYPHS = 2
# At most so many layers: a border, a signature, a caption of a few rows.
LAYERS = 5
# The longest word that is taken for a signature.
SIGNATURE_LETTERS = 10
# This share of a border's edge above and below is one glyph.
SIDE_SHARE = 0.85
# And of its posts, of which some rows may stand a column aside.
POST_SHARE = 0.65


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
def _is_side(cells: U8, first: int, step: int, count: int, share: float) -> bool:
    """Whether ``share`` of ``count`` cells from ``first`` on are one glyph."""
    for probe in (count // 2, count // 3, count // 5):
        glyph = cells[first + probe * step]
        if glyph <= 32:
            continue
        alike = 0
        for k in range(count):
            alike += cells[first + k * step] == glyph
        if alike >= share * count:
            return True
    return False


@njit
def _frame(cells: U8, start: int, width: int, box: I64) -> tuple[int, int]:
    """How many columns to the left and to the right are a border: one, two where some rows stand aside,
    none where the picture has no border all around."""
    rows, columns = box[2], box[3]
    if rows < 4 or columns < 7:
        return 0, 0
    top = start + box[0] * width + box[1]
    bottom = top + (rows - 1) * width
    for edge in (top, bottom):
        if not _is_side(cells, edge + 1, 1, columns - 2, SIDE_SHARE):
            return 0, 0
    left = right = 0
    for k in range(2, 0, -1):
        if _is_side(cells, top + width + k - 1, width, rows - 2, POST_SHARE):
            left = k
        if _is_side(cells, top + width + columns - k, width, rows - 2, POST_SHARE):
            right = k
    return (left, right) if left and right else (0, 0)


@njit
def _is_written(cells: U8, row: int, columns: int, alone: bool) -> bool:
    """Whether the row that begins at cell ``row``, at the picture's edge, is writing.

    Writing is a caption (several words, only where a blank row sets it apart: ``alone``), a signature (one
    word), or a single stray cell.
    """
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
def picture_boxes(cells: U8, start: I64, height: I64, width: I64) -> I64:
    """Top, left, rows and columns of the picture in each grid, (grids, 4); for the grids see ``GridBatch``."""
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
            left, right = _frame(cells, start[i], width[i], box)
            if left:
                smaller[0] += 1
                smaller[1] += left
                smaller[2] -= 2
                smaller[3] -= left + right
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
