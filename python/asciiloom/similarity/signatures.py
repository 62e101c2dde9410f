"""Shingles and MinHash signatures of whole batches, interchangeable with datasketch.

Two sets of shingles see different edits: *blocks* of 2 rows x 4 columns hold how rows stand to one
another; *flat* runs of 6 cells of one row survive rows that moved. A cell that is changed spoils eight
of the ones and six of the others, so both are small. Each is hashed to 32 bits and signed with the
permutations of ``datasketch.MinHash(num_perm=128, seed=1)``, so that
``MinHash(hashvalues=row, scheme="affine32", seed=1)`` is the same signature.

Source: Broder, "On the resemblance and containment of documents" (1997).
"""

from typing import Literal, cast

import numpy as np

from asciiloom.jit import njit
from asciiloom.similarity.arrays import I64, U8, U16, U32, Flags
from asciiloom.similarity.columns import PERMUTATIONS, ROWS_PER_BAND
from asciiloom.similarity.grids import GridBatch

# Of the signatures, and of how pairs are measured: a corpus of another one is signed and measured anew.
VERSION = 6
SEED = 1
Kind = Literal["blocks", "flat", "placed"]
# Rows and columns of a shingle.
BLOCK = (2, 4)
SHAPES: dict[Kind, tuple[int, int]] = {"blocks": BLOCK, "flat": (1, 6), "placed": BLOCK}
# All short runs of a wall of "/\\" are alike: where two glyphs are nearly all ink, twice as many cells make
# a run. By share: a few strays make no wall another thing.
POOR_SHARE = 0.85
POOR_FLAT = (1, 12)
# Odd words of 64 bits: what a column, a row and a place of a block count, and the finaliser's.
_STEP, _ROW_STEP, _PLACE_STEP, _MIX = (
    -7046029254386353131, 1442695040888963407, 7664345821815920749, -49064778989728563,
)  # fmt: skip


def permutations() -> tuple[U32, U32]:
    """(a, b) of datasketch's affine32 scheme: ``h -> a * h + b mod 2^32``."""
    from datasketch import MinHash

    a, b = MinHash(num_perm=PERMUTATIONS, seed=SEED, scheme="affine32").permutations
    return a.astype(np.uint32), b.astype(np.uint32)


@njit
def block_shingles(
    cells: U8, start: int, height: int, width: int, rows: int, columns: int, placed: bool, out: U32
) -> int:
    """Write the hashes of the blocks with at least two ink cells; return how many there are.

    A block may stick out by half to either side. With ``placed`` its hash tells where it stands too.
    ``out`` has room for ``height * (width + columns)``. The hash of a block follows from that of the one
    to its left (Karp and Rabin, 1987).
    """
    count = 0
    over = columns // 2
    span = width + 2 * over
    last = np.int64(1)
    for _ in range(columns):
        last *= _STEP
    blank = np.int64(0)
    for _ in range(rows):
        blank = blank * _ROW_STEP + 32
    line = np.full(span, blank, np.int64)
    ink = np.zeros(span, np.int64)
    values, held = line[over : over + width], ink[over : over + width]
    for y in range(height - rows + 1):
        values[:] = 0
        held[:] = 0
        for below in range(rows):
            row = cells[start + (y + below) * width : start + (y + below + 1) * width]
            for x in range(len(row)):
                values[x] = values[x] * _ROW_STEP + np.int64(row[x])
                held[x] += np.int64(row[x] > 32)
        h = here = np.int64(0)
        for x in range(span):
            h = h * _STEP + line[x]
            here += ink[x]
            if x >= columns:
                h -= line[x - columns] * last
                here -= ink[x - columns]
            if x >= columns - 1 and here >= 2:
                mixed = h + (y << 20 | x) * _PLACE_STEP if placed else h
                mixed = (mixed ^ (mixed >> 29 & 0x7FFFFFFFF)) * _MIX
                out[count] = np.uint32(mixed >> 32 & 0xFFFFFFFF)
                count += 1
    return count


@njit
def slots(values: int) -> int:
    """How many slots, a power of two, a hash set of so many values has; see ``insert``."""
    size = 16
    while size < 2 * values:
        size *= 2
    return size


@njit
def insert(held: U32, stamps: U32, stamp: int, mask: int, value: int) -> bool:
    """Put ``value`` into the hash set ``held``; return whether it is new there.

    A slot with another stamp counts as empty, so that a set is cleared by raising ``stamp``. Of a large
    table the first ``mask`` + 1 slots serve, so that a small set stays in the nearest cache.
    """
    slot = (value ^ value >> 15) & mask
    while stamps[slot] == stamp:
        if held[slot] == value:
            return False
        slot = (slot + 1) & mask
    held[slot], stamps[slot] = value, stamp
    return True


@njit
def holds(held: U32, stamps: U32, stamp: int, mask: int, value: int) -> bool:
    """Whether ``value`` is in the hash set that ``insert`` filled."""
    slot = (value ^ value >> 15) & mask
    while stamps[slot] == stamp:
        if held[slot] == value:
            return True
        slot = (slot + 1) & mask
    return False


@njit
def _sign(
    cells: U8,
    start: I64,
    height: I64,
    width: I64,
    rows: I64,
    columns: I64,
    placed: bool,
    a: U32,
    b: U32,
) -> U32:
    """MinHash values of blocks of ``rows[i]`` x ``columns[i]``, (pieces, permutations); all ones where a
    piece has no shingle."""
    n = len(start)
    out = np.full((n, len(a)), 0xFFFFFFFF, np.uint32)
    largest = 8
    for i in range(n):
        largest = max(largest, height[i] * (width[i] + columns[i]))
    hashes = np.empty(largest, np.uint32)
    for i in range(n):
        shape = (height[i], width[i], rows[i], columns[i])
        count = block_shingles(cells, start[i], *shape, placed, hashes)
        row = out[i]
        # A repeated shingle changes no minimum, so nothing is sorted out first.
        for s in range(count):
            # MurmurHash3's finaliser, then a * h + b: all modulo 2^32.
            h = int(hashes[s])
            h ^= h >> 16
            h = (h * 0x85EBCA6B) & 0xFFFFFFFF
            h ^= h >> 13
            h = (h * 0xC2B2AE35) & 0xFFFFFFFF
            h ^= h >> 16
            mixed = np.uint32(h)
            for k in range(len(a)):
                # The narrow type lets the compiler do eight permutations an instruction.
                row[k] = min(row[k], np.uint32(mixed * a[k] + b[k]))
    return out


def are_poor(ink: I64, counts: U16) -> Flags:
    """Of which grids with these histograms two glyphs are nearly all ink."""
    return np.asarray(np.partition(counts, -2)[:, -2:].sum(1) >= POOR_SHARE * ink)


def shingles(text: str, kind: Kind) -> U32:
    """The distinct 32-bit shingle hashes of one text, sorted."""
    batch = GridBatch.from_texts([text])
    height, width = int(batch.height[0]), int(batch.width[0])
    rows, columns = SHAPES[kind]
    if kind == "flat" and are_poor(*batch.histograms())[0]:
        rows, columns = POOR_FLAT
    out = np.empty(height * (width + columns), np.uint32)
    shape = (height, width, rows, columns)
    return np.unique(out[: block_shingles(batch.cells, 0, *shape, kind == "placed", out)])


def sign(
    batch: GridBatch,
    kind: Kind,
    count: int = PERMUTATIONS,
    histograms: tuple[I64, U16] | None = None,
) -> U32:
    """MinHash signatures of a batch, uint32 (pieces, ``count``); ``histograms`` are the batch's, where known."""
    a, b = permutations()
    rows, columns = (np.full(len(batch), size) for size in SHAPES[kind])
    if kind == "flat":
        columns[are_poor(*(histograms or batch.histograms()))] = POOR_FLAT[1]
    shape = (batch.cells, batch.start, batch.height, batch.width, rows, columns)
    return _sign(*shape, kind == "placed", a[:count], b[:count])


def band_buckets(signatures: U32) -> U32:
    """LSH buckets, uint32 (bands, pieces): a hash of the values of each band; 0 without a signature."""
    bands = signatures.shape[1] // ROWS_PER_BAND
    with np.errstate(over="ignore"):
        banded = signatures[:, : bands * ROWS_PER_BAND]
        words = banded.reshape(len(signatures), bands, ROWS_PER_BAND).astype(np.uint64)
        h = np.full(words.shape[:2], 0x9E3779B97F4A7C15, np.uint64)
        for k in range(ROWS_PER_BAND):
            h = (h ^ words[:, :, k]) * np.uint64(0xFF51AFD7ED558CCD)
            h = h ^ (h >> np.uint64(32))
    out = np.maximum(h.astype(np.uint32), 1)
    out[(signatures == 0xFFFFFFFF).all(axis=1)] = 0
    return cast(U32, np.ascontiguousarray(out.T))
