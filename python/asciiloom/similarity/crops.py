"""Crops: a small drawing that stands somewhere inside a larger one.

Bands find pairs that are alike as wholes. A crop shares few shingles with its scene, but it has the
patches of its part of it. Each patch that two pieces share votes for a position of the smaller in the
larger; where several agree, the two are compared cell by cell at just that position.

Source of the vote: the generalised Hough transform, Ballard (1981).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from asciiloom.jit import njit
from asciiloom.similarity.arrays import F32, I32, I64, U8, U32, U64, Flags
from asciiloom.similarity.grids import GridBatch, entropy
from asciiloom.similarity.pairs import CROP, Candidates, Measured, PairKeys, distinct, pack
from asciiloom.similarity.patches import Patches

# A patch that more pieces have is an ornament that many draw.
CROWD = 8
VOTES = 2
# A crop has at most this share of its scene's ink: larger ones are found as wholes.
LARGEST = 0.8
# All patches are sorted in so many ranges of their hashes, one after another, so that little is held at a time.
RANGES = 8
# When few pieces are new, patches are first counted in a table of so many slots, each shared by several
# hashes. A slot that is met more often than this holds an ornament.
SLOTS = 1 << 22
ORNAMENT = 64
# A pair below these is not kept: no threshold is ever set below them.
FLOOR_CONTAINED = 0.8
FLOOR_BOX = 0.5

_pack = njit(pack)


@dataclass(frozen=True, slots=True)
class CropCandidates:
    """Pairs of which one may be a crop of the other, and where: (pairs,) each.

    ``small`` and ``large`` are pieces: indices or ids. ``row`` and ``column`` are the cell of the large
    one on which the first cell of the small one lies; negative where it sticks out.
    """

    small: I64
    large: I64
    row: I32
    column: I32

    def __len__(self) -> int:
        return len(self.small)

    def take(self, which: slice | I64 | Flags) -> "CropCandidates":
        return CropCandidates(
            self.small[which], self.large[which], self.row[which], self.column[which]
        )

    def of(self, ids: I64) -> "CropCandidates":
        """The same pairs, whose indices are those of the pieces ``ids``."""
        return CropCandidates(ids[self.small], ids[self.large], self.row, self.column)

    def ids(self) -> I64:
        """The pieces of these pairs, ascending, each once."""
        return distinct(np.concatenate([self.small, self.large]))


@njit
def _votes(
    hashes: U32, owner: U32, position: U32, ink: I64, is_new: Flags, pairs: U64, offsets: U32
) -> int:
    """Write a vote for each patch that two pieces share: the pair (small, large), and the offset of the
    small one in the large one (row << 16 | column, modulo 2**16 each).

    Patches are ascending by hash, then by owner. Returns how many votes there are, even where ``pairs``
    is full.
    """
    count = 0
    first = 0
    n = len(hashes)
    while first < n:
        end = first + 1
        owners = 1
        some_new = is_new[owner[first]]
        while end < n and hashes[end] == hashes[first]:
            owners += owner[end] != owner[end - 1]
            some_new = some_new or is_new[owner[end]]
            end += 1
        if 1 < owners <= CROWD and some_new and end - first <= 4 * CROWD:
            for i in range(first, end - 1):
                for j in range(i + 1, end):
                    a, b = owner[i], owner[j]
                    if a == b or not (is_new[a] or is_new[b]):
                        continue
                    small, large = (i, j) if ink[a] <= ink[b] else (j, i)
                    if ink[owner[small]] > LARGEST * ink[owner[large]]:
                        continue
                    there, here = np.int64(position[large]), np.int64(position[small])
                    row = (there >> 16) - (here >> 16)
                    column = (there & 0xFFFF) - (here & 0xFFFF)
                    if count < len(pairs):
                        pairs[count] = _pack(owner[small], owner[large])
                        offsets[count] = np.uint32((row & 0xFFFF) << 16 | column & 0xFFFF)
                    count += 1
        first = end
    return count


@njit
def _count_slots(hashes: U32, asked: Flags, seen: U8) -> None:
    """Add up, to 255 at most, how often each slot that is ``asked`` for is met."""
    mask = len(asked) - 1
    for h in hashes:
        slot = h & mask
        if asked[slot] and seen[slot] < 255:
            seen[slot] += 1


def _beside_new(runs: Sequence[Patches], owner_is_new: Sequence[Flags]) -> list[Patches]:
    """The patches whose slot holds a patch of a new piece, and no ornament.

    Ornaments are most of what new pieces share with others, and would all have to be sorted.
    """
    mask = np.uint32(SLOTS - 1)
    asked = np.zeros(SLOTS, np.bool_)
    seen = np.zeros(SLOTS, np.uint8)
    for run, new in zip(runs, owner_is_new, strict=True):
        asked[run.hashes[new[run.owner]] & mask] = True
    for run in runs:
        _count_slots(run.hashes, asked, seen)
    asked &= seen <= ORNAMENT
    return [run.take(np.flatnonzero(asked[run.hashes & mask])) for run in runs]


def _sorted_ranges(
    runs: Sequence[Patches], sizes: Sequence[int], is_new: Flags
) -> Iterator[Patches]:
    """The patches of all runs, ascending, a range of hashes at a time; an owner is an index of all pieces.

    Where few pieces are new, only what may be shared with one of them, at once.
    """
    first = np.cumsum([0, *sizes])
    ranges = RANGES
    if not is_new.all():
        runs, ranges = _beside_new(runs, np.split(is_new, first[1:-1])), 1
    edges = np.linspace(0, 1 << 32, ranges + 1).astype(np.int64)
    cuts = [np.searchsorted(run.hashes, edges) for run in runs]
    for k in range(ranges if runs else 0):
        parts = [run.take(slice(cut[k], cut[k + 1])) for run, cut in zip(runs, cuts, strict=True)]
        yield Patches.concatenate(parts, first[:-1].tolist())


def _all_votes(runs: Iterator[Patches], ink: I64, is_new: Flags) -> tuple[PairKeys, U32]:
    """Every vote: its pair (small, large), and its offset as in ``_votes``."""
    pairs: list[PairKeys] = []
    offsets: list[U32] = [np.empty(0, np.uint32)]
    for run in runs:
        room = len(run)
        while True:
            pair, offset = np.empty(room, np.uint64), np.empty(room, np.uint32)
            count = _votes(run.hashes, run.owner, run.position, ink, is_new, pair, offset)
            if count <= room:
                break
            room = count
        pairs.append(PairKeys(pair[:count].copy()))
        offsets.append(offset[:count].copy())
    return PairKeys.concatenate(pairs), np.concatenate(offsets)


def propose_crops(
    runs: Sequence[Patches], sizes: Sequence[int], ink: I64, is_new: Flags
) -> CropCandidates:
    """Pairs with a new side of which the one may be a crop of the other, as indices of pieces.

    ``runs`` are the patches of all pieces, a run of ``sizes[k]`` pieces each, whose owners are counted
    from the run's first piece; ``ink`` and ``is_new`` are (pieces,), over all runs.
    """
    pairs, offset = _all_votes(_sorted_ranges(runs, sizes, is_new), ink, is_new)
    # Equal votes stand side by side, and are counted.
    order = np.lexsort((offset, pairs.keys))
    pairs, offset = pairs.take(order), offset[order]
    first = np.flatnonzero(_changes(pairs.keys) | _changes(offset))
    votes = np.diff(first, append=len(pairs))
    first, votes = first[votes >= VOTES], votes[votes >= VOTES]
    pairs, offset = pairs.take(first), offset[first]
    # Of each pair the offset with most votes, and of those the first.
    order = np.lexsort((offset, -votes, pairs.keys))
    pairs, offset = pairs.take(order), offset[order]
    best = np.flatnonzero(_changes(pairs.keys))
    pairs, offset = pairs.take(best), offset[best]
    return CropCandidates(
        pairs.left, pairs.right, _signed(offset >> np.uint32(16)), _signed(offset)
    )


def _changes(values: U64 | U32) -> Flags:
    """Where a value differs from the one before it; the first one does."""
    out = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=out[1:])
    return out


def _signed(values: U32) -> I32:
    """The low 16 bits of each value, as a number with a sign."""
    return values.astype(np.uint16).astype(np.int16).astype(np.int32)


@njit
def _compare(
    cells: U8,
    start: I64,
    height: I64,
    width: I64,
    small: I64,
    large: I64,
    row: I32,
    column: I32,
    out: F32,
) -> None:
    """Fill ``out`` (pairs, 3): equal / union of ink, equal / the crop's ink, equal / union of ink under the crop."""
    for p in range(len(small)):
        a, b = small[p], large[p]
        ink = under = equal = total = 0
        for k in range(start[b], start[b] + height[b] * width[b]):
            total += int(cells[k] > 32)
        for y in range(height[a]):
            for x in range(width[a]):
                code = cells[start[a] + y * width[a] + x]
                there_y, there_x = y + row[p], x + column[p]
                other = np.uint8(32)
                if 0 <= there_y < height[b] and 0 <= there_x < width[b]:
                    other = cells[start[b] + there_y * width[b] + there_x]
                ink += int(code > 32)
                under += int(other > 32)
                equal += int(code > 32 and code == other)
        out[p, 0] = equal / max(1, ink + total - equal)
        out[p, 1] = equal / max(1, ink)
        out[p, 2] = equal / max(1, ink + under - equal)


def measure_crops(ids: I64, grids: GridBatch, crops: CropCandidates) -> Measured:
    """Compare each pair at its position, on the tight ``grids`` of the pieces ``ids`` (ascending).

    Pairs of which a side is not among ``ids`` are left out. The third score is not Jaccard but the share
    of ink under the crop that agrees.
    """
    a, b = np.searchsorted(ids, crops.small), np.searchsorted(ids, crops.large)
    there = ids.take(a, mode="clip") == crops.small
    there &= ids.take(b, mode="clip") == crops.large
    a, b, crops = a[there], b[there], crops.take(there)
    scores = np.zeros((len(a), 3), np.float32)
    shape = (grids.cells, grids.start, grids.height, grids.width)
    _compare(*shape, a, b, crops.row, crops.column, scores)
    kept = (scores[:, 1] >= FLOOR_CONTAINED) & (scores[:, 2] >= FLOOR_BOX)
    a, b = a[kept], b[kept]
    ink, counts = grids.take(a).histograms()
    left, right = np.minimum(ids[a], ids[b]), np.maximum(ids[a], ids[b])
    order = np.lexsort((right, left))
    no_lettering = np.zeros(len(a), np.bool_)
    return Measured(
        Candidates(left[order], right[order], np.full(len(a), CROP, np.uint8)),
        scores[kept][order].astype(np.float64).round(4),
        ink[order],
        entropy(ink, counts)[order],
        no_lettering,
        no_lettering,
    )
