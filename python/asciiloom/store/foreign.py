"""Reading a corpus that somebody else made: nothing in the file is believed, nothing in it is written.

An SQLite file brings code along: views, generated columns, triggers and constraints run when somebody
reads or migrates it. So a foreign file is opened read-only with its schema untrusted, each table that is
read must be the plain table that our migrations make, and an older schema is read as it is instead of
being migrated. Every statement can be interrupted.
"""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from asciiloom.errors import CorpusError
from asciiloom.store.connection import address, busy_seconds
from asciiloom.store.database import inspect
from asciiloom.store.failures import has_journal
from asciiloom.store.schema import Table, schema_of, tables_of

MAX_VALUE = 128 << 20  # bytes of one value
# Steps of SQLite's machine between two looks whether to stop.
_STEPS = 100_000


@dataclass(frozen=True, slots=True)
class ForeignCorpus:
    """An open foreign corpus, and the tables that its version of the schema has, by name."""

    connection: sqlite3.Connection
    tables: dict[str, Table]


@contextmanager
def open_foreign(path: Path) -> Iterator[ForeignCorpus]:
    """The corpus at ``path`` to be read, as it is at this moment.

    Text that is no UTF-8 comes with its stray bytes as lone surrogates. ``CorpusError`` where the file is
    no corpus, or has something else where a table of ours should be.
    """
    version = inspect(path)
    if version == 0:
        raise CorpusError(f"{path} is empty: there is nothing to merge")
    before = _state(path)
    try:
        with closing(_open_untrusted(path)) as db:
            db.execute("BEGIN")
            _check_tables(db, path, version)
            yield ForeignCorpus(db, tables_of(version))
    except sqlite3.Error as error:
        # The watch turns Ctrl-C into the end of a statement.
        if was_interrupted(error):
            raise KeyboardInterrupt from None
        raise
    if _state(path) != before:
        raise CorpusError(f"{path} was written to while it was read: merge it again")


def _state(path: Path) -> tuple[int, int, bool]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns, has_journal(path)


def _open_untrusted(path: Path) -> sqlite3.Connection:
    # A file without a journal is complete; to be read as one that changes it would be given one.
    options = "mode=ro" if has_journal(path) else "mode=ro&immutable=1"
    db = sqlite3.connect(
        address(path, options), uri=True, timeout=busy_seconds(), isolation_level=None
    )
    db.execute("PRAGMA trusted_schema = OFF")
    db.execute("PRAGMA cell_size_check = ON")
    db.execute("PRAGMA query_only = ON")
    if sys.version_info >= (3, 12):
        db.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE)
    db.text_factory = _text
    # Python looks for signals whenever a function of its own runs.
    db.set_progress_handler(lambda: 0, _STEPS)
    return db


def was_interrupted(error: sqlite3.Error) -> bool:
    """Whether the statement was ended by its watch: on this connection that is Ctrl-C."""
    return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _check_tables(db: sqlite3.Connection, path: Path, version: int) -> None:
    """Hold every table that is read against what the migrations make."""
    ours = schema_of(version)
    for name in tables_of(version):
        kind = _kind(db, name)
        if kind is None:
            raise CorpusError(f"{path} has no table {name}: it is damaged or no corpus; try: check")
        if kind != "table":
            raise CorpusError(
                f"{path} has a {kind} named {name} where the table of that name belongs: it was not made"
                " by asciiloom and is not read"
            )
        missing = sorted(_columns(ours, name) - _columns(db, name))
        if missing:
            raise CorpusError(
                f"{path}: column {missing[0][0]} of table {name} is not what asciiloom makes;"
                " it is not read"
            )
        if not _keys(ours, name) <= _keys(db, name):
            raise CorpusError(
                f"{path}: table {name} lacks a key that asciiloom makes; it is not read"
            )


def _kind(db: sqlite3.Connection, name: str) -> str | None:
    """table, view, virtual table, ... or None where nothing has this name."""
    row = db.execute(
        "SELECT type, sql FROM sqlite_master WHERE name = ? COLLATE NOCASE AND type <> 'trigger'"
        " AND type <> 'index'",
        (name,),
    ).fetchone()
    if row is None:
        return None
    virtual = str(row[1]).lstrip().upper().startswith("CREATE VIRTUAL")
    return "virtual table" if virtual else str(row[0])


def _columns(db: sqlite3.Connection, table: str) -> set[tuple[str, str, int, int]]:
    """(name, type, place in the primary key, hidden or generated) of each column."""
    rows = db.execute("SELECT name, type, pk, hidden FROM pragma_table_xinfo(?)", (table,))
    return {(str(n), str(t).upper(), pk, hidden) for n, t, pk, hidden in rows}


def _keys(db: sqlite3.Connection, table: str) -> set[tuple[str, ...]]:
    """The columns of each index that a constraint of the table made: what is looked up by them is found
    at once."""
    indexes = db.execute(
        "SELECT name FROM pragma_index_list(?) WHERE origin IN ('u', 'pk') AND NOT partial",
        (table,),
    ).fetchall()
    return {
        tuple(
            str(row[0])
            for row in db.execute("SELECT name FROM pragma_index_info(?) ORDER BY seqno", index)
        )
        for index in indexes
    }
