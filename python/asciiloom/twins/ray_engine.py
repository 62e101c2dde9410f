"""Dedup beyond one machine: sign, propose and measure on Ray Data over Parquet shards.

The functions are those of the local engine, on the same batches, so the result is the same. Pieces
meet by a coarse part of their buckets, never by the raw key: a part holds many buckets, so a common
stroke makes no task of its own, and there are as many groups as parts. The corpus file is
only read and written by the process that was asked; the shards lie in a folder that all machines see.
"""

import logging
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from asciiloom.errors import MissingExtraError
from asciiloom.similarity.arrays import I64
from asciiloom.similarity.bands import BLOCKS, FLAT, MIRRORED
from asciiloom.similarity.candidates import distinct, sorted_pairs
from asciiloom.similarity.grids import GridBatch
from asciiloom.twins import signature_store as runs
from asciiloom.twins.measured import BARE, MINHASH, MIRROR, Candidates, Measured, measure

Batch = dict[str, NDArray[Any]]
PARTS = 64
# Tasks that the parts of a shuffle are dealt to.
SHUFFLES = 16
PAIRS = 100_000
# What a column of buckets proposes.
_PLAIN = (*BLOCKS, *FLAT)
_WHOLE, _FLIPPED = 4, 5


class Fleet:
    """A Ray cluster at work on one corpus: the one that is there, or one on this machine."""

    def __init__(self, connection: sqlite3.Connection, folder: Path | None = None) -> None:
        try:
            import ray
        except ModuleNotFoundError as error:
            raise MissingExtraError("ray", "ray") from error
        self._ray = ray
        self._db = connection
        self._own = folder is None
        self._folder = Path(tempfile.mkdtemp(prefix="asciiloom-")) if folder is None else folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._texts: list[tuple[int, int, str]] = []
        self._started = not ray.is_initialized()

    def __enter__(self) -> "Fleet":
        if self._started:
            self._ray.init(include_dashboard=False, logging_level="ERROR", log_to_driver=False)
        context = self._ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.WARNING)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._started:
            self._ray.shutdown()
        if self._own:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _map(self, work: Callable[[dict[str, str]], dict[str, str]], paths: list[str]) -> list[str]:
        """``work`` on each file; the files it made, in the order of ``paths``."""
        items = [{"path": path} for path in paths]
        made = self._ray.data.from_items(items, override_num_blocks=len(items)).map(work).take_all()
        by_path = {row["path"]: row["out"] for row in made}
        return [by_path[path] for path in paths]

    def sign(self, missing: I64, progress: Callable[[int, int], None]) -> None:
        """Sign the pieces ``missing``; every run that is done is committed on its own."""
        paths = []
        for number, span in enumerate(runs.batches(len(missing), runs.RUN)):
            rows, spans = runs.read_rows(self._db, missing[span])
            table = pa.table(
                {
                    "id": [r.id for r in rows],
                    "text": [runs.bare_text(r.text, spans.get(r.id, ())) for r in rows],
                    "bare": [r.bare for r in rows],
                    "mirror": [r.mirror for r in rows],
                }
            )
            paths.append(str(self._folder / f"sign-{number:06}.parquet"))
            pq.write_table(table, paths[-1], compression="zstd")
        done = 0
        for path, out in zip(paths, self._map(_sign_shard, paths) if paths else [], strict=True):
            numbers = np.array(pq.read_table(path, columns=["id"])["id"], np.int64)
            with np.load(out) as columns:
                runs.write_run(self._db, numbers, dict(columns))
            done += len(numbers)
            progress(done, len(missing))

    def candidates(self, fresh: I64) -> Candidates:
        """Pairs that share enough buckets, with at least one side in ``fresh``."""
        folder = self._folder / "bands"
        folder.mkdir(exist_ok=True)
        is_fresh = np.zeros(int(fresh[-1]) + 1 if len(fresh) else 1, np.bool_)
        is_fresh[fresh] = True
        for number, (ids, columns) in enumerate(runs.stored_runs(self._db)):
            names = [*_PLAIN, *MIRRORED, "bare", "mirror", "ink"]
            flags = is_fresh.take(ids, mode="clip") & (ids < len(is_fresh))
            data = {"id": ids, "fresh": flags, **{name: columns[name] for name in names}}
            pq.write_table(pa.table(data), folder / f"{number:06}.parquet", compression="zstd")
        if not len(fresh):
            none = np.empty(0, np.int64)
            return Candidates(none, none, np.empty(0, np.uint8))
        pairs = (
            self._ray.data.read_parquet(str(folder))
            .map_batches(_explode, batch_format="numpy", batch_size=4096)
            .groupby("part", num_partitions=SHUFFLES)
            .map_groups(_pairs_of_part, batch_format="numpy")
            .groupby("part", num_partitions=SHUFFLES)
            .map_groups(_decide, batch_format="numpy")
        )
        parts = list(pairs.iter_batches(batch_format="numpy", batch_size=1 << 20))
        left, right, evidence = (
            np.concatenate([p[name] for p in parts]) for name in ("left", "right", "evidence")
        )
        kept = left >= 0
        order = np.lexsort((evidence[kept], right[kept], left[kept]))
        found = Candidates(left[kept], right[kept], evidence[kept].astype(np.uint8))
        return found.take(order)

    def measure(self, candidates: Candidates) -> Iterator[Measured]:
        """Measure ``candidates``, some at a time, in order."""
        shards = self._write_texts()
        paths = []
        for number, span in enumerate(runs.batches(len(candidates), PAIRS)):
            some = candidates.take(span)
            paths.append(str(self._folder / f"pairs-{number:06}.npz"))
            np.savez(
                paths[-1], left=some.left, right=some.right, evidence=some.evidence,
                first=[s[0] for s in shards], last=[s[1] for s in shards], path=[s[2] for s in shards],
            )  # fmt: skip
        for out in self._map(_measure_shard, paths) if paths else []:
            with np.load(out) as m:
                pairs = Candidates(m["left"], m["right"], m["evidence"])
                names = ("scores", "ink", "bits", "left_letters", "right_letters")
                yield Measured(pairs, *(m[name] for name in names))

    def _write_texts(self) -> list[tuple[int, int, str]]:
        """Texts of all pieces, credits blanked: (first id, last id, file) of each shard."""
        out = []
        ids = np.array(
            [r[0] for r in self._db.execute("SELECT id FROM piece ORDER BY id")], np.int64
        )
        for number, span in enumerate(runs.batches(len(ids), runs.RUN)):
            rows, spans = runs.read_rows(self._db, ids[span])
            texts = [runs.bare_text(r.text, spans.get(r.id, ())) for r in rows]
            path = str(self._folder / f"text-{number:06}.parquet")
            table = pa.table({"id": [r.id for r in rows], "text": texts})
            pq.write_table(table, path, compression="zstd")
            out.append((rows[0].id, rows[-1].id, path))
        return out


def _sign_shard(row: dict[str, str]) -> dict[str, str]:
    table = pq.read_table(row["path"])
    names = ("id", "text", "bare", "mirror")
    rows = [
        runs.Row(*values) for values in zip(*(table[n].to_pylist() for n in names), strict=True)
    ]
    columns, _ = runs.sign_rows(rows, {})
    out = row["path"] + ".npz"
    np.savez(out, allow_pickle=False, **columns)
    return {"path": row["path"], "out": out}


def _explode(batch: Batch) -> Batch:
    """A row for each bucket of each piece: which part it belongs to, its column, and who it is."""
    columns: list[tuple[int, int, NDArray[np.uint32]]] = []  # number, side, buckets
    columns += [(k, 0, batch[name]) for k, name in enumerate(_PLAIN)]
    columns += [(len(_PLAIN), 0, batch["bare"]), (len(_PLAIN) + 1, 0, batch["mirror"])]
    for k, name in enumerate(MIRRORED, len(_PLAIN) + 2):
        columns += [(k, 0, batch[BLOCKS[k - len(_PLAIN) - 2]]), (k, 1, batch[name])]
    n = len(batch["id"])
    bucket = np.concatenate([c[2] for c in columns]).astype(np.int64)
    column = np.repeat(np.array([c[0] for c in columns], np.int64), n)
    out: Batch = {
        "part": (bucket ^ (column * 40503)) % PARTS,
        "column": column,
        "side": np.repeat(np.array([c[1] for c in columns], np.int64), n),
        "bucket": bucket,
        "id": np.tile(batch["id"], len(columns)),
        "ink": np.tile(batch["ink"].astype(np.int64), len(columns)),
        "fresh": np.tile(batch["fresh"], len(columns)),
    }
    there = bucket != 0
    return {name: values[there] for name, values in out.items()}


def _pairs_of_part(group: Batch) -> Batch:
    """Pairs of one part, column by column."""
    order = np.lexsort((group["id"], group["side"], group["column"]))
    rows = {name: values[order] for name, values in group.items()}
    bounds = np.flatnonzero(np.diff(rows["column"], prepend=-1))
    found: list[tuple[I64, I64, int]] = []
    for start, stop in zip(bounds, [*bounds[1:], len(order)], strict=True):
        here = {name: values[start:stop] for name, values in rows.items()}
        ids, owner = np.unique(here["id"], return_inverse=True)
        fresh = np.zeros(len(ids), np.bool_)
        fresh[owner] = here["fresh"]
        column = int(here["column"][0])
        flips = column >= len(_PLAIN) + 2
        half = len(ids) if flips else 0
        key = here["bucket"].astype(np.uint64) << np.uint64(32) | here["ink"].astype(np.uint64)
        keys = sorted_pairs(key, (owner + half * here["side"]).astype(np.int32), fresh, half)
        kind = MINHASH
        if column >= len(_PLAIN):
            kind = _FLIPPED if flips else (BARE, _WHOLE)[column - len(_PLAIN)]
        a = ids[(keys >> np.uint64(32)).astype(np.int64)]
        b = ids[(keys & np.uint64(0xFFFFFFFF)).astype(np.int64)]
        found.append((np.minimum(a, b), np.maximum(a, b), kind))
    left = np.concatenate([f[0] for f in found])
    right = np.concatenate([f[1] for f in found])
    kinds = np.repeat(np.array([f[2] for f in found], np.int64), [len(f[0]) for f in found])
    if not len(left):  # a group must have a row: one that stands for none
        left, right, kinds = (np.array([-1], np.int64) for _ in range(3))
    return {"part": (left * 31 + right) % PARTS, "left": left, "right": right, "kind": kinds}


def _decide(group: Batch) -> Batch:
    """What the columns together propose, a pair at a time: as the local engine does."""
    from asciiloom.twins.dedup import SHARED_BANDS, SHARED_MIRRORED

    real = group["left"] >= 0
    key = group["left"][real].astype(np.uint64) << np.uint64(32) | group["right"][real].astype(
        np.uint64
    )
    kind = group["kind"][real]
    pairs = distinct(key.copy())
    place = np.searchsorted(pairs, key)
    counts = {
        k: np.bincount(place[kind == k], minlength=len(pairs))
        for k in (BARE, MINHASH, _WHOLE, _FLIPPED)
    }
    bare = counts[BARE] > 0
    chosen = (
        (BARE, bare),
        (MINHASH, (counts[MINHASH] >= SHARED_BANDS) & ~bare),
        (MIRROR, ((counts[_WHOLE] > 0) & ~bare) | (counts[_FLIPPED] >= SHARED_MIRRORED)),
    )
    keys = np.concatenate([pairs[which] for _, which in chosen])
    evidence = np.repeat(
        np.array([k for k, _ in chosen], np.int64), [int(which.sum()) for _, which in chosen]
    )
    left = (keys >> np.uint64(32)).astype(np.int64)
    right = (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)
    if not len(left):
        left, right, evidence = np.array([-1]), np.array([-1]), np.array([0])
    return {"left": left, "right": right, "evidence": evidence}


def _measure_shard(row: dict[str, str]) -> dict[str, str]:
    with np.load(row["path"]) as held:
        pairs = Candidates(held["left"], held["right"], held["evidence"])
        shards = list(
            zip(held["first"].tolist(), held["last"].tolist(), held["path"].tolist(), strict=True)
        )
    wanted = np.union1d(pairs.left, pairs.right)
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
        left_letters=found.left_letters, right_letters=found.right_letters,
    )  # fmt: skip
    return {"path": row["path"], "out": out}
