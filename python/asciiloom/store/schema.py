"""The canonical schema: the numbered migrations, what a corpus must have after all of them, and its tables
as somebody sees them who carries rows from one corpus to another."""

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from functools import cache, lru_cache
from graphlib import TopologicalSorter

from asciiloom.resources import resource_dir

APPLICATION_ID = 0x41414C4D  # "AALM"
_MIGRATION = re.compile(r"(\d{3})_\w+\.sql\Z")

# Of tables and their columns, views, indexes, triggers: (what, name). What fts5 and SQLite keep for themselves is
# left out: it differs from version to version.
_ORDER = ("table", "column", "view", "index", "trigger")
_PARTS = (
    "SELECT 'column', m.name || '.' || c.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c"
    " WHERE m.type = 'table' AND m.name NOT GLOB 'piece_*_*' AND m.name NOT GLOB 'sqlite_*'"
    " UNION ALL SELECT type, name FROM sqlite_master"
    " WHERE type IN ('table', 'view', 'index', 'trigger') AND name NOT GLOB 'sqlite_*'"
)

# Tables that are made anew from the others, besides what the search indexes keep.
_DERIVED = frozenset(["size", "signature", "band", "stale", "unindexed", "licence", "byline"])
# References that the schema does not declare, because they outlive what they refer to.
_REFERENCES = {("change", "piece_id"): "piece"}


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose rows travel. ``columns`` are declared types by name; ``refers`` says whose rows a column
    names; ``key`` are the columns that tell two rows apart in whatever corpus they are, none where only a
    whole row does; ``numbered`` ones have an ``id`` that means nothing elsewhere."""

    name: str
    columns: dict[str, str]
    required: frozenset[str]
    refers: dict[str, str]
    key: tuple[str, ...]
    numbered: bool


def migrations() -> list[tuple[int, str]]:
    """(version, SQL) of every migration, ascending."""
    return sorted(
        (int(match[1]), path.read_text(encoding="utf-8"))
        for path in resource_dir("schema").iterdir()
        if (match := _MIGRATION.match(path.name))
    )


def statements(sql: str) -> list[str]:
    """Single statements (``executescript`` would commit the transaction around them)."""
    out: list[str] = []
    pending = ""
    for line in sql.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            out.append(pending)
            pending = ""
    return out


@lru_cache(maxsize=1)
def _wanted() -> tuple[frozenset[tuple[str, str]], dict[str, str]]:
    """(every part of the schema, the SQL of all that is derived), from an empty corpus in memory."""
    with closing(sqlite3.connect(":memory:")) as db:
        for _, sql in migrations():
            db.executescript(sql)
        made = db.execute(
            "SELECT name, sql FROM sqlite_master WHERE type IN ('view', 'index', 'trigger')"
            " AND sql NOTNULL OR sql LIKE 'CREATE VIRTUAL TABLE%'"
        )
        return frozenset(db.execute(_PARTS)), dict(made.fetchall())


def missing_parts(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """(table, column, view, index or trigger; its name) of what the corpus should have and has not.

    The columns of a table that is missing are not named along with it.
    """
    missing = _wanted()[0] - set(connection.execute(_PARTS))
    named = [
        (what, name)
        for what, name in missing
        if what != "column" or ("table", name.partition(".")[0]) not in missing
    ]
    return sorted(named, key=lambda part: (_ORDER.index(part[0]), part[1]))


def derived_part(name: str) -> str | None:
    """The statement that makes the view, index, trigger or search index ``name``; None of what holds data."""
    return _wanted()[1].get(name)


@cache
def schema_of(version: int) -> sqlite3.Connection:
    """An empty corpus of schema ``version``, in memory."""
    db = sqlite3.connect(":memory:", check_same_thread=False)
    for number, sql in migrations():
        if number <= version:
            db.executescript(sql)
    return db


@cache
def tables_of(version: int | None = None) -> dict[str, Table]:
    """Every table of a schema (the newest by default) but those made anew from others, by name: each after
    those that it refers to."""
    db = schema_of(migrations()[-1][0] if version is None else version)
    names = db.execute(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
        " AND name NOT GLOB 'sqlite_*' ORDER BY name"
    ).fetchall()
    tables = {name: _table(db, name) for (name,) in names if name not in _DERIVED}
    graph = {name: set(table.refers.values()) - {name} for name, table in tables.items()}
    return {name: tables[name] for name in TopologicalSorter(graph).static_order()}


def _table(db: sqlite3.Connection, name: str) -> Table:
    rows = db.execute(
        'SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(?)', (name,)
    )
    columns = rows.fetchall()
    primary = [column[0] for column in sorted(columns, key=lambda c: c[4]) if column[4]]
    numbered = primary == ["id"]
    declared = db.execute('SELECT "from", "table" FROM pragma_foreign_key_list(?)', (name,))
    refers = dict(declared.fetchall())
    refers |= {column: table for (owner, column), table in _REFERENCES.items() if owner == name}
    unique = db.execute(
        "SELECT name FROM pragma_index_list(?) WHERE origin = 'u' AND NOT partial ORDER BY name",
        (name,),
    ).fetchone()
    key = [] if numbered else primary
    if numbered and unique:
        found = db.execute("SELECT name FROM pragma_index_info(?) ORDER BY seqno", unique)
        key = [row[0] for row in found]
    return Table(
        name,
        {column: kind for column, kind, *_ in columns},
        frozenset(
            c for c, _, needed, default, pk in columns if needed and default is None and not pk
        ),
        refers,
        tuple(key),
        numbered,
    )
