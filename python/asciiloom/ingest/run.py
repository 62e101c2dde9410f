"""Ingest: batches from the readers to the writer, with a log row per run."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime

from asciiloom._version import __version__
from asciiloom.ingest.pipeline import prepared, read_batches
from asciiloom.ingest.rows import Batch, condensed
from asciiloom.ingest.writer import Tally, Writer
from asciiloom.readers import Item, ReadOptions
from asciiloom.readers.registry import is_walkable, looked_at
from asciiloom.signals import terminable
from asciiloom.store.shapes import index_shapes
from asciiloom.store.transaction import transaction

# What became of the items so far, and the path that the last of them came from.
Progress = Callable[[Tally, str], None]
# Told the number of the run when a batch of it is written.
After = Callable[[int], None]
# After a load this large the index of shapes is left to `dedup` or `index`.
INDEX_LATER = 50_000
# A transaction ends after so many pieces or seconds: each writes most pages of the index of hashes anew,
# and holds up other writers.
TOGETHER = 100_000
SECONDS = 5.0
CACHE_KIB = 262_144


def ingest_batches(
    connection: sqlite3.Connection,
    batches: Iterator[Batch | None],
    inputs: Sequence[str],
    progress: Progress | None = None,
    after: After | None = None,
) -> Tally:
    """Write ``batches`` as one run; returns what became of their items. ``progress`` is called after each,
    and ``after`` within the transaction of each."""
    with transaction(connection):
        row = connection.execute(
            "INSERT INTO ingest (started, inputs, version) VALUES (?, ?, ?) RETURNING id",
            (_now(), json.dumps(list(inputs)), __version__),
        ).fetchone()
    with _for_a_load(connection):
        total = _write_all(connection, batches, row[0], progress, after)
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
    batches: Iterator[Batch | None],
    ingest_id: int,
    progress: Progress | None,
    after: After | None,
) -> Tally:
    """Several batches a transaction, but none is open while the next batch is waited for (``None``): whoever
    else writes would wait as long as a stalled input does."""
    total = Tally()
    coming = condensed(batches)
    for first in coming:
        if first is None:
            continue
        batch: Batch | None = first
        with transaction(connection):
            writer = Writer(connection, ingest_id)
            begun, items = time.monotonic(), 0
            while batch is not None:
                total.add(writer.write(batch))
                items += len(batch.pieces)
                if after is not None:
                    after(ingest_id)
                if progress is not None:
                    progress(total, _last_path(batch))
                full = items >= TOGETHER or time.monotonic() - begun >= SECONDS
                batch = None if full else next(coming, None)
    return total


def _last_path(batch: Batch) -> str:
    if batch.pieces.path:
        return batch.pieces.path[-1]
    return batch.rejections[-1].path if batch.rejections else ""


def ingest_items(
    connection: sqlite3.Connection, items: Iterable[Item], inputs: Sequence[str]
) -> Tally:
    """Write ``items`` that were made in memory."""
    return ingest_batches(connection, prepared(items), inputs)


def ingest_paths(
    connection: sqlite3.Connection,
    paths: Sequence[str],
    options: ReadOptions | None = None,
    progress: Progress | None = None,
    limit: int | None = None,
    workers: int = 1,
) -> Tally:
    """Read every path (file, folder, "-" or "hf:...") and write what they hold, as one run.

    A path that is not there is a ``ReaderError`` before anything is written. SIGTERM ends the worker
    processes and leaves what was committed.
    """
    for path in paths:
        if is_walkable(path):
            looked_at(path)
    batches = read_batches(paths, options or ReadOptions(), workers, limit)
    with terminable(), closing(batches):
        return ingest_batches(connection, batches, paths, progress)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
