"""Ingest: items from the readers, in batches, to the writer, with a log row per run."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice

from asciiloom._version import __version__
from asciiloom.corpus.writer import Tally, Writer, transaction
from asciiloom.piece import Piece, Rejection
from asciiloom.readers import ReadOptions, read_path

BATCH_ITEMS = 5000
# A batch of huge pieces closes early, so that memory is bounded by text, not by count.
BATCH_CHARS = 8_000_000

Item = Piece | Rejection
Progress = Callable[[Tally], None]


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    batch: list[Item] = []
    chars = 0
    last: bytes | None = None
    for item in items:
        batch.append(item)
        if isinstance(item, Piece):
            chars += len(item.text) + len(item.colour or b"")
            if item.original is not None and item.original is not last:
                last = item.original
                chars += len(last)
        if len(batch) >= BATCH_ITEMS or chars >= BATCH_CHARS:
            yield batch
            batch, chars = [], 0
    if batch:
        yield batch


def ingest_items(
    connection: sqlite3.Connection,
    items: Iterable[Item],
    inputs: Sequence[str],
    progress: Progress | None = None,
) -> Tally:
    """Write ``items``; returns what became of them. ``progress`` is called after each batch."""
    with transaction(connection):
        row = connection.execute(
            "INSERT INTO ingest (started, inputs, version) VALUES (?, ?, ?) RETURNING id",
            (_now(), json.dumps(list(inputs)), __version__),
        ).fetchone()
    writer = Writer(connection, row[0])
    total = Tally()
    for batch in _batches(items):
        total.add(writer.write(batch))
        if progress is not None:
            progress(total)
    connection.execute("UPDATE ingest SET finished = ? WHERE id = ?", (_now(), row[0]))
    connection.execute("PRAGMA optimize")
    return total


def ingest_paths(
    connection: sqlite3.Connection,
    paths: Sequence[str],
    options: ReadOptions | None = None,
    progress: Progress | None = None,
    limit: int | None = None,
) -> Tally:
    """Read every path (file, folder or "-") and write what it holds."""
    items = (item for path in paths for item in read_path(path, options))
    return ingest_items(connection, islice(items, limit), paths, progress)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
