"""Train, validation and test without leaks: whole families of twins go to one side.

A family is a connected component over *same* and *variant* pairs and over the frames of one
film. Its side is drawn from a hash of the seed and of its oldest member's content hash; once a
member has a side, later members follow it, so no piece ever moves as the corpus grows.
"""

import hashlib
import sqlite3

import numpy as np

from asciiloom.corpus.signatures import I64

VALIDATION_SHARE = 0.05
TEST_SHARE = 0.05
# A family this large would make a held-out split about itself.
MAX_HELD_OUT = 50


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


def assign_splits(connection: sqlite3.Connection, seed: int) -> dict[str, int]:
    """Give every piece without a side one; returns the pieces per split.

    Where families that had different sides grow together, the join stays in place piece by
    piece (none moves) and ``check_splits`` reports it.
    """
    rows = connection.execute("SELECT id, hash, split, sequence FROM piece ORDER BY id").fetchall()
    numbers = np.array([r[0] for r in rows], np.int64)
    pairs = connection.execute("SELECT a, b FROM twin").fetchall()
    first: dict[str, int] = {}
    for number, _, _, sequence in rows:
        if sequence is not None:
            pairs.append((first.setdefault(sequence, number), number))
    family = components(numbers, np.array(pairs, np.int64).reshape(-1, 2)).tolist()
    side: dict[int, str] = {}
    size: dict[int, int] = {}
    for (_, _, split, _), f in zip(rows, family, strict=True):
        size[f] = size.get(f, 0) + 1
        # Training data cannot be un-seen: it wins over a held-out side for new members.
        if split is not None and side.get(f) != "train":
            side[f] = split
    changes = []
    for (number, name, split, _), f in zip(rows, family, strict=True):
        if split is None:
            if f not in side:
                side[f] = "train" if size[f] > MAX_HELD_OUT else draw_split(seed, name)
            changes.append((side[f], number))
    connection.executemany("UPDATE piece SET split = ? WHERE id = ?", changes)
    return dict(connection.execute("SELECT split, count(*) FROM piece GROUP BY split"))


def check_splits(connection: sqlite3.Connection) -> list[tuple[int, int, str, str]]:
    """Leaks: (piece, piece, split, split) of every twin pair that straddles two splits."""
    return connection.execute(
        "SELECT a.id, b.id, a.split, b.split FROM twin"
        " JOIN piece AS a ON a.id = twin.a JOIN piece AS b ON b.id = twin.b"
        " WHERE a.split IS NOT b.split ORDER BY a.id, b.id"
    ).fetchall()
