"""Near-twins as augmentation: what dedup found to be the same drawing was drawn or typed again by somebody."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asciiloom.corpus import Corpus
from asciiloom.store import Selection

I64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Redraws:
    """The other pieces of the clusters of some pieces. ``pieces``: int64 (k,), ascending, those that have any;
    theirs are ``others[first[i]:first[i + 1]]``; ``share``: how often one of them is shown."""

    pieces: I64
    first: I64
    others: I64
    share: float

    @classmethod
    def of(cls, corpus: Corpus, selection: Selection, ids: I64, share: float) -> "Redraws":
        """Those of the canonical pieces ``ids``, as far as they meet the other conditions of ``selection``.

        Where the selection keeps twins they are shown anyway, and there is nothing to choose.
        """
        none = np.empty(0, np.int64)
        if not selection.canonical_only:
            return cls(none, np.zeros(1, np.int64), none, share)
        statement, params = selection.replace(canonical_only=False, order="id").sql(
            "piece.id, piece.cluster_id"
        )
        rows = corpus.connection.execute(statement, params)
        table = np.array([row for row in rows if row[1] is not None], np.int64).reshape(-1, 2)
        is_one = np.isin(table[:, 0], ids)
        clusters, place = np.unique(table[is_one, 1], return_index=True)
        heads = table[is_one, 0][place]
        rest = table[~is_one]
        rest = rest[np.isin(rest[:, 1], clusters)]
        rest = rest[np.argsort(rest[:, 1], kind="stable")]
        first = np.searchsorted(rest[:, 1], clusters)
        last = np.searchsorted(rest[:, 1], clusters, side="right")
        order = np.argsort(heads)
        order = order[(last > first)[order]]
        count = (last - first)[order]
        ends = np.concatenate([[0], np.cumsum(count)])
        within = np.arange(ends[-1]) - np.repeat(ends[:-1], count)
        return cls(heads[order], ends, rest[np.repeat(first[order], count) + within, 0], share)

    def choose(self, numbers: I64, rng: np.random.Generator) -> I64:
        """``numbers`` with some of them, ``share`` of those that have twins, replaced by one of these."""
        chances = rng.random((2, len(numbers)))
        at = np.searchsorted(self.pieces, numbers)
        at = np.minimum(at, max(0, len(self.pieces) - 1))
        if not len(self.pieces):
            return numbers
        swapped = (self.pieces[at] == numbers) & (chances[0] < self.share)
        count = self.first[at + 1] - self.first[at]
        other = self.first[at] + np.minimum((chances[1] * count).astype(np.int64), count - 1)
        return np.where(swapped, self.others[other], numbers)
