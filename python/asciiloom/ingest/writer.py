"""Writing pieces: whole batches, several a transaction; provenance for what was there already.

Everything that can be computed without the database (measures, hashes, credits) is computed for
the batch before the write lock is taken. A transaction is the unit of durability: after a kill, the
batches that were committed are there in full and nothing of the others is.
"""

import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

from asciiloom.ingest.rows import PIECE_COLUMNS, Batch, Columns
from asciiloom.piece import Rejection, content_hash
from asciiloom.store.names import LONGEST_TITLE, PLACE_BITS, note_bylines, note_licences

# Characters up to which a piece is hardly a drawing: where most are such, a wrong column was read.
TINY = 2
_ASK = 500  # bound parameters a statement; SQLite's oldest limit is 999


_NEW_ORIGIN = (
    "INSERT INTO origin (piece_id, source_id, ingest_id, path, locator, title, artist, licence,"
    " encoding, steps, original_id) VALUES (?,?,?,?,?,?,?,?,?,?,?)"
)
_NEW_PIECE = (
    f"INSERT INTO piece (id, source_id, ingest_id, {', '.join(PIECE_COLUMNS)})"
    f" VALUES ({', '.join('?' * (3 + len(PIECE_COLUMNS)))})"
)


@dataclass(slots=True)
class Tally:
    """Rows accounted for, per source: read = new + duplicate + rejected. ``tiny`` are the pieces, new or
    not, of at most ``TINY`` characters."""

    new: Counter[str] = field(default_factory=Counter)
    duplicate: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    tiny: Counter[str] = field(default_factory=Counter)

    def mostly_tiny(self) -> list[str]:
        """Sources of whose pieces more than half are tiny."""
        return sorted(s for s, n in self.tiny.items() if 2 * n > self.new[s] + self.duplicate[s])

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
        for name in ("new", "duplicate", "rejected", "reasons", "tiny"):
            getattr(self, name).update(getattr(other, name))


@contextmanager
def _without_triggers(connection: sqlite3.Connection) -> Iterator[None]:
    """Within a transaction: no trigger of ``piece`` or ``tag`` fires on an insert.

    They index one row at a time, at several times the cost of the whole batch at once. Dropping them is
    part of the transaction: nobody else sees it, and a kill undoes it.
    """
    rows = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name IN"
        " ('piece_ai', 'piece_title_ai', 'tag_ai')"
    ).fetchall()
    for name, _ in rows:
        connection.execute(f"DROP TRIGGER {name}")
    yield
    for _, sql in rows:
        connection.execute(sql)


class Writer:
    """Writes batches within one transaction; holds the ids of sources it has met in it, and which
    licences and bylines."""

    def __init__(self, connection: sqlite3.Connection, ingest_id: int) -> None:
        self._db = connection
        self._ingest = ingest_id
        self._sources: dict[str, int] = {}
        self._licences: set[str | None] = set()
        self._bylines: set[str | None] = set()
        self._last: tuple[bytes, int] | None = None

    def write(self, batch: Batch) -> Tally:
        """Write one batch, within a transaction, and say what became of each item."""
        self._last = None
        tally = Tally()
        self._find_sources(batch)
        self._note_names(batch.pieces)
        self._write_pieces(batch.pieces, tally)
        self._write_rejections(batch.rejections, tally)
        counts = tally.row()
        self._db.execute(
            "UPDATE ingest SET read = read + :read, new = new + :new,"
            " duplicate = duplicate + :duplicate, rejected = rejected + :rejected"
            " WHERE id = :id",
            {**counts, "id": self._ingest},
        )
        return tally

    def _find_sources(self, batch: Batch) -> None:
        met = {*batch.pieces.source, *(r.source for r in batch.rejections)}
        for name in sorted(met - self._sources.keys()):
            self._db.execute("INSERT OR IGNORE INTO source (name) VALUES (?)", (name,))
            found = self._db.execute("SELECT id FROM source WHERE name = ?", (name,)).fetchone()
            self._sources[name] = found[0]

    def _note_names(self, p: Columns) -> None:
        licences, bylines = set(p.licence) - self._licences, set(p.artist) - self._bylines
        note_licences(self._db, licences)
        note_bylines(self._db, bylines)
        self._licences |= licences
        self._bylines |= bylines

    def _known(self, hashes: Sequence[str]) -> dict[str, int]:
        out: dict[str, int] = {}
        for start in range(0, len(hashes), _ASK):
            part = hashes[start : start + _ASK]
            marks = ",".join("?" * len(part))
            rows = self._db.execute(f"SELECT hash, id FROM piece WHERE hash IN ({marks})", part)
            out.update(rows.fetchall())
        return out

    def _write_pieces(self, p: Columns, tally: Tally) -> None:
        ids = self._known(p.hash)
        following = self._db.execute("SELECT coalesce(max(id), 0) FROM piece").fetchone()[0]
        before = following
        new_ids: dict[int, int] = {}  # position in the batch -> id
        seen_again: dict[int, int] = {}
        for position, name in enumerate(p.hash):
            if (known := ids.get(name)) is None:
                following += 1
                ids[name] = new_ids[position] = following
            else:
                seen_again[position] = known
        tally.new.update(p.source[position] for position in new_ids)
        tally.duplicate.update(p.source[position] for position in seen_again)
        tally.tiny.update(p.source[k] for k, chars in enumerate(p.chars) if chars <= TINY)
        if new_ids:
            with _without_triggers(self._db):
                self._write_new(p, new_ids, before)
        # A duplicate may bring the colours that the first copy came without.
        self._db.executemany(
            "INSERT OR IGNORE INTO colour (piece_id, plane) VALUES (?, ?)",
            [(n, p.colours[k]) for k, n in seen_again.items() if k in p.colours],
        )
        for position, number in seen_again.items():
            # Only a place where the piece was not seen before can teach something new.
            if self._write_origin(p, position, number):
                self._enrich(p, position, number)

    def _write_new(self, p: Columns, new_ids: dict[int, int], before: int) -> None:
        """Rows of pieces that were not there, ids above ``before``, and the index of their words.

        Their shapes are left to ``index_shapes``: as dear as all the rest together.
        """
        everyone = len(new_ids) == len(p)

        def pick(values: list[Any]) -> list[Any]:
            return values if everyone else [values[k] for k in new_ids]

        sources = [self._sources[name] for name in pick(p.source)]
        columns = [pick(getattr(p, name)) for name in PIECE_COLUMNS]
        self._db.executemany(
            _NEW_PIECE,
            zip(new_ids.values(), sources, repeat(self._ingest), *columns),
        )
        # Out of the pieces that are there: in the order of the table, and half as dear as row by row from here.
        self._db.execute(
            "INSERT INTO tag (piece_id, name) SELECT piece.id, said.value FROM piece, json_each(tags) AS said"
            " WHERE piece.id > ?",
            (before,),
        )
        self._db.executemany(
            "INSERT OR IGNORE INTO credit (piece_id, row, col, length, text, artist)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [(new_ids[k], *span) for k, *span in p.credit_rows if k in new_ids],
        )
        self._db.executemany(
            "INSERT INTO colour (piece_id, plane) VALUES (?, ?)",
            [(new_ids[k], plane) for k, plane in p.colours.items() if k in new_ids],
        )
        # A new piece has no origin yet: nothing to look up.
        original_ids = {
            k: self._original_id(data) for k, data in p.originals.items() if k in new_ids
        }
        self._db.executemany(
            _NEW_ORIGIN,
            zip(
                new_ids.values(), sources, repeat(self._ingest), pick(p.path), pick(p.locator),
                pick(p.title), pick(p.stated_artist), pick(p.stated_licence), pick(p.encoding),
                pick(p.steps),
                [original_ids.get(k) for k in new_ids] if original_ids else repeat(None),
            ),
        )  # fmt: skip
        self._db.execute(
            "INSERT INTO piece_fts (rowid, title, tags, description, artist)"
            " SELECT id, title, tags, description, artist FROM piece WHERE id > ?",
            (before,),
        )
        self._db.execute(
            "INSERT INTO piece_title (rowid, title)"
            f" SELECT (min(length(title), {LONGEST_TITLE}) << {PLACE_BITS}) + id AS place, title FROM piece"
            " WHERE id > ? AND title NOTNULL ORDER BY place",
            (before,),
        )
        self._db.execute(
            "INSERT INTO size SELECT id, width, height FROM piece WHERE id > ?", (before,)
        )
        self._db.execute("INSERT INTO unindexed SELECT id FROM piece WHERE id > ?", (before,))

    def _write_origin(self, p: Columns, k: int, number: int) -> bool:
        source = self._sources[p.source[k]]
        there = self._db.execute(
            "SELECT 1 FROM origin WHERE source_id = ? AND path = ? AND locator = ? AND piece_id = ?",
            (source, p.path[k], p.locator[k], number),
        ).fetchone()
        if there:
            return False
        self._db.execute(
            _NEW_ORIGIN,
            (
                number, source, self._ingest, p.path[k], p.locator[k], p.title[k],
                p.stated_artist[k], p.stated_licence[k], p.encoding[k], p.steps[k],
                self._original_id(p.originals.get(k)),
            ),
        )  # fmt: skip
        return True

    def _original_id(self, data: bytes | None) -> int | None:
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

    def _enrich(self, p: Columns, k: int, number: int) -> None:
        """What a further origin knows: tags are joined, missing title, artist and licence filled in."""
        self._db.execute(
            "INSERT OR IGNORE INTO tag (piece_id, name) SELECT ?, value FROM json_each(?)",
            (number, p.tags[k]),
        )
        if p.title[k] or p.artist[k]:
            self._db.execute(
                "UPDATE piece SET title = coalesce(title, ?1), artist = coalesce(artist, ?2)"
                " WHERE id = ?3 AND ((title IS NULL AND ?1 IS NOT NULL)"
                " OR (artist IS NULL AND ?2 IS NOT NULL))",
                (p.title[k], p.artist[k], number),
            )
        if p.made[k] or p.crew[k] or p.licence[k]:
            self._db.execute(
                "UPDATE piece SET made = coalesce(made, ?1), crew = coalesce(crew, ?2),"
                " licence = coalesce(licence, ?3) WHERE id = ?4",
                (p.made[k], p.crew[k], p.licence[k], number),
            )

    def _write_rejections(self, rejections: Sequence[Rejection], tally: Tally) -> None:
        for item in rejections:
            tally.rejected[item.source] += item.count
            tally.reasons[item.reason] += item.count
        self._db.executemany(
            "INSERT OR IGNORE INTO rejection"
            " (ingest_id, source_id, path, locator, reason, detail, count) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    self._ingest,
                    self._sources[r.source],
                    r.path,
                    r.locator,
                    r.reason,
                    r.detail,
                    r.count,
                )
                for r in rejections
            ],
        )
