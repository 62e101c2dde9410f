"""The authority of artists: who is who under which names, as a curator knows it and no rule can.

A person has one name that stands for all others: initials, spellings, names taken later. Pieces keep what
they say; the authority only makes every name find all of a person's pieces. Names meet by their key
(``piece.fold``), so "JGS" and "jgs" are one without being told.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from asciiloom.errors import CorpusError
from asciiloom.ingest.gate import MAX_LINE
from asciiloom.piece import co_artists, fold, one_line
from asciiloom.store.schema import migrations, schema_of
from asciiloom.store.transaction import transaction

_NOT_WITHDRAWN = "piece.id NOT IN (SELECT piece_id FROM withdrawn)"


def people(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """Everybody in the authority: ``name``, ``aliases`` (the other names) and ``pieces``, most pieces first."""
    pieces = dict(
        connection.execute(
            "SELECT artist_id, count(*) FROM (SELECT DISTINCT artist_id, byline.text AS byline"
            " FROM alias JOIN byline ON byline.name = alias.key)"
            f" JOIN piece ON piece.artist = byline WHERE {_NOT_WITHDRAWN} GROUP BY artist_id"
        ).fetchall()
    )
    aliases: dict[int, list[str]] = {}
    for number, spelling in connection.execute(
        "SELECT artist_id, spelling FROM alias JOIN artist ON artist.id = artist_id"
        " WHERE spelling <> name ORDER BY spelling COLLATE NOCASE"
    ):
        aliases.setdefault(number, []).append(spelling)
    rows = connection.execute("SELECT id, name FROM artist").fetchall()
    found = [
        {"name": name, "aliases": aliases.get(number, []), "pieces": pieces.get(number, 0)}
        for number, name in rows
    ]
    return _by_pieces(found)


def others(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """Whom pieces name and the authority does not know, as ``people`` has them; their other spellings are
    the ``aliases``. A byline of several counts for each of them."""
    known = {key for (key,) in connection.execute("SELECT key FROM alias")}
    spellings: dict[str, dict[str, int]] = {}
    for byline, count in connection.execute(
        f"SELECT artist, count(*) FROM piece WHERE artist NOTNULL AND {_NOT_WITHDRAWN}"
        " GROUP BY artist"
    ):
        for name in {fold(name): name for name in co_artists(byline)}.values():
            if (key := fold(name)) not in known:
                found = spellings.setdefault(key, {})
                found[name] = found.get(name, 0) + count
    rows = []
    for found in spellings.values():
        name, *rest = sorted(found, key=lambda spelled: (-found[spelled], spelled))
        rows.append({"name": name, "aliases": rest, "pieces": sum(found.values())})
    return _by_pieces(rows)


def _by_pieces(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (-row["pieces"], row["name"].casefold()))


def add_aliases(connection: sqlite3.Connection, name: str, aliases: Iterable[str]) -> int:
    """``aliases`` are other names of ``name``, who need not be known yet; how many are new.

    ``CorpusError`` where one is a name of somebody else.
    """
    with transaction(connection):
        person = _known(connection, name)
        if person is None:
            person = _new(connection, name)
        return sum(_give(connection, person, alias) for alias in aliases)


def remove_aliases(connection: sqlite3.Connection, aliases: Iterable[str]) -> int:
    """``aliases`` are no names of the person who had them; how many. A person without any is forgotten."""
    with transaction(connection):
        gone = 0
        for alias in aliases:
            number = _must_be_known(connection, alias)
            name, names = connection.execute(
                "SELECT name, (SELECT count(*) FROM alias WHERE artist_id = artist.id) FROM artist"
                " WHERE id = ?",
                (number,),
            ).fetchone()
            if fold(name) == fold(alias) and names > 1:
                raise CorpusError(
                    f"{name} is the name that stands for the others; make another one that, with:"
                    " asciiloom artist rename"
                )
            connection.execute("DELETE FROM alias WHERE key = ?", (fold(alias),))
            if names == 1:
                connection.execute("DELETE FROM artist WHERE id = ?", (number,))
            gone += 1
    return gone


def rename_person(connection: sqlite3.Connection, name: str, new: str) -> None:
    """The person known as ``name`` goes by ``new``; the former name is an alias."""
    with transaction(connection):
        number = _must_be_known(connection, name)
        _give(connection, number, new)
        spelling = _line(new)
        connection.execute("UPDATE artist SET name = ? WHERE id = ?", (spelling, number))
        connection.execute(
            "UPDATE alias SET spelling = ? WHERE key = ?", (spelling, fold(spelling))
        )


def merge_people(connection: sqlite3.Connection, into: str, names: Sequence[str]) -> int:
    """Those known as ``names`` are the person ``into``: all their names are; how many people that were."""
    with transaction(connection):
        number = _must_be_known(connection, into)
        merged = {_must_be_known(connection, name) for name in names} - {number}
        for other in merged:
            connection.execute(
                "UPDATE alias SET artist_id = ? WHERE artist_id = ?", (number, other)
            )
            connection.execute("DELETE FROM artist WHERE id = ?", (other,))
    return len(merged)


def forget_usual(connection: sqlite3.Connection) -> None:
    """Empty the authority, where it is as every new corpus has it."""
    names = "SELECT name, key, spelling FROM artist LEFT JOIN alias ON artist_id = artist.id"
    usual = schema_of(migrations()[-1][0])
    if {*connection.execute(names)} == {*usual.execute(names)}:
        with transaction(connection):
            connection.execute("DELETE FROM alias")
            connection.execute("DELETE FROM artist")


def adopt(connection: sqlite3.Connection, theirs: Iterable[tuple[str, Sequence[str]]]) -> int:
    """Take in what another corpus knows: (name, all names) of people; how many names were new here.

    A name that is somebody's here stays that person's.
    """
    added = 0
    with transaction(connection):
        for name, spellings in theirs:
            names = [line for value in (name, *spellings) if (line := one_line(value, MAX_LINE))]
            known = [_known(connection, spelled) for spelled in names]
            here = [number for number in known if number is not None]
            if not names or len(here) == len(names):
                continue
            person = here[0] if here else _new(connection, names[0])
            for spelled in names:
                if _known(connection, spelled) is None:
                    added += _give(connection, person, spelled)
    return added


def _line(name: str) -> str:
    line = one_line(name, MAX_LINE)
    if line is None:
        raise CorpusError("an artist needs a name of printable characters")
    return line


def _known(connection: sqlite3.Connection, name: str) -> int | None:
    row = connection.execute(
        "SELECT artist_id FROM alias WHERE key = ?", (fold(_line(name)),)
    ).fetchone()
    return int(row[0]) if row else None


def _must_be_known(connection: sqlite3.Connection, name: str) -> int:
    number = _known(connection, name)
    if number is None:
        raise CorpusError(
            f"nobody in the authority is called {name}; `asciiloom artist list` shows who is there"
        )
    return number


def _new(connection: sqlite3.Connection, name: str) -> int:
    line = _line(name)
    number = int(
        connection.execute("INSERT INTO artist (name) VALUES (?) RETURNING id", (line,)).fetchone()[
            0
        ]
    )
    _give(connection, number, line)
    return number


def _give(connection: sqlite3.Connection, number: int, alias: str) -> int:
    """Give the person ``number`` a name; 0 where it was one before."""
    line = _line(alias)
    owner = _known(connection, line)
    if owner == number:
        return 0
    if owner is not None:
        (whose,) = connection.execute("SELECT name FROM artist WHERE id = ?", (owner,)).fetchone()
        raise CorpusError(
            f"{line} is a name of {whose}; take it away first with: asciiloom artist unalias, or"
            " make both one person with: asciiloom artist merge"
        )
    connection.execute("INSERT INTO alias VALUES (?, ?, ?)", (fold(line), line, number))
    return 1
