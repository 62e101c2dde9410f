"""Patterns of several rows in the art itself: each row below the other, at one column.

A blank before or within a pattern's row is a blank in the art, so that ``( o.o )`` under
``/\\_/\\`` is a cat's head and not any row with these glyphs.
"""

import sqlite3

FUNCTION = "asciiloom_pattern"
# A pattern is a detail, not a picture.
MAX_ROWS = 12
MAX_PLACES = 20_000


def rows_of(pattern: str) -> list[str]:
    """The pattern's rows, without blank ones around them."""
    rows = [row.rstrip() for row in pattern.replace("\r", "").split("\n")]
    while rows and not rows[0]:
        rows.pop(0)
    while rows and not rows[-1]:
        rows.pop()
    return rows[:MAX_ROWS]


def has_pattern(text: str, pattern: str) -> bool:
    """Whether ``pattern`` stands somewhere in ``text``."""
    wanted = rows_of(pattern)
    if not wanted:
        return False
    # The longest row occurs least often: it says where the others must be.
    anchor = max(range(len(wanted)), key=lambda k: len(wanted[k].strip()))
    core = wanted[anchor].strip()
    indent = len(wanted[anchor]) - len(wanted[anchor].lstrip())
    rows = text.split("\n")
    places = 0
    for y in range(anchor, len(rows) - (len(wanted) - 1 - anchor)):
        x = rows[y].find(core)
        while x >= 0 and places < MAX_PLACES:
            places += 1
            if x >= indent and all(
                _at(rows[y - anchor + k], x - indent, part) for k, part in enumerate(wanted)
            ):
                return True
            x = rows[y].find(core, x + 1)
    return False


def _at(row: str, x: int, part: str) -> bool:
    here = row[x : x + len(part)]
    return here.ljust(len(part)) == part


def register(connection: sqlite3.Connection) -> None:
    """Make ``has_pattern`` known to SQL on this connection."""
    connection.create_function(
        FUNCTION,
        2,
        lambda text, pattern: int(has_pattern(text or "", pattern or "")),
        deterministic=True,
    )
