"""Keeping a corpus sound: what is wrong with a file, putting it right, and copies while it is in use."""

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

from asciiloom.errors import CorpusError
from asciiloom.outputs import output_file
from asciiloom.piece import content_hash
from asciiloom.similarity.bands import COLUMNS
from asciiloom.store.transaction import transaction

_SHOWN = 20

# (what it is, the rows that are wrong: one column to show)
_QUESTIONS = (
    ("piece without an origin", "SELECT id FROM piece WHERE id NOT IN (SELECT piece_id FROM origin)"),
    (
        "tags differ from their image in piece.tags",
        "SELECT id FROM piece WHERE (SELECT count(*) FROM tag WHERE piece_id = piece.id)"
        " <> json_array_length(tags) OR EXISTS (SELECT 1 FROM json_each(piece.tags) AS j"
        " WHERE NOT EXISTS (SELECT 1 FROM tag WHERE piece_id = piece.id AND name = j.value))",
    ),
    (
        "original that no origin refers to",
        "SELECT id FROM original WHERE id NOT IN"
        " (SELECT original_id FROM origin WHERE original_id NOTNULL)",
    ),
    (
        "cluster without exactly one canonical piece",
        "SELECT cluster_id FROM piece WHERE cluster_id NOTNULL GROUP BY cluster_id"
        " HAVING sum(canonical) <> 1",
    ),
    ("unindexed piece that is not there", "SELECT piece_id FROM unindexed WHERE piece_id NOT IN (SELECT id FROM piece)"),
    (
        "run of signatures without all its columns",
        "SELECT signature.id FROM signature LEFT JOIN band ON band.run = signature.id"
        f" GROUP BY signature.id HAVING count(band.id) <> {len(COLUMNS)}",
    ),
)  # fmt: skip


def check(connection: sqlite3.Connection, *, deep: bool = False) -> list[str]:
    """What is wrong, a line each; an empty list for a sound corpus. ``deep`` hashes every text anew."""
    wrong = [
        f"integrity: {row[0]}"
        for row in connection.execute("PRAGMA integrity_check")
        if row[0] != "ok"
    ]
    wrong += [
        f"foreign key: row {row} of {table} refers to a missing {parent}"
        for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check").fetchmany(
            _SHOWN
        )
    ]
    (waiting,) = connection.execute("SELECT count(*) FROM unindexed").fetchone()
    for table, outside in (("piece_fts", 1), ("piece_art", 0 if waiting else 1)):
        # With rank 1 the index is held against the pieces, too.
        try:
            connection.execute(
                f"INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', ?)", (outside,)
            )
        except sqlite3.DatabaseError as error:
            wrong.append(f"search index {table}: {error}")
    for what, question in _QUESTIONS:
        rows = connection.execute(question).fetchall()
        if rows:
            shown = ", ".join(str(row[0]) for row in rows[:_SHOWN])
            wrong.append(f"{what}: {len(rows):,} ({shown}{', ...' if len(rows) > _SHOWN else ''})")
    if deep:
        changed = [
            number
            for number, name, text in connection.execute("SELECT id, hash, text FROM piece")
            if content_hash(text) != name
        ]
        if changed:
            wrong.append(
                f"text that is not what its hash says: {len(changed):,} ({changed[:_SHOWN]})"
            )
    return wrong


def repair(connection: sqlite3.Connection) -> list[str]:
    """Put right what can be: derived things are made again, orphans go. What was done, a line each."""
    done = []

    def step(what: str, sql: str) -> None:
        changed = connection.execute(sql).rowcount
        if changed > 0:
            done.append(f"{what}: {changed:,}")

    connection.execute("PRAGMA foreign_keys = OFF")  # orphans are what is looked for
    try:
        with transaction(connection):
            for table in ("origin", "tag", "credit", "colour", "withdrawn", "unindexed"):
                step(
                    f"rows of {table} without a piece removed",
                    f"DELETE FROM {table} WHERE piece_id NOT IN (SELECT id FROM piece)",
                )
            step(
                "twin pairs without both pieces removed",
                "DELETE FROM twin WHERE a NOT IN (SELECT id FROM piece) OR b NOT IN (SELECT id FROM piece)",
            )
            step(
                "originals without an origin removed",
                "DELETE FROM original WHERE id NOT IN"
                " (SELECT original_id FROM origin WHERE original_id NOTNULL)",
            )
            step(
                "images of tags made again",
                "UPDATE piece SET tags = (SELECT json_group_array(name) FROM tag WHERE piece_id = piece.id)"
                f" WHERE id IN ({_QUESTIONS[1][1]})",
            )
            step(
                "clusters left to the next dedup",
                f"UPDATE piece SET cluster_id = NULL WHERE cluster_id IN ({_QUESTIONS[3][1]})",
            )
            step(
                "incomplete runs of signatures removed",
                f"DELETE FROM signature WHERE id IN ({_QUESTIONS[5][1]})",
            )
            connection.execute("DELETE FROM band WHERE run NOT IN (SELECT id FROM signature)")
            connection.execute("INSERT INTO piece_fts (piece_fts) VALUES ('rebuild')")
            connection.execute("INSERT INTO piece_art (piece_art) VALUES ('rebuild')")
            connection.execute("DELETE FROM unindexed")
            done.append("both search indexes built anew")
    finally:
        connection.execute("PRAGMA foreign_keys = ON")
    return done


def vacuum(connection: sqlite3.Connection) -> tuple[int, int]:
    """Give unused pages back and order the rest; (bytes before, bytes after)."""

    def size() -> int:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (page,) = connection.execute("PRAGMA page_size").fetchone()
        return int(pages * page)

    before = size()
    for table in ("piece_fts", "piece_art"):
        connection.execute(f"INSERT INTO {table} ({table}) VALUES ('optimize')")
    connection.execute("VACUUM")
    connection.execute("PRAGMA optimize")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return before, size()


def backup(
    connection: sqlite3.Connection,
    target: Path,
    progress: Callable[[int, int], None] | None = None,
    *,
    force: bool = False,
) -> int:
    """Copy the corpus to ``target`` while others may write; its size. A cut-off copy leaves nothing."""

    def tick(_: int, left: int, total: int) -> None:
        if progress:
            progress(total - left, total)

    with (
        output_file(target, force=force) as part,
        contextlib.closing(sqlite3.connect(part)) as copy,
    ):
        connection.backup(copy, pages=4096, progress=tick)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file that holds everything
        if copy.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise CorpusError(f"the copy of {target} is not sound; is the corpus? see: check")
    return target.stat().st_size
