"""What ingest rejected: each with its place and reason, in full, and accepted all the same.

A corpus keeps where a rejected text lies, not the text. It is read again from there: from the bytes that are
kept of drawings on the same page, or from the file, where that is still in its place.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from asciiloom.errors import CorpusError
from asciiloom.ingest.gate import unpack_original
from asciiloom.ingest.run import ingest_items
from asciiloom.ingest.writer import Tally
from asciiloom.piece import Piece, Rejection
from asciiloom.readers import Item, ReadOptions, read_path
from asciiloom.readers.base import ACCEPTED
from asciiloom.readers.registry import read_bytes
from asciiloom.readers.rejections import names_rows

# Rejections whose text was not accepted since.
_OPEN = (
    "FROM rejection AS r JOIN source ON source.id = r.source_id WHERE"
    " (r.source_id, r.path, r.locator) NOT IN"
    " (SELECT source_id, path, locator FROM origin WHERE steps LIKE ?)"
)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A rejection as it is stored: ``count`` inputs that failed alike, at the place of the first."""

    id: int
    reason: str
    detail: str
    source: str
    path: str
    locator: str
    count: int

    @property
    def place(self) -> str:
        """Where it lies, in one line."""
        return f"{self.path} {self.locator}".strip()

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def rejections(
    connection: sqlite3.Connection,
    *,
    numbers: Sequence[int] | None = None,
    reasons: Sequence[str] = (),
    sources: Sequence[str] = (),
    limit: int = -1,
    offset: int = 0,
) -> list[Rejected]:
    """Rejections that nobody has accepted, the last ones first: those of ``numbers``, of one of ``reasons``
    and of one of ``sources``, where given."""
    asked = {"r.id": numbers, "reason": reasons or None, "source.name": sources or None}
    given = {column: list(values) for column, values in asked.items() if values is not None}
    where = "".join(f" AND {column} IN (SELECT value FROM json_each(?))" for column in given)
    params = [f'%"{ACCEPTED}"%', *map(json.dumps, given.values()), limit, offset]
    rows = connection.execute(
        f"SELECT r.id, reason, detail, name, path, locator, count {_OPEN}{where}"
        " ORDER BY r.id DESC LIMIT ? OFFSET ?",
        params,
    )
    return [Rejected(*row) for row in rows]


def rejected(connection: sqlite3.Connection, number: int) -> Rejected:
    """Rejection ``number``; ``CorpusError`` where there is none, or where it was accepted."""
    found = rejections(connection, numbers=[number])
    if not found:
        raise CorpusError(f"there is no rejection {number} to decide about")
    return found[0]


def read_again(
    connection: sqlite3.Connection, one: Rejected, file: str | Path | None = None
) -> Piece:
    """The piece that ``one`` would be, its text in full; ``file`` is where the input lies now, where it was moved.

    ``CorpusError`` where nothing can be read there, or what is there can be no piece at all.
    """
    if one.count > 1:
        raise CorpusError(
            f"rejection {one.id} stands for {one.count:,} inputs, none of which can be told apart; ingest those"
            " that you want as a file of their own"
        )
    options = ReadOptions(source=one.source, accepted=frozenset([one.locator]))
    said: Rejection | None = None
    for item in _items(connection, one, options, file):
        if item.path != one.path or item.locator != one.locator:
            continue
        if isinstance(item, Piece):
            return item
        said = item
    if said is None:
        raise CorpusError(f"{one.place} holds nothing any more that was rejected; ingest it again")
    raise CorpusError(f"{one.place} cannot be a piece: {said.reason}: {said.detail}")


def accept(
    connection: sqlite3.Connection, chosen: Sequence[Rejected], file: str | Path | None = None
) -> Tally:
    """Take what was rejected as pieces all the same; what became of them. None is taken where one cannot be."""
    pieces = [read_again(connection, one, file) for one in chosen]
    return ingest_items(connection, pieces, [f"rejection {one.id}" for one in chosen])


def _items(
    connection: sqlite3.Connection, one: Rejected, options: ReadOptions, file: str | Path | None
) -> Iterator[Item]:
    kept = connection.execute(
        "SELECT bytes, size, hash FROM origin JOIN original ON original.id = original_id WHERE path = ?"
        " AND source_id = (SELECT source_id FROM rejection WHERE id = ?) LIMIT 1",
        (one.path, one.id),
    ).fetchone()
    # What is kept of a row of a table is that row alone.
    whole_page = kept and file is None and not names_rows(one.locator)
    if whole_page and (data := unpack_original(*kept)) is not None:
        return read_bytes(data, one.path, options)
    # A member of an archive is read with the archive.
    whole = one.path if Path(one.path).exists() else one.path.partition("!")[0]
    where = str(file or whole)
    if not Path(where).is_file():
        raise CorpusError(
            f"{one.path} is not where it was read; go to the folder that the path is relative to, or"
            " name the file by --from"
        )
    return (_moved(item, where, whole) for item in read_path(where, options))


def _moved(item: Item, where: str, whole: str) -> Item:
    """``item`` of the file ``where`` as one of the file ``whole``, which it was."""
    return replace(item, path=whole + item.path.removeprefix(where))
