"""Pairs of pieces: as one number each while they are sorted and counted, as records once they are few.

A pair of indices is packed as ``left << 32 | right``. So a set of pairs is a sorted array of numbers:
a union is a merge, and how many columns propose a pair is how often its number occurs.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from asciiloom.cores import cores
from asciiloom.similarity.arrays import F64, I64, U8, U64, Flags

# What proposed a pair, as it is stored, and the code of each.
EVIDENCE = ("bare", "minhash", "mirror", "chain", "crop")
INK_HASH, MINHASH, MIRROR, CHAIN, CROP = range(5)
# Pairs that ``union`` sorts at a time.
SORTED_AT_ONCE = 1 << 20
_HALF = np.uint64(32)
_RIGHT = np.uint64(0xFFFFFFFF)

Key = TypeVar("Key", np.uint64, np.int64)


def pack(left: int, right: int) -> np.uint64:
    """The key of one pair; kernels compile it for themselves."""
    return np.uint64(left) << np.uint64(32) | np.uint64(right)


def distinct(values: NDArray[Key]) -> NDArray[Key]:
    """``values`` ascending, each once; the given array is sorted in place.

    By sorting: several times faster here than numpy's own way, a hash table.
    """
    values.sort()
    first = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=first[1:])
    return values[first]


@dataclass(frozen=True, slots=True)
class PairKeys:
    """Pairs of indices below 2**32, packed as ``left << 32 | right``: uint64 (pairs,)."""

    keys: U64

    @classmethod
    def of(cls, left: I64, right: I64) -> "PairKeys":
        """The pairs (left[k], right[k]), in their order."""
        return cls(left.astype(np.uint64) << _HALF | right.astype(np.uint64))

    @property
    def left(self) -> I64:
        return (self.keys >> _HALF).astype(np.int64)

    @property
    def right(self) -> I64:
        return (self.keys & _RIGHT).astype(np.int64)

    def __len__(self) -> int:
        return len(self.keys)

    def take(self, which: I64 | Flags) -> "PairKeys":
        return PairKeys(self.keys[which])

    def distinct(self) -> "PairKeys":
        """These pairs ascending, each once."""
        return PairKeys(distinct(self.keys.copy()))

    def without(self, others: "PairKeys") -> "PairKeys":
        """Those that are not among ``others``; both ascending, each once."""
        if not len(others):
            return self
        index = np.minimum(np.searchsorted(others.keys, self.keys), len(others) - 1)
        return PairKeys(self.keys[others.keys[index] != self.keys])

    @staticmethod
    def concatenate(parts: "Sequence[PairKeys]") -> "PairKeys":
        """The pairs of all parts, one part after another."""
        return PairKeys(np.concatenate([np.empty(0, np.uint64), *(part.keys for part in parts)]))

    @staticmethod
    def union(columns: "Iterable[PairKeys]", min_count: int = 1) -> "PairKeys":
        """The pairs that occur at least ``min_count`` times in ``columns`` (each ascending): ascending, each once.

        All columns are cut at the same keys, and the pairs between two cuts are sorted and counted
        together. So little is held beside the columns, however many pairs they have.
        """
        held = [column.keys for column in columns]
        total = sum(map(len, held))
        if not total:
            return PairKeys(np.empty(0, np.uint64))
        sample = np.sort(np.concatenate([keys[:: max(1, total >> 16)] for keys in held]))
        ranges = total // SORTED_AT_ONCE + 1
        cuts = sample[np.arange(1, ranges) * len(sample) // ranges]
        bounds = [[0, *np.searchsorted(keys, cuts), len(keys)] for keys in held]

        def frequent(k: int) -> U64:
            """The pairs of range ``k`` that occur often enough."""
            here = np.concatenate(
                [keys[ends[k] : ends[k + 1]] for keys, ends in zip(held, bounds, strict=True)]
            )
            here.sort()
            is_last = np.ones(len(here), np.bool_)
            np.not_equal(here[1:], here[:-1], out=is_last[:-1])
            last = np.flatnonzero(is_last)
            return cast(U64, here[last[np.diff(last, prepend=-1) >= min_count]])

        with ThreadPoolExecutor(cores()) as pool:
            return PairKeys(np.concatenate(list(pool.map(frequent, range(ranges)))))


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs to measure: piece ids ``left`` < ``right``, and the code of what proposed each; (pairs,)."""

    left: I64
    right: I64
    evidence: U8

    @classmethod
    def none(cls) -> "Candidates":
        ids = np.empty(0, np.int64)
        return cls(ids, ids, np.empty(0, np.uint8))

    def __len__(self) -> int:
        return len(self.left)

    def take(self, which: slice | I64 | Flags) -> "Candidates":
        return Candidates(self.left[which], self.right[which], self.evidence[which])

    def ids(self) -> I64:
        """The pieces of these pairs, ascending, each once."""
        return distinct(np.concatenate([self.left, self.right]))


@dataclass(frozen=True, slots=True)
class Measured:
    """Pairs that are alike enough to be kept, and what a verdict goes by; all (pairs,) but ``scores``."""

    pairs: Candidates
    scores: F64  # (pairs, 3): agreement, containment, Jaccard of blocks; of a crop, see crops.py
    ink: I64  # cells of ink of the piece with less
    bits: F64  # bits a glyph says, of the piece where it says less
    left_lettering: Flags  # the left piece is low and of hardly more than one glyph
    right_lettering: Flags
