"""Pieces near in shape to a given one (those that share most LSH buckets with it, measured on the grid), or to
a text (all of them, measured)."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asciiloom.errors import CorpusError
from asciiloom.piece import find_credits
from asciiloom.similarity.alignment import align_pairs
from asciiloom.similarity.arrays import I64
from asciiloom.similarity.columns import BLOCKS, FLAT, MIRROR_BANDS, PLACED
from asciiloom.similarity.grids import GridBatch
from asciiloom.similarity.signatures import Kind, band_buckets, sign
from asciiloom.twins.signature_store import SignatureStore, comparable_text

# So many of the pieces that share buckets are laid on it.
MEASURED = 400


@dataclass(frozen=True, slots=True)
class Like:
    """A piece, and the share of its ink (over the union) that agrees; ``mirrored``: in the mirror."""

    id: int
    agreement: float
    mirrored: bool


def alike(connection: sqlite3.Connection, number: int, limit: int = 10) -> list[Like]:
    """The pieces nearest to piece ``number`` among those that dedup has signed, the nearest first."""
    store = SignatureStore(connection)
    ids, own = store.tight_grids(np.array([number], np.int64))
    if not len(ids):
        raise CorpusError(f"there is no piece {number}")
    pieces = store.signed_pieces()
    if not len(pieces):
        raise CorpusError("nothing is signed yet; run: asciiloom dedup")
    shared = np.zeros(len(pieces), np.int16)
    kinds: tuple[tuple[GridBatch, Kind, tuple[str, ...]], ...] = (
        (own, "blocks", BLOCKS),
        (own, "flat", FLAT),
        (own, "placed", PLACED),
        (own.mirrored(), "blocks", BLOCKS[:MIRROR_BANDS]),
    )
    for batch, kind, names in kinds:
        buckets = band_buckets(sign(batch, kind))[: len(names), 0]
        for name, bucket in zip(names, buckets.tolist(), strict=True):
            if bucket:
                shared += store.column(name) == bucket
    nearest = np.argsort(-shared, kind="stable")[: MEASURED + 1]
    candidates = np.unique(pieces[nearest[shared[nearest] > 0]])
    found, grids = store.tight_grids(candidates[candidates != number])
    if not len(found):
        return []
    left, right = np.zeros(len(found), np.int64), 1 + np.arange(len(found))
    straight = align_pairs(GridBatch.concatenate([own, grids]), left, right)[:, 0]
    mirrored = align_pairs(GridBatch.concatenate([own.mirrored(), grids]), left, right)[:, 0]
    best = np.maximum(straight, mirrored)
    order = np.argsort(-best, kind="stable")[:limit]
    return [
        Like(int(found[k]), round(float(best[k]), 4), bool(mirrored[k] > straight[k]))
        for k in order
    ]


def nearest(connection: sqlite3.Connection, texts: Sequence[str], among: I64) -> list[Like | None]:
    """For each of ``texts``, which need not be in the corpus, the nearest of the pieces ``among`` (ascending).

    Nothing is left to hashing: each text is laid on every piece. What could not reach an agreement of
    ``FLOOR_AGREEMENT`` is ruled out by its counts, so below it the figure is a lower bound. None where
    there is no piece at all.
    """
    found, grids = SignatureStore(connection).tight_grids(among)
    if not len(found) or not len(texts):
        return [None] * len(texts)
    own = GridBatch.from_texts([comparable_text(t, find_credits(t)) for t in texts]).tight()
    count, pieces = len(own), len(found)
    batch = GridBatch.concatenate([own, own.mirrored(), grids])
    histograms = batch.histograms()
    right = 2 * count + np.arange(pieces)
    likes: list[Like | None] = []
    for place in range(count):
        straight, mirrored = (
            align_pairs(batch, np.full(pieces, k), right, floor=True, histograms=histograms)[:, 0]
            for k in (place, count + place)
        )
        best = np.maximum(straight, mirrored)
        k = int(best.argmax())
        likes.append(Like(int(found[k]), round(float(best[k]), 4), bool(mirrored[k] > straight[k])))
    return likes
