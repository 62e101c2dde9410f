"""Sources that a corpus does not have: nothing would be found of them, and nobody told why."""

import sqlite3
from collections.abc import Iterable
from difflib import get_close_matches

from asciiloom.errors import SelectionError

_NAMED = 5


def check_sources(connection: sqlite3.Connection, asked: Iterable[str]) -> None:
    """``SelectionError`` where one of the names ``asked`` is no source; those with a ``*`` may find none."""
    for name in asked:
        there = connection.execute("SELECT 1 FROM source WHERE name = ?", (name,)).fetchone()
        if there or "*" in name:
            continue
        rows = connection.execute("SELECT name FROM source ORDER BY name COLLATE NOCASE")
        names = [known for (known,) in rows]
        near = nearest(name, names)
        known = ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
        hint = f"did you mean {near!r}?" if near else f"it has {known or 'none yet'}"
        raise SelectionError(f"the corpus has no source {name!r}; {hint}")


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of ``names`` that ``name`` may be mistyped for: alike without case, as a whole or behind a "/"."""
    known = {part: whole for whole in names for part in (_last(whole), whole.casefold())}
    close = get_close_matches(name.casefold(), known, 1)
    return known[close[0]] if close else None


def _last(name: str) -> str:
    return name.casefold().rpartition("/")[2]
