"""Another text for a piece: what is measured of it is measured anew, and what only the former text had goes.

What goes is handed out first (``belongings``), so that an undo can give it back with the text: colours, that a
shape showed in them alone, and what a person said of its twins. Other verdicts are the next dedup's.
"""

import json
import sqlite3
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from asciiloom.errors import CorpusError
from asciiloom.ingest.measured import MEASURED, MeasuredColumns
from asciiloom.piece import LINT, ColourPlane

# Flags of a text that no measure finds again: a reader saw them.
SEEN = ("colour-only",)


def belongings(connection: sqlite3.Connection, piece: int) -> dict[str, Any] | None:
    """What goes with the text of ``piece``, as JSON can hold it; None where there is nothing.

    ``colour``: its plane, in base64; ``flags``: those that a reader saw; ``twins``: what a person judged, rows
    of ``twin`` with the ``hash`` of the other piece in place of both numbers: it means the same elsewhere.
    """
    plane = connection.execute("SELECT plane FROM colour WHERE piece_id = ?", (piece,)).fetchone()
    cursor = connection.execute(
        "SELECT twin.*, other.hash AS hash FROM twin JOIN piece AS other"
        " ON other.id = CASE a WHEN ?1 THEN b ELSE a END WHERE reviewed AND (a = ?1 OR b = ?1)",
        (piece,),
    )
    names = [column[0] for column in cursor.description]
    twins = [dict(zip(names, row, strict=True)) for row in cursor]
    found = {
        "colour": b64encode(plane[0]).decode() if plane else None,
        "flags": [flag for flag in _flags(connection, piece) if flag in SEEN],
        "twins": [{k: v for k, v in twin.items() if k not in ("a", "b")} for twin in twins],
    }
    return found if any(found.values()) else None


def write_text(
    connection: sqlite3.Connection, piece: int, text: str, kept: Mapping[str, Any] | None = None
) -> set[int]:
    """``piece`` has ``text`` now, and of a former text what was ``kept``; its twins until now.

    ``CorpusError`` where no piece can have the text. Within a transaction.
    """
    kept = kept or {}
    (artist,) = connection.execute("SELECT artist FROM piece WHERE id = ?", (piece,)).fetchone()
    known = [flag for flag in _flags(connection, piece) if flag not in LINT]
    measured = MeasuredColumns.of([text], [artist], [(*known, *kept.get("flags", ()))])
    if not (measured.width[0] > 0 and measured.ink[0] > 0):
        raise CorpusError(f"the text of piece {piece} would show nothing in any cell")
    row = connection.execute("SELECT id FROM piece WHERE hash = ?", (measured.hash[0],)).fetchone()
    if row and row[0] != piece:
        raise CorpusError(f"piece {piece} would be the same as piece {row[0]}: reject one instead")
    twins = connection.execute(
        "SELECT id FROM piece WHERE id <> ?1 AND cluster_id ="
        " (SELECT cluster_id FROM piece WHERE id = ?1)",
        (piece,),
    ).fetchall()
    # Triggers forget its verdicts and its cluster.
    connection.execute(
        f"UPDATE piece SET text = ?, {', '.join(f'{name} = ?' for name in MEASURED)} WHERE id = ?",
        (text, *(getattr(measured, name)[0] for name in MEASURED), piece),
    )
    for table in ("credit", "colour"):
        connection.execute(f"DELETE FROM {table} WHERE piece_id = ?", (piece,))
    connection.executemany(
        "INSERT OR IGNORE INTO credit (piece_id, row, col, length, text, artist)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [(piece, c.row, c.column, c.length, c.text, c.artist) for c in measured.credits[0]],
    )
    plane = b64decode(kept.get("colour") or "")
    if plane and ColourPlane.unpack(plane).fits(text):
        connection.execute("INSERT INTO colour (piece_id, plane) VALUES (?, ?)", (piece, plane))
    for twin in kept.get("twins", ()):
        _judge_as_before(connection, piece, dict(twin))
    return {number for (number,) in twins}


def _flags(connection: sqlite3.Connection, piece: int) -> list[str]:
    (flags,) = connection.execute("SELECT flags FROM piece WHERE id = ?", (piece,)).fetchone()
    return list(json.loads(flags))


def _judge_as_before(connection: sqlite3.Connection, piece: int, twin: dict[str, Any]) -> None:
    """Write the row ``twin`` again, where there is still the piece that was judged."""
    other = connection.execute(
        "SELECT id FROM piece WHERE hash = ?", (twin.pop("hash"),)
    ).fetchone()
    if other and other[0] != piece:
        twin["a"], twin["b"] = sorted((piece, other[0]))
        connection.execute(
            f"INSERT OR REPLACE INTO twin ({', '.join(twin)}) VALUES ({', '.join('?' * len(twin))})",
            list(twin.values()),
        )
