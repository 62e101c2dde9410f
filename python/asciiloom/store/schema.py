"""The canonical schema: the numbered migrations, and what a corpus must have after all of them."""

import re
import sqlite3
from contextlib import closing
from functools import lru_cache

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
