"""Near-twins: candidates from hashes and LSH, verified on the grid, clustered, one canonical each.

Three tiers. (1) Equal content never gets a second row. (2) Equal content without whitespace and
credits, also in the mirror. (3) A shared MinHash band. Tiers 2 and 3 only propose; the grid
decides. A *same* pair shares a cluster; a *variant* (a crop, a redraw) is kept as its own piece
but must stay in the same split.

Pieces signed before keep their signatures, and a pair is verified only when one side is new.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from asciiloom.corpus.signatures import (
    I64,
    MIN_GLYPHS,
    VERSION,
    GridBatch,
    band_buckets,
    sign,
)
from asciiloom.corpus.splits import assign_splits, components
from asciiloom.corpus.verify import verify_pairs
from asciiloom.corpus.writer import transaction
from asciiloom.piece import CreditSpan, blank_credits, mirror_text

# The lines were drawn by looking at pairs on either side of them.
SAME = 0.80
SAME_CONTAINED = 0.95  # the smaller one lies whole in the larger ...
CONTAINED_UNION = 0.60  # ... which is not much more than it
VARIANT = 0.50
VARIANT_CONTAINED = 0.90
# Words set in a font differ by a letter, so by few cells: a banner must agree almost everywhere.
SAME_BANNER = 0.95
# Few ink cells agree by chance; tiny pieces must agree almost everywhere.
TINY_INK = 24
SAME_TINY = 0.95
# A bucket that hundreds share is a common stroke, not a picture: neighbours by size only.
BUCKET_NEIGHBOURS = 24
MAX_CHARS = 200_000
SIGN_BATCH = 4000
VERIFY_BATCH = 20_000

Flags = NDArray[np.bool_]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class DedupReport:
    """What a run did: pieces, newly signed ones, candidate and verified pairs, clusters, seconds."""

    pieces: int
    signed: int
    candidates: int
    same_pairs: int
    variant_pairs: int
    clusters: int
    twins: int
    largest_cluster: int
    canonical: int
    splits: dict[str, int]
    seconds: dict[str, float]

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Candidates:
    left: I64  # piece ids, left < right
    right: I64
    evidence: list[str]


def dedup(
    connection: sqlite3.Connection, *, seed: int = 0, progress: Progress | None = None
) -> DedupReport:
    """Find near-twins among all pieces, write pairs, clusters, canonical marks and splits."""
    seconds: dict[str, float] = {}
    clock = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal clock
        now = time.perf_counter()
        seconds[name] = round(now - clock, 3)
        clock = now

    fresh = _sign_missing(connection, progress)
    lap("sign")
    candidates = _candidates(connection, fresh)
    lap("candidates")
    pairs = _verify(connection, candidates, progress)
    with transaction(connection):
        connection.executemany(
            "INSERT OR IGNORE INTO twin (a, b, verdict, evidence, agreement, jaccard)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            pairs,
        )
    lap("verify")
    with transaction(connection):
        largest = _cluster(connection)
        splits = assign_splits(connection, seed)
    lap("cluster")
    one = connection.execute(
        "SELECT count(*), coalesce(sum(canonical), 0), count(DISTINCT cluster_id) FROM piece"
    ).fetchone()
    verdicts = dict(connection.execute("SELECT verdict, count(*) FROM twin GROUP BY verdict"))
    return DedupReport(
        pieces=one[0],
        signed=len(fresh),
        candidates=len(candidates.left),
        same_pairs=verdicts.get("same", 0),
        variant_pairs=verdicts.get("variant", 0),
        clusters=one[2],
        twins=one[0] - one[1],
        largest_cluster=largest,
        canonical=one[1],
        splits=splits,
        seconds=seconds,
    )


def _credits(connection: sqlite3.Connection, low: int, high: int) -> dict[int, list[CreditSpan]]:
    out: dict[int, list[CreditSpan]] = {}
    rows = connection.execute(
        "SELECT piece_id, row, col, length, text, artist FROM credit WHERE piece_id BETWEEN ? AND ?",
        (low, high),
    )
    for piece, *span in rows:
        out.setdefault(piece, []).append(CreditSpan(*span))
    return out


def _sign_missing(connection: sqlite3.Connection, progress: Progress | None) -> I64:
    """Sign every piece without a current signature, batch by batch; returns their ids."""
    connection.execute("DELETE FROM band WHERE piece_id NOT IN (SELECT id FROM piece)")
    missing = "FROM piece LEFT JOIN signature AS s ON s.piece_id = piece.id AND s.version = ?"
    ids = np.array(
        [
            r[0]
            for r in connection.execute(
                f"SELECT piece.id {missing} WHERE s.piece_id IS NULL ORDER BY piece.id", (VERSION,)
            )
        ],
        np.int64,
    )
    for start in range(0, len(ids), SIGN_BATCH):
        part = ids[start : start + SIGN_BATCH]
        low, high = int(part[0]), int(part[-1])
        wanted = set(part.tolist())
        rows = [
            r
            for r in connection.execute(
                "SELECT id, text, glyphs, chars FROM piece WHERE id BETWEEN ? AND ?", (low, high)
            )
            if r[0] in wanted
        ]
        signed_by = _credits(connection, low, high)
        usable = [r for r in rows if r[2] >= MIN_GLYPHS and r[3] <= MAX_CHARS]
        batch = GridBatch.from_texts(
            [blank_credits(r[1], tuple(signed_by.get(r[0], ()))) for r in usable]
        )
        numbers = np.array([r[0] for r in usable], np.int64)
        signed = {kind: sign(batch, kind) for kind in (False, True)}
        _write_signatures(connection, rows, numbers, signed)
        if progress:
            progress("signing", min(start + SIGN_BATCH, len(ids)), len(ids))
    return ids


def _write_signatures(
    connection: sqlite3.Connection,
    rows: Sequence[tuple[int, str, int, int]],
    numbers: I64,
    signed: dict[bool, np.ndarray[tuple[int, int], np.dtype[np.uint32]]],
) -> None:
    at = {int(n): k for k, n in enumerate(numbers)}
    empty = np.uint32(0xFFFFFFFF)
    bands: list[np.ndarray[tuple[int, int], np.dtype[np.int64]]] = []
    for flat, values in signed.items():
        has = ~(values == empty).all(axis=1)
        buckets = band_buckets(values[has], flat)
        owners = np.repeat(numbers[has], buckets.shape[1])
        bands.append(np.stack([buckets.ravel(), owners], axis=1))

    def blob(number: int, flat: bool) -> bytes | None:
        k = at.get(number)
        if k is None or (signed[flat][k] == empty).all():
            return None
        return bytes(signed[flat][k].astype("<u4"))

    both = np.concatenate(bands)
    both = both[np.argsort(both[:, 0], kind="stable")]  # sorted inserts keep the tree's pages hot
    with transaction(connection):
        connection.executemany(
            "INSERT OR REPLACE INTO signature (piece_id, version, blocks, flat) VALUES (?, ?, ?, ?)",
            [(r[0], VERSION, blob(r[0], False), blob(r[0], True)) for r in rows],
        )
        connection.executemany(
            "INSERT OR IGNORE INTO band (bucket, piece_id) VALUES (?, ?)", both.tolist()
        )


def _candidates(connection: sqlite3.Connection, fresh: I64) -> _Candidates:
    """Pairs of piece ids with at least one fresh side that share a hash or a bucket."""
    none = np.empty(0, np.int64)
    if not len(fresh):
        return _Candidates(none, none, [])
    found: dict[tuple[int, int], str] = {}
    is_fresh = set(fresh.tolist())
    for column, name in (("mirror_hash", "mirror"), ("bare_hash", "bare")):
        groups = connection.execute(
            f"SELECT json_group_array(id) FROM piece GROUP BY {column} HAVING count(*) > 1"
        )
        for (members,) in groups:
            _pair_up(sorted(json.loads(members)), is_fresh, name, found)
    rows = np.array(
        connection.execute(
            "SELECT bucket, piece_id FROM band WHERE bucket IN"
            " (SELECT bucket FROM band GROUP BY bucket HAVING count(*) > 1) ORDER BY bucket"
        ).fetchall(),
        np.int64,
    ).reshape(-1, 2)
    if len(rows):
        size = dict(connection.execute("SELECT id, ink FROM piece"))
        ink = np.array([size.get(int(i), 0) for i in rows[:, 1]], np.int64)
        order = np.lexsort((rows[:, 1], ink, rows[:, 0]))
        bucket, piece, ink = rows[order, 0], rows[order, 1], ink[order]
        fresh_flag = np.isin(piece, fresh)
        keys: list[I64] = []
        for step in range(1, BUCKET_NEIGHBOURS + 1):
            # Sorted by ink inside a bucket: a piece of twice the ink cannot be the same picture.
            near = (bucket[:-step] == bucket[step:]) & (ink[step:] <= 2.5 * ink[:-step])
            near &= fresh_flag[:-step] | fresh_flag[step:]
            low = np.minimum(piece[:-step], piece[step:])[near]
            high = np.maximum(piece[:-step], piece[step:])[near]
            keys.append(np.unique(low << 32 | high))
        for key in np.unique(np.concatenate(keys)).tolist():
            pair = (key >> 32, key & 0xFFFFFFFF)
            if pair[0] != pair[1]:
                found.setdefault(pair, "minhash")
    known = {(a, b) for a, b in connection.execute("SELECT a, b FROM twin")}
    ordered = sorted(pair for pair in found if pair not in known)
    array = np.array(ordered, np.int64).reshape(-1, 2)
    return _Candidates(array[:, 0], array[:, 1], [found[p] for p in ordered])


def _pair_up(
    members: list[int], fresh: set[int], name: str, found: dict[tuple[int, int], str]
) -> None:
    """Each member with the first and with its next neighbours (all pairs of a small group)."""
    for i, a in enumerate(members):
        for b in members[i + 1 : i + 1 + BUCKET_NEIGHBOURS]:
            if a in fresh or b in fresh:
                found[a, b] = name


def _verify(
    connection: sqlite3.Connection, candidates: _Candidates, progress: Progress | None
) -> list[tuple[int, int, str, str, float, float]]:
    """Judge the candidates on the grid; the pairs that are twins, as rows of ``twin``."""
    out: list[tuple[int, int, str, str, float, float]] = []
    total = len(candidates.left)
    for start in range(0, total, VERIFY_BATCH):
        left = candidates.left[start : start + VERIFY_BATCH]
        right = candidates.right[start : start + VERIFY_BATCH]
        evidence = candidates.evidence[start : start + VERIFY_BATCH]
        numbers = np.unique(np.concatenate([left, right]))
        texts, banners = _texts(connection, numbers)
        mirrors = [k for k, e in enumerate(evidence) if e == "mirror"]
        # A mirror pair is compared with the second piece seen in the mirror.
        extra = [mirror_text(texts[int(np.searchsorted(numbers, right[k]))]) for k in mirrors]
        batch = GridBatch.from_texts([*texts, *extra])
        ink = np.array(
            [
                int((batch.cells[s : s + h * w] > 32).sum())
                for s, h, w in zip(batch.start, batch.height, batch.width, strict=True)
            ],
            np.int64,
        )
        a = np.searchsorted(numbers, left)
        right_at = np.searchsorted(numbers, right)
        b = right_at.copy()
        b[mirrors] = len(numbers) + np.arange(len(mirrors))
        scores = verify_pairs(batch, ink, a, b)
        banner = banners[a] & banners[right_at]
        for k, (agreement, contained, jaccard) in enumerate(scores.tolist()):
            small = int(min(ink[a[k]], ink[b[k]]))
            if verdict := judge(agreement, contained, small, bool(banner[k])):
                pair = (int(left[k]), int(right[k]))
                out.append((*pair, verdict, evidence[k], round(agreement, 4), round(jaccard, 4)))
        if progress:
            progress("verifying", min(start + VERIFY_BATCH, total), total)
    return out


def judge(agreement: float, contained: float, small_ink: int, banners: bool = False) -> str | None:
    """``same``, ``variant`` or None for a pair's agreement, containment and smaller ink count."""
    if small_ink < TINY_INK:
        return "same" if agreement >= SAME_TINY else None
    contained_same = contained >= SAME_CONTAINED and agreement >= CONTAINED_UNION
    if agreement >= SAME_BANNER or (not banners and (agreement >= SAME or contained_same)):
        return "same"
    if agreement >= VARIANT or (contained >= VARIANT_CONTAINED and agreement >= VARIANT / 2):
        return "variant"
    return None


def _texts(connection: sqlite3.Connection, numbers: I64) -> tuple[list[str], Flags]:
    """Texts of the ids ``numbers`` (ascending), credits blanked, huge ones cut; and which are banners."""
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS wanted (id INTEGER PRIMARY KEY)")
    connection.execute("DELETE FROM wanted")
    connection.executemany("INSERT INTO wanted VALUES (?)", ((int(n),) for n in numbers))
    spans: dict[int, list[CreditSpan]] = {}
    for piece, *span in connection.execute(
        "SELECT piece_id, row, col, length, text, artist FROM credit"
        " WHERE piece_id IN (SELECT id FROM wanted)"
    ):
        spans.setdefault(piece, []).append(CreditSpan(*span))
    rows = connection.execute(
        "SELECT id, text, kind = 'banner' FROM piece WHERE id IN (SELECT id FROM wanted) ORDER BY id"
    ).fetchall()
    texts = [blank_credits(r[1], tuple(spans.get(r[0], ())))[:MAX_CHARS] for r in rows]
    return texts, np.array([r[2] for r in rows], bool)


def _cluster(connection: sqlite3.Connection) -> int:
    """Write cluster ids and canonical marks; returns the size of the largest cluster.

    Canonical: a credited piece before an uncredited one, then the one with more ink, then the
    one that was ingested first.
    """
    rows = connection.execute(
        "SELECT id, artist IS NOT NULL, ink FROM piece ORDER BY id"
    ).fetchall()
    numbers = np.array([r[0] for r in rows], np.int64)
    pairs = np.array(
        connection.execute("SELECT a, b FROM twin WHERE verdict = 'same'").fetchall(), np.int64
    ).reshape(-1, 2)
    label = components(numbers, pairs)
    best: dict[int, tuple[bool, int, int]] = {}
    size: dict[int, int] = {}
    for (number, credited, ink), cluster in zip(rows, label.tolist(), strict=True):
        size[cluster] = size.get(cluster, 0) + 1
        best[cluster] = max(best.get(cluster, (False, -1, 0)), (bool(credited), ink, -number))
    connection.execute(
        "CREATE TEMP TABLE IF NOT EXISTS marked (id INTEGER PRIMARY KEY, cluster_id INTEGER, canonical INTEGER)"
    )
    connection.execute("DELETE FROM marked")
    connection.executemany(
        "INSERT INTO marked VALUES (?, ?, ?)",
        (
            (r[0], cluster, int(best[cluster][2] == -r[0]))
            for r, cluster in zip(rows, label.tolist(), strict=True)
        ),
    )
    connection.execute(
        "UPDATE piece SET cluster_id = m.cluster_id, canonical = m.canonical FROM marked AS m"
        " WHERE m.id = piece.id AND (piece.cluster_id IS NOT m.cluster_id"
        " OR piece.canonical IS NOT m.canonical)"
    )
    return max(size.values(), default=0)
