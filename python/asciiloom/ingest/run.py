"""Ingest: batches from the readers to the writer, with a log row per run."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from asciiloom._version import __version__
from asciiloom.ingest.pipeline import batched, read_batches
from asciiloom.ingest.rows import Batch, condensed, prepare_batch
from asciiloom.ingest.writer import Tally, Writer
from asciiloom.readers import Item, ReadOptions
from asciiloom.store.shapes import index_shapes
from asciiloom.store.transaction import transaction

Progress = Callable[[Tally], None]
# After a load this large the index of shapes is left to `dedup` or `index`.
INDEX_LATER = 50_000
# A transaction ends after so many pieces or seconds: each writes most pages of the index of hashes anew,
# and holds up other writers.
TOGETHER = 100_000
SECONDS = 5.0
CACHE_KIB = 262_144


def _write_batches(
    connection: sqlite3.Connection,
    batches: Iterable[Batch],
    inputs: Sequence[str],
    progress: Progress | None = None,
) -> Tally:
    """Write ``batches``; returns what became of their items. ``progress`` is called after each."""
    with transaction(connection):
        row = connection.execute(
            "INSERT INTO ingest (started, inputs, version) VALUES (?, ?, ?) RETURNING id",
            (_now(), json.dumps(list(inputs)), __version__),
        ).fetchone()
    with _for_a_load(connection):
        total = _write_all(connection, batches, row[0], progress)
    if total.new.total() < INDEX_LATER:
        index_shapes(connection)
    connection.execute("UPDATE ingest SET finished = ? WHERE id = ?", (_now(), row[0]))
    connection.execute("PRAGMA optimize")
    return total


@contextmanager
def _for_a_load(connection: sqlite3.Connection) -> Iterator[None]:
    """Settings of a connection that writes much.

    The same pages are touched again and again: they are kept at hand.
    What the constraints of the schema ask for holds by the way the rows are made (``Batch``; JSON from
    ``json.dumps``; references to rows found or written in the same transaction), so each row is not
    held against them once more; `asciiloom check` does.
    """
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("PRAGMA ignore_check_constraints = ON")
    try:
        yield
    finally:
        connection.execute("PRAGMA ignore_check_constraints = OFF")
        connection.execute("PRAGMA foreign_keys = ON")


def _write_all(
    connection: sqlite3.Connection,
    batches: Iterable[Batch],
    ingest_id: int,
    progress: Progress | None,
) -> Tally:
    total = Tally()
    coming = condensed(batches)
    batch = next(coming, None)
    while batch is not None:
        with transaction(connection):
            writer = Writer(connection, ingest_id)
            begun, items = time.monotonic(), 0
            while batch is not None and items < TOGETHER and time.monotonic() - begun < SECONDS:
                total.add(writer.write(batch))
                items += len(batch.pieces)
                if progress is not None:
                    progress(total)
                batch = next(coming, None)
    return total


def ingest_items(
    connection: sqlite3.Connection, items: Iterable[Item], inputs: Sequence[str]
) -> Tally:
    """Write ``items`` that were made in memory."""
    return _write_batches(connection, map(prepare_batch, batched(items)), inputs)


def ingest_paths(
    connection: sqlite3.Connection,
    paths: Sequence[str],
    options: ReadOptions | None = None,
    progress: Progress | None = None,
    limit: int | None = None,
    workers: int = 1,
) -> Tally:
    """Read every path (file, folder, "-" or "hf:...") and write what it holds."""
    batches = read_batches(paths, options or ReadOptions(), workers, limit)
    return _write_batches(connection, batches, paths, progress)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
