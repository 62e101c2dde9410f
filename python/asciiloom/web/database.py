"""The corpus as Datasette reads it here: connections that cannot write, and that are bounded in memory.

SQLite bounds what it allocates itself; the rows it hands to Python are counted as they arrive.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from sys import getsizeof
from typing import Any, TypeVar
from urllib.parse import quote

from datasette.database import Database

from asciiloom.store.pattern import register
from asciiloom.store.schema import APPLICATION_ID, migrations
from asciiloom.web import limits

T = TypeVar("T")
_REFUSED_ACTIONS = (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH)
# fts3_tokenizer takes the address of machine code.
_REFUSED_FUNCTIONS = ("fts3_tokenizer", "load_extension")


class ReadConnection(sqlite3.Connection):
    """Counts the bytes of the values that it hands out, up to ``allowed``."""

    spent = 0
    allowed = limits.ROWS_BYTES

    def decoded(self, raw: bytes) -> str:
        """A text value (a ``text_factory``); what is no UTF-8 is replaced."""
        text = str(raw, "utf-8", "replace")
        self._spend(getsizeof(text))
        return text

    def row(self, cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> sqlite3.Row:
        """A row of values (a ``row_factory``); texts were counted one by one."""
        self._spend(sum(getsizeof(value) for value in values if not isinstance(value, str)))
        return sqlite3.Row(cursor, values)

    def _spend(self, size: int) -> None:
        self.spent += size
        if self.spent > self.allowed:
            raise sqlite3.OperationalError(
                f"these rows hold more than {self.allowed:,} bytes; ask for fewer rows or columns"
            )


class CorpusDatabase(Database):  # type: ignore[misc]  # Datasette has no types
    """A corpus file, opened to read only, whatever characters its name has."""

    def __init__(self, datasette: Any, path: Path, *, free_sql: bool) -> None:
        super().__init__(datasette, str(path), is_mutable=True)
        self.value_bytes = limits.SQL_VALUE_BYTES if free_sql else limits.VALUE_BYTES
        name = quote(str(path.absolute()), errors="surrogateescape")
        self._address = f"file:{name}?mode=ro"
        if not self._opens():
            # A folder that SQLite cannot make its lock file in; without a journal the file is complete.
            journal = Path(f"{path}-wal")
            if not (journal.exists() and journal.stat().st_size):
                self._address = f"file:{name}?immutable=1"

    def _opens(self) -> bool:
        try:
            with closing(sqlite3.connect(self._address, uri=True)) as connection:
                connection.execute("PRAGMA schema_version").fetchone()
        except sqlite3.OperationalError as error:
            return "unable to open" not in str(error) and "readonly" not in str(error)
        return True

    def is_current(self) -> bool:
        """Whether the file can be read as it is: a corpus of the newest schema."""
        try:
            with closing(sqlite3.connect(self._address, uri=True)) as connection:
                (application,) = connection.execute("PRAGMA application_id").fetchone()
                (version,) = connection.execute("PRAGMA user_version").fetchone()
        except sqlite3.Error:
            return False
        return bool(application == APPLICATION_ID and version == migrations()[-1][0])

    def connect(self, write: bool = False) -> sqlite3.Connection:
        """A connection to read with; the pages write through ``Corpus`` instead."""
        if write:
            raise sqlite3.OperationalError("attempt to write a readonly database")
        connection = sqlite3.connect(
            self._address, uri=True, timeout=5, check_same_thread=False, factory=ReadConnection
        )
        self._all_file_connections.append(connection)
        return connection

    async def execute(self, *args: Any, **more: Any) -> Any:
        """As Datasette's, but what a visitor asked wrongly is told to the visitor, not to the terminal."""
        return await super().execute(*args, **more | {"log_sql_errors": False})

    async def execute_fn(self, fn: Callable[[sqlite3.Connection], T]) -> T:
        """``fn`` in a read thread; what it may take is counted from nothing."""

        def counted(connection: sqlite3.Connection) -> T:
            if isinstance(connection, ReadConnection):
                connection.spent = 0
            return fn(connection)

        answer: T = await super().execute_fn(counted)
        return answer


def bound_heap() -> None:
    """Bound what SQLite may allocate in this whole process, for good."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"PRAGMA hard_heap_limit = {limits.HEAP_BYTES}")


def bound(connection: ReadConnection, value_bytes: int) -> None:
    """Set every limit of a fresh connection."""
    register(connection)
    connection.row_factory = connection.row
    connection.text_factory = connection.decoded
    connection.execute(f"PRAGMA mmap_size = {limits.MAPPED_BYTES}")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, value_bytes)
    connection.setlimit(sqlite3.SQLITE_LIMIT_COLUMN, limits.COLUMNS)
    connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, 100_000)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200)
    connection.set_authorizer(_authorize)


def _authorize(action: int, first: str | None, second: str | None, *place: str | None) -> int:
    refused = action in _REFUSED_ACTIONS or (
        action == sqlite3.SQLITE_FUNCTION and second in _REFUSED_FUNCTIONS
    )
    return sqlite3.SQLITE_DENY if refused else sqlite3.SQLITE_OK


@contextmanager
def whole_values(connection: sqlite3.Connection) -> Iterator[None]:
    """Within, values may be as long as an original is: for the questions of our own pages."""
    if not isinstance(connection, ReadConnection):
        yield
        return
    length = connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, limits.ORIGINAL_BYTES)
    connection.allowed = limits.ORIGINAL_BYTES
    try:
        yield
    finally:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, length)
        connection.allowed = limits.ROWS_BYTES
