"""Shingles and MinHash signatures of whole batches, interchangeable with datasketch.

Two sets of shingles see different edits: *blocks* of 2 rows x 4 columns keep the picture's
layout and survive a change elsewhere; *flat* runs of 5 glyphs without whitespace survive
re-spacing. Each is hashed to 32 bits and signed with the permutations of
``datasketch.MinHash(num_perm=128, seed=1)``, so that
``MinHash(hashvalues=row, scheme="affine32", seed=1)`` is the same signature.

Source: Broder, "On the resemblance and containment of documents" (1997).
"""

from typing import cast

import numpy as np

from asciiloom.jit import njit
from asciiloom.similarity.arrays import I64, U8, U16, U32
from asciiloom.similarity.columns import PERMUTATIONS, ROWS_PER_BAND
from asciiloom.similarity.grids import GridBatch

VERSION = 4
SEED = 1
# Rows and columns of a block.
BLOCK = (2, 4)
# A piece with fewer distinct glyphs than this is poor: all small blocks of a wall of "/\\" are alike. Its
# blocks are larger, and its flat runs, which are all alike, are not signed.
MIN_GLYPHS = 3
POOR_BLOCK = (3, 6)


def permutations() -> tuple[U32, U32]:
    """(a, b) of datasketch's affine32 scheme: ``h -> a * h + b mod 2^32``."""
    from datasketch import MinHash

    a, b = MinHash(num_perm=PERMUTATIONS, seed=SEED, scheme="affine32").permutations
    return a.astype(np.uint32), b.astype(np.uint32)


@njit
def _mix(h: int, value: int) -> int:
    """One FNV-1a step over a 32-bit word."""
    return ((h ^ value) * 16777619) & 0xFFFFFFFF


@njit
def block_shingles(
    cells: U8, start: int, height: int, width: int, rows: int, columns: int, out: U32
) -> int:
    """Write the hashes of the blocks with at least two ink cells; return how many there are."""
    count = 0
    over = columns // 2
    for y in range(height - rows + 1):
        for x in range(-over, width - columns + over + 1):
            h = 2166136261
            ink = 0
            for dy in range(rows):
                base = start + (y + dy) * width
                for dx in range(columns):
                    code = 32
                    if 0 <= x + dx < width:
                        code = int(cells[base + x + dx])
                    if code > 32:
                        ink += 1
                    h = _mix(h, code)
            if ink >= 2:
                out[count] = h
                count += 1
    return count


@njit
def _flat_shingles(cells: U8, start: int, height: int, width: int, out: U32) -> int:
    """Write the hashes of the runs of five ink cells in reading order; return how many there are."""
    count = 0
    held = 0
    window = np.zeros(5, np.int64)
    for i in range(start, start + height * width):
        code = int(cells[i])
        if code <= 32:
            continue
        for k in range(4):
            window[k] = window[k + 1]
        window[4] = code
        held += 1
        if held >= 5:
            h = 2166136261
            for k in range(5):
                h = _mix(h, window[k])
            out[count] = h
            count += 1
    return count


@njit
def _sign(
    cells: U8, start: I64, height: I64, width: I64, glyphs: I64, flat: bool, a: U32, b: U32
) -> U32:
    """MinHash values, (pieces, permutations); all ones where a piece has no shingle."""
    n = len(start)
    out = np.full((n, len(a)), 0xFFFFFFFF, np.uint32)
    largest = 8
    for i in range(n):
        largest = max(largest, (height[i] + 1) * (width[i] + 6))
    hashes = np.empty(largest, np.uint32)
    for i in range(n):
        poor = glyphs[i] < MIN_GLYPHS
        rows, columns = POOR_BLOCK if poor else BLOCK
        if not flat:
            count = block_shingles(cells, start[i], height[i], width[i], rows, columns, hashes)
        elif poor:
            count = 0
        else:
            count = _flat_shingles(cells, start[i], height[i], width[i], hashes)
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


def distinct_glyphs(counts: U16) -> I64:
    """How many glyphs grids with these histograms have."""
    return np.asarray(np.count_nonzero(counts, axis=1))


def shingles(text: str, flat: bool) -> U32:
    """The distinct 32-bit shingle hashes of one text, sorted."""
    batch = GridBatch.from_texts([text])
    height, width = int(batch.height[0]), int(batch.width[0])
    out = np.empty((height + 1) * (width + 6) + 8, np.uint32)
    poor = distinct_glyphs(batch.histograms()[1])[0] < MIN_GLYPHS
    if not flat:
        block = POOR_BLOCK if poor else BLOCK
        count = block_shingles(batch.cells, 0, height, width, *block, out)
    else:
        count = 0 if poor else _flat_shingles(batch.cells, 0, height, width, out)
    return np.unique(out[:count])


def sign(batch: GridBatch, flat: bool, count: int = PERMUTATIONS, glyphs: I64 | None = None) -> U32:
    """MinHash signatures of a batch, uint32 (pieces, ``count``); ``glyphs`` distinct ones, where known."""
    a, b = permutations()
    if glyphs is None:
        glyphs = distinct_glyphs(batch.histograms()[1])
    return _sign(
        batch.cells, batch.start, batch.height, batch.width, glyphs, flat, a[:count], b[:count]
    )


def band_buckets(signatures: U32) -> U32:
    """LSH buckets, uint32 (bands, pieces): a hash of each band's four values; 0 without a signature."""
    bands = signatures.shape[1] // ROWS_PER_BAND
    with np.errstate(over="ignore"):
        words = signatures.reshape(len(signatures), bands, ROWS_PER_BAND).astype(np.uint64)
        h = np.full(words.shape[:2], 0x9E3779B97F4A7C15, np.uint64)
        for k in range(ROWS_PER_BAND):
            h = (h ^ words[:, :, k]) * np.uint64(0xFF51AFD7ED558CCD)
            h = h ^ (h >> np.uint64(32))
    out = np.maximum(h.astype(np.uint32), 1)
    out[(signatures == 0xFFFFFFFF).all(axis=1)] = 0
    return cast(U32, np.ascontiguousarray(out.T))
