"""Pieces by number as a temporary table, to join with: any number of them, in one statement."""

import sqlite3

from asciiloom.similarity.arrays import I64


def want(connection: sqlite3.Connection, numbers: I64) -> None:
    """Put ``numbers`` into the temporary table ``wanted``, to join with."""
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS wanted (id INTEGER PRIMARY KEY)")
    connection.execute("DELETE FROM wanted")
    connection.executemany("INSERT INTO wanted VALUES (?)", ((n,) for n in numbers.tolist()))
