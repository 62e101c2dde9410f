"""The compiled pass over one grid that ``form`` is read off: runs, components and letters that are no strokes."""

import numpy as np
from numpy.typing import NDArray

from asciiloom.jit import njit

I64 = NDArray[np.int64]
U32 = NDArray[np.uint32]
Bools = NDArray[np.bool_]

# Fewer cells of one glyph than this are no run yet.
_RUN = 3
# A word has at least so many letters, and so many that differ: strokes repeat (``MMM``, ``VvV``, ``dMMb``).
_WORD = 3
_SIGNATURE = (2, 4)


@njit
def _is_letter(code: int) -> bool:
    return bool(65 <= code <= 90 or 97 <= code <= 122 or 0xC0 <= code < 0x250)


@njit
def longest_run(cells: U32, ink: Bools) -> float:
    """The longest run of one glyph of ink in a row or a column, as a share of that side."""
    height, width = cells.shape
    across = down = 0
    for y in range(height):
        run = 0
        for x in range(width):
            run = run + 1 if ink[y, x] and x and cells[y, x] == cells[y, x - 1] else int(ink[y, x])
            across = max(across, run)
    for x in range(width):
        run = 0
        for y in range(height):
            run = run + 1 if ink[y, x] and y and cells[y, x] == cells[y - 1, x] else int(ink[y, x])
            down = max(down, run)
    wide = across / width if across >= _RUN else 0.0
    high = down / height if down >= _RUN else 0.0
    return max(wide, high)


@njit
def components(ink: Bools) -> tuple[int, int]:
    """(connected components of ink among eight neighbours, cells of the largest)."""
    height, width = ink.shape
    seen = np.zeros((height, width), np.bool_)
    stack = np.empty((height * width, 2), np.int64)
    count = largest = 0
    for top in range(height):
        for left in range(width):
            if not ink[top, left] or seen[top, left]:
                continue
            count += 1
            size = 0
            waiting = 1
            stack[0, 0], stack[0, 1] = top, left
            seen[top, left] = True
            while waiting:
                waiting -= 1
                y, x = stack[waiting]
                size += 1
                for ny in range(max(0, y - 1), min(height, y + 2)):
                    for nx in range(max(0, x - 1), min(width, x + 2)):
                        if ink[ny, nx] and not seen[ny, nx]:
                            seen[ny, nx] = True
                            stack[waiting, 0], stack[waiting, 1] = ny, nx
                            waiting += 1
            largest = max(largest, size)
    return count, largest


@njit
def _alone(ink: Bools, row: int, begin: int, end: int) -> bool:
    """Whether nothing touches the cells ``begin`` to ``end`` of ``row``, also not by a corner."""
    height, width = ink.shape
    for y in range(max(0, row - 1), min(height, row + 2)):
        for x in range(max(0, begin - 1), min(width, end + 1)):
            if ink[y, x] and not (y == row and begin <= x < end):
                return False
    return True


@njit
def letters(cells: U32, ink: Bools) -> tuple[int, bool]:
    """(letters that draw nothing, whether some cluster of them looks like a signature).

    A run of letters in a row draws nothing where it is a word, or stands alone at either end of its row (an
    eye stands alone, too, but between two sides). A signature has two to four letters that differ, at an end
    of its row, free of what is beside it, or three that all differ and touch the drawing.
    """
    height, width = cells.shape
    stray = 0
    signed = False
    for y in range(height):
        first = last = -1
        for x in range(width):
            if ink[y, x]:
                first = x if first < 0 else first
                last = x
        x = 0
        while x < width:
            if not _is_letter(cells[y, x]):
                x += 1
                continue
            begin = x
            distinct = 0
            while x < width and _is_letter(cells[y, x]):
                new = 1
                for k in range(begin, x):
                    if cells[y, k] | 32 == cells[y, x] | 32:
                        new = 0
                distinct += new
                x += 1
            size = x - begin
            at_end = begin == first or x - 1 == last
            # Where letters repeat they are strokes, as in dMMMb.
            word = distinct >= _WORD and distinct * 3 >= size * 2
            if word or (at_end and _alone(ink, y, begin, x)):
                stray += size
            free = (begin == 0 or not ink[y, begin - 1]) and (x == width or not ink[y, x])
            if at_end and _SIGNATURE[0] <= size <= _SIGNATURE[1]:
                signed = signed or distinct >= _WORD or (free and distinct >= _SIGNATURE[0])
    return stray, signed
