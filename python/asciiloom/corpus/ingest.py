"""Ingest: batches from the readers to the writer, with a log row per run."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from asciiloom._version import __version__
from asciiloom.corpus.pipeline import batched, read_batches
from asciiloom.corpus.writer import Batch, Tally, Writer, prepare_batch, transaction
from asciiloom.readers import Item, ReadOptions

Progress = Callable[[Tally], None]


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
    writer = Writer(connection, row[0])
    total = Tally()
    for batch in batches:
        total.add(writer.write(batch))
        if progress is not None:
            progress(total)
    connection.execute("UPDATE ingest SET finished = ? WHERE id = ?", (_now(), row[0]))
    connection.execute("PRAGMA optimize")
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
