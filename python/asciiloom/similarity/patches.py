"""Patches of 3 rows x 6 columns, of which one in ``SCALE`` is kept, everywhere the same ones.

A crop has the patches of its part of the scene, so a sample that goes by the patch itself meets in both.

Source: FracMinHash, Irber, Brooks, Reiter, Pierce-Ward, Hera, Koslicki and Brown (2022).
"""

import numpy as np

from asciiloom.jit import njit
from asciiloom.similarity.arrays import I64, U8, U32
from asciiloom.similarity.grids import GridBatch

ROWS, COLUMNS = 3, 6
SCALE = 16
# A patch that says something: cells of ink, and distinct glyphs among them.
PATCH_INK = 6
PATCH_GLYPHS = 3
_STEP = 0x100000001B3
_MIX = -49064778989728563  # 0xFF51AFD7ED558CCD as a signed word


@njit
def _sketch(
    cells: U8, start: I64, height: I64, width: I64, keep: bool, out: U32, owner: U32, at: U32
) -> int:
    """Writes hash, piece and place (row << 16 | column) of the kept patches; returns how many there are."""
    count = 0
    top = np.int64(1)
    for _ in range(COLUMNS - 1):
        top *= _STEP
    widest = 1
    for i in range(len(start)):
        widest = max(widest, width[i])
    rolling = np.empty((ROWS, widest), np.int64)
    seen = np.zeros(PATCH_GLYPHS, np.int64)
    for i in range(len(start)):
        h, w = height[i], width[i]
        if h < ROWS or w < COLUMNS or h > 0xFFFF or w > 0xFFFF:
            continue
        for y in range(h):
            # A hash of every run of COLUMNS cells of this row; those of the last ROWS rows are held.
            line = start[i] + y * w
            rolling_row = rolling[y % ROWS]
            value = np.int64(0)
            for x in range(w):
                if x >= COLUMNS:
                    value -= np.int64(cells[line + x - COLUMNS]) * top
                value = value * _STEP + np.int64(cells[line + x])
                if x >= COLUMNS - 1:
                    rolling_row[x - COLUMNS + 1] = value
            if y < ROWS - 1:
                continue
            for x in range(w - COLUMNS + 1):
                mixed = np.int64(0)
                for k in range(ROWS):
                    mixed = (mixed ^ rolling[(y + 1 + k) % ROWS, x]) * _MIX
                    mixed ^= (mixed >> 29) & 0x7FFFFFFFF
                if mixed & (SCALE - 1):
                    continue
                ink = kinds = 0
                for dy in range(ROWS):
                    row = start[i] + (y - ROWS + 1 + dy) * w + x
                    for k in range(row, row + COLUMNS):
                        code = np.int64(cells[k])
                        if code > 32:
                            ink += 1
                            known = kinds >= PATCH_GLYPHS
                            for m in range(min(kinds, PATCH_GLYPHS)):
                                known = known or seen[m] == code
                            if not known:
                                seen[kinds] = code
                                kinds += 1
                if ink < PATCH_INK or kinds < PATCH_GLYPHS:
                    continue
                if keep:
                    out[count] = np.uint32((mixed >> 8) & 0xFFFFFFFF)
                    owner[count] = i
                    at[count] = np.uint32((y - ROWS + 1) << 16 | x)
                count += 1
    return count


def sketch(batch: GridBatch) -> tuple[U32, U32, U32]:
    """(hash, place of the piece, row << 16 | column) of the kept patches of a batch, ascending by hash."""
    none = np.empty(0, np.uint32)
    shape = (batch.cells, batch.start, batch.height, batch.width)
    count = _sketch(*shape, False, none, none, none)
    hashes, owner, at = (np.empty(count, np.uint32) for _ in range(3))
    _sketch(*shape, True, hashes, owner, at)
    order = np.argsort(hashes, kind="stable")
    return hashes[order], owner[order], at[order]
