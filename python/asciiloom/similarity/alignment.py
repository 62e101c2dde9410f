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
from asciiloom.similarity.grids import GridBatch, counter
from asciiloom.similarity.signatures import BLOCK, block_shingles, holds, insert, slots
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
# A stray brings in a glyph that is at most this share of its piece's ink. A wall of a maze that stands or not,
# a dot of a fill that is there or not, is drawn.
STRAY_GLYPH = 0.08
# Where so many of the cells that differ alone do, the others are damage too.
STRAY_SHARE = 0.60
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
        first = (y + 1) * stride
        row, line = cells[start + y * width :], out[first : first + width]
        for x in range(len(line)):
            line[x] = row[x] if row[x] > 32 else blank  # without a branch: ink comes at random


@njit
def _equal(one: U8, two: U8) -> int:
    # Slices from 0, and a sum that is cut at each step, since it widens by itself: so the compiler compares
    # many cells an instruction.
    same = np.uint32(0)
    for k in range(len(one)):
        same = np.uint32(same + np.uint32(one[k] == two[k]))
    return int(same)


@njit
def _lesser(one: U16 | U32, two: U16 | U32) -> int:
    """The sum of the lesser of each two counts, and so an upper bound of what can agree: of two histograms no
    more glyphs, of the ink of two pieces' rows no more cells."""
    both = np.uint32(0)
    for k in range(len(one)):
        both = np.uint32(both + np.uint32(min(one[k], two[k])))
    return int(both)


@njit
def _row_ink(cells: U8, start: int, height: int, width: int, out: U32) -> None:
    for y in range(height):
        ink = np.uint32(0)
        row = cells[start + y * width : start + (y + 1) * width]
        for x in range(len(row)):
            ink = np.uint32(ink + np.uint32(row[x] > 32))
        out[y] = ink


@njit
def _column_ink(cells: U8, start: int, height: int, width: int, out: U32) -> None:
    out[:width] = 0
    for y in range(height):
        row = cells[start + y * width : start + (y + 1) * width]
        for x in range(len(row)):
            out[x] = np.uint32(out[x] + np.uint32(row[x] > 32))


@njit
def _bound(one: U32, two: U32, shift: int) -> int:
    """An upper bound of the cells that agree with b moved by ``shift``, by the ink of both pieces' lines."""
    first, last = max(0, shift), min(len(one), len(two) + shift)
    return _lesser(one[first:last], two[first - shift : last - shift]) if first < last else 0


@njit
def _likeliest(one: U32, two: U32, reach: int) -> tuple[int, int]:
    """The shift of b, ``reach`` at most, by which most ink of both pieces' lines could meet, and how much."""
    best, most = 0, -1
    for shift in range(-reach, reach + 1):
        bound = _bound(one, two, shift)
        if bound > most:
            best, most = shift, bound
    return best, most


@njit
def _bits(ink: int, counts: U16) -> float:
    """Bits a glyph says; see ``grids.entropy``."""
    bits = 0.0
    for count in counts:
        if count:
            bits -= count / ink * np.log2(count / ink)
    return bits


@njit
def _differing(one: U8, two: U8, out: U8) -> tuple[int, int]:
    """Mark in ``out`` where the ink of two lines is another; return how many there are, and how many of them
    have ink on both sides."""
    total, exchanged = np.uint32(0), np.uint32(0)
    for x in range(len(out)):
        a, b = one[x], two[x]
        differs = (a != b) & ((a > 32) | (b > 32))
        out[x] = differs
        total = np.uint32(total + np.uint32(differs))
        exchanged = np.uint32(exchanged + np.uint32(differs & (a > 32) & (b > 32)))
    return int(total), int(exchanged)


@njit
def _forgiven(
    grid_a: U8,
    ha: int,
    wa: int,
    grid_b: U8,
    hb: int,
    wb: int,
    stride: int,
    dy: int,
    dx: int,
    small: int,
    counts_a: U16,
    counts_b: U16,
    few_a: float,
    few_b: float,
) -> float:
    """Agreement of two grids as ``_spread`` writes them, b moved down by ``dy`` and right by ``dx``, without
    what strays; 0 where too much differs.

    Each row of b stands where it agrees most, up to a column aside. Then a cell that differs is a stray
    where at most one of its eight neighbours does too, and its glyph is among the ``few`` of its piece by
    their ``counts``, as is that of many of them. The letter of a word or the eye of a face that is another one is no stray, and 8 % of
    noise is hardly anything else. Nor is what two mazes differ in: walls, one here and one there.
    """
    top, bottom = min(0, dy), max(ha, hb + dy)
    left, right = min(0, dx - 1), max(wa, wb + dx + 1)
    span = right - left  # a row of a grid has room for it
    most = STRAY_CELLS * (bottom - top) * (span - 2)
    differs = np.zeros((bottom - top + 2, span + 2), np.uint8)
    lines_a, lines_b = np.zeros(bottom - top, np.int64), np.zeros(bottom - top, np.int64)
    equal = total = exchanged = 0
    for y in range(top, bottom):
        in_a, in_b = 0 <= y < ha, 0 <= y - dy < hb
        here, there = (y + 1) * stride + left, (y - dy + 1) * stride - dx + left
        if not in_a:
            here = 0  # the blank row above
        if not in_b:
            there = 0
        line_a = grid_a[here : here + span]
        if in_a and in_b:
            best = _equal(line_a, grid_b[there : there + span])
            centre = there
            for aside in (centre + 1, centre - 1):
                same = _equal(line_a, grid_b[aside : aside + span])
                if same > best:
                    best, there = same, aside
            equal += best
        lines_a[y - top], lines_b[y - top] = here, there
        line_b = grid_b[there : there + span]
        others, inked = _differing(line_a, line_b, differs[y - top + 1, 1 : span + 1])
        total += others
        exchanged += inked
        if total > most or exchanged > STRAY_INK * small:
            return 0.0
    if equal < STRAY_REST * small:
        return 0.0
    lone = strays = 0
    for y in range(1, bottom - top + 1):
        for x in range(1, span + 1):
            if differs[y, x]:
                near = 0
                for v in range(y - 1, y + 2):
                    for u in range(x - 1, x + 2):
                        near += differs[v, u]
                one, two = grid_a[lines_a[y - 1] + x - 1], grid_b[lines_b[y - 1] + x - 1]
                foreign = one > 32 and counts_a[counter(one)] <= few_a
                foreign = foreign or (two > 32 and counts_b[counter(two)] <= few_b)
                lone += near <= 2
                strays += foreign and near <= 2
    if strays >= STRAY_SHARE * lone:
        strays = lone
    return equal / (equal + total - strays)


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
    size = slots(largest)
    set_a, set_b = np.empty(size, np.uint32), np.empty(size, np.uint32)
    stamps_a, stamps_b = np.zeros(size, np.uint32), np.zeros(size, np.uint32)
    built = -1
    stamp = stamp_b = distinct_a = mask_a = 0
    rows_a = np.empty(tallest, np.uint32)
    rows_b = np.empty(tallest, np.uint32)
    columns_a = np.empty(widest, np.uint32)
    columns_b = np.empty(widest, np.uint32)
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
        common = _lesser(counts[a], counts[b])
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
            if _bound(rows_a[:ha], rows_b[:hb], dy) <= max(best, need - 1):
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
            dy, most = _likeliest(rows_a[:ha], rows_b[:hb], FAR_ROWS)
            if most >= LIKELY * small:
                _column_ink(cells, start[a], ha, wa, columns_a)
                _column_ink(cells, start[b], hb, wb, columns_b)
                dx, most = _likeliest(columns_a[:wa], columns_b[:wb], FAR_COLUMNS)
            if most >= LIKELY * small:
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
                grids = (grid_a, ha, wa, grid_b, hb, wb, stride)
                few = (STRAY_GLYPH * ink[a], STRAY_GLYPH * ink[b])
                place = (best_dy, best_dx, small, counts[a], counts[b])
                forgiven = _forgiven(*grids, *place, *few)
                if forgiven >= FORGIVEN_LEAST:
                    out[p, 0] = max(out[p, 0], forgiven)
        if best < need:
            continue
        if a != built:
            built, stamp, distinct_a = a, stamp + 1, 0
            count = block_shingles(cells, start[a], ha, wa, rows, columns, False, hashes)
            mask_a = slots(count) - 1
            for k in range(count):
                distinct_a += insert(set_a, stamps_a, stamp, mask_a, hashes[k])
        stamp_b += 1
        distinct_b = both = 0
        count = block_shingles(cells, start[b], hb, wb, rows, columns, False, hashes)
        mask_b = slots(count) - 1
        for k in range(count):
            if insert(set_b, stamps_b, stamp_b, mask_b, hashes[k]):
                distinct_b += 1
                both += holds(set_a, stamps_a, stamp, mask_a, hashes[k])
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
