"""Connections to a corpus file: one that may write, one that only reads where nothing may be written."""

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from asciiloom.store.failures import has_journal
from asciiloom.store.pattern import register

# How long to wait for another program that writes.
BUSY_SECONDS = 60.0
BUSY_VARIABLE = "ASCIILOOM_BUSY_SECONDS"
# Of a new file. A page of twice SQLite's usual size holds several pieces with little left over.
PAGE_BYTES = 8192
# Reading by address instead of by call: what SQLite is built to map at most.
MAPPED_BYTES = 0x7FFF0000
# Written pages are copied from the journal back into the file only every so many: each time waits for the disk.
CHECKPOINT_PAGES = 10_000


class CorpusConnection(sqlite3.Connection):
    """A connection that knows its file, whether it only reads, and whether the file was looked at for
    damage, which its first transaction does."""

    path: Path
    read_only: bool = False
    looked_at: bool = False


def busy_seconds() -> float:
    """How long to wait for a lock: ``ASCIILOOM_BUSY_SECONDS``, or a minute."""
    try:
        return min(max(float(os.environ[BUSY_VARIABLE]), 0.0), 86_400.0)
    except (KeyError, ValueError):
        return BUSY_SECONDS


def address(path: Path, options: str) -> str:
    """``path`` as the URI that SQLite takes; names that are not UTF-8 keep their bytes."""
    return f"file:{quote(os.fsencode(path))}?{options}"


def connect(path: Path) -> CorpusConnection:
    """A connection that may write, in WAL mode, with foreign keys on. The file is made if missing."""
    connection = _open(str(path), path)
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        connection.execute("SELECT count(*) FROM sqlite_master")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_read_only(path: Path) -> CorpusConnection:
    """A connection that writes nothing, not even a journal beside the file.

    A file in WAL mode can be read without one only as "immutable": unlocked. That is done where it cannot
    be opened otherwise, and where no journal holds changes that would be missed.
    """
    try:
        return _open_read_only(path, "mode=ro")
    except sqlite3.OperationalError:
        if has_journal(path):
            raise
    return _open_read_only(path, "mode=ro&immutable=1")


def _open_read_only(path: Path, options: str) -> CorpusConnection:
    connection = _open(address(path, options), path)
    connection.read_only = True
    try:
        connection.execute("SELECT count(*) FROM sqlite_master")
    except BaseException:
        connection.close()
        raise
    return connection


def _open(name: str, path: Path) -> CorpusConnection:
    connection = sqlite3.connect(
        name,
        timeout=busy_seconds(),
        isolation_level=None,
        factory=CorpusConnection,
        uri=name.startswith("file:"),
    )
    connection.path = path
    register(connection)
    return connection
