"""What Ray runs on its machines: functions from batch to batch, or from one file to another.

They call what the local engine calls, on other cuts of the same pieces, so the result is the same. Pieces
meet by a coarse part of their buckets, never by the bucket itself: a part holds many buckets, so a common
stroke makes no task of its own, and there are only as many groups as parts.
"""

from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from asciiloom.similarity import columns
from asciiloom.similarity.arrays import U32
from asciiloom.similarity.candidates import SHARED_BANDS, SHARED_MIRRORED, sorted_pairs
from asciiloom.similarity.grids import GridBatch
from asciiloom.similarity.measure import measure
from asciiloom.similarity.pairs import INK_HASH, MINHASH, MIRROR, Candidates, Measured, PairKeys
from asciiloom.similarity.patches import Patches
from asciiloom.similarity.signing import Signed, sign_texts

Batch = dict[str, NDArray[Any]]
PARTS = 64
# Numbers of the columns in a shuffle: bands, both hashes, then the bands that are asked for mirror images.
_INK_HASH_COLUMN = len(columns.BANDED)
_MIRROR_HASH_COLUMN = _INK_HASH_COLUMN + 1
_FIRST_MIRRORED = _MIRROR_HASH_COLUMN + 1
# By what kind of column a pair was found, beside INK_HASH and MINHASH.
_MIRROR_HASH, _MIRROR_BAND = 4, 5


def sign_shard(row: dict[str, str]) -> dict[str, str]:
    """Sign the texts of a Parquet file into a file beside it, for ``load_signed``."""
    table = pq.read_table(row["path"])
    texts = (table[name].to_pylist() for name in ("text", "ink_hash", "mirror_hash"))
    signed, _ = sign_texts(*texts)
    out = row["path"] + ".npz"
    patches = signed.patches
    np.savez(
        out, allow_pickle=False, blocks=signed.blocks, flat=signed.flat, **signed.by_piece,
        patch_hashes=patches.hashes, patch_owner=patches.owner, patch_position=patches.position,
    )  # fmt: skip
    return {"path": row["path"], "out": out}


def load_signed(path: str) -> Signed:
    """What ``sign_shard`` wrote."""
    with np.load(path) as held:
        return Signed(
            held["blocks"],
            held["flat"],
            {name: held[name] for name in columns.BY_PIECE},
            Patches(held["patch_hashes"], held["patch_owner"], held["patch_position"]),
        )


def explode(batch: Batch) -> Batch:
    """A row for each bucket of each piece: its part, its column, and whose it is.

    ``side`` is 1 where the bucket is that of the piece's mirror image.
    """
    rows: list[tuple[int, int, U32]] = []  # column, side, buckets
    rows += [(k, 0, batch[name]) for k, name in enumerate(columns.BANDED)]
    rows.append((_INK_HASH_COLUMN, 0, batch[columns.INK_HASH]))
    rows.append((_MIRROR_HASH_COLUMN, 0, batch[columns.MIRROR_HASH]))
    for k, (blocks, mirrored) in enumerate(
        zip(columns.BLOCKS[: columns.MIRROR_BANDS], columns.MIRRORED, strict=True), _FIRST_MIRRORED
    ):
        rows += [(k, 0, batch[blocks]), (k, 1, batch[mirrored])]
    n = len(batch["id"])
    bucket = np.concatenate([buckets for _, _, buckets in rows]).astype(np.int64)
    column = np.repeat(np.array([number for number, _, _ in rows], np.int64), n)
    out: Batch = {
        "part": (bucket ^ (column * 40503)) % PARTS,
        "column": column,
        "side": np.repeat(np.array([side for _, side, _ in rows], np.int64), n),
        "bucket": bucket,
        "id": np.tile(batch["id"], len(rows)),
        "ink": np.tile(batch[columns.INK].astype(np.int64), len(rows)),
        "is_new": np.tile(batch["is_new"], len(rows)),
    }
    there = bucket != 0
    return {name: values[there] for name, values in out.items()}


def pairs_of_part(group: Batch) -> Batch:
    """The pairs of one part, column by column, and the kind of column that each was found by."""
    order = np.lexsort((group["id"], group["side"], group["column"]))
    rows = {name: values[order] for name, values in group.items()}
    bounds = np.flatnonzero(np.diff(rows["column"], prepend=-1))
    found: list[tuple[PairKeys, int]] = []
    for start, stop in zip(bounds, [*bounds[1:], len(order)], strict=True):
        here = {name: values[start:stop] for name, values in rows.items()}
        ids, owner = np.unique(here["id"], return_inverse=True)
        is_new = np.zeros(len(ids), np.bool_)
        is_new[owner] = here["is_new"]
        kind = _kind(int(here["column"][0]))
        pieces = len(ids) if kind == _MIRROR_BAND else 0
        keys = here["bucket"].astype(np.uint64) << np.uint64(32) | here["ink"].astype(np.uint64)
        entries = (owner + pieces * here["side"]).astype(np.int32)
        pairs = sorted_pairs(keys, entries, is_new, pieces)
        # Indices ascend with the ids, so the lesser index is the lesser id.
        found.append((PairKeys.of(ids[pairs.left], ids[pairs.right]), kind))
    pairs = PairKeys.concatenate([pairs for pairs, _ in found])
    kinds = np.repeat(np.array([k for _, k in found], np.int64), [len(p) for p, _ in found])
    left, right = pairs.left, pairs.right
    if not len(pairs):  # a group must have a row: one that stands for none
        left, right, kinds = (np.array([-1], np.int64) for _ in range(3))
    return {"part": (left * 31 + right) % PARTS, "left": left, "right": right, "kind": kinds}


def _kind(column: int) -> int:
    if column < _INK_HASH_COLUMN:
        return MINHASH
    if column >= _FIRST_MIRRORED:
        return _MIRROR_BAND
    return INK_HASH if column == _INK_HASH_COLUMN else _MIRROR_HASH


def decide(group: Batch) -> Batch:
    """The candidates that all columns together propose, by the rules of ``candidates.propose``."""
    real = group["left"] >= 0
    found = PairKeys.of(group["left"][real], group["right"][real])
    kind = group["kind"][real]
    pairs = found.distinct()
    index = np.searchsorted(pairs.keys, found.keys)

    def count(of: int) -> NDArray[np.intp]:
        return np.bincount(index[kind == of], minlength=len(pairs))

    same_text = count(INK_HASH) > 0
    shared = (count(MINHASH) >= SHARED_BANDS) & ~same_text
    mirror = (count(_MIRROR_HASH) > 0) & ~same_text | (count(_MIRROR_BAND) >= SHARED_MIRRORED)
    chosen = ((INK_HASH, same_text), (MINHASH, shared), (MIRROR, mirror))
    evidence = np.repeat(
        np.array([code for code, _ in chosen], np.int64), [int(which.sum()) for _, which in chosen]
    )
    kept = PairKeys.concatenate([pairs.take(which) for _, which in chosen])
    left, right = kept.left, kept.right
    if not len(kept):
        left, right, evidence = np.array([-1]), np.array([-1]), np.array([0])
    return {"left": left, "right": right, "evidence": evidence}


def measure_shard(row: dict[str, str]) -> dict[str, str]:
    """Measure the pairs of a file into a file beside it, for ``load_measured``; their texts are in others."""
    with np.load(row["path"]) as held:
        pairs = Candidates(held["left"], held["right"], held["evidence"])
        shards = list(
            zip(held["first"].tolist(), held["last"].tolist(), held["path"].tolist(), strict=True)
        )
    wanted = pairs.ids()
    ids: list[int] = []
    texts: list[str] = []
    for first, last, path in shards:
        low, high = np.searchsorted(wanted, [first, last + 1])
        if low < high:
            table = pq.read_table(path, filters=[("id", "in", wanted[low:high].tolist())])
            ids += table["id"].to_pylist()
            texts += table["text"].to_pylist()
    found = measure(np.array(ids, np.int64), GridBatch.from_texts(texts).tight(), pairs)
    out = row["path"] + ".done.npz"
    np.savez(
        out, left=found.pairs.left, right=found.pairs.right, evidence=found.pairs.evidence,
        scores=found.scores, ink=found.ink, bits=found.bits,
        left_lettering=found.left_lettering, right_lettering=found.right_lettering,
    )  # fmt: skip
    return {"path": row["path"], "out": out}


def load_measured(path: str) -> Measured:
    """What ``measure_shard`` wrote."""
    with np.load(path) as held:
        return Measured(
            Candidates(held["left"], held["right"], held["evidence"]),
            *(
                held[name]
                for name in ("scores", "ink", "bits", "left_lettering", "right_lettering")
            ),
        )
