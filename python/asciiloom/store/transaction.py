"""One write transaction: committed whole, or rolled back whole."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from asciiloom.store.connection import CorpusConnection
from asciiloom.store.soundness import refuse_damaged


@contextmanager
def transaction(
    connection: sqlite3.Connection, *, look: bool = True
) -> Iterator[sqlite3.Connection]:
    """One write transaction: committed whole, or rolled back whole.

    The first one of a corpus' connection looks for damage before it begins, and raises ``CorpusError``
    where there is some: what is written into a damaged file may be lost with it. Without ``look`` it
    does not: to migrate, and to repair.
    """
    if look and isinstance(connection, CorpusConnection) and not connection.looked_at:
        refuse_damaged(connection)
        connection.looked_at = True
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has rolled back by itself where the disk was full. An error of rolling back would hide the
        # one that tells why.
        with suppress(sqlite3.Error):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        raise


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Within it the corpus is read as it is now, whatever others write."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        if connection.in_transaction:  # an error of the disk may have ended it
            connection.execute("ROLLBACK")
