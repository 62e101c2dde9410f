"""Train, validation and test without leaks: whole families of twins go to one side.

A family is a connected component over *same* and *variant* pairs and over the frames of one
film. Its side is drawn from a hash of the seed and of its oldest member's content hash; once a
member has a side, later members follow it, so no piece ever moves as the corpus grows.
"""

import hashlib
import sqlite3
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asciiloom.similarity.arrays import I64
from asciiloom.store.selection import SPLITS

VALIDATION_SHARE = 0.05
TEST_SHARE = 0.05
TRAIN = SPLITS.index("train")
# A family this large would make a held-out split about itself.
MAX_HELD_OUT = 50


@dataclass(frozen=True, slots=True)
class Leak:
    """Two pieces of one family on different sides, and what joins them."""

    a: int
    b: int
    sides: tuple[str | None, str | None]
    by: str


def components(numbers: I64, pairs: I64) -> I64:
    """For each id in ``numbers`` (ascending) the smallest id of its connected component."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(numbers)
    if not n:
        return numbers
    a, b = np.searchsorted(numbers, pairs[:, 0]), np.searchsorted(numbers, pairs[:, 1])
    graph = coo_array((np.ones(len(a), np.int8), (a, b)), shape=(n, n))
    _, label = connected_components(graph, directed=False)
    smallest = np.full(label.max() + 1, np.iinfo(np.int64).max)
    np.minimum.at(smallest, label, numbers)
    return np.asarray(smallest[label])


def draw_split(seed: int, content_hash: str) -> str:
    """The side of a family by a hash of ``seed`` and its oldest member."""
    digest = hashlib.blake2b(f"{seed}:{content_hash}".encode(), digest_size=8).digest()
    share = int.from_bytes(digest, "big") / 2**64
    if share < TEST_SHARE:
        return "test"
    return "validation" if share < TEST_SHARE + VALIDATION_SHARE else "train"


@dataclass(frozen=True, slots=True)
class Sides:
    """A side for each of some pieces: ``numbers`` ascending, ``codes`` places in ``SPLITS`` or -1."""

    numbers: I64
    codes: NDArray[np.int8]

    def of(self, numbers: I64) -> list[str | None]:
        """The side of each of ``numbers``, None where none was given here."""
        place = np.searchsorted(self.numbers, numbers)
        held = self.numbers.take(place, mode="clip") == numbers
        codes = np.where(held, self.codes.take(place, mode="clip"), -1)
        return [SPLITS[code] if code >= 0 else None for code in codes.tolist()]


def split_families(connection: sqlite3.Connection, fresh: I64, seed: int) -> Sides:
    """A side for each of ``fresh`` that has none.

    Only they and their direct relatives are read: a relative that has a side speaks for its
    family. Where families of different sides grow together none moves, and ``check_splits`` tells.
    """
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS sideless (id INTEGER PRIMARY KEY)")
    connection.execute("DELETE FROM sideless")
    connection.executemany("INSERT INTO sideless VALUES (?)", ((n,) for n in fresh.tolist()))
    pairs = connection.execute(
        "SELECT a, b FROM sideless CROSS JOIN twin ON twin.a = sideless.id WHERE +verdict <> 'apart'"
        " UNION ALL"
        " SELECT a, b FROM sideless CROSS JOIN twin ON twin.b = sideless.id WHERE +verdict <> 'apart'"
        " UNION ALL"
        " SELECT (SELECT min(id) FROM piece AS film WHERE film.sequence = piece.sequence), piece.id"
        " FROM sideless CROSS JOIN piece ON piece.id = sideless.id WHERE sequence IS NOT NULL"
    ).fetchall()
    edges = np.array(pairs, np.int64).reshape(-1, 2)
    numbers = np.union1d(fresh, edges.ravel())
    connection.executemany(
        "INSERT OR IGNORE INTO sideless VALUES (?)", ((n,) for n in numbers.tolist())
    )
    _, family, size = np.unique(components(numbers, edges), return_inverse=True, return_counts=True)
    drawn = np.full(len(size), -1, np.int8)  # of each family
    joined = "FROM sideless CROSS JOIN piece ON piece.id = sideless.id WHERE split"
    for number, split in connection.execute(f"SELECT piece.id, split {joined} NOTNULL"):
        of = family[np.searchsorted(numbers, number)]
        # Training data cannot be un-seen: it wins over a held-out side for new members.
        if drawn[of] != TRAIN:
            drawn[of] = SPLITS.index(split)
    codes = np.full(len(numbers), -1, np.int8)
    drawn[(drawn < 0) & (size > MAX_HELD_OUT)] = TRAIN
    # A family's oldest member comes first.
    rows = connection.execute(f"SELECT piece.id, hash {joined} IS NULL ORDER BY sideless.id")
    while part := rows.fetchmany(50_000):
        places = np.searchsorted(numbers, [number for number, _ in part]).tolist()
        for (_, name), place in zip(part, places, strict=True):
            of = family[place]
            if drawn[of] < 0:
                drawn[of] = SPLITS.index(draw_split(seed, name))
            codes[place] = drawn[of]
    return Sides(numbers, codes)


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
