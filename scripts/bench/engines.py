#!/usr/bin/env python3
"""Dedup on this machine and on Ray over Parquet shards, on the same planted pieces: the same result, how long.

Example: python scripts/bench/engines.py --count 100000
"""

import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from _common import options, report
from planted import planted

from asciiloom.corpus import Corpus
from asciiloom.piece import Piece
from asciiloom.store.shapes import index_shapes

QUESTIONS = (
    "SELECT a, b, verdict, evidence, agreement, contained, jaccard, ink FROM twin ORDER BY a, b",
    "SELECT id, cluster_id, canonical, split FROM piece ORDER BY id",
    "SELECT name, run, buckets FROM band ORDER BY name, run",
    "SELECT pieces, blocks, flat FROM signature ORDER BY id",
)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    told = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Corpus(folder / "local.db", create=True) as corpus:
            corpus.add(Piece(p.text, locator=str(k)) for k, p in enumerate(planted(told.count, 3)))
            index_shapes(corpus.connection)
            corpus.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(folder / "local.db", folder / "ray.db")
        answers = []
        for engine in ("local", "ray"):
            with Corpus(folder / f"{engine}.db") as corpus:
                start = time.perf_counter()
                found = corpus.dedup(engine=engine)
                seconds = round(time.perf_counter() - start, 1)
                print(found)
                answers.append([corpus.connection.execute(q).fetchall() for q in QUESTIONS])
            rows.append((engine, told.count, found.candidates, found.clusters, seconds))
    same = answers[0] == answers[1]
    rows.append((f"identical signatures, pairs, clusters and splits: {same}", 0, 0, 0, 0.0))
    report("engines", ("engine", "pieces", "candidates", "clusters", "seconds"), rows)
    if not same:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
