"""Clusters, canonical marks and splits in the database: what is known is read, what follows is written."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from asciiloom.similarity.arrays import I64, spans
from asciiloom.store.chosen import chosen_ids
from asciiloom.store.selection import SPLITS
from asciiloom.twins.clusters import Pair, Rank, cluster_numbers, questions, rank, stars
from asciiloom.twins.splits import Sides, draw_sides

# Members of neighbouring stars that were never compared with the other's centre are, at most so often.
ROUNDS = 4
_WRITTEN_AT_ONCE = 10_000
# Twins of a piece that is theirs no more, because another program changed its text or deleted it. (Whatever
# has a mark has a split, and the index of splits holds the marks, too.)
BEREFT = (
    "SELECT piece.id FROM piece WHERE split IN ('train', 'validation', 'test') AND canonical = 0"
    " AND cluster_id NOTNULL"
    + "".join(
        f" AND NOT EXISTS (SELECT 1 FROM twin JOIN piece AS centre ON centre.id = twin.{there}"
        f" WHERE twin.{here} = piece.id AND +verdict = 'same' AND centre.canonical = 1"
        " AND centre.cluster_id = piece.cluster_id)"
        for here, there in ("ab", "ba")
    )
)


@dataclass(frozen=True, slots=True)
class Leak:
    """Two pieces of one family on different sides, and what joins them."""

    a: int
    b: int
    sides: tuple[str | None, str | None]
    by: str


def mark_pieces(
    connection: sqlite3.Connection,
    new: I64,
    compare: Callable[[list[Pair]], None] | None,
    seed: int,
    movable: I64 | None = None,
) -> None:
    """Write clusters, canonical marks and splits of ``new`` (ascending) and of all that they are joined with.

    ``compare`` measures pairs that were no candidates and writes them down; without it only what is
    known counts. Those of ``movable`` that have a side take that of their family. Within a transaction.
    """
    for _ in range(ROUNDS):
        ids, pairs = _joined_with(connection, new)
        # Most pieces are in no pair, and need no rank.
        paired = sorted({number for pair in pairs for number in pair})
        centres = stars(ranks_of(connection, paired), pairs)
        unknown = [pair for pair in questions(centres, pairs) if not _measured(connection, pair)]
        if compare is None or not unknown:
            break
        compare(unknown)
    if movable is None:
        movable = new[:0]
    _write(connection, ids, centres, _sides(connection, new, seed, movable))


def bereft_pieces(connection: sqlite3.Connection) -> I64:
    """Ids of the pieces that stand behind another one that they are not the same as, ascending."""
    rows = connection.execute(f"{BEREFT} ORDER BY piece.id")
    return np.fromiter((row[0] for row in rows), np.int64)


def ranks_of(connection: sqlite3.Connection, ids: list[int]) -> dict[int, Rank]:
    """The rank of each of the pieces ``ids``. Makes no table, so that it also serves a connection that may not."""
    rows = connection.execute(
        "SELECT piece.id, ink, artist IS NOT NULL OR EXISTS"
        " (SELECT 1 FROM credit WHERE piece_id = piece.id),"
        " EXISTS (SELECT 1 FROM withdrawn WHERE piece_id = piece.id)"
        " FROM json_each(?) AS chosen CROSS JOIN piece ON piece.id = chosen.value",
        (json.dumps(ids),),
    )
    return {
        number: rank(credited, ink, number, withdrawn) for number, ink, credited, withdrawn in rows
    }


def check_splits(connection: sqlite3.Connection) -> list[Leak]:
    """Every pair of relatives, and every film, that straddles two splits."""
    pairs = connection.execute(
        "SELECT a.id, b.id, a.split, b.split, verdict FROM twin"
        " JOIN piece AS a ON a.id = twin.a JOIN piece AS b ON b.id = twin.b"
        " WHERE +verdict <> 'apart' AND a.split IS NOT b.split ORDER BY a.id, b.id"
    )
    films = connection.execute(
        "SELECT first.id, piece.id, first.split, piece.split, 'film' FROM"
        " (SELECT min(id) AS id, sequence FROM piece WHERE sequence IS NOT NULL GROUP BY sequence) AS film"
        " JOIN piece AS first ON first.id = film.id JOIN piece ON piece.sequence = film.sequence"
        " WHERE piece.split IS NOT first.split ORDER BY piece.id"
    )
    return [Leak(a, b, (one, two), by) for rows in (pairs, films) for a, b, one, two, by in rows]


def count_marks(connection: sqlite3.Connection) -> dict[str, Any]:
    """How many pieces dedup has marked, pairs of each verdict, clusters, canonical pieces, and pieces a split."""
    splits: dict[str, int] = {}
    pieces = canonical = 0
    for split, is_canonical, count in connection.execute(
        "SELECT split, canonical, count(*) FROM piece WHERE split NOTNULL GROUP BY split, canonical"
    ):
        splits[split] = splits.get(split, 0) + count
        pieces += count
        canonical += count if is_canonical else 0
    clusters, largest = connection.execute(
        "SELECT count(*), coalesce(max(n), 0) FROM"
        " (SELECT count(*) AS n FROM piece GROUP BY cluster_id)"
    ).fetchone()
    verdicts = dict(connection.execute("SELECT verdict, count(*) FROM twin GROUP BY verdict"))
    return {
        "pieces": pieces,
        "same_pairs": verdicts.get("same", 0),
        "variant_pairs": verdicts.get("variant", 0),
        "clusters": clusters,
        "twins": pieces - canonical,
        "largest_cluster": largest,
        "canonical": canonical,
        "splits": dict(sorted(splits.items())),
    }


def _joined_with(connection: sqlite3.Connection, new: I64) -> tuple[I64, list[Pair]]:
    """``new`` and all pieces that *same* pairs lead to from there, ascending; and those pairs."""
    known = last = new
    pairs: set[Pair] = set()
    while len(last):
        with chosen_ids(connection, last) as table:
            found = connection.execute(
                f"SELECT a, b FROM {table} CROSS JOIN twin ON twin.a = {table}.id WHERE +verdict = 'same'"
                " UNION ALL"
                f" SELECT a, b FROM {table} CROSS JOIN twin ON twin.b = {table}.id WHERE +verdict = 'same'"
            ).fetchall()
        pairs.update(found)
        last = np.setdiff1d(np.array(found, np.int64), known)
        known = np.union1d(known, last)
    return known, sorted(pairs)


def _measured(connection: sqlite3.Connection, pair: Pair) -> bool:
    row = connection.execute("SELECT 1 FROM twin WHERE a = ? AND b = ?", pair).fetchone()
    return row is not None


def _sides(connection: sqlite3.Connection, new: I64, seed: int, movable: I64) -> Sides:
    """A side for each of ``new`` that has none, or is ``movable``. Only they and their direct relatives are
    read."""
    with chosen_ids(connection, new) as table:
        rows = connection.execute(
            f"SELECT a, b FROM {table} CROSS JOIN twin ON twin.a = {table}.id WHERE +verdict <> 'apart'"
            " UNION ALL"
            f" SELECT a, b FROM {table} CROSS JOIN twin ON twin.b = {table}.id WHERE +verdict <> 'apart'"
            " UNION ALL"
            " SELECT (SELECT min(id) FROM piece AS film WHERE film.sequence = piece.sequence), piece.id"
            f" FROM {table} CROSS JOIN piece ON piece.id = {table}.id WHERE sequence IS NOT NULL"
        ).fetchall()
    pairs = np.array(rows, np.int64).reshape(-1, 2)
    ids = np.union1d(new, pairs.ravel())
    with chosen_ids(connection, ids) as table:
        chosen = f"FROM {table} CROSS JOIN piece ON piece.id = {table}.id WHERE split"
        held = connection.execute(f"SELECT piece.id, split {chosen} NOTNULL ORDER BY {table}.id")
        sided = [(number, SPLITS.index(split)) for number, split in held]
        given = np.array(sided, np.int64).reshape(-1, 2)
        without_side = connection.execute(
            f"SELECT piece.id, hash {chosen} IS NULL ORDER BY {table}.id"
        )
        return draw_sides(
            ids, pairs, Sides(given[:, 0], given[:, 1].astype(np.int8)), without_side, seed, movable
        )


def _write(
    connection: sqlite3.Connection, ids: I64, centres: Mapping[int, int], sides: Sides
) -> None:
    """Write the marks of the pieces ``ids``, most of which are in no pair and so a cluster of their own."""
    cluster_of = cluster_numbers(centres)

    def marks() -> Iterator[tuple[int, int, str | None, int]]:
        for span in spans(len(ids), _WRITTEN_AT_ONCE):
            part = ids[span]
            for number, side in zip(part.tolist(), sides.of(part), strict=True):
                centre = centres.get(number, number)
                yield cluster_of.get(centre, number), int(centre == number), side, number

    # One by one by their number: a join with a table of marks is planned as a scan of all pieces.
    connection.executemany(
        "UPDATE piece SET cluster_id = ?1, canonical = ?2, split = coalesce(?3, split) WHERE id = ?4 AND"
        " (cluster_id IS NOT ?1 OR canonical IS NOT ?2 OR ?3 NOTNULL)",
        marks(),
    )
