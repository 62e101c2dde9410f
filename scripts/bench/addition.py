#!/usr/bin/env python3
"""How long a dedup takes after more pieces came to a large corpus: on a copy of one made by
``twins.py --count 1000000 --keep planted.db``, several times over, each time on a fresh copy.

The pieces are the next of the same planted series, so some are twins of old ones. The floor is the part
that any method has: the new pieces signed, and every stored bucket read once.

Example: python scripts/bench/addition.py planted.db --count 10000 --repeats 3
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from _common import options, report
from planted import planted

from asciiloom.corpus import Corpus
from asciiloom.piece import Piece
from asciiloom.similarity.columns import BY_PIECE
from asciiloom.store.shapes import index_shapes
from asciiloom.twins.signature_store import SignatureStore


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("db", type=Path)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=3)
    told = parser.parse_args()
    totals, floors = [], []
    stages: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(dir=told.db.parent) as name:
        with Corpus(Path(name) / "warm.db", create=True) as corpus:
            corpus.add(Piece(p.text, locator=str(k)) for k, p in enumerate(planted(3000, 1)))
            corpus.dedup()  # compiles on a fresh machine, and loads what was compiled
        with Corpus(told.db) as corpus:
            old = corpus.count()
        texts = [p.text for p in islice(planted(old + told.count, told.seed), old, None)]
        for _ in range(told.repeats):
            path = Path(name) / "copy.db"
            shutil.copy(told.db, path)
            with Corpus(path) as corpus:
                corpus.add(
                    Piece(text, source="more", locator=str(k)) for k, text in enumerate(texts)
                )
                index_shapes(corpus.connection)
                corpus.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                os.sync()
                start = time.perf_counter()
                done = corpus.dedup()
                totals.append(time.perf_counter() - start)
                for stage, seconds in done.seconds.items():
                    stages.setdefault(stage, []).append(seconds)
                start = time.perf_counter()
                signatures = SignatureStore(corpus.connection)
                for column in BY_PIECE:
                    signatures.column(column)
                floors.append(time.perf_counter() - start + done.seconds["sign"])
            path.unlink()
    total = statistics.median(totals)
    floor = statistics.median(floors)
    rows = [
        (f"dedup of {told.count:,} more on {old:,}", round(total, 2), round(total / floor, 2)),
        ("floor: new ones signed, buckets read", round(floor, 2), 1.0),
        *(
            (f"... {stage}", round(statistics.median(s), 2), round(statistics.median(s) / floor, 2))
            for stage, s in stages.items()
        ),
    ]
    report("addition", ("job", "seconds", "x floor"), rows)


if __name__ == "__main__":
    main()
