"""Shingles and MinHash signatures of whole batches, interchangeable with datasketch.

Two sets of shingles see different edits: *blocks* of 2 rows x 4 columns keep the picture's
layout and survive a change elsewhere; *flat* runs of 5 glyphs without whitespace survive
re-spacing. Each is hashed to 32 bits and signed with the permutations of
``datasketch.MinHash(num_perm=128, seed=1)``, so that
``MinHash(hashvalues=row, scheme="affine32", seed=1)`` is the same signature.

Source: Broder, "On the resemblance and containment of documents" (1997).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asciiloom.jit import njit
from asciiloom.piece import Grid

U32 = NDArray[np.uint32]
I64 = NDArray[np.int64]

VERSION = 1
PERMUTATIONS = 128
SEED = 1
# Below this many distinct ink characters a shingle says nothing: every wall of "#" is alike.
MIN_GLYPHS = 3
ROWS_PER_BAND = 4
BANDS = PERMUTATIONS // ROWS_PER_BAND


@dataclass(frozen=True, slots=True)
class GridBatch:
    """Grids of many pieces end to end: ``cells`` flat, piece i at ``start[i]``, ``height[i]`` x ``width[i]``."""

    cells: U32
    start: I64
    height: I64
    width: I64

    @classmethod
    def from_texts(cls, texts: Sequence[str]) -> "GridBatch":
        grids = [Grid.from_text(text).cells for text in texts]
        sizes = np.fromiter((g.size for g in grids), np.int64, len(grids))
        flat = np.concatenate([g.ravel() for g in grids]) if grids else np.empty(0, np.uint32)
        return cls(
            flat,
            np.cumsum(sizes) - sizes,
            np.fromiter((g.shape[0] for g in grids), np.int64, len(grids)),
            np.fromiter((g.shape[1] for g in grids), np.int64, len(grids)),
        )

    def __len__(self) -> int:
        return len(self.start)


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
def _block_shingles(cells: U32, start: int, height: int, width: int, out: U32) -> int:
    """Hashes of the 2x4 blocks with at least two ink cells; returns how many were written."""
    count = 0
    for y in range(height - 1):
        for x in range(-2, width - 1):
            h = 2166136261
            ink = 0
            for dy in range(2):
                base = start + (y + dy) * width
                for dx in range(4):
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
def _flat_shingles(cells: U32, start: int, height: int, width: int, out: U32) -> int:
    """Hashes of the runs of five ink cells in reading order; returns how many were written."""
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
def _sign(cells: U32, start: I64, height: I64, width: I64, flat: bool, a: U32, b: U32) -> U32:
    """MinHash values, (pieces, permutations); all ones where a piece has no shingle."""
    n = len(start)
    out = np.full((n, len(a)), 0xFFFFFFFF, np.uint32)
    largest = 8
    for i in range(n):
        largest = max(largest, (height[i] + 1) * (width[i] + 4))
    hashes = np.empty(largest, np.uint32)
    for i in range(n):
        if flat:
            count = _flat_shingles(cells, start[i], height[i], width[i], hashes)
        else:
            count = _block_shingles(cells, start[i], height[i], width[i], hashes)
        found = np.unique(hashes[:count])
        row = out[i]
        for value in found:
            # MurmurHash3's finaliser, then a * h + b: all modulo 2^32.
            h = int(value)
            h ^= h >> 16
            h = (h * 0x85EBCA6B) & 0xFFFFFFFF
            h ^= h >> 13
            h = (h * 0xC2B2AE35) & 0xFFFFFFFF
            h ^= h >> 16
            for k in range(len(a)):
                p = (h * int(a[k]) + int(b[k])) & 0xFFFFFFFF
                if p < row[k]:
                    row[k] = p
    return out


def shingles(text: str, flat: bool) -> U32:
    """The distinct 32-bit shingle hashes of one text, sorted."""
    batch = GridBatch.from_texts([text])
    out = np.empty((batch.height[0] + 1) * (batch.width[0] + 4) + 8, np.uint32)
    fill = _flat_shingles if flat else _block_shingles
    count = fill(batch.cells, 0, int(batch.height[0]), int(batch.width[0]), out)
    return np.unique(out[:count])


def sign(batch: GridBatch, flat: bool) -> U32:
    """MinHash signatures of a batch, uint32 (pieces, 128)."""
    return _sign(batch.cells, batch.start, batch.height, batch.width, flat, *permutations())


def band_buckets(signatures: U32, flat: bool) -> I64:
    """LSH buckets, int64 (pieces, 32): a hash of each band's four values and of the band itself."""
    with np.errstate(over="ignore"):
        words = signatures.reshape(len(signatures), BANDS, ROWS_PER_BAND).astype(np.uint64)
        h = np.arange(BANDS, dtype=np.uint64)[None, :] * np.uint64(2) + np.uint64(flat)
        h = np.broadcast_to(h, words.shape[:2]) + np.uint64(0x9E3779B97F4A7C15)
        for k in range(ROWS_PER_BAND):
            h = (h ^ words[:, :, k]) * np.uint64(0xFF51AFD7ED558CCD)
            h = h ^ (h >> np.uint64(32))
    return h.view(np.int64)
