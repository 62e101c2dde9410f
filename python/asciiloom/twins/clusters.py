"""From pairs to clusters: each is one canonical piece and those that are the same as *it*.

Chaining (a like b, b like c, so a with c) is how near-twin search goes wrong on art: a row of small
changes joins strangers. So a cluster is a star: whoever agrees with its centre, and nobody else.
The centre is the piece to keep: a credited one before an uncredited, then the most complete (most
ink), then the one that was seen first.

Source: star clustering, Aslam, Pelekhov and Rus (2004).
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from asciiloom.similarity.arrays import I64
from asciiloom.store.chosen import want
from asciiloom.twins.splits import Sides, split_families

Pair = tuple[int, int]
Rank = tuple[bool, bool, int, int]
# Members of a chain that were never compared with its centre are, at most so many times.
ROUNDS = 4
_MARKS = 10_000


def rank(credit: object, ink: int, number: int, withdrawn: object = False) -> Rank:
    """How good a canonical piece this is; the greatest wins. A withdrawn one never does."""
    return (not withdrawn, bool(credit), ink, -number)


def reason(chosen: Rank, other: Rank) -> str:
    """Why ``chosen`` stands before ``other``."""
    if chosen[0] != other[0]:
        return "the other was withdrawn"
    if chosen[1] != other[1]:
        return "it is credited"
    if chosen[2] != other[2]:
        return f"it is more complete ({chosen[2]} cells of ink, not {other[2]})"
    return "it was seen first"


def stars(ranks: dict[int, Rank], pairs: Iterable[Pair]) -> dict[int, int]:
    """The centre of every piece in ``ranks``, given the pairs that are the same."""
    near: dict[int, list[int]] = {}
    for a, b in pairs:
        near.setdefault(a, []).append(b)
        near.setdefault(b, []).append(a)
    centre: dict[int, int] = {}
    for number in sorted(ranks, key=ranks.__getitem__, reverse=True):
        if number not in centre:
            centre[number] = number
            for other in near.get(number, ()):
                centre.setdefault(other, number)
    return centre


def ranks_of(
    connection: sqlite3.Connection, table: str, name: str | None = None
) -> dict[int, Rank]:
    """The rank of every piece whose id is in ``table``, a table or subquery (with its ``name``)."""
    return {
        number: rank(credited, ink, number, withdrawn)
        for number, ink, credited, withdrawn in connection.execute(
            "SELECT piece.id, ink, artist IS NOT NULL OR EXISTS"
            " (SELECT 1 FROM credit WHERE piece_id = piece.id),"
            " EXISTS (SELECT 1 FROM withdrawn WHERE piece_id = piece.id)"
            f" FROM {table} CROSS JOIN piece ON piece.id = {name or table}.id"
        )
    }


def touched(connection: sqlite3.Connection, fresh: Iterable[int]) -> None:
    """Fill the temporary table ``touched`` with ``fresh`` and all that *same* pairs lead to from there."""
    connection.execute(
        "CREATE TEMP TABLE IF NOT EXISTS touched (id INTEGER PRIMARY KEY, step INTEGER)"
    )
    connection.execute("DELETE FROM touched")
    connection.executemany("INSERT INTO touched VALUES (?, 0)", ((n,) for n in fresh))
    step, found = 0, 1
    while found:
        found = 0
        for here, there in (("a", "b"), ("b", "a")):
            found += connection.execute(
                f"INSERT OR IGNORE INTO touched SELECT twin.{there}, ? FROM touched CROSS JOIN twin"
                f" ON twin.{here} = touched.id WHERE touched.step = ? AND +verdict = 'same'",
                (step + 1, step),
            ).rowcount
        step += 1


def cluster(
    connection: sqlite3.Connection,
    fresh: I64,
    compare: Callable[[list[Pair]], None] | None,
    seed: int,
) -> None:
    """Write clusters, canonical marks and splits of ``fresh`` (ascending) and of all that they are joined with.

    ``compare`` measures pairs that were no candidates and writes them to ``twin``; without it only
    what is there counts. To be called within a transaction.
    """
    for _ in range(ROUNDS):
        touched(connection, fresh.tolist())
        pairs = connection.execute(
            "SELECT a, b FROM touched CROSS JOIN twin ON twin.a = touched.id WHERE +verdict = 'same'"
        ).fetchall()
        # Most pieces are in no pair, and need no rank.
        want(connection, np.unique(np.array(pairs, np.int64)))
        centre = stars(ranks_of(connection, "wanted"), pairs)
        # Two stars with a pair between them: was one's member ever compared with the other's centre?
        open_pairs = {
            (min(x, y), max(x, y))
            for a, b in pairs
            if centre[a] != centre[b]
            for x, y in ((a, centre[b]), (centre[a], b), (centre[a], centre[b]))
            if x != y
        }
        unknown = sorted(pair for pair in open_pairs if not _measured(connection, pair))
        if compare is None or not unknown:
            break
        compare(unknown)
    rows = connection.execute("SELECT id FROM touched ORDER BY id")
    numbers = np.fromiter((row[0] for row in rows), np.int64)
    _write(connection, numbers, centre, split_families(connection, fresh, seed))


def _measured(connection: sqlite3.Connection, pair: Pair) -> bool:
    row = connection.execute("SELECT 1 FROM twin WHERE a = ? AND b = ?", pair).fetchone()
    return row is not None


def _write(
    connection: sqlite3.Connection, numbers: I64, centre: dict[int, int], sides: Sides
) -> None:
    """Marks of the pieces ``numbers``, most of which are in no pair and so a cluster of their own."""
    least: dict[int, int] = {}
    for number, of in centre.items():
        least[of] = min(number, least.get(of, number))

    def marks() -> Iterator[tuple[int, int, str | None, int]]:
        for place in range(0, len(numbers), _MARKS):
            part = numbers[place : place + _MARKS]
            for n, side in zip(part.tolist(), sides.of(part), strict=True):
                of = centre.get(n, n)
                yield least.get(of, n), int(of == n), side, n

    # One by one by their number: a join with a table of marks is planned as a scan of all pieces.
    connection.executemany(
        "UPDATE piece SET cluster_id = ?1, canonical = ?2, split = coalesce(?3, split) WHERE id = ?4 AND"
        " (cluster_id IS NOT ?1 OR canonical IS NOT ?2 OR ?3 NOTNULL)",
        marks(),
    )
