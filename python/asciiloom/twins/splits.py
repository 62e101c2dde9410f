"""Train, validation and test without leaks: whole families of twins go to one side.

A family is a connected component over *same* and *variant* pairs and over the frames of one film. Its
side is drawn by a hash of the seed and of its oldest member's content hash. Once a member has a side,
later members get the same, so no piece ever moves as the corpus grows.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from asciiloom.similarity.arrays import I64
from asciiloom.store.selection import SPLITS

VALIDATION_SHARE = 0.05
TEST_SHARE = 0.05
TRAIN = SPLITS.index("train")
# A larger family would make a held-out split about itself.
MAX_HELD_OUT = 50
_DRAWN_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class Sides:
    """A side for each of some pieces: their ids ascending, and indices in ``SPLITS``, -1 for none."""

    ids: I64
    codes: NDArray[np.int8]

    def of(self, ids: I64) -> list[str | None]:
        """The side of each of ``ids``, None where none is given here."""
        if not len(self.ids):
            return [None] * len(ids)
        index = np.searchsorted(self.ids, ids)
        held = self.ids.take(index, mode="clip") == ids
        codes = np.where(held, self.codes.take(index, mode="clip"), -1)
        return [SPLITS[code] if code >= 0 else None for code in codes.tolist()]


def components(ids: I64, pairs: I64) -> I64:
    """For each of ``ids`` (ascending) the smallest id of its connected component; ``pairs`` are (n, 2) ids."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(ids)
    if not n:
        return ids
    a, b = np.searchsorted(ids, pairs[:, 0]), np.searchsorted(ids, pairs[:, 1])
    graph = coo_array((np.ones(len(a), np.int8), (a, b)), shape=(n, n))
    _, label = connected_components(graph, directed=False)
    smallest = np.full(label.max() + 1, np.iinfo(np.int64).max)
    np.minimum.at(smallest, label, ids)
    return np.asarray(smallest[label])


def draw_split(seed: int, content_hash: str) -> str:
    """The side of a family, by a hash of ``seed`` and of its oldest member's content hash."""
    digest = hashlib.blake2b(f"{seed}:{content_hash}".encode(), digest_size=8).digest()
    share = int.from_bytes(digest, "big") / 2**64
    if share < TEST_SHARE:
        return "test"
    return "validation" if share < TEST_SHARE + VALIDATION_SHARE else "train"


def draw_sides(
    ids: I64,
    pairs: I64,
    given: Sides,
    without_side: Iterable[tuple[int, str]],
    seed: int,
    movable: I64 | None = None,
) -> Sides:
    """A side for each of the pieces ``ids`` (ascending) that has none, and for those of ``movable``.

    ``pairs`` are (n, 2) relatives among ``ids``; ``given`` are the sides that some have; ``without_side``
    gives id and content hash of the others, ascending. A relative that has a side speaks for its family,
    a movable one only where no other does, and then it goes to its family's side. Where families of
    different sides grow together none of the others moves (``marks.check_splits`` tells).
    """
    _, family, size = np.unique(components(ids, pairs), return_inverse=True, return_counts=True)
    code_of = np.full(len(size), -1, np.int8)  # of each family
    sided = family[np.searchsorted(ids, given.ids)]
    moves = np.isin(given.ids, movable if movable is not None else ids[:0])
    for speaking in (moves, ~moves):
        code_of[sided[speaking]] = given.codes[speaking]
        # Training data cannot be un-seen: for new members it wins over a held-out side.
        code_of[sided[speaking & (given.codes == TRAIN)]] = TRAIN
    code_of[(code_of < 0) & (size > MAX_HELD_OUT)] = TRAIN
    drawn = code_of.tolist()
    codes = np.full(len(ids), -1, np.int8)
    codes[np.searchsorted(ids, given.ids[moves])] = code_of[sided[moves]]
    rows = iter(without_side)
    while part := list(islice(rows, _DRAWN_AT_ONCE)):
        index = np.searchsorted(ids, [number for number, _ in part])
        families = family[index].tolist()
        for k, (_, name) in zip(families, part, strict=True):
            if drawn[k] < 0:  # by its oldest member, which comes first
                drawn[k] = SPLITS.index(draw_split(seed, name))
        codes[index] = [drawn[k] for k in families]
    return Sides(ids, codes)
