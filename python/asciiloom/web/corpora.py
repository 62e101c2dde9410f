"""What the pages ask a corpus: through Datasette's own read threads, with counts kept between visits."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from datasette.utils import sqlite_timelimit

from asciiloom.store.schema import APPLICATION_ID
from asciiloom.web import limits
from asciiloom.web.database import whole_values
from asciiloom.web.failures import explain
from asciiloom.web.query import PAGE, Query

T = TypeVar("T")
COUNTED = 1000  # matches are counted up to here
FACETS = 15
SIZES = ((20, 5), (40, 12), (80, 25), (132, 50))


async def corpora(datasette: Any) -> list[str]:
    """Names of the attached databases that are corpora."""
    names = []
    for name, database in datasette.databases.items():
        if name == "_internal" or database.path is None:
            continue
        row = await database.execute("PRAGMA application_id")
        if row.first()[0] == APPLICATION_ID:
            names.append(name)
    return names


async def ask(datasette: Any, name: str, question: Callable[[sqlite3.Connection], T]) -> T:
    """The answer of ``question``, asked in a read thread; what SQLite refuses is said on a page."""

    def bounded(connection: sqlite3.Connection) -> T:
        with whole_values(connection), time_limit(connection, limits.QUESTION_SECONDS):
            return question(connection)

    try:
        answer: T = await datasette.get_database(name).execute_fn(bounded)
    except (sqlite3.Error, OSError, MemoryError) as error:
        failure = explain(error)
        assert failure is not None
        raise failure.raised() from error
    return answer


def time_limit(connection: sqlite3.Connection, seconds: float) -> Any:
    """A context in which SQLite gives up after ``seconds``."""
    return sqlite_timelimit(connection, seconds * 1000)


@dataclass(frozen=True, slots=True)
class Facets:
    """(value, pieces) of the whole corpus, most first."""

    pieces: int
    sizes: list[tuple[str, int]]
    tags: list[tuple[str, int]]
    sources: list[tuple[str, int]]
    kinds: list[tuple[str, int]]
    to_review: int


_kept: dict[str, tuple[object, Facets]] = {}


def facets(connection: sqlite3.Connection) -> Facets:
    """Facets of the corpus, counted anew only after its file changed: all read threads share them.

    Of a corpus too large to be counted in time they are empty.
    """
    path = connection.execute("PRAGMA database_list").fetchone()[2]
    state = tuple(_state(f"{path}{ending}") for ending in ("", "-wal"))
    if path not in _kept or _kept[path][0] != state:
        try:
            with time_limit(connection, limits.FACETS_SECONDS):
                counted = _count(connection)
        except sqlite3.OperationalError as error:
            if "interrupted" not in str(error):
                raise
            (most,) = connection.execute("SELECT max(id) FROM piece").fetchone()
            counted = Facets(most or 0, [], [], [], [], 0)
        _kept[path] = (state, counted)
    return _kept[path][1]


def _state(path: str) -> tuple[int, int] | None:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _count(connection: sqlite3.Connection) -> Facets:
    def rows(sql: str) -> list[tuple[str, int]]:
        return list(connection.execute(sql))

    inside = ", ".join(f"sum(width <= {w} AND height <= {h})" for w, h in SIZES)
    sizes = connection.execute(f"SELECT {inside}, count(*) FROM piece").fetchone()
    return Facets(
        pieces=sizes[-1],
        sizes=[(f"{w}x{h}", n or 0) for (w, h), n in zip(SIZES, sizes, strict=False)],
        tags=rows(
            f"SELECT name, count(*) AS n FROM tag GROUP BY name ORDER BY n DESC LIMIT {FACETS}"
        ),
        sources=rows(
            "SELECT source.name, n FROM (SELECT source_id, count(*) AS n FROM piece GROUP BY source_id)"
            f" JOIN source ON source.id = source_id ORDER BY n DESC LIMIT {FACETS}"
        ),
        kinds=rows(
            "SELECT kind, count(*) AS n FROM"
            f" (SELECT kind FROM piece LIMIT 50000) GROUP BY kind ORDER BY n DESC LIMIT {FACETS}"
        ),
        to_review=connection.execute(
            "SELECT count(*) FROM (SELECT 1 FROM twin INDEXED BY twin_review"
            f" WHERE verdict = 'variant' AND reviewed = 0 LIMIT {COUNTED})"
        ).fetchone()[0],
    )


def found(connection: sqlite3.Connection, query: Query) -> tuple[list[dict[str, Any]], bool, int]:
    """(pieces of the page, whether there are more, matches counted up to ``COUNTED``)."""
    selection = query.selection()
    statement, params = selection.sql(
        f"piece.id, substr(piece.text, 1, {limits.CARD_CHARACTERS}), piece.title, piece.artist,"
        " piece.width, piece.height, piece.canonical"
    )
    names = ("id", "text", "title", "artist", "width", "height", "canonical")
    rows = [dict(zip(names, row, strict=True)) for row in connection.execute(statement, params)]
    counted, params = selection.replace(order="id", limit=COUNTED, offset=0).sql("1")
    (count,) = connection.execute(f"SELECT count(*) FROM ({counted})", params).fetchone()
    return rows[:PAGE], len(rows) > PAGE, count
