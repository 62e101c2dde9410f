"""Near-twins: candidates from hashes and LSH, verified on the grid, clustered, one canonical each.

Three tiers. (1) Equal content never gets a second row. (2) Equal content without whitespace and
credits, also in the mirror. (3) Shared MinHash bands, also with the other's mirror image. Tiers 2
and 3 only propose; the grid decides. A *same* pair may share a cluster; a *variant* (a crop, a
redraw) is kept as its own piece but must stay in the same split; *apart* is a pair that was
measured, scored, and is neither.

Pieces signed before keep their signatures, and a pair is measured only when one side is new.
"""

import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from asciiloom.similarity.pairs import CHAIN, Candidates
from asciiloom.similarity.thresholds import Thresholds
from asciiloom.store.shapes import index_shapes
from asciiloom.store.transaction import transaction
from asciiloom.twins.clusters import Pair
from asciiloom.twins.engine import Engine
from asciiloom.twins.local_engine import LocalEngine
from asciiloom.twins.marks import bereft_pieces, count_marks, mark_pieces
from asciiloom.twins.signature_store import SignatureStore
from asciiloom.twins.verdict_store import VerdictStore

# Texts are read once in order: mapping all of a large file would only count as memory of this process.
MAPPED_BYTES = 256 << 20
# A run commits a few times and is not to wait for the disk at each: its journal grows to 320 MB.
CHECKPOINT_PAGES = 40_000
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class DedupReport:
    """What a run did: pieces, newly signed ones, candidate and verified pairs, clusters, seconds."""

    pieces: int
    signed: int
    candidates: int
    same_pairs: int
    variant_pairs: int
    clusters: int
    twins: int
    largest_cluster: int
    canonical: int
    splits: dict[str, int]
    seconds: dict[str, float]

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


@dataclass(slots=True)
class _Stopwatch:
    """Seconds of each step, from the end of the one before."""

    seconds: dict[str, float] = field(default_factory=dict)
    last: float = field(default_factory=time.perf_counter)

    def stop(self, step: str) -> None:
        now = time.perf_counter()
        self.seconds[step] = round(now - self.last, 3)
        self.last = now


def dedup(
    connection: sqlite3.Connection,
    *,
    seed: int = 0,
    thresholds: Thresholds | None = None,
    progress: Progress | None = None,
    engine: str = "local",
    shards: Path | None = None,
) -> DedupReport:
    """Find near-twins among all pieces, write pairs, clusters, canonical marks and splits.

    ``engine`` "ray" signs, proposes and measures on Ray, over Parquet ``shards`` in a folder that all
    its machines see; the result is the same.

    ``thresholds`` are kept in the corpus: other ones than last time judge every measured pair anew, from
    its stored scores, and no piece changes its split for it.
    """
    tell = progress or (lambda stage, done, total: None)
    watch = _Stopwatch()
    connection.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    index_shapes(connection)  # what a large ingest left for later
    watch.stop("shapes")

    signatures, verdicts = SignatureStore(connection), VerdictStore(connection)
    thresholds_moved = verdicts.settle(thresholds)
    outdated = signatures.drop_outdated()
    new = np.union1d(signatures.new_pieces(), bereft_pieces(connection))
    unsigned = signatures.unsigned(new)
    # A split that came from another corpus was drawn without a look at the pieces here.
    movable = unsigned[:0] if outdated else unsigned
    local = LocalEngine(signatures)

    with ExitStack() as session:
        working: Engine = local
        if engine == "ray":
            from asciiloom.twins.ray_engine import RayEngine

            working = session.enter_context(RayEngine(signatures, shards))
        working.sign(unsigned, partial(tell, "signing"))
        watch.stop("sign")
        candidates = working.candidates(new)
        watch.stop("candidates")
        with transaction(connection):
            for found in working.measure(candidates, partial(tell, "verifying")):
                verdicts.write_measured(found)
        watch.stop("verify")

    with transaction(connection):
        for found in local.crops(new):
            verdicts.write_measured(found)
    local.forget_grids()
    watch.stop("crops")

    def compare(pairs: list[Pair]) -> None:
        """Measure pairs that only a chain of twins joins."""
        left, right = np.array(pairs, np.int64).T
        chained = Candidates(left, right, np.full(len(pairs), CHAIN, np.uint8))
        for found in local.measure(chained, partial(tell, "clustering")):
            verdicts.write_measured(found)

    with transaction(connection):
        if thresholds_moved:
            verdicts.judge_again()
            new = signatures.all_pieces()
        mark_pieces(connection, new, compare, seed, movable)
    watch.stop("cluster")

    return DedupReport(
        signed=len(unsigned),
        candidates=len(candidates),
        seconds=watch.seconds,
        **count_marks(connection),
    )
