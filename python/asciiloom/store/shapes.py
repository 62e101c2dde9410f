"""The index of shapes (trigrams over the art), filled after a large ingest: it costs as much as all the rest."""

import sqlite3
from collections.abc import Callable

from asciiloom.store.transaction import transaction

# Pieces indexed in one transaction.
SHAPES_AT_ONCE = 20_000


def index_shapes(
    connection: sqlite3.Connection, progress: Callable[[int, int], None] | None = None
) -> int:
    """Fill the index of shapes with the pieces that it lacks, some thousands a transaction; how many."""
    (total,) = connection.execute("SELECT count(*) FROM unindexed").fetchone()
    done = 0
    while True:
        with transaction(connection):
            row = connection.execute(
                "SELECT max(piece_id), count(*) FROM"
                " (SELECT piece_id FROM unindexed ORDER BY piece_id LIMIT ?)",
                (SHAPES_AT_ONCE,),
            ).fetchone()
            if not row[1]:
                return done
            connection.execute(
                "INSERT INTO piece_art (rowid, text) SELECT id, text FROM unindexed CROSS JOIN piece"
                " ON piece.id = unindexed.piece_id WHERE unindexed.piece_id <= ?",
                row[:1],
            )
            connection.execute("DELETE FROM unindexed WHERE piece_id <= ?", row[:1])
        done += row[1]
        if progress:
            progress(done, total)
