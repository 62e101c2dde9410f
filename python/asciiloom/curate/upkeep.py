"""Keeping a corpus sound: what is wrong with a file, putting it right, and copies while it is in use.

A file is damaged where its own content is wrong. One that is locked, read-only or on a full disk is not: the
error goes on to the caller, and nobody is sent to look for a backup.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from asciiloom.curate.deep_check import deep_check
from asciiloom.errors import CorpusError
from asciiloom.outputs import output_file
from asciiloom.similarity.columns import COLUMNS
from asciiloom.store.connection import CorpusConnection
from asciiloom.store.failures import explain, in_short, is_damage
from asciiloom.store.schema import derived_part, missing_parts
from asciiloom.store.soundness import refuse_damaged
from asciiloom.store.transaction import transaction
from asciiloom.twins.marks import BEREFT

_SHOWN = 20
_INDEXES = ("piece_fts", "piece_title", "piece_art")


@dataclass(frozen=True, slots=True)
class Question:
    """Something that must not be: what it is, and the statement that selects one column of every row that is so."""

    what: str
    rows: str


NO_ORIGIN = Question(
    "piece without an origin",
    "SELECT id FROM piece WHERE id NOT IN (SELECT piece_id FROM origin)",
)
WRONG_TAGS = Question(
    "tags differ from their image in piece.tags",
    "SELECT id FROM piece WHERE (SELECT count(*) FROM tag WHERE piece_id = piece.id)"
    " <> json_array_length(tags) OR EXISTS (SELECT 1 FROM json_each(piece.tags) AS j"
    " WHERE NOT EXISTS (SELECT 1 FROM tag WHERE piece_id = piece.id AND name = j.value))",
)
WRONG_SIZE = Question(
    "size differs from its image in the table of sizes",
    "SELECT piece.id FROM piece LEFT JOIN size ON size.piece_id = piece.id"
    " WHERE (piece.width, piece.height) IS NOT (size.width, size.height)"
    " UNION ALL SELECT piece_id FROM size WHERE piece_id NOT IN (SELECT id FROM piece)",
)
UNUSED_ORIGINAL = Question(
    "original that no origin refers to",
    "SELECT id FROM original WHERE id NOT IN"
    " (SELECT original_id FROM origin WHERE original_id NOTNULL)",
)
WRONG_CLUSTER = Question(
    "cluster without exactly one canonical piece",
    "SELECT cluster_id FROM piece WHERE cluster_id NOTNULL GROUP BY cluster_id"
    " HAVING sum(canonical) <> 1",
)
BEREFT_TWIN = Question(
    "twin whose canonical piece is not the same any more",
    f"{BEREFT} AND piece.cluster_id NOT IN ({WRONG_CLUSTER.rows})",
)
NOTHING_TO_INDEX = Question(
    "unindexed piece that is not there",
    "SELECT piece_id FROM unindexed WHERE piece_id NOT IN (SELECT id FROM piece)",
)
PART_OF_A_RUN = Question(
    "run of signatures without all its columns",
    "SELECT signature.id FROM signature LEFT JOIN band ON band.run = signature.id"
    f" GROUP BY signature.id HAVING count(band.id) <> {len(COLUMNS)}",
)
QUESTIONS = (
    NO_ORIGIN, WRONG_TAGS, WRONG_SIZE, UNUSED_ORIGINAL, WRONG_CLUSTER, BEREFT_TWIN,
    NOTHING_TO_INDEX, PART_OF_A_RUN,
)  # fmt: skip


def check(
    connection: sqlite3.Connection,
    *,
    deep: bool = False,
    note: Callable[[str], None] | None = None,
) -> list[str]:
    """What is wrong, a line each; an empty list for a sound corpus. ``deep`` measures every text anew, and
    holds everything against the rules of ingest.

    ``note`` is told what could not be looked at. What a lock or the machine keeps from being read raises
    ``sqlite3.Error``.
    """
    wrong = [f"schema: the {what} {name} is missing" for what, name in missing_parts(connection)]
    looks = [_pages, _references, _questions, *([deep_check] if deep else [])]
    for look in looks:
        try:
            wrong += look(connection)
        except sqlite3.Error as error:
            if not (is_damage(error) or wrong):  # a part that is missing was named above
                raise
            wrong.append(f"{look.__name__.strip('_')}: {in_short(error)}")
    try:
        with _to_write(connection) as writable:
            wrong += _search_indexes(writable)
            if writable is not connection:  # SQLite knows of no CHECK in a file that it only reads
                wrong += [line for line in _pages(writable) if line not in wrong]
    except sqlite3.Error as error:
        if is_damage(error):
            wrong.append(f"search indexes: {in_short(error)}")
        elif note is not None:
            note(f"the search indexes were not looked at: {in_short(error)}")
    return wrong


def _pages(connection: sqlite3.Connection) -> list[str]:
    said = connection.execute("PRAGMA integrity_check").fetchall()
    return [f"integrity: {row[0]}" for row in said if row[0] != "ok"]


def _references(connection: sqlite3.Connection) -> list[str]:
    return [
        f"foreign key: row {row} of {table} refers to a missing {parent}"
        for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check").fetchmany(
            _SHOWN
        )
    ]


def _questions(connection: sqlite3.Connection) -> list[str]:
    wrong = []
    for question in QUESTIONS:
        rows = connection.execute(question.rows).fetchall()
        if rows:
            shown = ", ".join(str(row[0]) for row in rows[:_SHOWN])
            more = ", ..." if len(rows) > _SHOWN else ""
            wrong.append(f"{question.what}: {len(rows):,} ({shown}{more})")
    return wrong


def _search_indexes(connection: sqlite3.Connection) -> list[str]:
    (waiting,) = connection.execute("SELECT count(*) FROM unindexed").fetchone()
    wrong = []
    for table in _INDEXES:
        # With rank 1 the index is held against the pieces, too; that of shapes only where none waits for it.
        outside = 0 if waiting and table == "piece_art" else 1
        try:
            connection.execute(
                f"INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', ?)", (outside,)
            )
        except sqlite3.DatabaseError as error:
            if not is_damage(error) and "no such table" not in str(error):
                raise
            wrong.append(f"search index {table}: {in_short(error)}")
    return wrong


@contextlib.contextmanager
def _to_write(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """``connection`` within a transaction that is rolled back, or, where the file is locked or cannot be
    written, a copy of it: SQLite checks a search index by way of an INSERT."""
    if _begun(connection):
        try:
            yield connection
        finally:
            connection.execute("ROLLBACK")
        return
    with contextlib.closing(sqlite3.connect("")) as copy:  # a file that goes with its connection
        connection.backup(copy)
        yield copy


def _begun(connection: sqlite3.Connection) -> bool:
    """Begin to write, without waiting for anybody; whether that could be."""
    if isinstance(connection, CorpusConnection) and connection.read_only:
        return False
    (wait,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as error:
        if is_damage(error):
            raise
        return False
    finally:
        connection.execute(f"PRAGMA busy_timeout = {wait}")
    return True


def repair(connection: sqlite3.Connection) -> list[str]:
    """Put right what can be: derived things are made again, orphans go. What was done, a line each.

    Raises ``CorpusError`` where a table or column is missing, and ``sqlite3.Error`` of a file that is
    damaged beyond this, locked or read-only; nothing is changed then.
    """
    done = []

    def step(what: str, sql: str) -> None:
        changed = connection.execute(sql).rowcount
        if changed > 0:
            done.append(f"{what}: {changed:,}")

    connection.execute("PRAGMA foreign_keys = OFF")  # orphans are what is looked for
    try:
        with transaction(connection, look=False):
            done += _add_missing(connection)
            if any("index" in line for line in _pages(connection)):
                connection.execute("REINDEX")
                done.append("indexes built anew")
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
                f"DELETE FROM original WHERE id IN ({UNUSED_ORIGINAL.rows})",
            )
            step(
                "images of tags made again",
                "UPDATE piece SET tags = (SELECT json_group_array(name) FROM tag WHERE piece_id = piece.id)"
                f" WHERE id IN ({WRONG_TAGS.rows})",
            )
            _make_sizes_again(connection, done)
            step(
                "clusters left to the next dedup",
                "UPDATE piece SET cluster_id = NULL WHERE cluster_id IN"
                f" (SELECT * FROM ({WRONG_CLUSTER.rows}) UNION"
                f" SELECT cluster_id FROM piece WHERE id IN ({BEREFT_TWIN.rows}))",
            )
            step(
                "incomplete runs of signatures removed",
                f"DELETE FROM signature WHERE id IN ({PART_OF_A_RUN.rows})",
            )
            connection.execute("DELETE FROM band WHERE run NOT IN (SELECT id FROM signature)")
            for table in _INDEXES:  # made anew: those of older files are not found by other tools
                connection.execute(f"DROP TABLE {table}")
                connection.execute(derived_part(table) or "")
                connection.execute(f"INSERT INTO {table} ({table}) VALUES ('rebuild')")
            connection.execute("DELETE FROM unindexed")
            done.append("search indexes built anew")
    finally:
        connection.execute("PRAGMA foreign_keys = ON")
    return done


def _add_missing(connection: sqlite3.Connection) -> list[str]:
    """Make the indexes and triggers that are missing; what else is missing held data."""
    missing = missing_parts(connection)
    # A search index that is missing as a whole comes with the tables that it is kept in.
    whole = tuple(f"{table}_" for table in _INDEXES if ("table", table) in missing)
    missing = [(what, name) for what, name in missing if not (whole and name.startswith(whole))]
    lost = [f"the {what} {name}" for what, name in missing if derived_part(name) is None]
    if lost:
        raise CorpusError(
            f"it lacks {', '.join(lost[:3])}, which cannot be made anew; restore a backup"
        )
    for _, name in missing:
        connection.execute(derived_part(name) or "")
    return [f"{what} {name} made again" for what, name in missing]


def _make_sizes_again(connection: sqlite3.Connection, done: list[str]) -> None:
    wrong = connection.execute(WRONG_SIZE.rows).fetchall()
    if not wrong:
        return
    connection.executemany("DELETE FROM size WHERE piece_id = ?", wrong)
    connection.executemany(
        "INSERT INTO size SELECT id, width, height FROM piece WHERE id = ?", wrong
    )
    done.append(f"images of sizes made again: {len(wrong):,}")


def vacuum(connection: sqlite3.Connection) -> tuple[int, int]:
    """Give unused pages back and order the rest; (bytes before, bytes after)."""
    if isinstance(connection, CorpusConnection):
        refuse_damaged(connection)

    def size() -> int:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (page,) = connection.execute("PRAGMA page_size").fetchone()
        return int(pages * page)

    before = size()
    for table in _INDEXES:
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

    try:
        with (
            output_file(target, force=force) as part,
            contextlib.closing(sqlite3.connect(part)) as copy,
        ):
            connection.backup(copy, pages=4096, progress=tick)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file that holds everything
            if copy.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise CorpusError(f"the copy of {target} is not sound; is the corpus? see: check")
    except sqlite3.Error as error:
        if is_damage(error):
            raise
        # What can fail of a file that is only read is its copy.
        raise CorpusError(explain(error, target) or f"cannot copy to {target}: {error}") from error
    return target.stat().st_size
