"""Near-twins: candidates from hashes and LSH, verified on the grid, clustered, one canonical each.

Three tiers. (1) Equal content never gets a second row. (2) Equal content without whitespace and
credits, also in the mirror. (3) A shared MinHash band, also with the other's mirror image. Tiers 2
and 3 only propose; the grid decides. A *same* pair may share a cluster; a *variant* (a crop, a
redraw) is kept as its own piece but must stay in the same split; *apart* is a pair that was
measured, scored, and is neither.

Pieces signed before keep their signatures, and a pair is measured only when one side is new.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from asciiloom.cores import cores
from asciiloom.similarity.arrays import I64, U32, U64
from asciiloom.similarity.bands import BLOCKS, FLAT, MIRRORED
from asciiloom.similarity.candidates import (
    column_pairs,
    distinct,
    mirror_pairs,
    union,
    without,
)
from asciiloom.store.shapes import index_shapes
from asciiloom.store.transaction import transaction
from asciiloom.twins import signature_store as runs
from asciiloom.twins.clusters import Pair, cluster
from asciiloom.twins.crops import measure_crops, propose_crops
from asciiloom.twins.measured import BARE, CHAIN, MINHASH, MIRROR, Candidates, keep, measure
from asciiloom.twins.thresholds import Lines, kept_lines

# Pairs measured at a time. They are in order, so that a batch needs few pieces on its left side.
VERIFY_BATCH = 300_000
# Texts are read once in order: mapping all of a large file would only count as memory of this process.
MAPPED_BYTES = 256 << 20
# A run commits a few times and is not to wait for the disk at each: its journal grows to 320 MB.
CHECKPOINT_PAGES = 40_000
# Of 64 bands a pair that agrees well enough to be the same shares several, a chance pair mostly one.
SHARED_BANDS = 3
# Of 32 meetings of one with the other's mirror image; of pairs that meet once none is the same.
SHARED_MIRRORED = 2
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


def dedup(
    connection: sqlite3.Connection,
    *,
    seed: int = 0,
    lines: Lines | None = None,
    progress: Progress | None = None,
    engine: str = "local",
    shards: Path | None = None,
) -> DedupReport:
    """Find near-twins among all pieces, write pairs, clusters, canonical marks and splits.

    ``engine`` "ray" signs, proposes and measures on Ray, over Parquet ``shards`` in a folder that all
    its machines see; the result is the same.

    ``lines`` are kept in the corpus: other ones than last time judge every measured pair anew, from
    its stored scores, and no piece changes its split for it.
    """
    seconds: dict[str, float] = {}
    clock = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal clock
        now = time.perf_counter()
        seconds[name] = round(now - clock, 3)
        clock = now

    connection.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    index_shapes(connection)  # what a large ingest left for later
    lap("shapes")
    lines, moved = _settle_lines(connection, lines)
    fresh = runs.fresh_pieces(connection)
    missing = runs.unsigned(connection, fresh)
    fresh = runs.fresh_pieces(connection)  # all, where signatures of another version were dropped
    grids = runs.Grids(connection)

    def signing(done: int, total: int) -> None:
        if progress:
            progress("signing", done, total)

    if engine == "ray":
        from asciiloom.twins.ray_engine import Fleet

        with Fleet(connection, shards) as fleet:
            fleet.sign(missing, signing)
            lap("sign")
            candidates = fleet.candidates(fresh)
            lap("candidates")
            with transaction(connection):
                for found in fleet.measure(candidates):
                    keep(connection, found, lines)
            lap("verify")
    else:
        runs.sign_pieces(connection, missing, grids, signing)
        lap("sign")
        candidates = _candidates(connection, fresh)
        lap("candidates")
        with transaction(connection):
            _measure(connection, candidates, grids, lines, progress)
        lap("verify")
    with transaction(connection):
        _measure_crops(connection, fresh, grids, lines)
    lap("crops")
    grids.drop()
    with transaction(connection):
        if moved:
            lines.judge_again(connection)
            rows = connection.execute("SELECT id FROM piece ORDER BY id")
            fresh = np.fromiter((row[0] for row in rows), np.int64)

        def compare(pairs: list[Pair]) -> None:
            array = np.array(pairs, np.int64)
            chain = np.full(len(pairs), CHAIN, np.uint8)
            chained = Candidates(array[:, 0], array[:, 1], chain)
            _measure(connection, chained, grids, lines, None)

        cluster(connection, fresh, compare, seed)
    lap("cluster")
    return _report(connection, len(missing), len(candidates), seconds)


def _report(
    connection: sqlite3.Connection, signed: int, candidates: int, seconds: dict[str, float]
) -> DedupReport:
    sides: dict[str, int] = {}
    pieces = canonical = 0
    for split, is_canonical, count in connection.execute(
        "SELECT split, canonical, count(*) FROM piece WHERE split NOTNULL GROUP BY split, canonical"
    ):
        sides[split] = sides.get(split, 0) + count
        pieces += count
        canonical += count if is_canonical else 0
    clusters, largest = connection.execute(
        "SELECT count(*), coalesce(max(n), 0) FROM"
        " (SELECT count(*) AS n FROM piece GROUP BY cluster_id)"
    ).fetchone()
    verdicts = dict(connection.execute("SELECT verdict, count(*) FROM twin GROUP BY verdict"))
    return DedupReport(
        pieces=pieces,
        signed=signed,
        candidates=candidates,
        same_pairs=verdicts.get("same", 0),
        variant_pairs=verdicts.get("variant", 0),
        clusters=clusters,
        twins=pieces - canonical,
        largest_cluster=largest,
        canonical=canonical,
        splits=dict(sorted(sides.items())),
        seconds=seconds,
    )


def _settle_lines(connection: sqlite3.Connection, asked: Lines | None) -> tuple[Lines, bool]:
    """The lines to judge by, and whether they differ from those of the stored verdicts."""
    row = connection.execute("SELECT 1 FROM setting WHERE name = 'lines'").fetchone()
    kept = kept_lines(connection) if row else None
    lines = asked or kept or Lines()
    if lines != kept:
        with transaction(connection):
            connection.execute(
                "INSERT OR REPLACE INTO setting (name, value) VALUES ('lines', ?)",
                (json.dumps(asdict(lines)),),
            )
    return lines, kept is not None and lines != kept


def _candidates(connection: sqlite3.Connection, fresh: I64) -> Candidates:
    """Pairs of piece ids with at least one fresh side that share a bucket."""
    none = np.empty(0, np.int64)
    if not len(fresh):
        return Candidates(none, none, np.empty(0, np.uint8))
    pieces = runs.signed_pieces(connection)
    is_fresh = np.isin(pieces, fresh)
    ink = runs.column(connection, "ink").astype(np.int64)

    def columns(names: Sequence[str]) -> Iterator[U32]:
        return (runs.column(connection, name) for name in names)

    def plain(buckets: U32) -> U64:
        return column_pairs(buckets, ink, is_fresh)

    def mirrored(both: tuple[U32, U32]) -> U64:
        return mirror_pairs(*both, ink, is_fresh)

    # Sorting is most of it, and sorts let other threads run. The columns are read in this one.
    with ThreadPoolExecutor(cores()) as pool:
        bare = plain(runs.column(connection, "bare"))
        named = columns([*BLOCKS, *FLAT])
        shared = without(union(pool.map(plain, named), SHARED_BANDS), bare)
        flipped = zip(columns(BLOCKS), columns(MIRRORED), strict=False)
        # What shares the hash of itself and its mirror, but not its own, is a mirror image too.
        whole = without(plain(runs.column(connection, "mirror")), bare)
        mirror = union([whole, union(pool.map(mirrored, flipped), SHARED_MIRRORED)])
    keys = np.concatenate([bare, shared, mirror])
    evidence = np.repeat(
        np.array([BARE, MINHASH, MIRROR], np.uint8), [len(bare), len(shared), len(mirror)]
    )
    one = pieces[(keys >> np.uint64(32)).astype(np.int64)]
    two = pieces[(keys & np.uint64(0xFFFFFFFF)).astype(np.int64)]
    left, right = np.minimum(one, two), np.maximum(one, two)
    kept = left != right  # a piece that was signed twice meets its own older signature
    order = np.lexsort((right[kept], left[kept]))
    return Candidates(left[kept][order], right[kept][order], evidence[kept][order])


def _measure_crops(
    connection: sqlite3.Connection, fresh: I64, source: runs.Grids, lines: Lines
) -> None:
    """Find small pieces that stand inside larger ones and write them to ``twin``."""
    if not len(fresh):
        return
    pieces = runs.signed_pieces(connection)
    ink = runs.column(connection, "ink").astype(np.int64)
    small, large, *place = propose_crops(connection, ink, np.isin(pieces, fresh))
    small, large = pieces[small], pieces[large]
    for span in runs.batches(len(small), VERIFY_BATCH):
        some = distinct(np.concatenate([small[span], large[span]]))
        numbers, grids = source.get(some)
        found = measure_crops(
            numbers, grids, small[span], large[span], place[0][span], place[1][span]
        )
        keep(connection, found, lines)


def _measure(
    connection: sqlite3.Connection,
    candidates: Candidates,
    source: runs.Grids,
    lines: Lines,
    progress: Progress | None,
) -> None:
    """Measure candidates on the grid and write all that reach the floor to ``twin``."""
    for span in runs.batches(len(candidates), VERIFY_BATCH):
        some = candidates.take(span)
        numbers, grids = source.get(distinct(np.concatenate([some.left, some.right])))
        keep(connection, measure(numbers, grids, some), lines)
        if progress:
            progress("verifying", span.stop, len(candidates))
