"""Writing pieces: whole batches in one transaction each, provenance for what was there already.

Everything that can be computed without the database (measures, hashes, credits) is computed for
the batch before the write lock is taken. A batch is the unit of durability: after a kill, the
batches that were committed are there in full and nothing of the others is.
"""

import json
import re
import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from asciiloom.piece import (
    CreditSpan,
    Measures,
    Piece,
    Rejection,
    bare_hashes,
    content_hash,
    find_credits,
    measure_batch,
)

# Licences under which a copy may be passed on, by their usual names.
_OPEN = re.compile(
    r"(cc0|cc[- ]by(-sa)?|public domain|unlicense|mit|isc|0bsd|bsd|apache|mpl|l?gpl|agpl|artistic)\b"
    r"[-0-9.a-z ]*(\([^)]*\))?\Z",
    re.IGNORECASE,
)
_ASK = 500  # bound parameters a statement; SQLite's oldest limit is 999


_NEW_ORIGIN = (
    "INSERT INTO origin (piece_id, source_id, ingest_id, path, locator, title, artist, licence,"
    " encoding, steps, original_id) VALUES (?,?,?,?,?,?,?,?,?,?,?)"
)


@dataclass(slots=True)
class Tally:
    """Rows accounted for, per source: read = new + duplicate + rejected."""

    new: Counter[str] = field(default_factory=Counter)
    duplicate: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def sources(self) -> list[str]:
        return sorted({*self.new, *self.duplicate, *self.rejected})

    def row(self, source: str | None = None) -> dict[str, int]:
        """read, new, duplicate, rejected of one source, or of all."""
        counts = [
            counter[source] if source is not None else counter.total()
            for counter in (self.new, self.duplicate, self.rejected)
        ]
        return dict(
            zip(("read", "new", "duplicate", "rejected"), (sum(counts), *counts), strict=True)
        )

    def add(self, other: "Tally") -> None:
        for name in ("new", "duplicate", "rejected", "reasons"):
            getattr(self, name).update(getattr(other, name))


@dataclass(frozen=True, slots=True)
class _Prepared:
    piece: Piece
    measures: Measures
    credits: tuple[CreditSpan, ...]
    hash: str
    bare: tuple[str, str]


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """One write transaction: committed whole, or rolled back whole."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def _without_triggers(connection: sqlite3.Connection) -> Iterator[None]:
    """Within a transaction: no trigger of ``piece`` or ``tag`` fires on an insert.

    They index one row at a time, at several times the cost of the whole batch at once. Dropping them is
    part of the transaction: nobody else sees it, and a kill undoes it.
    """
    rows = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name IN ('piece_ai', 'tag_ai')"
    ).fetchall()
    for name, _ in rows:
        connection.execute(f"DROP TRIGGER {name}")
    yield
    for _, sql in rows:
        connection.execute(sql)


def is_redistributable(licence: str | None) -> int | None:
    """1 where the licence's name is a known open one, 0 where none is stated, None where unclear."""
    if licence is None or licence.lower().startswith(("none", "unknown")):
        return 0
    return 1 if _OPEN.match(licence.strip()) else None


def prepare(pieces: Sequence[Piece]) -> list[_Prepared]:
    """Measures, credits and hashes of a batch."""
    measured = measure_batch([piece.text for piece in pieces])
    out = []
    for piece, measures in zip(pieces, measured, strict=True):
        spans = find_credits(piece.text, piece.artist)
        out.append(
            _Prepared(
                piece, measures, spans, content_hash(piece.text), bare_hashes(piece.text, spans)
            )
        )
    return out


@dataclass(frozen=True, slots=True)
class Batch:
    """Items ready to be written: pieces with all that can be known without the database, rejections."""

    ready: list[_Prepared]
    rejections: list[Rejection]


def prepare_batch(items: Iterable[Piece | Rejection]) -> Batch:
    """Items as a ``Batch``."""
    items = list(items)
    ready = prepare([item for item in items if isinstance(item, Piece)])
    return Batch(ready, [item for item in items if isinstance(item, Rejection)])


class Writer:
    """The one writer of an ingest; holds the ids of sources it has met."""

    def __init__(self, connection: sqlite3.Connection, ingest_id: int) -> None:
        self._db = connection
        self._ingest = ingest_id
        self._sources: dict[str, int] = {}
        self._last: tuple[bytes, int] | None = None

    def write(self, batch: Batch) -> Tally:
        """Write one batch in one transaction and say what became of each item."""
        self._last = None  # a batch that is rolled back takes its originals with it
        ready, rejections = batch.ready, batch.rejections
        tally = Tally()
        with transaction(self._db):
            self._find_sources(ready, rejections)
            self._write_pieces(ready, tally)
            self._write_rejections(rejections, tally)
            counts = tally.row()
            self._db.execute(
                "UPDATE ingest SET read = read + :read, new = new + :new,"
                " duplicate = duplicate + :duplicate, rejected = rejected + :rejected"
                " WHERE id = :id",
                {**counts, "id": self._ingest},
            )
        return tally

    def _find_sources(self, ready: Sequence[_Prepared], rejections: Sequence[Rejection]) -> None:
        licences = {r.piece.source: r.piece.licence for r in reversed(ready)}
        names = {*licences, *(r.source for r in rejections)} - self._sources.keys()
        for name in sorted(names):
            licence = licences.get(name)
            self._db.execute(
                "INSERT INTO source (name, licence, redistributable) VALUES (?, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET"
                " licence = coalesce(licence, excluded.licence),"
                " redistributable = CASE WHEN licence IS NULL THEN excluded.redistributable"
                " ELSE redistributable END",
                (name, licence, is_redistributable(licence)),
            )
            found = self._db.execute("SELECT id FROM source WHERE name = ?", (name,)).fetchone()
            self._sources[name] = found[0]

    def _known(self, hashes: Sequence[str]) -> dict[str, int]:
        out: dict[str, int] = {}
        for start in range(0, len(hashes), _ASK):
            part = hashes[start : start + _ASK]
            marks = ",".join("?" * len(part))
            rows = self._db.execute(f"SELECT hash, id FROM piece WHERE hash IN ({marks})", part)
            out.update(rows.fetchall())
        return out

    def _write_pieces(self, ready: Sequence[_Prepared], tally: Tally) -> None:
        ids = self._known([r.hash for r in ready])
        following = self._db.execute("SELECT coalesce(max(id), 0) FROM piece").fetchone()[0]
        before = following
        fresh: list[tuple[int, _Prepared]] = []
        seen_again: list[tuple[int, _Prepared]] = []
        for r in ready:
            if (known := ids.get(r.hash)) is None:
                following += 1
                ids[r.hash] = following
                fresh.append((following, r))
                tally.new[r.piece.source] += 1
            else:
                seen_again.append((known, r))
                tally.duplicate[r.piece.source] += 1
        if fresh:
            with _without_triggers(self._db):
                self._write_fresh(fresh, before)
        # A duplicate may bring the colours that the first copy came without.
        self._db.executemany(
            "INSERT OR IGNORE INTO colour (piece_id, plane) VALUES (?, ?)",
            [(n, r.piece.colour) for n, r in seen_again if r.piece.colour is not None],
        )
        for number, r in seen_again:
            # Only a place where the piece was not seen before can teach something new.
            if self._write_origin(number, r):
                self._enrich(number, r.piece)

    def _write_fresh(self, fresh: Sequence[tuple[int, _Prepared]], before: int) -> None:
        """Rows of pieces that were not there, ids above ``before``, and both search indexes of them."""
        self._db.executemany(
            "INSERT INTO piece (id, hash, bare_hash, mirror_hash, text, title, description, artist,"
            " tags, kind, charset, is_grid, width, height, chars, ink, glyphs, source_id, licence,"
            " sequence, ingest_id, made, crew, flags)"
            " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            [self._piece_row(number, r) for number, r in fresh],
        )
        self._db.executemany(
            "INSERT INTO tag (piece_id, name) VALUES (?, ?)",
            [(number, tag) for number, r in fresh for tag in r.piece.tags],
        )
        self._db.executemany(
            "INSERT OR IGNORE INTO credit (piece_id, row, col, length, text, artist)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [
                (number, c.row, c.column, c.length, c.text, c.artist)
                for number, r in fresh
                for c in r.credits
            ],
        )
        self._db.executemany(
            "INSERT INTO colour (piece_id, plane) VALUES (?, ?)",
            [(n, r.piece.colour) for n, r in fresh if r.piece.colour is not None],
        )
        # A new piece has no origin yet: nothing to look up.
        self._db.executemany(_NEW_ORIGIN, [self._origin_row(number, r) for number, r in fresh])
        self._db.execute(
            "INSERT INTO piece_fts (rowid, title, tags, description, artist)"
            " SELECT id, title, tags, description, artist FROM piece WHERE id > ?",
            (before,),
        )
        self._db.execute(
            "INSERT INTO piece_art (rowid, text) SELECT id, text FROM piece WHERE id > ?", (before,)
        )

    def _piece_row(self, number: int, r: _Prepared) -> tuple[object, ...]:
        p, m = r.piece, r.measures
        return (
            number, r.hash, *r.bare, p.text, p.title, p.description, p.artist,
            json.dumps(sorted(p.tags), ensure_ascii=False) if p.tags else "[]", p.kind, m.charset, int(m.is_grid),
            m.width, m.height, m.chars, m.ink, m.glyphs, self._sources[p.source], p.licence,
            p.sequence, self._ingest, p.made, p.group, json.dumps(p.flags) if p.flags else "[]",
        )  # fmt: skip

    def _origin_row(self, number: int, r: _Prepared) -> tuple[object, ...]:
        p = r.piece
        return (
            number, self._sources[p.source], self._ingest, p.path, p.locator, p.title, p.artist,
            p.licence, p.encoding, json.dumps(p.steps) if p.steps else "[]",
            self._keep_original(p.original),
        )  # fmt: skip

    def _write_origin(self, number: int, r: _Prepared) -> bool:
        there = self._db.execute(
            "SELECT 1 FROM origin WHERE source_id = ? AND path = ? AND locator = ? AND piece_id = ?",
            (self._sources[r.piece.source], r.piece.path, r.piece.locator, number),
        ).fetchone()
        if there:
            return False
        self._db.execute(_NEW_ORIGIN, self._origin_row(number, r))
        return True

    def _keep_original(self, data: bytes | None) -> int | None:
        if data is None:
            return None
        if self._last is not None and self._last[0] is data:
            return self._last[1]  # the pieces of one page share its bytes
        name = content_hash(data)
        row = self._db.execute("SELECT id FROM original WHERE hash = ?", (name,)).fetchone()
        if row is None:
            row = self._db.execute(
                "INSERT INTO original (hash, size, bytes) VALUES (?, ?, ?) RETURNING id",
                (name, len(data), zlib.compress(data, 6)),
            ).fetchone()
        self._last = (data, int(row[0]))
        return int(row[0])

    def _enrich(self, number: int, piece: Piece) -> None:
        """What a further origin knows: tags are joined, missing title and artist filled in."""
        self._db.executemany(
            "INSERT OR IGNORE INTO tag (piece_id, name) VALUES (?, ?)",
            [(number, tag) for tag in piece.tags],
        )
        if piece.title or piece.artist:
            self._db.execute(
                "UPDATE piece SET title = coalesce(title, ?1), artist = coalesce(artist, ?2)"
                " WHERE id = ?3 AND ((title IS NULL AND ?1 IS NOT NULL)"
                " OR (artist IS NULL AND ?2 IS NOT NULL))",
                (piece.title, piece.artist, number),
            )
        if piece.made or piece.group:
            self._db.execute(
                "UPDATE piece SET made = coalesce(made, ?1), crew = coalesce(crew, ?2) WHERE id = ?3",
                (piece.made, piece.group, number),
            )

    def _write_rejections(self, rejections: Sequence[Rejection], tally: Tally) -> None:
        for item in rejections:
            tally.rejected[item.source] += 1
            tally.reasons[item.reason] += 1
        self._db.executemany(
            "INSERT OR IGNORE INTO rejection (ingest_id, source_id, path, locator, reason, detail)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [
                (self._ingest, self._sources[r.source], r.path, r.locator, r.reason, r.detail)
                for r in rejections
            ],
        )
