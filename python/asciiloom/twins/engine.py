"""What an engine does for dedup. It gets and gives arrays; which machine computes them is its own matter."""

from collections.abc import Callable, Iterator
from typing import Protocol

from asciiloom.similarity.arrays import I64
from asciiloom.similarity.pairs import Candidates, Measured

# Called with how many are done, and of how many.
Progress = Callable[[int, int], None]


class Engine(Protocol):
    """The three steps that take nearly all the time. Every engine gives the same result."""

    def sign(self, ids: I64, progress: Progress) -> None:
        """Sign the pieces ``ids`` (ascending) and keep their signatures, run by run."""

    def candidates(self, new: I64) -> Candidates:
        """Pairs that share enough buckets, at least one side among the pieces ``new``; by ascending ids."""

    def measure(self, candidates: Candidates, progress: Progress) -> Iterator[Measured]:
        """Measure ``candidates``, some at a time, in their order."""
