"""Two pieces side by side on the grid: how many ink cells agree at the best alignment.

MinHash agreement alone is not enough on art: boxes, rulers and figlet letters share most of
their shingles without being the same picture. So a candidate pair counts only when the cells
themselves agree. Most candidates fall to two upper bounds first: glyphs in common, and ink of
rows that could meet.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from asciiloom.corpus.grids import I64, U32, GridBatch
from asciiloom.corpus.signatures import _block_shingles
from asciiloom.jit import njit

F32 = NDArray[np.float32]
U16 = NDArray[np.uint16]
SHIFT_COLUMNS = 3
SHIFT_ROWS = 2
# Pairs that cannot reach these are not looked at further: no line is ever drawn below them.
FLOOR_AGREEMENT = 0.40
FLOOR_CONTAINED = 0.85
_THREADS = 2


@njit
def _agree(
    cells: U32, sa: int, ha: int, wa: int, sb: int, hb: int, wb: int, dy: int, dx: int
) -> int:
    """Equal ink cells when b is moved by (dy, dx) against a."""
    same = 0
    for y in range(max(0, dy), min(ha, hb + dy)):
        ra = sa + y * wa
        rb = sb + (y - dy) * wb - dx
        for x in range(max(0, dx), min(wa, wb + dx)):
            code = cells[ra + x]
            same += code > 32 and code == cells[rb + x]
    return same


@njit
def _row_ink(cells: U32, start: int, height: int, width: int, out: I64) -> None:
    for y in range(height):
        ink = 0
        for x in range(width):
            ink += cells[start + y * width + x] > 32
        out[y] = ink


@njit
def _meet(one: I64, ha: int, two: I64, hb: int, dy: int) -> int:
    """The most cells that could agree with b moved by dy rows: the lesser ink of each row pair."""
    most = 0
    for y in range(max(0, dy), min(ha, hb + dy)):
        most += min(one[y], two[y - dy])
    return most


@njit
def _best(
    cells: U32, sa: int, ha: int, wa: int, sb: int, hb: int, wb: int, one: I64, two: I64, enough: int, reach: int
) -> int:
    """Most equal ink cells over the shifts: a few rows and columns, and right or bottom edges together."""
    best = 0
    for rows in range(2 * SHIFT_ROWS + 2):
        dy = (rows + 1) // 2 * (1 if rows % 2 else -1)
        if rows == 2 * SHIFT_ROWS + 1:
            dy = ha - hb
            if abs(dy) <= SHIFT_ROWS:
                continue
        if _meet(one, ha, two, hb, dy) <= best:
            continue
        for shift in range(2 * reach + 2):
            dx = (shift + 1) // 2 * (1 if shift % 2 else -1)
            if shift == 2 * reach + 1:
                dx = wa - wb
                if abs(dx) <= reach:
                    continue
            best = max(best, _agree(cells, sa, ha, wa, sb, hb, wb, dy, dx))
            if best >= enough:
                return best
    return best


@njit
def _verify(
    cells: U32,
    start: I64,
    height: I64,
    width: I64,
    ink: I64,
    counts: U16,
    left: I64,
    right: I64,
    reach: int,
    floor: bool,
    out: F32,
) -> None:
    """Fills (pairs, 3): agreement = equal / union of ink, containment = equal / smaller ink, Jaccard of blocks."""
    largest = 8
    tallest = 1
    for i in range(len(start)):
        largest = max(largest, (height[i] + 1) * (width[i] + 4))
        tallest = max(tallest, height[i])
    one = np.empty(largest, np.uint32)
    two = np.empty(largest, np.uint32)
    row_one = np.empty(tallest, np.int64)
    row_two = np.empty(tallest, np.int64)
    last = -1
    ua = one[:0]
    for p in range(len(left)):
        a, b = left[p], right[p]
        small = max(1, min(ink[a], ink[b]))
        both_ink = ink[a] + ink[b]
        if floor:
            common = 0
            for k in range(counts.shape[1]):
                common += min(counts[a, k], counts[b, k])
            # Counts stop at their type's end: such a piece is compared whatever they say.
            if (
                common < FLOOR_AGREEMENT * (both_ink - common)
                and common < FLOOR_CONTAINED * small
                and both_ink < 65535
            ):
                continue
        if a != last:
            _row_ink(cells, start[a], height[a], width[a], row_one)
            ua = np.unique(one[: _block_shingles(cells, start[a], height[a], width[a], one)])
            last = a
        _row_ink(cells, start[b], height[b], width[b], row_two)
        enough = small if small < 50 else int(0.98 * small)
        best = _best(
            cells, start[a], height[a], width[a], start[b], height[b], width[b], row_one, row_two, enough, reach
        )  # fmt: skip
        out[p, 0] = best / max(1, both_ink - best)
        out[p, 1] = best / small
        if floor and out[p, 0] < FLOOR_AGREEMENT and out[p, 1] < FLOOR_CONTAINED:
            continue
        ub = np.unique(two[: _block_shingles(cells, start[b], height[b], width[b], two)])
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


def verify_pairs(
    batch: GridBatch, left: I64, right: I64, *, reach: int = SHIFT_COLUMNS, floor: bool = False
) -> F32:
    """Agreement, containment and exact block Jaccard of pairs of places in ``batch``: float32 (pairs, 3).

    With ``floor`` a pair that cannot reach ``FLOOR_AGREEMENT`` or ``FLOOR_CONTAINED`` gets less
    than them, not its true numbers.
    """
    out = np.zeros((len(left), 3), np.float32)
    ink, counts = batch.histograms()

    def part(span: slice) -> None:
        _verify(
            batch.cells, batch.start, batch.height, batch.width, ink, counts,
            left[span], right[span], reach, floor, out[span],
        )  # fmt: skip

    step = max(1, -(-len(left) // (4 * _THREADS)))
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(part, (slice(k, k + step) for k in range(0, len(left), step))))
    return out
