"""Deleting pieces for good, as where somebody asks for it: texts, originals, and what the edit log says of them."""

import sqlite3
from collections.abc import Sequence

import numpy as np

from asciiloom.curate.edits import recluster
from asciiloom.errors import CorpusError
from asciiloom.store.chosen import chosen_ids
from asciiloom.store.transaction import transaction


def remove(connection: sqlite3.Connection, numbers: Sequence[int]) -> int:
    """Delete the pieces ``numbers`` and all that is known of them; how many there were.

    Their places in the file are overwritten, and the journal is emptied where nobody else is reading it.
    Clusters that lose their canonical piece get another one of those that are left.
    """
    connection.execute("PRAGMA secure_delete = ON")
    try:
        ids = np.unique(np.array(numbers, np.int64))
        with transaction(connection), chosen_ids(connection, ids) as gone:
            bereft = connection.execute(
                f"SELECT min(id) FROM piece WHERE id NOT IN (SELECT id FROM {gone}) AND cluster_id IN"
                f" (SELECT cluster_id FROM piece WHERE id IN (SELECT id FROM {gone}))"
                " GROUP BY cluster_id"
            ).fetchall()
            originals = connection.execute(
                "SELECT DISTINCT original_id FROM origin"
                f" WHERE piece_id IN (SELECT id FROM {gone}) AND original_id NOTNULL"
            ).fetchall()
            # Also the verdicts on others that name them.
            connection.execute(
                f"DELETE FROM change WHERE piece_id IN (SELECT id FROM {gone})"
                f" OR field IN (SELECT 'twin ' || id FROM {gone})"
            )
            connection.execute("DELETE FROM edit WHERE id NOT IN (SELECT edit_id FROM change)")
            count = connection.execute(
                f"DELETE FROM piece WHERE id IN (SELECT id FROM {gone})"
            ).rowcount
            connection.executemany(
                "DELETE FROM original WHERE id = ?1"
                " AND NOT EXISTS (SELECT 1 FROM origin WHERE original_id = ?1)",
                originals,
            )
            recluster(connection, [row[0] for row in bereft])
        try:
            # Words of what is gone stay in the segments of the index until they are merged.
            for index in ("piece_fts", "piece_title"):
                connection.execute(f"INSERT INTO {index} ({index}) VALUES ('optimize')")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.OperationalError as error:
            raise CorpusError(
                f"{count:,} pieces are deleted, but words of them may still lie in the file ({error});"
                " make room, then run: asciiloom vacuum"
            ) from error
    finally:
        connection.execute("PRAGMA secure_delete = OFF")
    return int(count)
