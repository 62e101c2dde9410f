"""How much of what is held out was seen in training, estimated without dedup's own verdicts.

Some test and validation pieces are drawn, and each is held against every training piece by another
measure than dedup's: edit distance of the text, cell by cell. No signature, band, box or alignment has a
say, so what they all miss is found. Nothing is left to chance but the draw, hence the interval.

Source: Wilson, "Probable inference, the law of succession, and statistical inference" (1927);
Ukkonen, "Algorithms for approximate string matching" (1985).
"""

import math
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from asciiloom.jit import njit
from asciiloom.similarity.arrays import F64, I64, U16, U32, spans
from asciiloom.similarity.grids import entropy
from asciiloom.similarity.thresholds import LETTERING_BITS

# Pieces that are drawn; with none found the rate is below 1 % with them.
SAMPLE = 400
# As near as this is a leak: fewer edits than 3 in 10 cells of ink. Below the other nothing is told apart.
LEAK = 0.70
NEAR = 0.60
# Letters of a font, fills, and all that says fewer bits (ink times bits a glyph), are alike without being
# copies: they are counted apart.
TELLING_BITS = 150.0
# A text is compared by its beginning: a distance takes the square of this.
MAX_CHARS = 4_000
_READ_AT_ONCE = 20_000
_COUNTERS = 64
_CONFIDENCE = 1.96  # of 95 %

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The training piece nearest to a held-out one: 1 - edits / ink of the larger; dedup's verdict, if any;
    and whether the held-out one says enough to tell a copy from a likeness."""

    held_out: int
    split: str
    train: int
    similarity: float
    verdict: str | None
    telling: bool


@dataclass(frozen=True, slots=True)
class LeakEstimate:
    """``leaked`` of ``sampled`` telling pieces, 95 % limits of the rate, and the same counts of what says little.

    ``neighbours`` are those of ``NEAR`` and nearer: of telling pieces first, the nearest first.
    """

    sampled: int
    train: int
    leaked: int
    rate: float
    low: float
    high: float
    plain_sampled: int
    plain_leaked: int
    neighbours: tuple[Neighbour, ...]


def wilson(found: int, of: int) -> tuple[float, float]:
    """95 % limits of a rate of which ``found`` in ``of`` was seen."""
    if not of:
        return 0.0, 1.0
    z, share = _CONFIDENCE**2 / of, found / of
    middle = share + z / 2
    reach = math.sqrt(z * share * (1 - share) + z * z / 4)
    low, high = (middle - reach) / (1 + z), (middle + reach) / (1 + z)
    return min(share, max(0.0, low)), max(share, min(1.0, high))  # as rounded as they are


@dataclass(frozen=True, slots=True)
class _Texts:
    """Texts end to end: piece ``ids[k]`` is ``codes[first[k]:first[k + 1]]``; glyphs counted modulo 64."""

    ids: I64
    codes: U32
    first: I64
    ink: I64
    counts: U16


def _packed(rows: Sequence[tuple[int, str]]) -> _Texts:
    ids = np.array([number for number, _ in rows], np.int64)
    parts = [np.frombuffer(text[:MAX_CHARS].encode("utf-32-le"), "<u4") for _, text in rows]
    first = np.cumsum([0, *map(len, parts)])
    codes = np.concatenate([np.empty(0, np.uint32), *parts]).astype(np.uint32)
    ink = np.zeros(len(ids), np.int64)
    counts = np.zeros((len(ids), _COUNTERS), np.uint16)
    _count(codes, first, ink, counts)
    return _Texts(ids, codes, first, ink, counts)


@njit
def _count(codes: U32, first: I64, ink: I64, counts: U16) -> None:
    for k in range(len(ink)):
        for code in codes[first[k] : first[k + 1]]:
            if code > 32:
                ink[k] += 1
                counts[k, (code ^ (code >> 6)) & 63] += 1


@njit
def _distance(one: U32, two: U32, most: int, line: I64) -> int:
    """Edits (cells put in, left out or exchanged) from one text to the other; ``most`` + 1 where they are more.

    Only the cells of the table within ``most`` of its diagonal can matter.
    """
    n, m = len(one), len(two)
    if abs(n - m) > most:
        return most + 1
    for j in range(min(m, most) + 1):
        line[j] = j
    for i in range(1, n + 1):
        low, high = max(1, i - most), min(m, i + most)
        corner = line[low - 1]
        line[low - 1] = i if low == 1 else most + 1
        least = line[low - 1]
        for j in range(low, high + 1):
            above = line[j] if j < i + most else most + 1
            step = corner + (one[i - 1] != two[j - 1])
            corner = line[j]
            line[j] = min(step, min(above, line[j - 1]) + 1)
            least = min(least, line[j])
        if least > most:
            return most + 1
    return int(min(line[m], most + 1))


@njit
def _nearest(
    codes: U32, first: I64, ink: I64, counts: U16,
    train_codes: U32, train_first: I64, train_ink: I64, train_counts: U16,
    floor: float, similarity: F64, where: I64,
) -> None:  # fmt: skip
    """Raise each piece's ``similarity`` to that of the nearest training piece, and put down ``where`` it is.

    Ink in one text and not in the other is an edit each: so most pairs are ruled out by their counts.
    """
    line = np.empty(MAX_CHARS + 1, np.int64)
    for k in range(len(ink)):
        own = codes[first[k] : first[k + 1]]
        for t in range(len(train_ink)):
            large = max(1, max(ink[k], train_ink[t]))
            best = max(similarity[k], floor)
            if min(ink[k], train_ink[t]) <= best * large:
                continue
            common = 0
            for c in range(counts.shape[1]):
                common += min(counts[k, c], train_counts[t, c])
            if common <= best * large:
                continue
            most = int((1 - best) * large)
            edits = _distance(own, train_codes[train_first[t] : train_first[t + 1]], most, line)
            if edits <= most and 1 - edits / large > similarity[k]:
                similarity[k] = 1 - edits / large
                where[k] = t


def _read(connection: sqlite3.Connection, ids: Sequence[int]) -> Iterator[tuple[int, str]]:
    for number in ids:
        row = connection.execute("SELECT text FROM piece WHERE id = ?", (number,)).fetchone()
        yield number, row[0]


def estimate_leak(
    connection: sqlite3.Connection,
    sample: int = SAMPLE,
    seed: int = 0,
    progress: Progress | None = None,
) -> LeakEstimate:
    """The share of test and validation pieces with a near copy in train, by ``sample`` of them.

    An exact search: the time grows with ``sample`` times the training pieces, some 3 ms a piece against
    33,000. Images in a mirror are not looked for.
    """
    held_out = dict(
        connection.execute(
            "SELECT id, split FROM piece WHERE split IN ('validation', 'test') ORDER BY id"
        ).fetchall()
    )
    drawn = sorted(Random(seed).sample(sorted(held_out), min(sample, len(held_out))))
    own = _packed(list(_read(connection, drawn)))
    similarity = np.zeros(len(own.ids))
    nearest = np.zeros(len(own.ids), np.int64)
    train = np.fromiter(
        (
            n
            for (n,) in connection.execute("SELECT id FROM piece WHERE split = 'train' ORDER BY id")
        ),
        np.int64,
    )
    for span in spans(len(train), _READ_AT_ONCE):
        ids = train[span]
        rows = connection.execute(
            "SELECT id, text FROM piece WHERE id BETWEEN ? AND ? AND split = 'train' ORDER BY id",
            (int(ids[0]), int(ids[-1])),
        ).fetchall()
        them = _packed(rows)
        where = np.full(len(own.ids), -1, np.int64)
        _nearest(
            own.codes, own.first, own.ink, own.counts,
            them.codes, them.first, them.ink, them.counts, NEAR, similarity, where,
        )  # fmt: skip
        nearest[where >= 0] = them.ids[where[where >= 0]]
        if progress:
            progress(min(span.stop, len(train)), len(train))
    bits = entropy(own.ink, own.counts)
    telling = (own.ink * bits >= TELLING_BITS) & (bits >= LETTERING_BITS)
    columns = (own.ids, nearest, similarity.round(4), telling)
    found = [
        Neighbour(a, held_out[a], b, near, _verdict(connection, a, b), tells)
        for a, b, near, tells in zip(*(column.tolist() for column in columns), strict=True)
        if near
    ]
    sampled = int(telling.sum())
    leaked, plain_leaked = (
        sum(one.similarity >= LEAK for one in found if one.telling == kind)
        for kind in (True, False)
    )
    low, high = wilson(leaked, sampled)
    return LeakEstimate(
        sampled, len(train), leaked, leaked / max(1, sampled), low, high,
        len(drawn) - sampled, plain_leaked,
        tuple(sorted(found, key=lambda one: (not one.telling, -one.similarity, one.held_out))),
    )  # fmt: skip


def _verdict(connection: sqlite3.Connection, one: int, two: int) -> str | None:
    row = connection.execute(
        "SELECT verdict FROM twin WHERE a = ? AND b = ?", (min(one, two), max(one, two))
    ).fetchone()
    return str(row[0]) if row else None
