"""Tables of chosen pieces: any number of ids, to join with in one statement.

Each is a temporary table with the column ``id``, ascending, under a name of its own: they may be nested.
"""

import contextlib
import itertools
import sqlite3
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asciiloom.similarity.arrays import I64

_serial = itertools.count(1)


@contextlib.contextmanager
def chosen_ids(connection: sqlite3.Connection, ids: "I64") -> Iterator[str]:
    """The name of a table that holds ``ids`` (distinct) until the block ends."""
    with _empty(connection) as table:
        connection.executemany(f"INSERT INTO {table} VALUES (?)", ((n,) for n in ids.tolist()))
        yield table


@contextlib.contextmanager
def chosen_by(
    connection: sqlite3.Connection, statement: str, params: Sequence[Any] = ()
) -> Iterator[str]:
    """The name of a table that holds the ids that ``statement`` selects, until the block ends."""
    with _empty(connection) as table:
        connection.execute(f"INSERT INTO {table} {statement}", params)
        yield table


@contextlib.contextmanager
def _empty(connection: sqlite3.Connection) -> Iterator[str]:
    table = f"chosen_{next(_serial)}"
    connection.execute(f"CREATE TEMP TABLE {table} (id INTEGER PRIMARY KEY)")
    try:
        yield table
    finally:
        # After an error it may be gone with the transaction, or still be read by a cursor; then it goes
        # with the connection.
        with contextlib.suppress(sqlite3.OperationalError):
            connection.execute(f"DROP TABLE {table}")
