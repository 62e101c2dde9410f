"""Taking a stream of records into a corpus: an export that comes back, or another corpus that is merged.

Pieces pass the gate and the writer of ingest, as whatever comes in does. What a record knows beyond that
follows in the same transaction: a piece that is new here becomes what it was there, title, split, credits,
withdrawal and all. Where a piece or a row is here already, this corpus has the say; what people decided
about it there, and nobody here, is one edit more, which ``undo`` takes back.
"""

import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from asciiloom.corpus.importing import Found, items_of, origins_of, table_rows
from asciiloom.corpus.reading import loaded, record_columns
from asciiloom.corpus.rows import BadRowError, RowWriter
from asciiloom.curate.deep_check import lie_within
from asciiloom.curate.edits import Change, apply
from asciiloom.ingest.gate import RULES
from asciiloom.ingest.measured import MEASURED, MeasuredColumns
from asciiloom.ingest.pipeline import BATCH_CHARS, BATCH_ITEMS
from asciiloom.ingest.rows import Batch, prepare_batch
from asciiloom.ingest.run import ingest_batches
from asciiloom.ingest.writer import Tally
from asciiloom.piece import CreditSpan, Piece, Rejection, content_hash, licence_name
from asciiloom.readers.base import Item
from asciiloom.store.names import note_bylines, note_licences
from asciiloom.store.schema import Table, tables_of
from asciiloom.store.selection import SPLITS
from asciiloom.store.transaction import transaction
from asciiloom.twins.marks import bereft_pieces, mark_pieces

# Fields of the gate by the columns that have another name.
_FIELDS = {"crew": "group"}
# What this corpus says of a piece by itself, or in its own words below.
_OWN = frozenset(
    ["id", "text", "tags", "source", "run", "cluster", "canonical", "split", *MEASURED]
)
# Columns of ``origin`` that a piece brings along.
_ORIGIN = frozenset(
    ["id", "piece_id", "source_id", "ingest_id", "path", "locator", "title", "artist", "licence", "encoding",
     "steps", "original_id"]
)  # fmt: skip
_MAX_ID = 1 << 62


@dataclass(slots=True)
class _Record:
    """A record with the pieces that it became, one an origin, clean; ``pieces`` is empty where it was refused."""

    stated: Mapping[str, Any]
    pieces: list[Piece] = field(default_factory=list)


class Taken(NamedTuple):
    """What became of the records, and how many pieces are withdrawn here now that were not before."""

    tally: Tally
    withdrawn: int


def take(connection: sqlite3.Connection, found: Iterable[Found], name: str) -> Taken:
    """Bring what was ``found`` into a corpus, as the run and, where it decides about pieces that were here
    before, the edit ``name``."""
    taking = _Taking(connection)
    tally = ingest_batches(connection, taking.batches(found), [name], after=taking.settle)
    return Taken(tally, taking.finish(name))


class _Taking:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._rows = RowWriter(connection)
        self._records: list[_Record] = []  # of the batch that is being written
        self._entries: list[tuple[str, str, str, Any]] = []  # (file, place, table, row) of it
        self._late: list[Item] = []  # rejections that writing it brought about
        self._last, self._originals = (
            connection.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0]
            for table in ("piece", "original")
        )
        self._of_origin = tables_of()["origin"].columns.keys() - _ORIGIN
        # (piece here, cluster there, canonical there, new here) of every piece in a cluster
        self._marks = array("q")
        self._withdrawn = 0
        self._waiting: list[
            tuple[int, str]
        ] = []  # origins whose bytes come later, and their hashes

    # -- batches

    def batches(self, found: Iterable[Found]) -> Iterator[Batch | None]:
        """Whole records in batches, each written before the next is read."""
        items: list[Item] = []
        size = 0
        yield None
        for entry in found:
            rows = table_rows(entry[2])
            if rows is not None and rows[0] != "piece":
                if items:
                    yield self._batch(items)
                    items, size = [], 0
                self._entries = [(*entry[:2], rows[0], row) for row in rows[1]]
                yield self._batch([])
                continue
            for record in rows[1] if rows is not None else [entry[2]]:
                if not isinstance(record, dict | str):
                    record = "not-a-record: it is no object"
                items += (new := list(items_of((*entry[:2], record))))
                size += sum(_size(item) for item in new)
                if isinstance(record, dict):
                    pieces = [item for item in new if isinstance(item, Piece)]
                    self._records.append(_Record(record, pieces))
            if len(items) >= BATCH_ITEMS or size >= BATCH_CHARS:
                yield self._batch(items)
                yield None
                items, size = [], 0
        yield self._batch(items)
        if self._late:
            yield self._batch([])

    def _batch(self, items: list[Item]) -> Batch:
        late, self._late = self._late, []
        return prepare_batch([*late, *items])

    def settle(self, run: int) -> None:
        """What the batch that was just written holds beyond its pieces; within its transaction."""
        for record in self._records:
            self._settle_piece(record, run)
        if self._entries:
            # These rows are held against the constraints of the schema.
            self._db.execute("PRAGMA ignore_check_constraints = OFF")
            for file, place, table, row in self._entries:
                try:
                    self._rows.write(table, row)
                except BadRowError as error:
                    self._late.append(
                        Rejection(
                            "not-a-record", str(error), path=file, locator=f"{place}, {table}"
                        )
                    )
            self._db.execute("PRAGMA ignore_check_constraints = ON")
        self._records, self._entries = [], []

    # -- pieces

    def _settle_piece(self, record: _Record, run: int) -> None:
        stated = record.stated
        name = content_hash(record.pieces[0].text) if record.pieces else ""
        row = self._db.execute("SELECT id, ingest_id FROM piece WHERE hash = ?", (name,)).fetchone()
        if row is None:  # refused; others may come from the same bytes
            self._rows.keep_originals(stated)
            return
        number: int = row[0]
        is_new = number > self._last and row[1] == run
        self._last = max(self._last, number)
        self._rows.name_piece(stated.get("hash"), name)
        seen_anew = self._settle_origins(record, number, run)
        if is_new:
            self._become(stated, number)
        elif seen_anew:
            self._fill_in(stated, number)
        self._withdraw(stated.get("withdrawn"), number, is_new)
        cluster, canonical = stated.get("cluster"), stated.get("canonical")
        if isinstance(cluster, int) and abs(cluster) < _MAX_ID:
            self._marks.extend((number, cluster, canonical is True, is_new))

    def _settle_origins(self, record: _Record, number: int, run: int) -> bool:
        """The runs and originals of the origins that are new here; whether there are such."""
        count = self._db.execute(
            "SELECT count(*) FROM origin WHERE piece_id = ? AND ingest_id = ?", (number, run)
        ).fetchone()[0]
        if not count:
            return False
        table = tables_of()["origin"]
        for origin, piece in zip(origins_of(record.stated), record.pieces, strict=False):
            where = (
                " WHERE piece_id = ? AND source_id = (SELECT id FROM source WHERE name = ?)"
                " AND path = ? AND locator = ? AND ingest_id = ?"
            )
            place = (number, piece.source, piece.path, piece.locator, run)
            original = origin.get("original_hash")
            if isinstance(original, str):
                row = self._db.execute(
                    f"SELECT id FROM origin {where} AND original_id IS NULL", place
                ).fetchone()
                if row is not None and not self._join_original(row[0], original):
                    self._waiting.append((row[0], original))
            wanted = self._clean(table, {c: origin[c] for c in origin.keys() & self._of_origin})
            if (known := self._rows.number("ingest", origin.get("run"))) is not None:
                wanted["ingest_id"] = known
            if wanted:
                sets = ", ".join(f'"{name}" = ?' for name in wanted)
                self._db.execute(f"UPDATE origin SET {sets} {where}", (*wanted.values(), *place))
        return True

    def _join_original(self, origin: int, name: str) -> bool:
        """Join an origin with its bytes; whether these are here."""
        return bool(
            self._db.execute(
                "UPDATE origin SET original_id = original.id FROM original"
                " WHERE original.hash = ? AND origin.id = ?",
                (name, origin),
            ).rowcount
        )

    def _clean(self, table: Table, stated: Mapping[str, Any]) -> dict[str, Any]:
        """Values of columns that the gate knows nothing of; none where one of them is not of its type."""
        try:
            return self._rows.clean(table, stated) or {}
        except BadRowError:
            return {}

    def _become(self, stated: Mapping[str, Any], number: int) -> None:
        """A piece that is new here is what the record says, where the gate lets that in."""
        wanted: dict[str, Any] = {}
        of_gate: dict[str, Any] = {}
        for name in record_columns().keys() & stated.keys() - _OWN:
            if rule := RULES.get(_FIELDS.get(name, name)):
                of_gate[name] = rule(stated[name])
                if name == "licence":
                    of_gate[name] = licence_name(of_gate[name])
            else:
                wanted[name] = stated[name]
        wanted = self._clean(tables_of()["piece"], wanted) | of_gate
        if stated.get("split") in SPLITS:
            wanted["split"] = stated["split"]
        if (run := self._rows.number("ingest", stated.get("run"))) is not None:
            wanted["ingest_id"] = run
        wanted |= self._credits(stated.get("credits"), number)
        self._update(number, wanted)

    def _update(self, number: int, wanted: Mapping[str, Any]) -> None:
        """Write those of the values that are not there yet: each index of words costs a write."""
        if not wanted:
            return
        names = list(wanted)
        row = self._db.execute(
            f"SELECT {', '.join(names)} FROM piece WHERE id = ?", (number,)
        ).fetchone()
        differ = [name for name, value in zip(names, row, strict=True) if wanted[name] != value]
        if differ:
            note_licences(self._db, [wanted.get("licence")])
            note_bylines(self._db, [wanted.get("artist")])
            self._db.execute(
                f"UPDATE piece SET {', '.join(f'{name} = ?' for name in differ)} WHERE id = ?",
                (*(wanted[name] for name in differ), number),
            )

    def _credits(self, stated: Any, number: int) -> dict[str, Any]:
        """Write the credits of a record where they stand in the text and are not those that were found
        there; what follows from them for the piece."""
        spans = _spans(loaded(stated))
        if spans is None:
            return {}
        found = self._db.execute(
            "SELECT row, col, length, text, artist FROM credit WHERE piece_id = ?", (number,)
        ).fetchall()
        if {CreditSpan(*span) for span in found} == {*spans}:
            return {}
        text, artist, flags = self._db.execute(
            "SELECT text, artist, flags FROM piece WHERE id = ?", (number,)
        ).fetchone()
        if not lie_within(text, spans):
            return {}
        self._db.execute("DELETE FROM credit WHERE piece_id = ?", (number,))
        self._db.executemany(
            "INSERT OR IGNORE INTO credit (piece_id, row, col, length, text, artist)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [(number, s.row, s.column, s.length, s.text, s.artist) for s in spans],
        )
        measured = MeasuredColumns.of([text], [artist], [tuple(loaded(flags))], credits=[spans])
        return {name: getattr(measured, name)[0] for name in MEASURED}

    def _fill_in(self, stated: Mapping[str, Any], number: int) -> None:
        """What a record knows of a piece that is here already, but of a place where it was not seen."""
        known = ("title", "description", "artist", "licence")
        said = {name: RULES[name](stated.get(name)) for name in known}
        said["licence"] = licence_name(said["licence"])
        row = self._db.execute(f"SELECT {', '.join(known)} FROM piece WHERE id = ?", (number,))
        missing = [name for name, value in zip(known, row.fetchone(), strict=True) if value is None]
        self._update(number, {name: said[name] for name in missing})

    def _withdraw(self, stated: Any, number: int, is_new: bool) -> None:
        stated = loaded(stated)
        if not isinstance(stated, dict):
            return
        reason = RULES["title"](stated.get("reason")) or "withdrawn"
        made = RULES["title"](stated.get("made"))
        if is_new and made:
            self._db.execute(
                "INSERT OR IGNORE INTO withdrawn (piece_id, reason, made) VALUES (?, ?, ?)",
                (number, reason, made),
            )
            self._withdrawn += 1
            return
        row = self._db.execute("SELECT 1 FROM withdrawn WHERE piece_id = ?", (number,)).fetchone()
        if row is None:
            self._rows.decide(Change(number, "withdrawn", reason))
            self._withdrawn += 1

    # -- the end

    def finish(self, name: str) -> int:
        """Clusters, decisions about pieces that were here, and no bytes that nothing refers to; how many
        pieces are withdrawn."""
        with transaction(self._db):
            self._write_clusters()
            for origin, original in self._waiting:
                if not self._join_original(origin, original):
                    self._db.execute(
                        "UPDATE origin SET steps = json_insert(steps, '$[#]', 'original-dropped') WHERE id = ?",
                        (origin,),
                    )
            self._db.execute(
                "DELETE FROM original WHERE id > ? AND NOT EXISTS"
                " (SELECT 1 FROM origin WHERE original_id = original.id)",
                (self._originals,),
            )
        self._rows.adopt_people()
        if self._rows.decided:
            apply(self._db, name, self._rows.decided.values())
        return self._withdrawn

    def _write_clusters(self) -> None:
        """A cluster that came whole stays as it was. The others are drawn from the verdicts that stand."""
        marks = np.array(self._marks, np.int64).reshape(-1, 4)
        if not len(marks):
            return
        ids, clusters, canonical, new = marks.T
        _, group = np.unique(clusters, return_inverse=True)
        whole = (np.bincount(group, 1 - new) == 0) & (np.bincount(group, canonical) == 1)
        first = np.full(len(whole), _MAX_ID)
        np.minimum.at(first, group, ids)
        kept = whole[group]
        self._db.executemany(
            "UPDATE piece SET cluster_id = ?, canonical = ? WHERE id = ?",
            zip(
                first[group][kept].tolist(),
                canonical[kept].tolist(),
                ids[kept].tolist(),
                strict=True,
            ),
        )
        if len(others := np.unique(ids[~kept & (new == 1)])):
            mark_pieces(self._db, others, None, seed=0)
        # Whose verdicts did not come along is for the next dedup to compare.
        bereft = np.intersect1d(bereft_pieces(self._db), ids)
        self._db.executemany(
            "UPDATE piece SET cluster_id = NULL WHERE id = ?", [(n,) for n in bereft.tolist()]
        )


def _size(item: Item) -> int:
    if isinstance(item, Rejection):
        return 0
    return len(item.text) + len(item.original or b"") + len(item.colour or b"")


def _spans(stated: Any) -> tuple[CreditSpan, ...] | None:
    """The credits of a record, None where they are none of ours."""
    if not isinstance(stated, list) or not all(isinstance(entry, dict) for entry in stated):
        return None
    spans = []
    for entry in stated:
        row, column, text, artist = (entry.get(n) for n in ("row", "column", "text", "artist"))
        if not (isinstance(row, int) and isinstance(column, int) and isinstance(text, str)):
            return None
        if not artist or RULES["artist"](artist) != artist:
            return None
        spans.append(CreditSpan(row, column, len(text), text, artist))
    return tuple(spans)
