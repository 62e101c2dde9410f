"""Crops: a small drawing that stands somewhere inside a larger one.

Bands find pairs that are alike as wholes; a crop shares few of its scene's shingles, but it has the
patches of its part of the scene. Two pieces with sampled patches in common that agree on *where* one
lies in the other are a candidate, and are then compared cell by cell at just that place.

Source of the vote over places: the generalised Hough transform, Ballard (1981).
"""

import sqlite3
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from asciiloom.jit import njit
from asciiloom.similarity.arrays import F32, I64, U8, U32, U64, Flags
from asciiloom.similarity.grids import GridBatch, entropy
from asciiloom.twins import signature_store as runs
from asciiloom.twins.measured import CROP, Candidates, Measured

# A patch in more pieces than this is an ornament that many draw.
CROWD = 8
VOTES = 2
# A crop has at most this share of its scene's ink: larger ones are found as wholes.
LARGEST = 0.8
# Stretches of hash values that are looked at one after another, so that little is held at a time.
PARTS = 8
SLOTS = 1 << 22
# More often than this, also where several patches share a slot, an ornament is met.
ORNAMENT = 64
# Below this a pair is not kept: no line is drawn there.
FLOOR_CONTAINED = 0.8
FLOOR_BOX = 0.5


@njit
def _meetings(
    hashes: U32, owner: I64, at: U32, ink: I64, fresh: Flags, pairs: U64, offsets: U32
) -> int:
    """(small << 32 | large, offset) of patches that two pieces share; returns how many, also beyond ``pairs``."""
    count = 0
    first = 0
    n = len(hashes)
    while first < n:
        last = first + 1
        owners = 1
        some_fresh = fresh[owner[first]]
        while last < n and hashes[last] == hashes[first]:
            owners += owner[last] != owner[last - 1]  # ascending within a hash
            some_fresh = some_fresh or fresh[owner[last]]
            last += 1
        if 1 < owners <= CROWD and some_fresh and last - first <= 4 * CROWD:
            for i in range(first, last - 1):
                for j in range(i + 1, last):
                    a, b = owner[i], owner[j]
                    if a == b or not (fresh[a] or fresh[b]):
                        continue
                    small, large = (i, j) if ink[a] <= ink[b] else (j, i)
                    if ink[owner[small]] > LARGEST * ink[owner[large]]:
                        continue
                    there, here = np.int64(at[large]), np.int64(at[small])
                    dy = (there >> 16) - (here >> 16)
                    dx = (there & 0xFFFF) - (here & 0xFFFF)
                    if count < len(pairs):
                        pairs[count] = np.uint64(owner[small]) << np.uint64(32) | np.uint64(
                            owner[large]
                        )
                        offsets[count] = np.uint32((dy & 0xFFFF) << 16 | dx & 0xFFFF)
                    count += 1
        first = last
    return count


_Run = tuple[int, U32, U32, U32]


@njit
def _count_slots(hashes: U32, asked: Flags, seen: U8) -> None:
    """Counts, up to 255, how often the slots ``asked`` for are met."""
    mask = len(asked) - 1
    for h in hashes:
        slot = h & mask
        if asked[slot] and seen[slot] < 255:
            seen[slot] += 1


def _of_fresh(held: list[_Run], fresh: Flags) -> list[_Run]:
    """The patches that a fresh piece has, or may have (by slots of a table), without what is met too often
    to be anything but an ornament: those are most of them, and would all have to be sorted."""
    mask = np.uint32(SLOTS - 1)
    asked = np.zeros(SLOTS, np.bool_)
    seen = np.zeros(SLOTS, np.uint8)
    for before, hashes, owner, _ in held:
        asked[hashes[fresh[before + owner.astype(np.int64)]] & mask] = True
    for _, hashes, _, _ in held:
        _count_slots(hashes, asked, seen)
    asked &= seen <= ORNAMENT
    out = []
    for before, hashes, owner, at in held:
        some = np.flatnonzero(asked[hashes & mask])
        out.append((before, hashes[some], owner[some], at[some]))
    return out


def _stretches(connection: sqlite3.Connection, fresh: Flags) -> Iterator[tuple[U32, I64, U32]]:
    """Patches, (hash, place of the piece, place in it) ascending by hash, a stretch of hashes at a time:
    of all pieces, or where few are ``fresh`` only those that some fresh piece may have too."""
    held = list(runs.patches(connection))
    parts = PARTS
    if not fresh.all():
        held, parts = _of_fresh(held, fresh), 1
    edges = np.linspace(0, 1 << 32, parts + 1).astype(np.int64)
    cuts = [np.searchsorted(hashes, edges) for _, hashes, _, _ in held]
    for k in range(parts if held else 0):
        some = [
            (
                hashes[c[k] : c[k + 1]],
                before + owner[c[k] : c[k + 1]].astype(np.int64),
                at[c[k] : c[k + 1]],
            )
            for (before, hashes, owner, at), c in zip(held, cuts, strict=True)
        ]
        hashes, owner, at = (np.concatenate(column) for column in zip(*some, strict=True))
        # Runs are ascending and so are their pieces: equal hashes stay in the order of their owners.
        order = np.argsort(hashes, kind="stable")
        yield hashes[order], owner[order], at[order]


def propose_crops(
    connection: sqlite3.Connection, ink: I64, fresh: Flags
) -> tuple[I64, I64, NDArray[np.int32], NDArray[np.int32]]:
    """Places of (small, large) pieces with a fresh side of which one may be a crop of the other, and the
    row and column of the large one at which the small one begins."""
    pairs: list[U64] = []
    offsets: list[U32] = []
    for hashes, owner, at in _stretches(connection, fresh):
        room = len(hashes)
        while True:
            found, moved = np.empty(room, np.uint64), np.empty(room, np.uint32)
            count = _meetings(hashes, owner, at, ink, fresh, found, moved)
            if count <= room:
                break
            room = count
        pairs.append(found[:count].copy())
        offsets.append(moved[:count].copy())
    pair = np.concatenate(pairs or [np.empty(0, np.uint64)])
    offset = np.concatenate(offsets or [np.empty(0, np.uint32)])
    # Equal votes side by side, then the place with the most of each pair.
    order = np.lexsort((offset, pair))
    pair, offset = pair[order], offset[order]
    new = np.ones(len(pair), np.bool_)
    new[1:] = (pair[1:] != pair[:-1]) | (offset[1:] != offset[:-1])
    begin = np.flatnonzero(new)
    votes = np.diff(begin, append=len(pair))
    enough = votes >= VOTES
    begin, votes = begin[enough], votes[enough]
    pair, offset = pair[begin], offset[begin]
    order = np.lexsort((offset, -votes, pair))
    pair, offset = pair[order], offset[order]
    first = np.ones(len(pair), np.bool_)
    first[1:] = pair[1:] != pair[:-1]
    pair, offset = pair[first], offset[first]
    return (
        (pair >> np.uint64(32)).astype(np.int64),
        (pair & np.uint64(0xFFFFFFFF)).astype(np.int64),
        (offset >> np.uint32(16)).astype(np.uint16).astype(np.int16).astype(np.int32),
        (offset & np.uint32(0xFFFF)).astype(np.uint16).astype(np.int16).astype(np.int32),
    )


@njit
def _compare(
    cells: U8,
    start: I64,
    height: I64,
    width: I64,
    small: I64,
    large: I64,
    dy: NDArray[np.int32],
    dx: NDArray[np.int32],
    out: F32,
) -> None:
    """Fills (pairs, 3): equal / union of ink, equal / smaller ink, equal / union of ink under the crop."""
    for p in range(len(small)):
        a, b = small[p], large[p]
        ink = box = equal = total = 0
        for k in range(start[b], start[b] + height[b] * width[b]):
            total += int(cells[k] > 32)
        for y in range(height[a]):
            for x in range(width[a]):
                code = cells[start[a] + y * width[a] + x]
                there, column = y + dy[p], x + dx[p]
                other = np.uint8(32)
                if 0 <= there < height[b] and 0 <= column < width[b]:
                    other = cells[start[b] + there * width[b] + column]
                ink += int(code > 32)
                box += int(other > 32)
                equal += int(code > 32 and code == other)
        out[p, 0] = equal / max(1, ink + total - equal)
        out[p, 1] = equal / max(1, ink)
        out[p, 2] = equal / max(1, ink + box - equal)


def measure_crops(
    numbers: I64,
    grids: GridBatch,
    small: I64,
    large: I64,
    dy: NDArray[np.int32],
    dx: NDArray[np.int32],
) -> Measured:
    """Compare the pieces ``small`` with ``large`` at the given places, on the tight ``grids`` of ``numbers``."""
    a, b = np.searchsorted(numbers, small), np.searchsorted(numbers, large)
    there = numbers.take(a, mode="clip") == small
    there &= numbers.take(b, mode="clip") == large
    a, b, dy, dx = a[there], b[there], dy[there], dx[there]
    scores = np.zeros((len(a), 3), np.float32)
    _compare(grids.cells, grids.start, grids.height, grids.width, a, b, dy, dx, scores)
    kept = (scores[:, 1] >= FLOOR_CONTAINED) & (scores[:, 2] >= FLOOR_BOX)
    a, b = a[kept], b[kept]
    ink, counts = grids.take(a).histograms()
    left, right = np.minimum(numbers[a], numbers[b]), np.maximum(numbers[a], numbers[b])
    order = np.lexsort((right, left))
    no_letters = np.zeros(len(a), np.bool_)
    return Measured(
        Candidates(left[order], right[order], np.full(len(a), CROP, np.uint8)),
        scores[kept][order].astype(np.float64).round(4),
        ink[order],
        entropy(ink, counts)[order],
        no_letters,
        no_letters,
    )
