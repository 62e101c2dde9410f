"""Which pairs of pieces to look at: those that share a bucket, within columns of whole batches.

A column holds one bucket of every piece: of a MinHash band, or of a hash of the bare text. Sorted by
bucket and ink, pieces that may be the same picture stand side by side. Every pair found here is only
a candidate; the grid decides.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from asciiloom.cores import cores
from asciiloom.jit import njit
from asciiloom.similarity.arrays import I64, U32, U64, Flags

# A picture with this many times the ink is another picture.
INK_RATIO = 2.5
# In a bucket up to this size everyone meets everyone; in a larger one, which is some common stroke,
# each meets its neighbours by ink.
CROWD = 24
CROWD_NEIGHBOURS = 4
# Pairs that ``union`` sorts at a time.
_RANGE = 1 << 20

Key = TypeVar("Key", np.uint64, np.int64)


@njit
def _near(
    key: U64, owner: NDArray[np.int32], fresh: Flags, half: int, ratio: float, out: U64
) -> int:
    """Pairs (low << 32 | high) of one sorted column; returns how many there are, also beyond ``out``.

    With ``half`` places from there on are mirror images of those below, and a pair has one of each.
    """
    count = 0
    n = len(key)
    first = 0
    while first < n:
        last = first + 1
        bucket = key[first] >> 32
        while last < n and key[last] >> 32 == bucket:
            last += 1
        reach = last - first if last - first <= CROWD else CROWD_NEIGHBOURS
        for i in range(first, last - 1):
            most = ratio * (key[i] & 0xFFFFFFFF) + 2
            for j in range(i + 1, min(last, i + 1 + reach)):
                if (key[j] & 0xFFFFFFFF) > most:
                    break
                a, b = owner[i], owner[j]
                if half:
                    if (a < half) == (b < half):
                        continue
                    wanted = fresh[a % half] or fresh[b % half]
                    a, b = a % half, b % half
                else:
                    wanted = fresh[a] or fresh[b]
                if a != b and wanted:
                    if count < len(out):
                        out[count] = np.uint64(min(a, b)) << np.uint64(32) | np.uint64(max(a, b))
                    count += 1
        first = last
    return count


@njit
def _sharing(buckets: U32, fresh: I64, half: int, table: NDArray[np.uint8], out: I64) -> int:
    """Writes the places whose bucket is, or may be (``table`` is of bits), that of a fresh piece; returns how
    many there are, also beyond ``out``."""
    mask = 8 * len(table) - 1
    for p in fresh:
        for place in range(p, len(buckets), half) if half else range(p, p + 1):
            h = buckets[place] & mask
            table[h >> 3] |= 1 << (h & 7)
    count = 0
    for place in range(len(buckets)):
        h = buckets[place] & mask
        if buckets[place] != 0 and table[h >> 3] >> (h & 7) & 1:
            if count < len(out):
                out[count] = place
            count += 1
    return count


def column_pairs(buckets: U32, ink: I64, fresh: Flags) -> U64:
    """Candidate pairs of one column, as ascending ``low << 32 | high`` of places in it.

    ``buckets``, ``ink`` and ``fresh`` are (pieces,); bucket 0 is none; a pair has a fresh side.
    """
    return _pairs(buckets, ink, fresh, 0)


def mirror_pairs(buckets: U32, mirrored: U32, ink: I64, fresh: Flags) -> U64:
    """Candidate pairs of pieces of which one is in the bucket of the other's mirror image; twice where each
    is in the other's."""
    return _pairs(np.concatenate([buckets, mirrored]), ink, fresh, len(buckets))


def _pairs(buckets: U32, ink: I64, fresh: Flags, half: int) -> U64:
    if fresh.all():
        place = np.flatnonzero(buckets)
    else:
        some = np.flatnonzero(fresh)
        bits = max(16, len(some).bit_length() + 6)
        table = np.zeros(1 << bits - 3, np.uint8)
        # Counted first: fresh memory for every place there is would cost more than the second pass.
        place = np.empty(_sharing(buckets, some, half, table, some[:0]), np.int64)
        _sharing(buckets, some, half, table, place)
    key = buckets[place].astype(np.uint64) << np.uint64(32)
    key |= np.minimum(ink[place % len(ink)], 0xFFFFFFFF).astype(np.uint64)
    return sorted_pairs(key, place.astype(np.int32), fresh, half)


def sorted_pairs(key: U64, owner: NDArray[np.int32], fresh: Flags, half: int) -> U64:
    """Candidate pairs among ``owner`` s by ``key`` (bucket << 32 | ink), those given first standing first
    among equals; ``fresh`` is by owner, for ``half`` see ``mirror_pairs``."""
    order = np.argsort(key, kind="stable")
    key, owner = key[order], owner[order]
    out = np.empty(2 * len(key) + 64, np.uint64)
    count = _near(key, owner, fresh, half, INK_RATIO, out)
    if count > len(out):
        out = np.empty(count, np.uint64)
        _near(key, owner, fresh, half, INK_RATIO, out)
    found = out[:count]
    found.sort()
    return found


def distinct(values: NDArray[Key]) -> NDArray[Key]:
    """``values`` (sorted in place) ascending, each once. By sorting: several times faster here than numpy's own hash table."""
    values.sort()
    first = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=first[1:])
    return values[first]


def union(parts: Iterable[U64], least: int = 1) -> U64:
    """The pairs that are at least ``least`` times in ``parts``, ascending, each once.

    Parts are ascending, so a range of all of them can be counted at a time: what is held beside
    them is small, however many they are together.
    """
    held = list(parts)
    total = sum(map(len, held))
    if not total:
        return np.empty(0, np.uint64)
    sample = np.sort(np.concatenate([part[:: max(1, total >> 16)] for part in held]))
    cuts = sample[np.arange(1, total // _RANGE + 1) * len(sample) // (total // _RANGE + 1)]
    bounds = [[0, *np.searchsorted(part, cuts), len(part)] for part in held]

    def often(k: int) -> U64:
        """Those of range ``k`` that are there often enough."""
        here = np.concatenate(
            [part[at[k] : at[k + 1]] for part, at in zip(held, bounds, strict=True)]
        )
        here.sort()
        last = np.ones(len(here), np.bool_)
        np.not_equal(here[1:], here[:-1], out=last[:-1])
        place = np.flatnonzero(last)
        return cast(U64, here[place[np.diff(place, prepend=-1) >= least]])

    with ThreadPoolExecutor(cores()) as pool:
        return np.concatenate(list(pool.map(often, range(len(cuts) + 1))))


def without(pairs: U64, others: U64) -> U64:
    """Those of ``pairs`` that are not among ``others``; both ascending, each once."""
    if not len(others):
        return pairs
    place = np.minimum(np.searchsorted(others, pairs), len(others) - 1)
    return cast(U64, pairs[others[place] != pairs])
