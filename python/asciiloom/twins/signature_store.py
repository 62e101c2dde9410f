"""Signatures in the database: one row a run of pieces, one blob a column, read back as arrays.

A run is what was signed in one transaction. No run is ever changed: a piece that is signed again is in a
later run, and pieces that are gone drop out when their texts are asked for.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asciiloom.cores import cores
from asciiloom.errors import CorpusError
from asciiloom.piece import CreditSpan, blank_credits
from asciiloom.similarity.arrays import I64, U32
from asciiloom.similarity.columns import BY_PIECE, PATCHES, PERMUTATIONS
from asciiloom.similarity.grids import GridBatch
from asciiloom.similarity.patches import Patches
from asciiloom.similarity.signatures import VERSION
from asciiloom.similarity.signing import Signed
from asciiloom.store.chosen import chosen_ids
from asciiloom.store.transaction import transaction

# Pieces in a run, and texts that are read at a time for their grids.
RUN = 20_000
READ_AT_ONCE = 4_000
# A longer text is compared by its beginning.
MAX_CHARS = 200_000

Credits = dict[int, tuple[CreditSpan, ...]]


@dataclass(frozen=True, slots=True)
class StoredText:
    """A piece as it is stored: its text with the places of its credits, and both its hashes."""

    id: int
    text: str
    ink_hash: str
    mirror_hash: str
    credits: tuple[CreditSpan, ...]

    def comparable(self) -> str:
        return comparable_text(self.text, self.credits)


def comparable_text(text: str, spans: tuple[CreditSpan, ...]) -> str:
    """What of a text is compared: credits blanked, a huge text cut."""
    return (blank_credits(text, spans) if spans else text)[:MAX_CHARS]


def _array(blob: Any, kind: str) -> NDArray[Any]:
    """What a blob holds, (n,) of ``kind``; ``CorpusError`` where it is none of ours."""
    try:
        return np.frombuffer(blob, kind)
    except (ValueError, TypeError) as error:
        raise _damaged() from error


def _damaged() -> CorpusError:
    return CorpusError(
        "the kept signatures are damaged; see: asciiloom check, then repair the file or restore a backup"
    )


class SignatureStore:
    """The pieces of a corpus as dedup needs them, and the signatures that it keeps of them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def drop_outdated(self) -> bool:
        """Drop runs of another version of the signatures, and the pairs that it measured, but for those that a
        person judged; then every piece is new again. Whether there were such runs."""
        with transaction(self._db):
            dropped = self._db.execute("DELETE FROM signature WHERE version <> ?", (VERSION,))
            if dropped.rowcount:
                self._db.execute("DELETE FROM twin WHERE NOT reviewed")
                self._db.execute("UPDATE piece SET cluster_id = NULL WHERE cluster_id IS NOT NULL")
        return dropped.rowcount > 0

    def all_pieces(self) -> I64:
        """Ids of all pieces, ascending."""
        return _ids(self._db.execute("SELECT id FROM piece ORDER BY id"))

    def new_pieces(self) -> I64:
        """Ids of the pieces that no dedup of this corpus has finished with, ascending: those without a
        cluster, and those that brought one from another corpus and were not compared here yet."""
        waiting = _ids(
            self._db.execute("SELECT id FROM piece WHERE cluster_id IS NULL ORDER BY id")
        )
        return np.union1d(waiting, self.unsigned(self.all_pieces()))

    def unsigned(self, ids: I64) -> I64:
        """Those of the pieces ``ids`` (ascending) that no run holds, or only as a text that has changed."""
        if not len(ids):
            return ids
        rows = self._db.execute(
            "SELECT pieces FROM signature WHERE last >= ? AND first <= ?",
            (int(ids[0]), int(ids[-1])),
        )
        signed = np.concatenate([ids[:0], *(_array(row[0], "<i8") for row in rows)])
        changed = _ids(self._db.execute("SELECT piece_id FROM stale"))
        return ids[~np.isin(ids, signed) | np.isin(ids, changed)]

    def texts(self, ids: I64) -> list[StoredText]:
        """The pieces ``ids`` (ascending) that are there."""
        bounds = (int(ids[0]), int(ids[-1]))
        wanted = set(ids.tolist())
        spans = _credits(
            self._db.execute(
                "SELECT piece_id, row, col, length, text, artist FROM credit"
                " WHERE piece_id BETWEEN ? AND ?",
                bounds,
            )
        )
        rows = self._db.execute(
            "SELECT id, text, bare_hash, mirror_hash FROM piece WHERE id BETWEEN ? AND ?", bounds
        )
        return [
            StoredText(number, text, ink_hash, mirror_hash, spans.get(number, ()))
            for number, text, ink_hash, mirror_hash in rows
            if number in wanted
        ]

    def tight_grids(self, ids: I64) -> tuple[I64, GridBatch]:
        """(those of ``ids`` (ascending) that are there, their tight grids with credits blanked)."""
        found, parts = self.tight_parts(ids)
        return found, GridBatch.concatenate([GridBatch.from_texts([]), *parts])

    def tight_parts(self, ids: I64) -> tuple[I64, list[GridBatch]]:
        """As ``tight_grids``, in several batches: some are made while the next texts are read."""
        found: list[int] = []
        with chosen_ids(self._db, ids) as table, ThreadPoolExecutor(cores()) as pool:
            rows = self._db.execute(
                f"SELECT piece.id, text FROM {table} CROSS JOIN piece ON piece.id = {table}.id"
                f" ORDER BY {table}.id"
            )
            spans = _credits(
                self._db.execute(
                    "SELECT piece_id, row, col, length, credit.text, artist"
                    f" FROM {table} CROSS JOIN credit ON credit.piece_id = {table}.id"
                )
            )

            def tighten(part: list[tuple[int, str]]) -> GridBatch:
                texts = [comparable_text(text, spans.get(n, ())) for n, text in part]
                return GridBatch.from_texts(texts).tight()

            batches = []
            while part := rows.fetchmany(READ_AT_ONCE):
                found += [number for number, _ in part]
                batches.append(pool.submit(tighten, part))
            return np.array(found, np.int64), [batch.result() for batch in batches]

    def write_run(self, ids: I64, signed: Signed) -> None:
        """Write what was signed of the pieces ``ids`` (ascending) as one run, in one transaction."""
        with transaction(self._db):
            self._db.executemany(
                "DELETE FROM stale WHERE piece_id = ?", ((n,) for n in ids.tolist())
            )
            (run,) = self._db.execute(
                "INSERT INTO signature (version, first, last, pieces, blocks, flat)"
                " VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
                (
                    VERSION,
                    int(ids[0]),
                    int(ids[-1]),
                    ids.astype("<i8").tobytes(),
                    signed.blocks.astype("<u4").tobytes(),
                    signed.flat.astype("<u4").tobytes(),
                ),
            ).fetchone()
            patches = (signed.patches.hashes, signed.patches.owner, signed.patches.position)
            columns = [
                *((name, signed.by_piece[name]) for name in BY_PIECE),
                *zip(PATCHES, patches, strict=True),
            ]
            self._db.executemany(
                "INSERT INTO band (run, name, buckets) VALUES (?, ?, ?)",
                [(run, name, values.astype("<u4").tobytes()) for name, values in columns],
            )

    def runs(self) -> Iterator[tuple[I64, dict[str, U32]]]:
        """(ids, columns ``BY_PIECE`` by name) of each run."""
        runs = self._db.execute("SELECT id, pieces FROM signature ORDER BY id").fetchall()
        for run, pieces in runs:
            rows = self._db.execute("SELECT name, buckets FROM band WHERE run = ?", (run,))
            columns = {n: _array(b, "<u4") for n, b in rows if n in BY_PIECE}
            yield _array(pieces, "<i8"), columns

    def signed_pieces(self) -> I64:
        """Ids in the order of every column: run after run."""
        rows = self._db.execute("SELECT pieces FROM signature ORDER BY id")
        return np.concatenate([np.empty(0, np.int64), *(_array(r[0], "<i8") for r in rows)])

    def column(self, name: str) -> U32:
        """One column of ``BY_PIECE`` over all runs, uint32 (signed pieces,)."""
        (size,) = self._db.execute(
            "SELECT coalesce(sum(length(pieces)), 0) FROM signature"
        ).fetchone()
        out = np.empty(size // 8, np.uint32)
        end = 0
        # Each blob goes straight to its rows: the memory of one serves the next.
        for (blob,) in self._db.execute(
            "SELECT buckets FROM band WHERE name = ? ORDER BY run", (name,)
        ):
            part = _array(blob, "<u4")
            if end + len(part) > len(out):
                raise _damaged()
            out[end : end + len(part)] = part
            end += len(part)
        return out[:end]

    def patches(self) -> tuple[list[Patches], list[int]]:
        """The patches of each run, and how many pieces each run has."""
        found, sizes = [], []
        runs = self._db.execute("SELECT id, length(pieces) / 8 FROM signature ORDER BY id")
        for run, size in runs.fetchall():
            blobs = dict(
                self._db.execute(
                    "SELECT name, buckets FROM band WHERE run = ? AND name IN (?, ?, ?)",
                    (run, *PATCHES),
                ).fetchall()
            )
            found.append(Patches(*(_array(blobs[name], "<u4") for name in PATCHES)))
            sizes.append(size)
        return found, sizes

    def signature(self, number: int, flat: bool) -> U32 | None:
        """One piece's MinHash values, uint32 (128,); None where it has none (too few glyphs, or not signed)."""
        for run, pieces in self._db.execute(
            "SELECT id, pieces FROM signature WHERE first <= ?1 AND last >= ?1 ORDER BY id DESC",
            (number,),
        ):
            held = _array(pieces, "<i8")
            index = int(np.searchsorted(held, number))
            if index < len(held) and held[index] == number:
                size = 4 * PERMUTATIONS
                (data,) = self._db.execute(
                    f"SELECT substr({'flat' if flat else 'blocks'}, ?, ?) FROM signature WHERE id = ?",
                    (index * size + 1, size, run),
                ).fetchone()
                values = _array(data, "<u4").astype(np.uint32)
                return None if (values == 0xFFFFFFFF).all() else values
        return None


def _ids(rows: Iterable[tuple[int]]) -> I64:
    return np.fromiter((row[0] for row in rows), np.int64)


def _credits(rows: Iterable[tuple[Any, ...]]) -> Credits:
    """Credit spans by piece."""
    out: dict[int, list[CreditSpan]] = {}
    for piece, *span in rows:
        out.setdefault(piece, []).append(CreditSpan(*span))
    return {piece: tuple(spans) for piece, spans in out.items()}
