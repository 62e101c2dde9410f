"""Two pieces side by side on the grid: how many ink cells agree at the best alignment.

MinHash agreement alone is not enough on art: boxes, rulers and figlet letters share most of
their shingles without being the same picture. So a candidate pair counts only when the cells
themselves agree.
"""

import numpy as np
from numpy.typing import NDArray

from asciiloom.corpus.signatures import I64, U32, GridBatch, _block_shingles
from asciiloom.jit import njit

F32 = NDArray[np.float32]
SHIFT_COLUMNS = 3
SHIFT_ROWS = 2


@njit
def _agree(
    cells: U32, sa: int, ha: int, wa: int, sb: int, hb: int, wb: int, dy: int, dx: int
) -> int:
    """Equal ink cells when b is moved by (dy, dx) against a."""
    same = 0
    for y in range(max(0, dy), min(ha, hb + dy)):
        ra = sa + y * wa
        rb = sb + (y - dy) * wb
        for x in range(max(0, dx), min(wa, wb + dx)):
            code = cells[ra + x]
            if code > 32 and code == cells[rb + x - dx]:
                same += 1
    return same


@njit
def _verify(
    cells: U32, start: I64, height: I64, width: I64, ink: I64, left: I64, right: I64, reach: int
) -> F32:
    """(pairs, 3): agreement = equal / union of ink, containment = equal / smaller ink, Jaccard of blocks."""
    out = np.zeros((len(left), 3), np.float32)
    largest = 8
    for i in range(len(start)):
        largest = max(largest, (height[i] + 1) * (width[i] + 4))
    one = np.empty(largest, np.uint32)
    two = np.empty(largest, np.uint32)
    for p in range(len(left)):
        a, b = left[p], right[p]
        small = min(ink[a], ink[b])
        best = 0
        rows = min(SHIFT_ROWS, abs(height[a] - height[b]) + 1)
        for step in range(2 * rows + 1):
            dy = (step + 1) // 2 * (1 if step % 2 else -1)
            for shift in range(2 * reach + 1):
                dx = (shift + 1) // 2 * (1 if shift % 2 else -1)
                same = _agree(
                    cells, start[a], height[a], width[a], start[b], height[b], width[b], dy, dx
                )
                best = max(best, same)
            if best >= 0.98 * small:
                break
        out[p, 0] = best / max(1, ink[a] + ink[b] - best)
        out[p, 1] = best / max(1, small)
        na = _block_shingles(cells, start[a], height[a], width[a], one)
        nb = _block_shingles(cells, start[b], height[b], width[b], two)
        ua = np.unique(one[:na])
        ub = np.unique(two[:nb])
        i = j = both = 0
        while i < len(ua) and j < len(ub):
            if ua[i] == ub[j]:
                both += 1
                i += 1
                j += 1
            elif ua[i] < ub[j]:
                i += 1
            else:
                j += 1
        out[p, 2] = both / max(1, len(ua) + len(ub) - both)
    return out


def verify_pairs(
    batch: GridBatch, ink: I64, left: I64, right: I64, reach: int = SHIFT_COLUMNS
) -> F32:
    """Agreement, containment and exact block Jaccard of pairs of indices into ``batch``: float32 (pairs, 3)."""
    if not len(left):
        return np.zeros((0, 3), np.float32)
    return _verify(batch.cells, batch.start, batch.height, batch.width, ink, left, right, reach)
