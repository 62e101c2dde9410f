"""What the pages ask a corpus: through Datasette's own read threads, with counts kept between visits."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from asciiloom.errors import SelectionError
from asciiloom.piece import CHARSETS, KINDS
from asciiloom.store.schema import APPLICATION_ID
from asciiloom.store.selection import Selection

T = TypeVar("T")
PAGE = 24
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
    """The answer of ``question``, asked in a read thread."""
    answer: T = await datasette.get_database(name).execute_fn(question)
    return answer


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
    """Facets of the corpus, counted anew only after its file changed: all read threads share them."""
    path = connection.execute("PRAGMA database_list").fetchone()[2]
    state = tuple(_state(f"{path}{ending}") for ending in ("", "-wal"))
    if path not in _kept or _kept[path][0] != state:
        _kept[path] = (state, _count(connection))
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


@dataclass(frozen=True, slots=True)
class Query:
    """What a gallery address asks for, as typed; unknown or impossible values are left out."""

    q: str = ""
    glyphs: str = ""
    size: str = ""
    tag: str = ""
    source: str = ""
    kind: str = ""
    charset: str = ""
    order: str = ""
    canonical: str = ""
    page: int = 1

    @classmethod
    def of(cls, args: Any) -> "Query":
        values = {
            name: (args.get(name) or "").strip()[:200]
            for name in (
                "q",
                "glyphs",
                "size",
                "tag",
                "source",
                "kind",
                "charset",
                "order",
                "canonical",
            )
        }
        page = args.get("page") or "1"
        return cls(**values, page=min(10**6, int(page)) if page.isdigit() and page != "0" else 1)

    def link(self, **changes: Any) -> str:
        """The address of this query with some values changed (and the first page, unless said)."""
        values = {name: getattr(self, name) for name in self.__slots__ if name != "page"} | changes
        return "?" + urlencode({k: v for k, v in values.items() if v})

    def selection(self) -> Selection:
        width, _, height = self.size.partition("x")
        fits = width.isdigit() and height.isdigit()
        orders = ("small", "large", "newest", "random")
        fallback = "rank" if self.q else "id"
        try:
            return Selection(
                text=self.q or None,
                glyphs=self.glyphs or None,
                tags=(self.tag,) if self.tag else (),
                sources=(self.source,) if self.source else (),
                kinds=(self.kind,) if self.kind in KINDS else (),
                charset=self.charset if self.charset in CHARSETS else None,
                width=(None, int(width)) if fits else (None, None),
                height=(None, int(height)) if fits else (None, None),
                canonical_only=bool(self.canonical),
                order=self.order if self.order in orders else fallback,
                limit=PAGE + 1,
                offset=(self.page - 1) * PAGE,
            )
        except SelectionError:
            return Selection(limit=PAGE + 1)


def found(connection: sqlite3.Connection, query: Query) -> tuple[list[dict[str, Any]], bool, int]:
    """(pieces of the page, whether there are more, matches counted up to ``COUNTED``)."""
    selection = query.selection()
    statement, params = selection.sql(
        "piece.id, piece.text, piece.title, piece.artist, piece.width, piece.height, piece.canonical"
    )
    names = ("id", "text", "title", "artist", "width", "height", "canonical")
    rows = [dict(zip(names, row, strict=True)) for row in connection.execute(statement, params)]
    counted, params = selection.replace(order="id", limit=COUNTED, offset=0).sql("1")
    (count,) = connection.execute(f"SELECT count(*) FROM ({counted})", params).fetchone()
    return rows[:PAGE], len(rows) > PAGE, count
