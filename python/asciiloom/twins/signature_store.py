"""Signatures in the database: one row a run of pieces, one blob a column, read back as arrays.

A run is what was signed in one transaction. Nothing is ever updated in place: a piece that is signed
again is in a later run, and the pieces that are gone drop out when their texts are asked for.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from asciiloom.cores import cores
from asciiloom.piece import CreditSpan, blank_credits
from asciiloom.similarity.arrays import I64, U32
from asciiloom.similarity.bands import (
    BLOCKS,
    BY_PIECE,
    FLAT,
    MIRROR_BANDS,
    MIRRORED,
    PATCHES,
    PERMUTATIONS,
    ROWS_PER_BAND,
)
from asciiloom.similarity.grids import GridBatch
from asciiloom.similarity.patches import sketch
from asciiloom.similarity.signatures import VERSION, band_buckets, distinct_glyphs, sign
from asciiloom.store.chosen import want
from asciiloom.store.transaction import transaction

RUN = 20_000
READ_AT_ONCE = 4_000
MAX_CHARS = 200_000
# A gigabyte: more than a million pieces of usual size.
KEPT_CELLS = 1 << 30


@dataclass(frozen=True, slots=True)
class Row:
    id: int
    text: str
    bare: str
    mirror: str


Spans = Mapping[int, tuple[CreditSpan, ...]]


def _spans(rows: Iterable[tuple[Any, ...]]) -> Spans:
    out: dict[int, list[CreditSpan]] = {}
    for piece, *span in rows:
        out.setdefault(piece, []).append(CreditSpan(*span))
    return {piece: tuple(spans) for piece, spans in out.items()}


def unsigned(connection: sqlite3.Connection, fresh: I64) -> I64:
    """Those of the pieces ``fresh`` that no run of this version holds. Runs of another are dropped."""
    with transaction(connection):
        stale = connection.execute("DELETE FROM signature WHERE version <> ?", (VERSION,)).rowcount
        if stale:
            connection.execute("UPDATE piece SET cluster_id = NULL WHERE cluster_id IS NOT NULL")
    if stale:
        fresh = fresh_pieces(connection)
    if not len(fresh):
        return fresh
    signed = [
        np.frombuffer(row[0], "<i8")
        for row in connection.execute(
            "SELECT pieces FROM signature WHERE last >= ? AND first <= ?",
            (int(fresh[0]), int(fresh[-1])),
        )
    ]
    changed = [row[0] for row in connection.execute("SELECT piece_id FROM stale")]
    held = np.isin(fresh, np.concatenate(signed or [fresh[:0]])) & ~np.isin(fresh, changed)
    return fresh[~held]


def fresh_pieces(connection: sqlite3.Connection) -> I64:
    """Pieces that no dedup has finished with, ascending."""
    rows = connection.execute("SELECT id FROM piece WHERE cluster_id IS NULL ORDER BY id")
    return np.fromiter((row[0] for row in rows), np.int64)


_Signed = tuple[dict[str, U32], GridBatch]


class Grids:
    """Tight grids by piece id: those signed in this run are kept while they fit, others are read again."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._parts: list[tuple[I64, GridBatch]] = []
        self._cells = 0

    def keep(self, numbers: I64, batch: GridBatch) -> None:
        self._cells += len(batch.cells)
        if self._cells <= KEPT_CELLS:
            self._parts.append((numbers, batch))
        else:
            self._parts.clear()

    def drop(self) -> None:
        """Keep nothing any more: what is asked for from here on is little."""
        self._parts.clear()
        self._cells = KEPT_CELLS + 1

    def _join(self) -> None:
        """One batch of all parts, each let go as soon as it is copied: they are most of the memory."""
        ids = np.concatenate([ids for ids, _ in self._parts])
        cells = np.empty(self._cells, np.uint8)
        starts, heights, widths, end = [], [], [], 0
        while self._parts:
            _, part = self._parts.pop(0)
            cells[end : end + len(part.cells)] = part.cells
            starts.append(part.start + end)
            heights.append(part.height)
            widths.append(part.width)
            end += len(part.cells)
        batch = GridBatch(cells, *(np.concatenate(x) for x in (starts, heights, widths)))
        self._parts = [(ids, batch)]

    def get(self, numbers: I64) -> tuple[I64, GridBatch]:
        """(ids that are still there, their grids) of ``numbers`` (ascending)."""
        if len(self._parts) > 1:
            self._join()
        ids, batch = self._parts[0] if self._parts else (numbers[:0], GridBatch.from_texts([]))
        missing = numbers[~np.isin(numbers, ids)]
        if len(missing):
            found, parts = tight_parts(self._db, missing)
            ids, batch = np.concatenate([ids, found]), GridBatch.concatenate([batch, *parts])
        order = np.argsort(ids)
        place = order[np.searchsorted(ids[order], numbers[np.isin(numbers, ids)])]
        return ids[place], batch.take(place)


def sign_pieces(
    connection: sqlite3.Connection,
    numbers: I64,
    grids: Grids,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Sign the pieces ``numbers`` (ascending) run by run, each committed on its own.

    The next run is under way in other threads while one is written.
    """
    ahead: deque[tuple[int, list[Row], list[Future[_Signed]]]] = deque()
    with ThreadPoolExecutor(cores()) as pool:
        for span in batches(len(numbers), RUN):
            rows, signed_by = read_rows(connection, numbers[span])
            share = max(1, -(-len(rows) // cores()))
            parts = [rows[k : k + share] for k in range(0, len(rows), share)]
            ahead.append((span.stop, rows, [pool.submit(sign_rows, p, signed_by) for p in parts]))
            if len(ahead) > 1 or span.stop == len(numbers):
                while len(ahead) > (span.stop < len(numbers)):
                    done, rows, futures = ahead.popleft()
                    _keep(connection, grids, [r.id for r in rows], [f.result() for f in futures])
                    if progress:
                        progress(done, len(numbers))


def read_rows(connection: sqlite3.Connection, part: I64) -> tuple[list[Row], Spans]:
    bounds = (int(part[0]), int(part[-1]))
    wanted = set(part.tolist())
    rows = connection.execute(
        "SELECT id, text, bare_hash, mirror_hash FROM piece WHERE id BETWEEN ? AND ?", bounds
    )
    signed_by = connection.execute(
        "SELECT piece_id, row, col, length, text, artist FROM credit WHERE piece_id BETWEEN ? AND ?",
        bounds,
    )
    return [Row(*row) for row in rows if row[0] in wanted], _spans(signed_by)


def _keep(
    connection: sqlite3.Connection, grids: Grids, numbers: list[int], parts: list[_Signed]
) -> None:
    first = 0
    for _, batch in parts:
        grids.keep(np.array(numbers[first : first + len(batch)], np.int64), batch)
        first += len(batch)
    if parts:
        write_run(connection, np.array(numbers, np.int64), _joined(parts))


def _joined(parts: list[_Signed]) -> dict[str, U32]:
    """Columns of one run that was signed in several parts."""
    joined: dict[str, U32] = {
        name: np.concatenate([columns[name] for columns, _ in parts], -1) for name in parts[0][0]
    }
    ends = np.cumsum([0, *(len(batch) for _, batch in parts)])
    owner = np.concatenate(
        [c["patch owner"] + np.uint32(end) for (c, _), end in zip(parts, ends, strict=False)]
    )
    order = np.argsort(joined["patch"], kind="stable")
    return joined | {
        "patch": joined["patch"][order],
        "patch owner": owner[order],
        "patch place": joined["patch place"][order],
    }


def sign_rows(rows: Sequence[Row], signed_by: Spans) -> _Signed:
    """Signatures (128, pieces) and buckets (bands, pieces) of some pieces, pieces along the last axis;
    and their tight grids."""
    texts = [bare_text(r.text, signed_by.get(r.id, ())) for r in rows]
    batch = GridBatch.from_texts(texts).tight()
    ink, counts = batch.histograms()
    glyphs = distinct_glyphs(counts)
    flat, blocks = (sign(batch, flat, glyphs=glyphs) for flat in (True, False))
    mirrored = sign(batch.mirrored(), False, MIRROR_BANDS * ROWS_PER_BAND, glyphs)
    patch, owner, place = sketch(batch)
    columns: dict[str, U32] = {
        "blocks": blocks.T,
        "flat": flat.T,
        "block buckets": band_buckets(blocks),
        "flat buckets": band_buckets(flat),
        "mirrored buckets": band_buckets(mirrored),
        # The first half of a hash is bucket enough; 0 stands for none.
        "bare": np.array([int(r.bare[:8], 16) or 1 for r in rows], np.uint32),
        "mirror": np.array([int(r.mirror[:8], 16) or 1 for r in rows], np.uint32),
        "ink": ink.astype(np.uint32),
        "patch": patch,
        "patch owner": owner,
        "patch place": place,
    }
    return columns, batch


def write_run(connection: sqlite3.Connection, numbers: I64, columns: Mapping[str, U32]) -> None:
    with transaction(connection):
        connection.executemany(
            "DELETE FROM stale WHERE piece_id = ?", ((n,) for n in numbers.tolist())
        )
        run = connection.execute(
            "INSERT INTO signature (version, first, last, pieces, blocks, flat)"
            " VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
            (
                VERSION,
                int(numbers[0]),
                int(numbers[-1]),
                numbers.astype("<i8").tobytes(),
                columns["blocks"].T.astype("<u4").tobytes(),
                columns["flat"].T.astype("<u4").tobytes(),
            ),
        ).fetchone()[0]
        named = [
            *zip(BLOCKS, columns["block buckets"], strict=True),
            *zip(FLAT, columns["flat buckets"], strict=True),
            *zip(MIRRORED, columns["mirrored buckets"], strict=True),
            *((name, columns[name]) for name in ("bare", "mirror", "ink", *PATCHES)),
        ]
        connection.executemany(
            "INSERT INTO band (run, name, buckets) VALUES (?, ?, ?)",
            [(run, name, values.astype("<u4").tobytes()) for name, values in named],
        )


def bare_text(text: str, spans: tuple[CreditSpan, ...]) -> str:
    """What of a text is compared: credits blanked, a huge one cut."""
    return (blank_credits(text, spans) if spans else text)[:MAX_CHARS]


def stored_runs(connection: sqlite3.Connection) -> Iterator[tuple[I64, dict[str, U32]]]:
    """(ids, columns of buckets by name) of each run."""
    for run, pieces in connection.execute(
        "SELECT id, pieces FROM signature ORDER BY id"
    ).fetchall():
        rows = connection.execute("SELECT name, buckets FROM band WHERE run = ?", (run,))
        yield (
            np.frombuffer(pieces, "<i8"),
            {n: np.frombuffer(b, "<u4") for n, b in rows if n in BY_PIECE},
        )


def signed_pieces(connection: sqlite3.Connection) -> I64:
    """Ids in the order of every column: run after run."""
    rows = connection.execute("SELECT pieces FROM signature ORDER BY id").fetchall()
    return np.concatenate([np.frombuffer(row[0], "<i8") for row in rows] or [np.empty(0, np.int64)])


def column(connection: sqlite3.Connection, name: str) -> U32:
    """One column of every run, uint32 (signed pieces,)."""
    (size,) = connection.execute(
        "SELECT coalesce(sum(length(pieces)), 0) FROM signature"
    ).fetchone()
    out = np.empty(size // 8, np.uint32)
    end = 0
    # Blob by blob into its place: the memory of one serves the next.
    for (blob,) in connection.execute(
        "SELECT buckets FROM band WHERE name = ? ORDER BY run", (name,)
    ):
        part = np.frombuffer(blob, "<u4")
        out[end : end + len(part)] = part
        end += len(part)
    return out[:end]


def patches(connection: sqlite3.Connection) -> Iterator[tuple[int, U32, U32, U32]]:
    """Of each run: the number of pieces before it, and its columns ``PATCHES``."""
    before = 0
    sizes = connection.execute("SELECT id, length(pieces) / 8 FROM signature ORDER BY id")
    for run, size in sizes.fetchall():
        held = dict(
            connection.execute(
                "SELECT name, buckets FROM band WHERE run = ? AND name IN (?, ?, ?)",
                (run, *PATCHES),
            ).fetchall()
        )
        hashes, owner, place = (np.frombuffer(held[name], "<u4") for name in PATCHES)
        yield before, hashes, owner, place
        before += size


def signature_of(connection: sqlite3.Connection, number: int, flat: bool) -> U32 | None:
    """One piece's MinHash values, None where it has none (too few glyphs, or not signed yet)."""
    for run, pieces in connection.execute(
        "SELECT id, pieces FROM signature WHERE first <= ?1 AND last >= ?1 ORDER BY id DESC",
        (number,),
    ):
        held = np.frombuffer(pieces, "<i8")
        place = int(np.searchsorted(held, number))
        if place < len(held) and held[place] == number:
            size = 4 * PERMUTATIONS
            (data,) = connection.execute(
                f"SELECT substr({'flat' if flat else 'blocks'}, ?, ?) FROM signature WHERE id = ?",
                (place * size + 1, size, run),
            ).fetchone()
            values = np.frombuffer(data, "<u4").astype(np.uint32)
            return None if (values == 0xFFFFFFFF).all() else values
    return None


def tight_grids(connection: sqlite3.Connection, numbers: I64) -> tuple[I64, GridBatch]:
    """(ids that are still there, their tight grids with credits blanked) of ``numbers``, ascending."""
    ids, parts = tight_parts(connection, numbers)
    return ids, GridBatch.concatenate([GridBatch.from_texts([]), *parts])


def tight_parts(connection: sqlite3.Connection, numbers: I64) -> tuple[I64, list[GridBatch]]:
    """(ids that are still there, their tight grids with credits blanked, in parts) of ``numbers``, ascending."""
    want(connection, numbers)
    rows = connection.execute(
        "SELECT wanted.id, text FROM wanted CROSS JOIN piece ON piece.id = wanted.id ORDER BY wanted.id"
    )
    spans = _spans(
        connection.execute(
            "SELECT piece_id, row, col, length, credit.text, artist"
            " FROM wanted CROSS JOIN credit ON credit.piece_id = wanted.id"
        )
    )

    def lay(part: list[tuple[int, str]]) -> GridBatch:
        return GridBatch.from_texts([bare_text(t, spans.get(n, ())) for n, t in part]).tight()

    # Some are laid out while the next are read.
    ids: list[int] = []
    with ThreadPoolExecutor(cores()) as pool:
        laid = []
        while part := rows.fetchmany(READ_AT_ONCE):
            ids += [number for number, _ in part]
            laid.append(pool.submit(lay, part))
        return np.array(ids, np.int64), [future.result() for future in laid]


def batches(total: int, size: int) -> Iterator[slice]:
    """Slices of ``size`` over ``total``."""
    return (slice(k, min(k + size, total)) for k in range(0, total, size))
