"""Two pieces laid on one another: how many ink cells agree at the best alignment.

MinHash agreement alone is not enough on art: boxes, rulers and figlet letters share most of
their shingles without being the same picture. So a candidate pair counts only when the cells
themselves agree. Two upper bounds, which are quick to count, rule most candidates out first: the
glyphs in common, and the ink of rows that could meet.

A copy with a few cells changed all over, or with some rows a column aside, is still the copy; but where
ink is sparse, a blank in twenty that turned into ink is half as much again. So cells that differ alone
are not held against a pair, while they are few: see ``_forgiven``.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from asciiloom.cores import cores
from asciiloom.jit import njit
from asciiloom.similarity.arrays import F32, I64, U8, U16, U32
from asciiloom.similarity.grids import GridBatch
from asciiloom.similarity.signatures import BLOCK, block_shingles
from asciiloom.similarity.thresholds import LETTERING_BITS, LETTERING_ROWS

SHIFT_COLUMNS = 3
SHIFT_ROWS = 2
# Where that finds little, the ink of rows and columns tells a shift up to these.
FAR_COLUMNS = 20
FAR_ROWS = 6
# A shift is sought far away only where so much ink could agree, but does not; and strays are looked for
# only where so much does.
LIKELY = 0.80
HOPEFUL = 0.50
# So that cells that differ can be strays: they are at most this share of all, those with ink on both sides
# at most that of the ink, and so much of the ink agrees.
STRAY_CELLS = 0.12
STRAY_INK = 0.10
STRAY_REST = 0.60
# And nearly nothing else differs.
FORGIVEN_LEAST = 0.90
# A few cells are all that tells small pieces apart, and lettering.
FORGIVEN_INK = 60
# A pair that can reach neither is not measured further: no threshold is ever set below them.
FLOOR_AGREEMENT = 0.40
FLOOR_CONTAINED = 0.85


@njit
def _spread(
    cells: U8, start: int, height: int, width: int, stride: int, blank: int, out: U8
) -> None:
    """Write a grid with rows of ``stride`` cells, one blank row above and one below.

    Cells without ink become ``blank``. Two grids with one stride and different blanks are equal
    just where the same ink meets; and to shift one by rows and columns is to begin at another cell,
    so that all rows are compared as one run.
    """
    out[: (height + 2) * stride] = blank
    for y in range(height):
        row = start + y * width
        first = (y + 1) * stride
        line = out[first : first + width]
        for x in range(width):
            code = cells[row + x]
            line[x] = code if code > 32 else blank  # without a branch: ink comes at random


@njit
def _equal(one: U8, two: U8) -> int:
    # Slices from 0 and a narrow sum: what lets the compiler compare 64 cells an instruction.
    same = np.uint32(0)
    for k in range(len(one)):
        same += np.uint32(one[k] == two[k])
    return int(same)


@njit
def _row_ink(cells: U8, start: int, height: int, width: int, out: I64) -> None:
    for y in range(height):
        ink = np.uint32(0)
        row = cells[start + y * width : start + (y + 1) * width]
        for x in range(len(row)):
            ink += np.uint32(row[x] > 32)
        out[y] = ink


@njit
def _row_bound(one: I64, ha: int, two: I64, hb: int, dy: int) -> int:
    """An upper bound of the cells that agree with b moved down by dy: the lesser ink of each pair of rows."""
    bound = 0
    for y in range(max(0, dy), min(ha, hb + dy)):
        bound += min(one[y], two[y - dy])
    return bound


@njit
def _column_ink(cells: U8, start: int, height: int, width: int, out: I64) -> None:
    out[:width] = 0
    for y in range(height):
        row = cells[start + y * width : start + (y + 1) * width]
        for x in range(len(row)):
            out[x] += row[x] > 32


@njit
def _likeliest(one: I64, a: int, two: I64, b: int, reach: int) -> int:
    """The shift of b, ``reach`` at most, by which most ink of both lines could meet; see ``_row_bound``."""
    best, most = 0, -1
    for shift in range(-reach, reach + 1):
        bound = _row_bound(one, a, two, b, shift)
        if bound > most:
            best, most = shift, bound
    return best


@njit
def _bits(ink: int, counts: U16) -> float:
    """Bits a glyph says; see ``grids.entropy``."""
    bits = 0.0
    for count in counts:
        if count:
            bits -= count / ink * np.log2(count / ink)
    return bits


@njit
def _forgiven(
    cells: U8,
    start_a: int,
    ha: int,
    wa: int,
    start_b: int,
    hb: int,
    wb: int,
    dy: int,
    dx: int,
    small: int,
) -> float:
    """Agreement of a pair, b moved down by ``dy`` and right by ``dx``, without what strays; 0 where
    too much differs.

    Each row of b stands where it agrees most, up to a column aside. Then a cell that differs is a stray
    where at most one of its eight neighbours does too. The letter of a word or the eye of a face that is
    another one is no stray, and 8 % of noise is hardly anything else.
    """
    top, bottom = min(0, dy), max(ha, hb + dy)
    left, right = min(0, dx - 1), max(wa, wb + dx + 1)
    differs = np.zeros((bottom - top + 2, right - left + 2), np.uint8)
    equal = total = exchanged = 0
    for y in range(top, bottom):
        line_a, line_b = start_a + y * wa, start_b + (y - dy) * wb
        in_a, in_b = 0 <= y < ha, 0 <= y - dy < hb
        best, aside = -1, 0
        if in_a and in_b:
            for step in (0, -1, 1):
                move = dx + step
                same = 0
                for x in range(max(0, move), min(wa, wb + move)):
                    code = cells[line_a + x]
                    same += code > 32 and code == cells[line_b + x - move]
                if same > best:
                    best, aside = same, step
            equal += best
        move = dx + aside
        for x in range(left, right):
            one = cells[line_a + x] if in_a and 0 <= x < wa else np.uint8(32)
            two = cells[line_b + x - move] if in_b and 0 <= x - move < wb else np.uint8(32)
            if max(one, np.uint8(32)) != max(two, np.uint8(32)):
                differs[y - top + 1, x - left + 1] = 1
                total += 1
                exchanged += int(one > 32 and two > 32)
    area = (bottom - top) * (right - left - 2)
    if total > STRAY_CELLS * area or exchanged > STRAY_INK * small or equal < STRAY_REST * small:
        return 0.0
    strays = 0
    for y in range(1, bottom - top + 1):
        for x in range(1, right - left + 1):
            if differs[y, x]:
                near = 0
                for v in range(y - 1, y + 2):
                    for u in range(x - 1, x + 2):
                        near += differs[v, u]
                strays += near <= 2
    return equal / (equal + total - strays)


@njit
def _insert(held: U32, stamps: U32, stamp: int, value: int) -> bool:
    """Put ``value`` into the hash set ``held``; return whether it is new there.

    A slot with another stamp counts as empty, so that a set is cleared by raising ``stamp``.
    """
    mask = len(held) - 1
    slot = (value ^ value >> 15) & mask
    while stamps[slot] == stamp:
        if held[slot] == value:
            return False
        slot = (slot + 1) & mask
    held[slot], stamps[slot] = value, stamp
    return True


@njit
def _holds(held: U32, stamps: U32, stamp: int, value: int) -> bool:
    mask = len(held) - 1
    slot = (value ^ value >> 15) & mask
    while stamps[slot] == stamp:
        if held[slot] == value:
            return True
        slot = (slot + 1) & mask
    return False


@njit
def _align(
    cells: U8,
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
    """Fill ``out`` (pairs, 3): agreement (equal / union of ink), containment (equal / lesser ink), Jaccard of blocks."""
    largest = 8
    tallest = 1
    widest = 1
    for i in range(len(start)):
        largest = max(largest, (height[i] + 1) * (width[i] + 4))
        tallest = max(tallest, height[i])
        widest = max(widest, width[i])
    rows, columns = BLOCK
    hashes = np.empty(largest, np.uint32)
    size = 16
    while size < 2 * largest:
        size *= 2
    set_a, set_b = np.empty(size, np.uint32), np.empty(size, np.uint32)
    stamps_a, stamps_b = np.zeros(size, np.uint32), np.zeros(size, np.uint32)
    built = -1
    stamp = stamp_b = distinct_a = 0
    rows_a = np.empty(tallest, np.int64)
    rows_b = np.empty(tallest, np.int64)
    columns_a = np.empty(widest, np.int64)
    columns_b = np.empty(widest, np.int64)
    room = 0
    for p in range(len(left)):
        a, b = left[p], right[p]
        stride = max(width[a], width[b]) + FAR_COLUMNS + 1
        room = max(room, (max(height[a], height[b]) + 2) * stride)
    grid_a = np.empty(room, np.uint8)
    grid_b = np.empty(room, np.uint8)
    last = last_stride = -1
    for p in range(len(left)):
        a, b = left[p], right[p]
        ha, wa, hb, wb = height[a], width[a], height[b], width[b]
        small = max(1, min(ink[a], ink[b]))
        both_ink = ink[a] + ink[b]
        need = 0
        common = 0
        for k in range(counts.shape[1]):
            common += min(counts[a, k], counts[b, k])
        if floor:
            need = int(
                min(FLOOR_AGREEMENT / (1 + FLOOR_AGREEMENT) * both_ink, FLOOR_CONTAINED * small)
            )
            # Counts stop at their type's end: such a piece is compared whatever they say.
            if common < need and both_ink < 65535:
                continue
        stride = max(wa, wb) + FAR_COLUMNS + 1
        if a != last:
            _row_ink(cells, start[a], ha, wa, rows_a)
        if a != last or stride != last_stride:
            _spread(cells, start[a], ha, wa, stride, 0, grid_a)
        last, last_stride = a, stride
        _row_ink(cells, start[b], hb, wb, rows_b)
        _spread(cells, start[b], hb, wb, stride, 1, grid_b)
        enough = small if small < 50 else int(0.98 * small)
        best = best_dy = best_dx = 0
        for step in range(2 * SHIFT_ROWS + 2):
            dy = (step + 1) // 2 * (1 if step % 2 else -1)
            if step == 2 * SHIFT_ROWS + 1:
                dy = ha - hb  # bottom edges together
                if abs(dy) <= SHIFT_ROWS:
                    continue
            if _row_bound(rows_a, ha, rows_b, hb, dy) <= max(best, need - 1):
                continue
            top, bottom = max(0, dy), min(ha, hb + dy)
            for shift in range(2 * reach + 2):
                dx = (shift + 1) // 2 * (1 if shift % 2 else -1)
                if shift == 2 * reach + 1:
                    dx = wa - wb  # right edges together
                    if abs(dx) <= reach:
                        continue
                here = (top + 1) * stride
                there = (top - dy + 1) * stride - dx
                size = (bottom - top) * stride
                same = _equal(grid_a[here : here + size], grid_b[there : there + size])
                if same > best:
                    best, best_dy, best_dx = same, dy, dx
                if best >= enough:
                    break
            if best >= enough:
                break
        moved = abs(wa - wb) > reach or abs(ha - hb) > SHIFT_ROWS
        if moved and best < LIKELY * small <= common:
            _column_ink(cells, start[a], ha, wa, columns_a)
            _column_ink(cells, start[b], hb, wb, columns_b)
            dy = _likeliest(rows_a, ha, rows_b, hb, FAR_ROWS)
            dx = _likeliest(columns_a, wa, columns_b, wb, FAR_COLUMNS)
            top, bottom = max(0, dy), min(ha, hb + dy)
            size = max(0, bottom - top) * stride
            here = (top + 1) * stride
            there = (top - dy + 1) * stride - dx
            same = _equal(grid_a[here : here + size], grid_b[there : there + size])
            if same > best:
                best, best_dy, best_dx = same, dy, dx
        out[p, 0] = best / max(1, both_ink - best)
        out[p, 1] = best / small
        if small >= FORGIVEN_INK and best >= HOPEFUL * small and out[p, 0] < 0.98:
            lettering = max(ha, hb) <= LETTERING_ROWS and (
                min(_bits(ink[a], counts[a]), _bits(ink[b], counts[b])) < LETTERING_BITS
            )
            if not lettering:
                shape = (start[a], ha, wa, start[b], hb, wb, best_dy, best_dx)
                forgiven = _forgiven(cells, *shape, small)
                if forgiven >= FORGIVEN_LEAST:
                    out[p, 0] = max(out[p, 0], forgiven)
        if best < need:
            continue
        if a != built:
            built, stamp, distinct_a = a, stamp + 1, 0
            count = block_shingles(cells, start[a], ha, wa, rows, columns, False, hashes)
            for k in range(count):
                distinct_a += _insert(set_a, stamps_a, stamp, hashes[k])
        stamp_b += 1
        distinct_b = both = 0
        count = block_shingles(cells, start[b], hb, wb, rows, columns, False, hashes)
        for k in range(count):
            if _insert(set_b, stamps_b, stamp_b, hashes[k]):
                distinct_b += 1
                both += _holds(set_a, stamps_a, stamp, hashes[k])
        out[p, 2] = both / max(1, distinct_a + distinct_b - both)


def align_pairs(
    batch: GridBatch,
    left: I64,
    right: I64,
    *,
    reach: int = SHIFT_COLUMNS,
    floor: bool = False,
    histograms: tuple[I64, U16] | None = None,
) -> F32:
    """Agreement, containment and exact block Jaccard of pairs of grids: float32 (pairs, 3).

    ``left`` and ``right`` are indices into ``batch``; ``reach`` is how many columns one is shifted at
    most, apart from right edges together. With ``floor`` a pair that can reach neither
    ``FLOOR_AGREEMENT`` nor ``FLOOR_CONTAINED`` gets less than them, not its true numbers.
    ``histograms`` are the batch's, where they are known.
    """
    out = np.zeros((len(left), 3), np.float32)
    ink, counts = histograms or batch.histograms()

    def part(span: slice) -> None:
        _align(
            batch.cells, batch.start, batch.height, batch.width, ink, counts,
            left[span], right[span], reach, floor, out[span],
        )  # fmt: skip

    step = max(1, -(-len(left) // (4 * cores())))
    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(part, (slice(k, k + step) for k in range(0, len(left), step))))
    return out
