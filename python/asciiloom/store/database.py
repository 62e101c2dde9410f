"""Opening and migrating a corpus file.

A file is looked at through a read-only connection first: one that is not a corpus, or is from a
newer asciiloom, is refused before a single byte of it (or a -wal file beside it) is written. A corpus
that cannot be written, by its permissions or for want of space, is opened to be read.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from asciiloom.errors import CorpusError
from asciiloom.store.connection import (
    MAPPED_BYTES,
    CorpusConnection,
    address,
    connect,
    connect_read_only,
)
from asciiloom.store.failures import explain, has_journal, primary_code, unwritable
from asciiloom.store.names import STEPS
from asciiloom.store.schema import APPLICATION_ID, migrations, statements
from asciiloom.store.transaction import transaction

# What keeps a sound file from being written, not from being read.
_STILL_READABLE = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
)


def inspect(path: Path) -> int:
    """The schema version of ``path``, 0 for an empty database; refuses everything else."""
    # Without a journal beside it the file is complete, and "immutable" keeps SQLite from making one.
    options = "mode=ro" if has_journal(path) else "mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address(path, options), uri=True)) as db:
            application = db.execute("PRAGMA application_id").fetchone()[0]
            version = int(db.execute("PRAGMA user_version").fetchone()[0])
            tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if primary_code(error) == sqlite3.SQLITE_NOTADB:
            raise CorpusError(f"{path} is not a corpus: {error}; it was left untouched") from error
        raise _failure(error, path) from error
    if application == 0 and version == 0 and tables == 0:
        return 0
    if application != APPLICATION_ID:
        raise CorpusError(
            f"{path} is an SQLite file of another program, not a corpus; it was left untouched"
        )
    if version < 0:
        raise CorpusError(f"{path} is damaged (schema version {version}); restore a backup")
    newest = migrations()[-1][0]
    if version > newest:
        raise CorpusError(
            f"{path} has schema version {version}, this asciiloom knows {newest}; upgrade asciiloom"
            " (the file was left untouched)"
        )
    return version


def _failure(error: sqlite3.Error, path: Path) -> CorpusError:
    return CorpusError(explain(error, path) or f"cannot open {path}: {error}")


def open_database(path: str | Path, *, create: bool = False) -> CorpusConnection:
    """Open the corpus at ``path``, migrated to the newest schema, in WAL mode, foreign keys on.

    With ``create`` a missing file is made; without, it is a ``CorpusError``. Where the file cannot be
    written, its connection has ``read_only`` set, and every write fails.
    """
    path = Path(path)
    there = path.exists()
    if not there:
        if not create:
            raise CorpusError(f"there is no corpus at {path}; make one with: asciiloom init {path}")
        if not path.parent.is_dir():
            raise CorpusError(f"cannot create {path}: there is no folder {path.parent}")
        if why := unwritable(path):
            raise CorpusError(f"cannot create {path}: {why}")
    elif not path.is_file():
        raise CorpusError(f"{path} is not a file")
    version = inspect(path) if there and path.stat().st_size else 0
    try:
        connection = _connect(path, version)
    except sqlite3.Error as error:
        if not there and path.exists() and not path.stat().st_size:
            path.unlink()  # nothing came of the new file
        raise _failure(error, path) from error
    connection.execute("PRAGMA cache_size = -65536")
    connection.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute(
        "PRAGMA recursive_triggers = ON"
    )  # what is replaced fires them as what is deleted
    return connection


def _connect(path: Path, version: int) -> CorpusConnection:
    """A migrated connection to write by, or, where that cannot be had, one to read by."""
    newest = migrations()[-1][0]
    if path.exists() and (why := unwritable(path)):
        if version < newest:
            raise CorpusError(
                f"{path} has schema version {version} and needs {newest}, but {why}; copy it to a place"
                " of your own"
            )
        return connect_read_only(path)
    try:
        connection = connect(path)
    except sqlite3.OperationalError as error:
        if version < newest or primary_code(error) not in _STILL_READABLE:
            raise
        try:
            return connect_read_only(path)
        except sqlite3.Error:
            raise error from None
    try:
        _migrate(connection, version)
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    """Apply the missing migrations, each in a transaction of its own with its version number."""
    for number, sql in migrations():
        if number <= version:
            continue
        with transaction(connection, look=False):
            # Another process may have migrated between the look and the lock.
            if connection.execute("PRAGMA user_version").fetchone()[0] < number:
                for statement in statements(sql):
                    connection.execute(statement)
                if number in STEPS:
                    STEPS[number](connection)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {number}")
