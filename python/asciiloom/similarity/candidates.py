"""Which pairs of pieces to look at: those that share buckets.

A column gives each piece a bucket: a hash of one band of its MinHash signature, or of its whole text.
Each column is sorted by bucket and, within a bucket, by ink; so pieces that may be the same picture
stand side by side. To find mirror images the same is done with twice as many entries: each piece, and
each piece as seen in a mirror. What is found here is only a candidate; the grid decides.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from asciiloom.cores import cores
from asciiloom.jit import njit
from asciiloom.similarity import columns
from asciiloom.similarity.arrays import I32, I64, U8, U32, U64, Flags
from asciiloom.similarity.pairs import INK_HASH, MINHASH, MIRROR, Candidates, PairKeys, pack

# A picture with this many times the ink is another picture.
INK_RATIO = 2.5
# In a bucket up to this size every piece meets every other. A larger one is some common stroke: there
# each piece meets only the next few by ink.
CROWD = 24
CROWD_NEIGHBOURS = 4
# Of 105 bands a pair of which a twentieth of the cells differs shares a few, a chance pair mostly one.
SHARED_BANDS = 2
# A mirror image is looked for from both sides, 16 bands each; no pair that met only once was ever the same.
SHARED_MIRRORED = 2

_pack = njit(pack)


@njit
def _bucket_pairs(
    keys: U64, entries: I32, is_new: Flags, pieces: int, ratio: float, out: U64
) -> int:
    """Write the pairs of pieces that share a bucket; return how many there are, even where ``out`` is full.

    ``keys`` (entries,) ascending are ``bucket << 32 | ink``. Where ``pieces`` is not 0, entry k stands for
    piece k below it and for the mirror image of piece k - ``pieces`` from there on, and a pair takes one
    of each. A pair has a new piece on at least one side.
    """
    count = 0
    n = len(keys)
    first = 0
    while first < n:
        end = first + 1
        bucket = keys[first] >> 32
        while end < n and keys[end] >> 32 == bucket:
            end += 1
        reach = end - first if end - first <= CROWD else CROWD_NEIGHBOURS
        for i in range(first, end - 1):
            ink_limit = ratio * (keys[i] & 0xFFFFFFFF) + 2
            for j in range(i + 1, min(end, i + 1 + reach)):
                if (keys[j] & 0xFFFFFFFF) > ink_limit:
                    break
                a, b = entries[i], entries[j]
                if pieces:
                    if (a < pieces) == (b < pieces):
                        continue
                    a, b = a % pieces, b % pieces
                if a != b and (is_new[a] or is_new[b]):
                    if count < len(out):
                        out[count] = _pack(min(a, b), max(a, b))
                    count += 1
        first = end
    return count


@njit
def _entries_beside_new(buckets: U32, new: I64, pieces: int, bits: U8, out: I64) -> int:
    """Write the entries whose bucket a new piece has too; return how many, even where ``out`` is full.

    ``bits`` is a table of one bit for each hash of a bucket: where two hashes fall on one bit an entry
    may be written for nothing, but none is left out. ``pieces`` is as in ``_bucket_pairs``.
    """
    mask = 8 * len(bits) - 1
    for piece in new:
        for entry in range(piece, len(buckets), pieces) if pieces else range(piece, piece + 1):
            h = buckets[entry] & mask
            bits[h >> 3] |= 1 << (h & 7)
    count = 0
    for entry in range(len(buckets)):
        h = buckets[entry] & mask
        if buckets[entry] != 0 and bits[h >> 3] >> (h & 7) & 1:
            if count < len(out):
                out[count] = entry
            count += 1
    return count


def column_pairs(buckets: U32, ink: I64, is_new: Flags) -> PairKeys:
    """Pairs of pieces with one bucket, as ascending indices, each once.

    ``buckets``, ``ink`` and ``is_new`` are (pieces,). Bucket 0 is none. A pair has a new side.
    """
    return _sharing(buckets, ink, is_new, 0)


def mirror_pairs(buckets: U32, mirrored: U32, ink: I64, is_new: Flags) -> PairKeys:
    """Pairs of which one is in the bucket of the other's mirror image; twice where each is in the other's."""
    return _sharing(np.concatenate([buckets, mirrored]), ink, is_new, len(buckets))


def _sharing(buckets: U32, ink: I64, is_new: Flags, pieces: int) -> PairKeys:
    """``buckets`` are by entry, ``ink`` and ``is_new`` by piece; for ``pieces`` see ``_bucket_pairs``."""
    if is_new.all():
        entries = np.flatnonzero(buckets)
    else:
        new = np.flatnonzero(is_new)
        bits = np.zeros(1 << max(16, len(new).bit_length() + 6) - 3, np.uint8)
        # Counted first: fresh memory for all entries would cost more than the second pass.
        entries = np.empty(_entries_beside_new(buckets, new, pieces, bits, new[:0]), np.int64)
        _entries_beside_new(buckets, new, pieces, bits, entries)
    keys = buckets[entries].astype(np.uint64) << np.uint64(32)
    keys |= np.minimum(ink[entries % len(ink)], 0xFFFFFFFF).astype(np.uint64)
    return sorted_pairs(keys, entries.astype(np.int32), is_new, pieces)


def sorted_pairs(keys: U64, entries: I32, is_new: Flags, pieces: int) -> PairKeys:
    """Pairs of pieces among ``entries`` by ``keys`` (``bucket << 32 | ink``), ascending.

    Entries with equal keys stay in the given order. ``is_new`` is by piece; for ``pieces`` see
    ``_bucket_pairs``.
    """
    order = np.argsort(keys, kind="stable")
    keys, entries = keys[order], entries[order]
    out = np.empty(2 * len(keys) + 64, np.uint64)
    count = _bucket_pairs(keys, entries, is_new, pieces, INK_RATIO, out)
    if count > len(out):
        out = np.empty(count, np.uint64)
        _bucket_pairs(keys, entries, is_new, pieces, INK_RATIO, out)
    found = out[:count]
    found.sort()
    return PairKeys(found)


def propose(ids: I64, is_new: Flags, column: Callable[[str], U32]) -> Candidates:
    """Pairs of the pieces ``ids`` (pieces,) that share enough buckets, one side new, by ascending ids.

    ``column`` gives the values of a named column, uint32 (pieces,). It is called in this thread only.
    """
    ink = column(columns.INK).astype(np.int64)

    def alike(buckets: U32) -> PairKeys:
        return column_pairs(buckets, ink, is_new)

    def mirrored(both: tuple[U32, U32]) -> PairKeys:
        return mirror_pairs(*both, ink, is_new)

    # Nearly all of it is sorting, and sorts let other threads run.
    with ThreadPoolExecutor(cores()) as pool:
        same_text = alike(column(columns.INK_HASH))
        bands = map(column, columns.BANDED)
        shared = PairKeys.union(pool.map(alike, bands), SHARED_BANDS).without(same_text)
        # Who has the hash of text and mirror image in common but not that of the text is a mirror image too.
        same_mirror = alike(column(columns.MIRROR_HASH)).without(same_text)
        facing = zip(
            map(column, columns.BLOCKS[: columns.MIRROR_BANDS]),
            map(column, columns.MIRRORED),
            strict=True,
        )
        shared_mirror = PairKeys.union(pool.map(mirrored, facing), SHARED_MIRRORED)
        mirror = PairKeys.union([same_mirror, shared_mirror])
    found = (same_text, shared, mirror)
    pairs = PairKeys.concatenate(found)
    codes = np.array([INK_HASH, MINHASH, MIRROR], np.uint8)
    evidence = np.repeat(codes, [len(part) for part in found])
    one, two = ids[pairs.left], ids[pairs.right]
    left, right = np.minimum(one, two), np.maximum(one, two)
    other = np.flatnonzero(left != right)  # a piece that was signed twice meets its older signature
    order = other[np.lexsort((right[other], left[other]))]
    return Candidates(left, right, evidence).take(order)
