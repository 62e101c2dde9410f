"""What the names in a piece stand for: which licences may be passed on, and whose bylines are one person's.

A piece holds two texts that mean more than they say, its licence and its artist. What a text means is kept
once for each that occurs, in the tables ``licence`` and ``byline``, so that a selection asks a table of some
hundreds of rows. A text that is in neither table (another tool wrote it) is not redistributable. And a source that
is asked for by a name that it has not: nothing would be found of it, and nobody told why.
"""

import json
import sqlite3
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from asciiloom.errors import SelectionError
from asciiloom.piece import artist_keys, fold, joint_byline, licence_name, redistributable, spdx

# The rowid of a title's entry in ``piece_title`` is its length above so many bits, and the piece below: what
# the index yields in its own order is the shortest title first.
PLACE_BITS = 40
LONGEST_TITLE = 1023
# So many of the sources are named to whom asks for none of them.
_NAMED = 5
REDISTRIBUTABLE = "piece.licence IN (SELECT name FROM licence WHERE redistributable = 1)"


def note_licences(connection: sqlite3.Connection, licences: Iterable[str | None]) -> None:
    """Write down what each of ``licences`` allows, under its name; within a transaction."""
    connection.executemany(
        "INSERT OR IGNORE INTO licence (name, spdx, redistributable) VALUES (?, ?, ?)",
        [
            (name, spdx(name) is not None, redistributable(name))
            for stated in licences
            if (name := licence_name(stated)) is not None
        ],
    )


def note_bylines(connection: sqlite3.Connection, bylines: Iterable[str | None]) -> None:
    """Write down whom each of ``bylines`` names; within a transaction."""
    connection.executemany(
        "INSERT OR IGNORE INTO byline (text, name) VALUES (?, ?)",
        [(text, key) for text in bylines if text for key in artist_keys(text)],
    )


def pattern(value: str) -> tuple[str, str]:
    """(operator, parameter) that finds ``value``, in which ``*`` alone is a wild card."""
    if "*" not in value:
        return "= ?", value
    return "GLOB ?", value.replace("[", "[[]").replace("?", "[?]")


def by_artist(artist: str) -> tuple[str, list[Any]]:
    """(condition on ``piece``, parameters): drawn by ``artist``, under whatever name, alone or with others."""
    operator, key = pattern(fold(artist))
    return (
        f"piece.artist IN (SELECT text FROM byline WHERE name {operator} OR name IN"
        " (SELECT key FROM alias WHERE artist_id IN"
        f" (SELECT artist_id FROM alias WHERE key {operator})))",
        [key, key],
    )


def _name_licences(connection: sqlite3.Connection) -> None:
    connection.create_function("licence_name", 1, licence_name, deterministic=True)
    connection.execute(
        "UPDATE piece SET licence = licence_name(licence) WHERE licence <> licence_name(licence)"
    )
    connection.execute(
        "UPDATE change SET before = json_quote(licence_name(json_extract(before, '$'))),"
        " after = json_quote(licence_name(json_extract(after, '$'))) WHERE field = 'licence'"
    )
    found = connection.execute("SELECT DISTINCT licence FROM piece WHERE licence NOTNULL")
    note_licences(connection, [name for (name,) in found.fetchall()])


def _name_artists(connection: sqlite3.Connection) -> None:
    def signer(artists: str) -> str | None:
        return joint_byline(json.loads(artists))

    connection.create_function("signer", 1, signer, deterministic=True)
    connection.execute(
        "UPDATE piece SET artist = (SELECT signer(json_group_array(artist)) FROM"
        " (SELECT artist FROM credit WHERE piece_id = piece.id ORDER BY row, col))"
        " WHERE artist IS NULL AND id IN (SELECT piece_id FROM credit)"
        " AND id NOT IN (SELECT piece_id FROM change WHERE field = 'artist')"
    )
    found = connection.execute("SELECT DISTINCT artist FROM piece WHERE artist NOTNULL")
    note_bylines(connection, [byline for (byline,) in found.fetchall()])


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


# Migration -> what of it takes rules that SQL does not have.
STEPS = {9: _name_licences, 10: _name_artists}
