"""Whether a file may be written into: a look at opening that costs some milliseconds, not a full check.

A file of up to ``LOOKED_THROUGH`` bytes, which is some ten thousand pieces, is looked through with SQLite's
``quick_check`` (1 GB/s). Of a larger one the small tables and both ends of the large ones are looked at; the whole
of it is the work of `asciiloom check`. That a file is cut off, SQLite says itself when it is opened.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from asciiloom.errors import CorpusError
from asciiloom.store.connection import CorpusConnection, connect_read_only
from asciiloom.store.failures import in_short, is_damage
from asciiloom.store.schema import missing_parts

LOOKED_THROUGH = 32 << 20
# Up to this many bytes are copied to be looked at.
COPIED = 512 << 20
# A table with ids up to this is small.
_SMALL_TABLE = 5_000
# (name, whether it has blobs, which may be long however few they are) of tables with row numbers
_TABLES = (
    "SELECT name, EXISTS (SELECT 1 FROM pragma_table_info(t.name) WHERE type = 'BLOB')"
    " FROM pragma_table_list AS t WHERE schema = 'main' AND type IN ('table', 'shadow') AND NOT wr"
    " AND name NOT GLOB 'sqlite_*'"
)


def refuse_damaged(connection: CorpusConnection) -> None:
    """Raise ``CorpusError`` where a quick look finds damage, or a part of the schema missing."""
    found = quick_damage(connection)
    if found is not None:
        raise CorpusError(
            f"{connection.path} is damaged ({found}), and nothing was written into it;"
            " see: asciiloom check, then repair it or restore a backup"
        )


def damage_of(path: Path) -> str | None:
    """The first damage that SQLite's ``quick_check`` finds in the corpus at ``path``, however large it is."""
    with closing(connect_read_only(path)) as connection, closing(sqlite3.connect("")) as copy:
        try:
            if found := quick_damage(connection):
                return found
            if path.stat().st_size > COPIED:
                return _said(connection, "PRAGMA quick_check(1)")
            # Through a connection that only reads SQLite knows of no CHECK.
            connection.backup(copy)
            return _said(copy, "PRAGMA quick_check(1)")
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                return in_short(error)
            raise


def quick_damage(connection: CorpusConnection) -> str | None:
    """The first damage that a quick look finds, in a few words; None where it finds none."""
    try:
        if missing := missing_parts(connection):
            return "it lacks " + ", ".join(f"the {what} {name}" for what, name in missing[:3])
        if connection.path.stat().st_size <= LOOKED_THROUGH:
            return _said(connection, "PRAGMA quick_check(1)")
        return _look_at_large(connection)
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return in_short(error)
        raise


def _said(connection: sqlite3.Connection, pragma: str) -> str | None:
    (said,) = connection.execute(pragma).fetchone()
    return None if said == "ok" else " ".join(str(said).split())


def _look_at_large(connection: sqlite3.Connection) -> str | None:
    for name, blobs in connection.execute(_TABLES).fetchall():
        (first,) = connection.execute(f'SELECT min(rowid) FROM "{name}"').fetchone()
        (last,) = connection.execute(f'SELECT max(rowid) FROM "{name}"').fetchone()
        if not blobs and (last is None or last <= _SMALL_TABLE):
            if found := _said(connection, f"PRAGMA quick_check('{name}')"):
                return found
            continue
        for number in (first, last):
            connection.execute(f'SELECT * FROM "{name}" WHERE rowid = ?', (number,)).fetchone()
    return None
