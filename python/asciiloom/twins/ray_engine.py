"""Dedup beyond one machine: sign, propose and measure on Ray Data over Parquet shards.

The corpus file is only read and written by the process that was asked; the shards lie in a folder that
all machines see, and what runs there is in ``ray_tasks``.
"""

import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from asciiloom.errors import MissingExtraError
from asciiloom.similarity.arrays import I64, spans
from asciiloom.similarity.pairs import Candidates, Measured
from asciiloom.twins import ray_tasks
from asciiloom.twins.engine import Progress
from asciiloom.twins.signature_store import RUN, SignatureStore

# Tasks that the parts of a shuffle are dealt to.
SHUFFLES = 16
# Pairs in a shard.
PAIRS = 100_000


class RayEngine:
    """An ``Engine`` on a Ray cluster: on the one that is there, or one on this machine. A context manager."""

    def __init__(self, store: SignatureStore, folder: Path | None = None) -> None:
        try:
            import ray
        except ModuleNotFoundError as error:
            raise MissingExtraError("ray", "ray") from error
        self._ray = ray
        self._store = store
        self._own_folder = folder is None
        self._folder = Path(tempfile.mkdtemp(prefix="asciiloom-")) if folder is None else folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._own_cluster = not ray.is_initialized()

    def __enter__(self) -> "RayEngine":
        if self._own_cluster:
            self._ray.init(include_dashboard=False, logging_level="ERROR", log_to_driver=False)
        context = self._ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.WARNING)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._own_cluster:
            self._ray.shutdown()
        if self._own_folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def sign(self, ids: I64, progress: Progress) -> None:
        paths, held = [], []
        for number, span in enumerate(spans(len(ids), RUN)):
            rows = self._store.texts(ids[span])
            table = {
                "text": [row.comparable() for row in rows],
                "ink_hash": [row.ink_hash for row in rows],
                "mirror_hash": [row.mirror_hash for row in rows],
            }
            paths.append(self._write(f"sign-{number:06}", table))
            held.append(np.array([row.id for row in rows], np.int64))
        done = 0
        for signed_ids, path in zip(held, self._map(ray_tasks.sign_shard, paths), strict=True):
            self._store.write_run(signed_ids, ray_tasks.load_signed(path))
            done += len(signed_ids)
            progress(done, len(ids))

    def candidates(self, new: I64) -> Candidates:
        if not len(new):
            return Candidates.none()
        (self._folder / "bands").mkdir(exist_ok=True)
        # By name: a folder that is used again may hold the bands of a run that was longer.
        bands = [
            self._write(f"bands/{number:06}", {"id": ids, "is_new": np.isin(ids, new), **columns})
            for number, (ids, columns) in enumerate(self._store.runs())
        ]
        pairs = (
            self._ray.data.read_parquet(bands)
            .map_batches(ray_tasks.explode, batch_format="numpy", batch_size=4096)
            .groupby("part", num_partitions=SHUFFLES)
            .map_groups(ray_tasks.pairs_of_part, batch_format="numpy")
            .groupby("part", num_partitions=SHUFFLES)
            .map_groups(ray_tasks.decide, batch_format="numpy")
        )
        parts = list(pairs.iter_batches(batch_format="numpy", batch_size=1 << 20))
        left, right, evidence = (
            np.concatenate([part[name] for part in parts]) for name in ("left", "right", "evidence")
        )
        order = np.lexsort((evidence, right, left))
        found = Candidates(left, right, evidence.astype(np.uint8)).take(order)
        return found.take(found.left >= 0)

    def measure(self, candidates: Candidates, progress: Progress) -> Iterator[Measured]:
        shards = self._write_texts()
        paths = []
        for number, span in enumerate(spans(len(candidates), PAIRS)):
            some = candidates.take(span)
            paths.append(str(self._folder / f"pairs-{number:06}.npz"))
            np.savez(
                paths[-1], left=some.left, right=some.right, evidence=some.evidence,
                first=[s[0] for s in shards], last=[s[1] for s in shards], path=[s[2] for s in shards],
            )  # fmt: skip
        for number, path in enumerate(self._map(ray_tasks.measure_shard, paths), 1):
            yield ray_tasks.load_measured(path)
            progress(min(number * PAIRS, len(candidates)), len(candidates))

    def _write_texts(self) -> list[tuple[int, int, str]]:
        """The texts of all pieces as they are compared: (first id, last id, file) of each shard."""
        out = []
        ids = self._store.all_pieces()
        for number, span in enumerate(spans(len(ids), RUN)):
            rows = self._store.texts(ids[span])
            table = {"id": [row.id for row in rows], "text": [row.comparable() for row in rows]}
            out.append((rows[0].id, rows[-1].id, self._write(f"text-{number:06}", table)))
        return out

    def _write(self, name: str, table: Mapping[str, object]) -> str:
        """``table`` as a Parquet file in the folder; its path."""
        path = str(self._folder / f"{name}.parquet")
        pq.write_table(pa.table(dict(table)), path, compression="zstd")
        return path

    def _map(self, work: Callable[[dict[str, str]], dict[str, str]], paths: list[str]) -> list[str]:
        """``work`` on each file; the files it made, in the order of ``paths``."""
        if not paths:
            return []
        items = [{"path": path} for path in paths]
        made = self._ray.data.from_items(items, override_num_blocks=len(items)).map(work).take_all()
        by_path = {row["path"]: row["out"] for row in made}
        return [by_path[path] for path in paths]
