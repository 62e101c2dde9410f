"""Pieces near in shape to a given one: those that share most LSH buckets, measured on the grid."""

import sqlite3
from dataclasses import dataclass

import numpy as np

from asciiloom.errors import CorpusError
from asciiloom.similarity.alignment import verify_pairs
from asciiloom.similarity.bands import BLOCKS, FLAT
from asciiloom.similarity.grids import GridBatch
from asciiloom.similarity.signatures import band_buckets, sign
from asciiloom.twins import signature_store as runs

# So many of the pieces that share buckets are laid beside it.
MEASURED = 400


@dataclass(frozen=True, slots=True)
class Like:
    """A piece, and the share of its ink (over the union) that agrees; ``mirrored``: in the mirror."""

    id: int
    agreement: float
    mirrored: bool


def alike(connection: sqlite3.Connection, number: int, limit: int = 10) -> list[Like]:
    """The pieces nearest to piece ``number`` among those that dedup has signed, the nearest first."""
    ids, own = runs.tight_grids(connection, np.array([number], np.int64))
    if not len(ids):
        raise CorpusError(f"there is no piece {number}")
    pieces = runs.signed_pieces(connection)
    if not len(pieces):
        raise CorpusError("nothing is signed yet; run: asciiloom dedup")
    shared = np.zeros(len(pieces), np.int16)
    for names, flat, flip in (
        (BLOCKS, False, False), (FLAT, True, False), (BLOCKS[:16], False, True),
    ):  # fmt: skip
        batch = own.mirrored() if flip else own
        buckets = band_buckets(sign(batch, flat))[: len(names), 0]
        for name, bucket in zip(names, buckets.tolist(), strict=True):
            if bucket:
                shared += runs.column(connection, name) == bucket
    most = np.argsort(-shared, kind="stable")[: MEASURED + 1]
    chosen = np.unique(pieces[most[shared[most] > 0]])
    chosen = chosen[chosen != number]
    found, grids = runs.tight_grids(connection, chosen)
    if not len(found):
        return []
    left, right = np.zeros(len(found), np.int64), 1 + np.arange(len(found))
    straight = verify_pairs(GridBatch.concatenate([own, grids]), left, right)[:, 0]
    flipped = verify_pairs(GridBatch.concatenate([own.mirrored(), grids]), left, right)[:, 0]
    best = np.maximum(straight, flipped)
    order = np.argsort(-best, kind="stable")[:limit]
    return [
        Like(int(found[k]), round(float(best[k]), 4), bool(flipped[k] > straight[k])) for k in order
    ]
