"""Candidates measured on the grid: pure over batches, so that any engine can run it, and how the result is kept."""

import sqlite3
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asciiloom.similarity.alignment import FLOOR_AGREEMENT, FLOOR_CONTAINED, verify_pairs
from asciiloom.similarity.arrays import I64, Flags
from asciiloom.similarity.grids import GridBatch, entropy
from asciiloom.store.chosen import want
from asciiloom.twins.thresholds import LETTERING_BITS, LETTERING_ROWS, Lines

EVIDENCE = ("bare", "minhash", "mirror", "chain", "crop")
BARE, MINHASH, MIRROR, CHAIN, CROP = range(5)

_NEW_TWIN = (
    "INSERT INTO twin (a, b, verdict, evidence, agreement, contained, jaccard, ink,"
    " bits, banners) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (a, b) DO UPDATE SET verdict = excluded.verdict, evidence = excluded.evidence,"
    " agreement = excluded.agreement, contained = excluded.contained, jaccard = excluded.jaccard,"
    " ink = excluded.ink, bits = excluded.bits, banners = excluded.banners"
    " WHERE NOT reviewed AND excluded.agreement > agreement"
)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs to measure: ids ``left`` < ``right``, ascending, and what proposed each."""

    left: I64
    right: I64
    evidence: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.left)

    def take(self, which: slice | I64 | Flags) -> "Candidates":
        return Candidates(self.left[which], self.right[which], self.evidence[which])


@dataclass(frozen=True, slots=True)
class Measured:
    """Pairs that reached the floor: scores (pairs, 3), and of both sides what the lines go by."""

    pairs: Candidates
    scores: NDArray[np.float64]
    ink: I64  # of the smaller one
    bits: NDArray[np.float64]  # of the poorer one
    left_letters: Flags  # low pictures of hardly more than one glyph
    right_letters: Flags


def measure(numbers: I64, grids: GridBatch, candidates: Candidates) -> Measured:
    """Measure ``candidates`` on the tight grids of the pieces ``numbers`` (ascending)."""
    a = np.searchsorted(numbers, candidates.left)
    b = np.searchsorted(numbers, candidates.right)
    there = numbers.take(a, mode="clip") == candidates.left
    there &= numbers.take(b, mode="clip") == candidates.right
    pairs, a, b = candidates.take(there), a[there], b[there]
    tallies = grids.histograms()
    scores = np.zeros((len(pairs), 3), np.float32)
    straight = pairs.evidence != MIRROR
    scores[straight] = verify_pairs(grids, a[straight], b[straight], floor=True, tallies=tallies)
    scores[~straight] = _mirror_scores(grids, a[~straight], b[~straight])
    chain = np.flatnonzero(pairs.evidence == CHAIN)
    flipped = _mirror_scores(grids, a[chain], b[chain])
    better = flipped[:, 0] > scores[chain, 0]
    scores[chain[better]] = flipped[better]
    high = (scores[:, 0] >= FLOOR_AGREEMENT) | (scores[:, 1] >= FLOOR_CONTAINED)
    # A chain's pair is kept whatever it is, so that it is not asked for again.
    kept = np.flatnonzero(high | (pairs.evidence == CHAIN))
    a, b = a[kept], b[kept]
    ink, counts = tallies
    bits = entropy(ink[a], counts[a]), entropy(ink[b], counts[b])
    low = grids.height <= LETTERING_ROWS
    return Measured(
        pairs.take(kept),
        scores[kept].astype(np.float64).round(4),
        np.minimum(ink[a], ink[b]),
        np.minimum(*bits),
        low[a] & (bits[0] < LETTERING_BITS),
        low[b] & (bits[1] < LETTERING_BITS),
    )


def _mirror_scores(grids: GridBatch, left: I64, right: I64) -> NDArray[np.float32]:
    """Scores with the right side seen in a mirror."""
    seen, place = np.unique(right, return_inverse=True)
    used, left_place = np.unique(left, return_inverse=True)
    both = GridBatch.concatenate([grids.take(used).packed(), grids.take(seen).packed().mirrored()])
    return verify_pairs(both, left_place, len(used) + place, floor=True)


def keep(connection: sqlite3.Connection, found: Measured, lines: Lines) -> None:
    """Judge measured pairs and write them to ``twin``; within a transaction."""
    left, right, evidence = found.pairs.left, found.pairs.right, found.pairs.evidence
    set_in_font = _banners(connection, np.union1d(left, right))
    banners = found.left_letters | np.isin(left, set_in_font)
    banners &= found.right_letters | np.isin(right, set_in_font)
    verdict = lines.judge(
        found.scores, found.ink, found.bits, banners, evidence == MIRROR, evidence == CROP
    )
    connection.executemany(
        _NEW_TWIN,
        zip(
            left.tolist(), right.tolist(), verdict, [EVIDENCE[e] for e in evidence],
            *found.scores.T.tolist(), found.ink.tolist(), np.round(found.bits, 3).tolist(),
            banners.astype(np.int64).tolist(),
            strict=True,
        ),
    )  # fmt: skip


def _banners(connection: sqlite3.Connection, numbers: I64) -> I64:
    """Those of the pieces ``numbers`` that are words set in a font."""
    want(connection, numbers)
    rows = connection.execute(
        "SELECT piece.id FROM wanted CROSS JOIN piece ON piece.id = wanted.id WHERE kind = 'banner'"
    )
    return np.fromiter((row[0] for row in rows), np.int64)
