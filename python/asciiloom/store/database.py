"""Opening and migrating a corpus file.

A file is looked at through a read-only connection first: one that is not a corpus, or is from a
newer asciiloom, is refused before a single byte of it (or a -wal file beside it) is written.
"""

import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import sqlite_utils

from asciiloom.errors import CorpusError
from asciiloom.resources import resource_dir
from asciiloom.store.pattern import register

APPLICATION_ID = 0x41414C4D  # "AALM"
BUSY_SECONDS = 60
# Of a new file. A page of twice SQLite's usual size holds several pieces with little left over.
PAGE_BYTES = 8192
# Reading by address instead of by call: what SQLite is built to map at most.
MAPPED_BYTES = 0x7FFF0000
# Written pages are copied from the journal back into the file only every so many: each time waits for the disk.
CHECKPOINT_PAGES = 10_000
_MIGRATION = re.compile(r"(\d{3})_\w+\.sql\Z")


def migrations() -> list[tuple[int, str]]:
    """(version, SQL) of every migration, ascending."""
    return sorted(
        (int(match[1]), path.read_text(encoding="utf-8"))
        for path in resource_dir("schema").iterdir()
        if (match := _MIGRATION.match(path.name))
    )


def _inspect(path: Path) -> int:
    """The schema version of ``path``, 0 for an empty database; refuses everything else."""
    # Without a journal beside it the file is complete, and "immutable" keeps SQLite from making one.
    still = "&immutable=1" if not Path(f"{path}-wal").exists() else ""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro{still}", uri=True)) as db:
            application = db.execute("PRAGMA application_id").fetchone()[0]
            version = int(db.execute("PRAGMA user_version").fetchone()[0])
            tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise CorpusError(f"{path} is not a corpus: {error}; it was left untouched") from error
    if application == 0 and version == 0 and tables == 0:
        return 0
    if application != APPLICATION_ID:
        raise CorpusError(
            f"{path} is an SQLite file of another program, not a corpus; it was left untouched"
        )
    newest = migrations()[-1][0]
    if version > newest:
        raise CorpusError(
            f"{path} has schema version {version}, this asciiloom knows {newest}; upgrade asciiloom"
            " (the file was left untouched)"
        )
    return version


def open_database(path: str | Path, *, create: bool = False) -> sqlite_utils.Database:
    """Open the corpus at ``path``, migrated to the newest schema, in WAL mode, foreign keys on.

    With ``create`` a missing file is made; without, it is a ``CorpusError``.
    """
    path = Path(path)
    if not path.exists():
        if not create:
            raise CorpusError(f"there is no corpus at {path}; make one with: asciiloom init {path}")
        if not path.parent.is_dir():
            raise CorpusError(f"cannot create {path}: there is no folder {path.parent}")
    elif not path.is_file():
        raise CorpusError(f"{path} is not a file")
    version = _inspect(path) if path.exists() and path.stat().st_size else 0
    try:
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        connection.execute("PRAGMA foreign_keys = ON")
        register(connection)
        if os.access(path, os.W_OK):
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            _migrate(connection, version)
        connection.execute("PRAGMA cache_size = -65536")
        connection.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
        connection.execute("PRAGMA temp_store = MEMORY")
    except sqlite3.Error as error:
        raise CorpusError(f"cannot open {path}: {error}") from error
    return sqlite_utils.Database(connection)


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    """Apply the missing migrations, each in a transaction of its own with its version number."""
    for number, sql in migrations():
        if number <= version:
            continue
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Another process may have migrated between the look and the lock.
            if connection.execute("PRAGMA user_version").fetchone()[0] < number:
                for statement in _statements(sql):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


def _statements(sql: str) -> list[str]:
    """Single statements (``executescript`` would commit the transaction around them)."""
    out: list[str] = []
    pending = ""
    for line in sql.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            out.append(pending)
            pending = ""
    return out
