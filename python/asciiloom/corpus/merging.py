"""One corpus into another: every piece with its origins, originals and colours, and what was withdrawn.

The other file is somebody else's. It is read as ``store.foreign`` allows, a piece at a time, and each
passes the gate like an imported record; a row that cannot be read is one rejection. Verdicts of twins and
rejections are not taken along: the next dedup compares the pieces here.
"""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from asciiloom.corpus.corpus import Corpus
from asciiloom.corpus.importing import items_of_record
from asciiloom.curate.artists import adopt
from asciiloom.curate.edits import Change, apply
from asciiloom.errors import CorpusError
from asciiloom.ingest.gate import unpack_original
from asciiloom.ingest.writer import Tally
from asciiloom.piece import Piece, Rejection, content_hash
from asciiloom.readers.base import Item
from asciiloom.store.failures import in_short
from asciiloom.store.foreign import ForeignCorpus, open_foreign, was_interrupted

_PIECE = ("text", "title", "description", "artist", "tags", "kind", "licence", "sequence", "made",
          "crew", "flags")  # fmt: skip
_ORIGIN = ("path", "locator", "title", "artist", "licence", "encoding", "steps")
_READ_ORIGINS = (
    f"SELECT {', '.join(f'origin.{name}' for name in _ORIGIN)}, original_id, source.name FROM origin"
    " LEFT JOIN source ON source.id = origin.source_id WHERE piece_id = ? ORDER BY origin.id"
)
_IDS_AT_ONCE = 10_000
_LOST_ORIGINAL = "original-dropped"


def merge(corpus: Corpus, other: str | Path) -> tuple[Tally, int]:
    """Bring every piece of the corpus at ``other`` in, with origins, originals, colours and withdrawals,
    and the names of artists; what became of them, and how many were withdrawn here. ``other`` is not written to."""
    path = Path(other)
    if not path.exists():
        raise CorpusError(f"there is no corpus at {path}")
    if path.samefile(corpus.path):
        raise CorpusError(f"{path} and {corpus.path} are the same file: nothing to merge")
    with open_foreign(path) as theirs:
        known = _people(theirs)
        reading = _Reading(theirs, str(path))
        tally = corpus.add(reading.items(), f"merge {path}")
        adopt(corpus.connection, known)
        changes = _withdrawals(corpus.connection, reading.withdrawn)
    edit = apply(corpus.connection, f"merge {path}", changes) if changes else None
    return tally, edit.changes if edit else 0


def _people(theirs: ForeignCorpus) -> list[tuple[str, list[str]]]:
    """(name, all names) of everybody whom the other corpus knows."""
    if "alias" not in theirs.columns:
        return []  # an older schema
    names: dict[tuple[int, str], list[str]] = {}
    for number, name, spelling in theirs.connection.execute(
        "SELECT artist.id, name, spelling FROM artist JOIN alias ON artist_id = artist.id"
        " ORDER BY artist.id, spelling"
    ):
        if isinstance(name, str) and isinstance(spelling, str):
            names.setdefault((number, name), []).append(spelling)
    return [(name, spellings) for (_, name), spellings in names.items()]


def _withdrawals(connection: sqlite3.Connection, reasons: dict[str, Any]) -> list[Change]:
    """The withdrawals of pieces by their hashes, as changes of the pieces here."""
    changes = []
    for name, reason in reasons.items():
        row = connection.execute("SELECT id FROM piece WHERE hash = ?", (name,)).fetchone()
        if row is not None:
            changes.append(Change(row[0], "withdrawn", reason or "withdrawn"))
    return changes


class _Reading:
    """Reads the pieces of a foreign corpus; ``withdrawn`` then holds the reason by the hash of each that
    was withdrawn there."""

    def __init__(self, other: ForeignCorpus, path: str) -> None:
        self._db = other.connection
        self._tables = other.columns
        # An older schema lacks some.
        self._columns = [name for name in _PIECE if name in other.columns["piece"]]
        self._read_piece = (
            f"SELECT {', '.join(f'piece.{name}' for name in self._columns)}, source.name FROM piece"
            " LEFT JOIN source ON source.id = piece.source_id WHERE piece.id = ?"
        )
        self._path = path
        self._original: tuple[Any, bytes | None] = (None, None)  # the last: pages have many pieces
        self.withdrawn: dict[str, Any] = {}

    def items(self) -> Iterator[Item]:
        last = -(1 << 63)
        while True:
            ids = self._db.execute(
                "SELECT id FROM piece WHERE id > ? ORDER BY id LIMIT ?", (last, _IDS_AT_ONCE)
            ).fetchall()
            if not ids:
                return
            for (number,) in ids:
                yield from self._piece(number)
            last = ids[-1][0]

    def _piece(self, number: int) -> Iterator[Item]:
        place = f"piece {number}"
        try:
            record = self._record(number)
            row = self._found("withdrawn", "reason", number)
        except sqlite3.DatabaseError as error:
            if was_interrupted(error):
                raise
            yield Rejection("damaged", in_short(error), path=self._path, locator=place)
            return
        for item in items_of_record(record, self._path, place):
            if row is not None and isinstance(item, Piece):
                self.withdrawn[content_hash(item.text)] = row[0]
            yield item

    def _record(self, number: int) -> dict[str, Any]:
        *values, source = self._db.execute(self._read_piece, (number,)).fetchone()
        record = dict(zip(self._columns, values, strict=True))
        for name in ("tags", "flags"):
            record[name] = _loaded(record.get(name))
        colour = self._found("colour", "plane", number)
        origins = list(self._origins(number))
        return record | {
            "source": source,
            "origins": origins,
            "colour": colour[0] if colour else None,
        }

    def _found(self, table: str, column: str, number: int) -> Any:
        """The row of a piece in a table that has at most one."""
        if table not in self._tables:
            return None
        sql = f"SELECT {column} FROM {table} WHERE piece_id = ?"
        return self._db.execute(sql, (number,)).fetchone()

    def _origins(self, number: int) -> Iterator[dict[str, Any]]:
        for *values, original, source in self._db.execute(_READ_ORIGINS, (number,)):
            origin = dict(zip(_ORIGIN, values, strict=True)) | {"source": source}
            origin["steps"] = _loaded(origin["steps"])
            if original is not None:
                origin["original"] = self._bytes_of(original)
                if origin["original"] is None and isinstance(origin["steps"], list):
                    origin["steps"].append(_LOST_ORIGINAL)
            yield origin

    def _bytes_of(self, number: Any) -> bytes | None:
        """The bytes of an original, None where they are not what their size and hash say."""
        if self._original[0] != number:
            row = self._db.execute(
                "SELECT bytes, size, hash FROM original WHERE id = ?", (number,)
            ).fetchone()
            self._original = (number, unpack_original(*row) if row else None)
        return self._original[1]


def _loaded(value: Any) -> Any:
    """What a JSON column holds; as it is, for the import to judge, where it holds no JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
