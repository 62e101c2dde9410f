"""Candidates measured on the grid: pure over arrays, so that any engine can run it on any part of them."""

import numpy as np

from asciiloom.similarity.alignment import FLOOR_AGREEMENT, FLOOR_CONTAINED, align_pairs
from asciiloom.similarity.arrays import F32, I64
from asciiloom.similarity.grids import GridBatch, entropy
from asciiloom.similarity.pairs import CHAIN, MIRROR, Candidates, Measured
from asciiloom.similarity.thresholds import LETTERING_BITS, LETTERING_ROWS


def measure(ids: I64, grids: GridBatch, candidates: Candidates) -> Measured:
    """Measure ``candidates`` on the tight ``grids`` of the pieces ``ids`` (ascending).

    Pairs of which a side is not among ``ids``, and pairs below the floor, are left out.
    """
    a = np.searchsorted(ids, candidates.left)
    b = np.searchsorted(ids, candidates.right)
    there = ids.take(a, mode="clip") == candidates.left
    there &= ids.take(b, mode="clip") == candidates.right
    pairs, a, b = candidates.take(there), a[there], b[there]
    histograms = grids.histograms()
    scores = np.zeros((len(pairs), 3), np.float32)
    straight = pairs.evidence != MIRROR
    scores[straight] = align_pairs(
        grids, a[straight], b[straight], floor=True, histograms=histograms
    )
    scores[~straight] = _mirror_scores(grids, a[~straight], b[~straight])
    # A pair of one chain may be either.
    chain = np.flatnonzero(pairs.evidence == CHAIN)
    flipped = _mirror_scores(grids, a[chain], b[chain])
    better = flipped[:, 0] > scores[chain, 0]
    scores[chain[better]] = flipped[better]
    alike = (scores[:, 0] >= FLOOR_AGREEMENT) | (scores[:, 1] >= FLOOR_CONTAINED)
    # A pair of a chain is kept whatever its scores are, so that it is not asked for again.
    kept = np.flatnonzero(alike | (pairs.evidence == CHAIN))
    a, b = a[kept], b[kept]
    ink, counts = histograms
    left_bits, right_bits = entropy(ink[a], counts[a]), entropy(ink[b], counts[b])
    low = grids.height <= LETTERING_ROWS
    return Measured(
        pairs.take(kept),
        scores[kept].astype(np.float64).round(4),
        np.minimum(ink[a], ink[b]),
        np.minimum(left_bits, right_bits),
        low[a] & (left_bits < LETTERING_BITS),
        low[b] & (right_bits < LETTERING_BITS),
    )


def _mirror_scores(grids: GridBatch, left: I64, right: I64) -> F32:
    """Scores of pairs of grids, the right one of each seen in a mirror; float32 (pairs, 3)."""
    right_used, right_index = np.unique(right, return_inverse=True)
    left_used, left_index = np.unique(left, return_inverse=True)
    mirrored = grids.take(right_used).packed().mirrored()
    both = GridBatch.concatenate([grids.take(left_used).packed(), mirrored])
    return align_pairs(both, left_index, len(left_used) + right_index, floor=True)
