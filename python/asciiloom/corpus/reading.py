"""A corpus as a stream of records: what exports write, and what a merge reads of another file.

A record is one piece with what belongs to it alone, a dictionary of plain values that is of use without
this package. A whole corpus has more to tell: the rows of its other tables stand before and after the
pieces as ``{"table": name, "rows": [...]}``, some hundred at a time, and a piece that was withdrawn stands
as a row of table ``piece``, so that whoever reads the pieces does not meet it.

Nothing in a record is a number of this file alone: a row refers to a piece by its hash, and to a row of a
table that is in the stream by the ``id`` given there. Which tables and columns there are is read off the
schema: a new one travels without a line here.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

from asciiloom.errors import CorpusError
from asciiloom.ingest.gate import unpack_original
from asciiloom.piece import content_hash
from asciiloom.store.failures import in_short
from asciiloom.store.foreign import was_interrupted
from asciiloom.store.schema import Table, tables_of

Record = dict[str, Any]
# Tables whose rows are parts of a record.
PARTS = frozenset(["piece", "original", "origin", "tag", "credit", "colour", "withdrawn"])
# Columns of ``piece`` that follow from its text and say nothing to a reader.
_UNSAID = frozenset(["bare_hash", "mirror_hash", "is_grid", "chars", "glyphs"])
# Columns under the names that they have in a record.
NAMES = {"source_id": "source", "ingest_id": "run", "cluster_id": "cluster", "col": "column"}
# The columns of a record that everybody looks for, in their order; others follow.
_FIRST = (
    "id", "text", "title", "description", "artist", "tags", "kind", "charset", "width", "height", "ink",
    "quality", "source", "licence", "sequence", "made", "crew", "flags", "split", "cluster", "canonical",
)  # fmt: skip
# Parts of a record that are not columns of ``piece``.
NESTED = ("credits", "origins", "colour", "withdrawn")
LISTS = ("tags", "flags")
_IDS_AT_ONCE = 10_000
_ROWS_AT_ONCE = 500
_CHARS_AT_ONCE = 200_000
LONG_ORIGINAL = 1 << 20  # bytes
_LOST_ORIGINAL = "original-dropped"
# A verdict names the other piece within a text.
_READ_AS = {
    (
        "change",
        "field",
    ): "CASE WHEN field GLOB 'twin *' THEN 'twin ' || coalesce((SELECT hash FROM piece"
    " WHERE id = CAST(substr(field, 6) AS INTEGER)), '?') ELSE field END"
}


def record_columns(version: int | None = None) -> dict[str, str]:
    """The columns of a record that are columns of ``piece``: declared type by name, in their order."""
    piece = tables_of(version)["piece"].columns
    named = {NAMES.get(c, c): kind for c, kind in piece.items() if c not in _UNSAID}
    named |= {"source": "TEXT"}
    order = [*(n for n in _FIRST if n in named), *sorted(named.keys() - {*_FIRST})]
    return {name: named[name] for name in order}


class Reading:
    """Reads the corpus behind a connection, whose tables are ``tables``.

    With ``originals`` the first origin of each original has its bytes, all others their hash alone. With
    ``lenient`` what cannot be read is a text that says so, in place of a record; else it is an error.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        tables: dict[str, Table] | None = None,
        *,
        originals: bool = False,
        lenient: bool = False,
        whole: bool = False,
    ) -> None:
        self._db = connection
        self._tables = tables or tables_of()
        self._originals, self._lenient, self._whole = originals, lenient, whole
        self._given: set[int] = set()  # originals whose bytes are in the stream
        self._is_older = "artist" not in self._tables  # than the rules for names
        self._by_hand = dict(self._licences_by_hand())
        self._decided = self._decisions() if self._is_older else set()
        piece = self._tables["piece"].columns
        self._columns = [c for c in piece if c not in _UNSAID and c != "source_id"]
        self._read_piece = (
            f"SELECT {', '.join(f'piece.{c}' for c in self._columns)}, source_id, source.name FROM piece"
            " LEFT JOIN source ON source.id = piece.source_id WHERE piece.id = ?"
        )
        leave = {"id", "piece_id", "source_id", "original_id"}
        self._of_origin = [c for c in self._tables["origin"].columns if c not in leave]
        self._read_origins = (
            f"SELECT {', '.join(f'origin.{c}' for c in self._of_origin)}, source.name, original.id,"
            " original.hash, original_id FROM origin LEFT JOIN source ON source.id = origin.source_id"
            " LEFT JOIN original ON original.id = origin.original_id WHERE piece_id = ? ORDER BY origin.id"
        )
        self._of_credit = [
            c for c in self._tables["credit"].columns if c not in ("piece_id", "length")
        ]

    def everything(self) -> Iterator[tuple[str, Record | str]]:
        """(where it stands, a record or some rows or what is wrong) of the whole corpus: what is referred to
        comes first."""
        newest = tables_of()
        tables = [
            t for t in self._tables.values()
            # A table that was made again since has other rows.
            if t.name not in PARTS and t.name in newest and newest[t.name].required <= t.columns.keys()
        ]  # fmt: skip
        before = [t for t in tables if not self._needs_pieces(t)]
        for table in before:
            yield from self._rows(table)
        for number in self._numbers():
            place = f"piece {number}"
            record = self._guarded(number)
            if not isinstance(record, str):
                yield from ((place, row) for row in _apart(record))
            if isinstance(record, str) or "withdrawn" not in record:
                yield place, record
            else:
                yield place, {"table": "piece", "rows": [record]}
        for table in tables:
            if table not in before:
                yield from self._rows(table)

    def _needs_pieces(self, table: Table) -> bool:
        return any(
            ref == "piece" or (ref != table.name and self._needs_pieces(self._tables[ref]))
            for ref in table.refers.values()
        )

    def _numbers(self) -> Iterator[int]:
        last = -(1 << 63)
        while ids := self._db.execute(
            "SELECT id FROM piece WHERE id > ? ORDER BY id LIMIT ?", (last, _IDS_AT_ONCE)
        ).fetchall():
            yield from (number for (number,) in ids)
            last = ids[-1][0]

    def _guarded(self, number: int) -> Record | str:
        try:
            return self.record(number)
        except sqlite3.DatabaseError as error:
            if not self._lenient or was_interrupted(error):
                raise
            return f"damaged: {in_short(error)}"

    # -- a piece

    def record(self, number: int) -> Record:
        """Piece ``number`` with its credits, origins, colours and withdrawal."""
        *values, source_id, source = self._db.execute(self._read_piece, (number,)).fetchone()
        row = dict(zip(self._columns, values, strict=True))
        if self._is_older:
            self._say_as_now(number, row, source_id)
        for name in LISTS:
            if name in row:
                row[name] = loaded(row[name])
        row = {NAMES.get(name, name): value for name, value in row.items()} | {"source": source}
        if row.get("canonical") in (0, 1):
            row["canonical"] = bool(row["canonical"])
        if not self._whole:
            row.pop("run")
        record = {name: row[name] for name in record_columns() if name in row}
        record["credits"] = [
            {NAMES.get(c, c): v for c, v in zip(self._of_credit, values, strict=True)}
            for values in self._parts("credit", self._of_credit, number)
        ]
        record["origins"] = list(self._origins(number))
        for plane, *_ in self._parts("colour", ["plane"], number):
            record["colour"] = plane
        taken_out = [c for c in self._columns_of("withdrawn") if c != "piece_id"]
        for values in self._parts("withdrawn", taken_out, number):
            record["withdrawn"] = dict(zip(taken_out, values, strict=True))
        return record

    def _licences_by_hand(self) -> Iterable[tuple[int, str]]:
        """(source, licence) where somebody wrote the licence of a source down, as an older schema had it:
        no piece states it, and it holds for those that state nothing."""
        if "licence" not in self._tables["source"].columns:
            return ()
        return self._db.execute(
            "SELECT id, licence FROM source WHERE licence NOTNULL AND (id, licence) NOT IN"
            " (SELECT source_id, licence FROM origin WHERE licence NOTNULL"
            " UNION SELECT source_id, licence FROM piece WHERE licence NOTNULL)"
        )

    def _say_as_now(self, number: int, row: Record, source_id: Any) -> None:
        """What the migrations make of an older ``row`` where nobody decided: one without artist says nothing of
        it, so that a signature does."""
        if row["licence"] is None and (number, "licence") not in self._decided:
            row["licence"] = self._by_hand.get(source_id)
        if row["artist"] is None and (number, "artist") not in self._decided:
            del row["artist"]

    def _decisions(self) -> set[tuple[Any, ...]]:
        """(piece, field) of the names that people changed."""
        if "change" not in self._tables:
            return set()
        sql = "SELECT piece_id, field FROM change WHERE field IN ('artist', 'licence')"
        return {*self._db.execute(sql)}

    def _columns_of(self, table: str) -> Iterable[str]:
        return self._tables[table].columns if table in self._tables else ()

    def _parts(self, table: str, columns: list[str], number: int) -> list[tuple[Any, ...]]:
        """The rows of a piece in a table that belongs to pieces; none where the schema is older."""
        if table not in self._tables:
            return []
        sql = f"SELECT {', '.join(columns)} FROM {table} WHERE piece_id = ?"
        return self._db.execute(sql, (number,)).fetchall()

    def _origins(self, number: int) -> Iterator[Record]:
        rows = self._db.execute(self._read_origins, (number,))
        for *values, source, original, name, referred in rows:
            row = dict(zip(self._of_origin, values, strict=True))
            row["steps"] = loaded(row["steps"])
            origin = {"source": source} | {NAMES.get(c, c): v for c, v in row.items()}
            if not self._whole:
                origin.pop("run")
            if self._originals and referred is not None:
                self._add_original(origin, number, original, name)
            yield origin

    def _add_original(self, origin: Record, number: int, original: Any, name: Any) -> None:
        """The bytes of an original where they were not given yet, else their hash."""
        if original in self._given:
            origin["original_hash"] = name
            return
        row = self._db.execute(
            "SELECT bytes, size, hash FROM original WHERE id = ?", (original,)
        ).fetchone()
        data = unpack_original(*row) if row else None
        if data is not None:
            origin["original"] = data
            self._given.add(original)
        elif not self._lenient:
            raise CorpusError(
                f"the original of piece {number} is damaged; export with --no-originals, or see:"
                " asciiloom check --deep"
            )
        elif isinstance(origin["steps"], list):
            origin["steps"].append(_LOST_ORIGINAL)

    # -- other tables

    def _rows(self, table: Table) -> Iterator[tuple[str, Record | str]]:
        """The rows of a table, some at a time."""
        columns = {
            c: _READ_AS.get((table.name, c))
            or (f"(SELECT hash FROM piece WHERE id = {name})" if ref == "piece" else name)
            for c in table.columns
            for name, ref in [(f'{table.name}."{c}"', table.refers.get(c))]
        }
        order = "id" if table.numbered else ", ".join(table.key)
        group: list[Record] = []
        size = 0
        try:
            for values in self._db.execute(
                f"SELECT {', '.join(columns.values())} FROM {table.name} ORDER BY {order}"
            ):
                group.append(dict(zip(columns, values, strict=True)))
                size += sum(len(v) for v in values if isinstance(v, str | bytes))
                if len(group) == _ROWS_AT_ONCE or size > _CHARS_AT_ONCE:
                    yield table.name, {"table": table.name, "rows": group}
                    group, size = [], 0
        except sqlite3.DatabaseError as error:
            if not self._lenient or was_interrupted(error):
                raise
            yield table.name, f"damaged: {in_short(error)}"
        if group:
            yield table.name, {"table": table.name, "rows": group}


def _apart(record: Record) -> Iterator[Record]:
    """Long originals of a record as rows of their own, its origins have their hashes then: a line of a file
    is to be read whole."""
    for origin in record["origins"]:
        if len(origin.get("original") or b"") > LONG_ORIGINAL:
            data = origin.pop("original")
            origin["original_hash"] = content_hash(data)
            yield {"table": "original", "rows": [{"original": data}]}


def loaded(value: Any) -> Any:
    """What a text holds as JSON; as it is, for whoever reads it to judge, where it is none."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
