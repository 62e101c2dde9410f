"""What people decide about pieces: fields, tags, withdrawals, twin verdicts. All of it can be undone.

Every decision is a list of changes, each of one field of one piece, with the value before and after.
They are applied and written down in one transaction; undoing one applies the values before.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from asciiloom.curate.rewriting import belongings, write_text
from asciiloom.errors import CorpusError
from asciiloom.ingest.gate import MAX_DESCRIPTION, MAX_LINE
from asciiloom.piece import KINDS, Rejection, clean_tags, licence_name, one_line
from asciiloom.readers.base import canonical_text
from asciiloom.similarity.thresholds import VERDICTS
from asciiloom.store.names import note_bylines, note_licences
from asciiloom.store.transaction import transaction
from asciiloom.twins.marks import mark_pieces
from asciiloom.twins.verdict_store import VerdictStore

# Columns of ``piece`` that a person may set as they are.
COLUMNS = ("title", "description", "artist", "licence", "kind")
FIELDS = (*COLUMNS, "tags", "text", "withdrawn")
_TWIN = "twin "
# Not for people: what was known of a former text and goes with it, written down beside the text's own change.
BELONGINGS = "belongings"


@dataclass(frozen=True, slots=True)
class Change:
    """``field`` of piece ``piece`` becomes ``after``. Besides ``FIELDS`` a field is ``twin N``: the
    verdict on this piece and piece N, or None to leave it to the next dedup."""

    piece: int
    field: str
    after: Any


@dataclass(frozen=True, slots=True)
class Edited:
    """What an edit did: its number (None where nothing changed), pieces and changes, and, of an undo,
    what had been changed again since and was left alone."""

    id: int | None
    pieces: int
    changes: int
    left: int = 0


def apply(connection: sqlite3.Connection, command: str, changes: Iterable[Change]) -> Edited:
    """Apply ``changes`` in one transaction and write them down under the name ``command``.

    Two changes of one field of a piece have to agree; else ``CorpusError``.
    """
    asked = _each_once(checked(change) for change in changes)
    with transaction(connection):
        done = [
            (change, before)
            for change, before in zip(asked, _current(connection, asked), strict=True)
            if before != change.after
        ]
        if not done:
            return Edited(None, 0, 0)
        pieces, count = len({change.piece for change, _ in done}), len(done)
        rewritten = [change.piece for change, _ in done if change.field == "text"]
        lost = [(Change(n, BELONGINGS, None), belongings(connection, n)) for n in rewritten]
        done += [(change, before) for change, before in lost if before is not None]
        number = connection.execute(
            "INSERT INTO edit (made, command, pieces) VALUES (?, ?, ?) RETURNING id",
            (_now(), command, pieces),
        ).fetchone()[0]
        connection.executemany(
            "INSERT INTO change (edit_id, piece_id, field, before, after) VALUES (?, ?, ?, ?, ?)",
            [(number, c.piece, c.field, _json(before), _json(c.after)) for c, before in done],
        )
        _write(connection, [change for change, _ in done])
    return Edited(number, pieces, count)


def _each_once(changes: Iterable[Change]) -> list[Change]:
    seen: dict[tuple[int, str], Change] = {}
    for change in changes:
        first = seen.setdefault((change.piece, change.field), change)
        if first.after != change.after:
            raise CorpusError(
                f"piece {change.piece} would have two values of {change.field}: {first.after!r} and"
                f" {change.after!r}; give one"
            )
    return list(seen.values())


def undo(connection: sqlite3.Connection, number: int | None = None) -> Edited:
    """Take back edit ``number``, or the last one that stands. What was changed since stays."""
    with transaction(connection):
        row = connection.execute(
            "SELECT id FROM edit WHERE NOT undone AND (?1 IS NULL OR id = ?1) ORDER BY id DESC LIMIT 1",
            (number,),
        ).fetchone()
        if row is None:
            what = "no edit is left" if number is None else f"edit {number} does not stand"
            raise CorpusError(f"{what}; `asciiloom history` lists them")
        rows = connection.execute(
            "SELECT piece_id, field, before, after FROM change WHERE edit_id = ?", row
        ).fetchall()
        back = [Change(piece, field, json.loads(before)) for piece, field, before, _ in rows]
        now = _current(connection, back, missing=True)
        due = [c for c, value, r in zip(back, now, rows, strict=True) if _json(value) == r[3]]
        _write(connection, due)
        connection.execute("UPDATE edit SET undone = 1 WHERE id = ?", row)
    asked, done = ([c for c in cs if c.field != BELONGINGS] for cs in (back, due))
    return Edited(row[0], len({c.piece for c in done}), len(done), len(asked) - len(done))


def retag(
    connection: sqlite3.Connection,
    command: str,
    chosen: str,
    rule: Callable[[set[str]], set[str]],
    params: Sequence[Any] = (),
) -> Edited:
    """Change the tags of the pieces that the statement ``chosen`` selects by ``rule``."""
    rows = connection.execute(f"SELECT id, tags FROM piece WHERE id IN ({chosen})", params)
    changes = [Change(number, "tags", sorted(rule(set(json.loads(tags))))) for number, tags in rows]
    return apply(connection, command, changes)


def rename_tags(connection: sqlite3.Connection, old: Sequence[str], new: str) -> Edited:
    """Every piece that has one of the tags ``old`` has ``new`` instead."""
    gone = set(clean_tags(old))
    (name,) = clean_tags([new]) or (None,)
    if name is None:
        raise CorpusError("a tag cannot be empty")
    marks = ",".join("?" * len(gone))
    return retag(
        connection,
        f"tag rename {' '.join(sorted(gone))} to {name}",
        f"SELECT piece_id FROM tag WHERE name IN ({marks})",
        lambda tags: (tags - gone) | {name},
        sorted(gone),
    )


def changes_from_rows(rows: Iterable[Mapping[str, Any]]) -> list[Change]:
    """Changes from a table: each row has ``id`` and any of the fields; what is empty stays as it is.

    ``tags`` is a JSON array or separated by commas. A single ``-`` empties a field.
    """
    changes = []
    for row_number, row in enumerate(rows, 1):
        try:
            number = int(row["id"])
        except (KeyError, TypeError, ValueError, OverflowError):
            raise CorpusError(f"row {row_number} of the edits has no id") from None
        if not 0 <= number < 1 << 63:
            raise CorpusError(f"row {row_number} of the edits has an id that no piece can have")
        for field, value in row.items():
            if field == "id" or value in (None, ""):
                continue
            if field is None:
                raise CorpusError(
                    f"row {row_number} of the edits has more cells than the first row names"
                )
            if field not in (*COLUMNS, "tags", "text"):
                raise CorpusError(
                    f"row {row_number} of the edits has a column {field!r}; known are id,"
                    f" {', '.join((*COLUMNS, 'tags', 'text'))}"
                )
            if field == "tags" and isinstance(value, str) and not _empties(value):
                try:
                    value = json.loads(value) if value[:1] == "[" else value.split(",")
                except (ValueError, RecursionError):
                    raise CorpusError(
                        f"row {row_number} of the edits has tags that are no JSON"
                    ) from None
            parts = value if field == "tags" and isinstance(value, list) else [value]
            if not all(isinstance(part, str | int | float) for part in parts):
                raise CorpusError(f"row {row_number} of the edits has a {field} that is no text")
            changes.append(Change(number, field, None if _empties(value) else value))
    return changes


def _empties(value: object) -> bool:
    return isinstance(value, str) and value.strip() == "-"


def history(connection: sqlite3.Connection, limit: int = 50) -> list[dict[str, Any]]:
    """The last edits, newest first."""
    rows = connection.execute(
        "SELECT id, made, command, pieces, undone FROM edit ORDER BY id DESC LIMIT ?", (limit,)
    )
    names = ("id", "made", "command", "pieces", "undone")
    return [dict(zip(names, row, strict=True)) for row in rows]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def checked(change: Change) -> Change:
    """``change`` with a value that may be stored; ``CorpusError`` where it has none."""
    field, after = change.field, change.after
    if field in COLUMNS or field == "withdrawn":
        after = one_line(after, MAX_DESCRIPTION if field == "description" else MAX_LINE)
        if field == "licence":
            after = licence_name(after)
        elif field == "kind" and after not in KINDS:
            raise CorpusError(f"no kind {after!r}; one of {', '.join(KINDS)}")
    elif field == "tags":
        after = sorted(clean_tags(after or ()))
    elif field == "text":
        canonical = canonical_text(str(after or ""))
        if isinstance(canonical, Rejection):
            why = f"{canonical.reason}: {canonical.detail}"
            raise CorpusError(f"piece {change.piece} cannot have this text ({why})")
        after = canonical.text
    elif field.startswith(_TWIN):
        if after is not None and after not in VERDICTS:
            raise CorpusError(f"no verdict {after!r}; one of {', '.join(VERDICTS)}")
    else:
        raise CorpusError(f"a piece has no field {field!r} to edit; it has {', '.join(FIELDS)}")
    return Change(change.piece, field, after)


_READ = {
    **{name: f"SELECT {name} FROM piece WHERE id = ?" for name in (*COLUMNS, "text")},
    "tags": "SELECT tags FROM piece WHERE id = ?",
    "withdrawn": "SELECT w.reason FROM piece LEFT JOIN withdrawn AS w ON w.piece_id = piece.id"
    " WHERE piece.id = ?",
}


def _current(
    connection: sqlite3.Connection, changes: Sequence[Change], missing: bool = False
) -> list[Any]:
    """The value that each change would replace."""
    values: list[Any] = []
    for change in changes:
        if change.field == BELONGINGS:
            values.append(None)  # they come back with their text, or not at all
            continue
        if change.field.startswith(_TWIN):
            row = connection.execute(
                "SELECT CASE WHEN reviewed THEN verdict END FROM twin WHERE a = ? AND b = ?",
                _pair(change),
            ).fetchone()
        else:
            row = connection.execute(_READ[change.field], (change.piece,)).fetchone()
        if row is None and not missing:
            raise CorpusError(
                f"pieces {change.piece} and {change.field.removeprefix(_TWIN)} were never compared"
                if change.field.startswith(_TWIN)
                else f"there is no piece {change.piece}"
            )
        value = row[0] if row else None
        values.append(json.loads(value) if change.field == "tags" and value else value)
    return values


def _pair(change: Change) -> tuple[int, int]:
    other = int(change.field.removeprefix(_TWIN))
    return min(change.piece, other), max(change.piece, other)


def _write(connection: sqlite3.Connection, changes: Sequence[Change]) -> None:
    note_licences(connection, {c.after for c in changes if c.field == "licence"})
    note_bylines(connection, {c.after for c in changes if c.field == "artist"})
    moved: set[int] = set()  # whose cluster may have another canonical piece now
    left: set[int] = set()  # former twins of a text that is another now
    kept = {change.piece: change.after for change in changes if change.field == BELONGINGS}
    # Texts after all else: which signatures are found in one also depends on the artist.
    for change in sorted(changes, key=lambda change: change.field == "text"):
        piece, field, after = change.piece, change.field, change.after
        if field in COLUMNS:
            connection.execute(f"UPDATE piece SET {field} = ? WHERE id = ?", (after, piece))
            if field == "artist":
                moved.add(piece)
        elif field == "tags":
            _write_tags(connection, piece, after)
        elif field == "text":
            left |= write_text(connection, piece, after, kept.get(piece))
        elif field == "withdrawn":
            if after is None:
                connection.execute("DELETE FROM withdrawn WHERE piece_id = ?", (piece,))
            else:
                connection.execute(
                    "INSERT OR REPLACE INTO withdrawn (piece_id, reason, made) VALUES (?, ?, ?)",
                    (piece, after, _now()),
                )
            moved.add(piece)
        elif field.startswith(_TWIN):
            _write_verdict(connection, _pair(change), after)
            moved.update(_pair(change))
    recluster(connection, moved | left)
    # The next dedup looks for other twins of them.
    connection.executemany(
        "UPDATE piece SET cluster_id = NULL WHERE id = ?", [(number,) for number in left]
    )


def recluster(connection: sqlite3.Connection, pieces: Iterable[int]) -> None:
    """Draw the clusters of ``pieces`` anew from the verdicts that stand; within a transaction.

    Only of those that a dedup has looked at: the others are the next one's.
    """
    seen: set[int] = set()
    for piece in pieces:
        seen.update(
            row[0]
            for row in connection.execute(
                "SELECT id FROM piece WHERE cluster_id ="
                " (SELECT cluster_id FROM piece WHERE id = ? AND cluster_id NOTNULL)",
                (piece,),
            )
        )
    if seen:
        mark_pieces(connection, np.array(sorted(seen), np.int64), None, seed=0)


def _write_tags(connection: sqlite3.Connection, piece: int, tags: Sequence[str]) -> None:
    marks = ",".join("?" * len(tags))
    connection.execute(
        f"DELETE FROM tag WHERE piece_id = ? AND name NOT IN ({marks})", (piece, *tags)
    )
    # The image before the new tags: then their trigger finds it done.
    connection.execute("UPDATE piece SET tags = json(?) WHERE id = ?", (_json(list(tags)), piece))
    connection.executemany(
        "INSERT OR IGNORE INTO tag (piece_id, name) VALUES (?, ?)", [(piece, tag) for tag in tags]
    )


def _write_verdict(
    connection: sqlite3.Connection, pair: tuple[int, int], verdict: str | None
) -> None:
    if verdict is not None:
        connection.execute(
            "UPDATE twin SET verdict = ?, reviewed = 1 WHERE a = ? AND b = ?", (verdict, *pair)
        )
        return
    connection.execute("UPDATE twin SET reviewed = 0 WHERE a = ? AND b = ?", pair)
    VerdictStore(connection).judge_again(pair)
