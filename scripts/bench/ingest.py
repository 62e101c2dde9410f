#!/usr/bin/env python3
"""Ingest and near-twin speed on made pieces (median about 400 characters), beside the bare sqlite3 floor.

The floor writes the same texts, titles and tags with ``executemany`` and builds a word index: no
canonical form, measures, hashes, credits, provenance or shape index. Ingest runs in one process and
in one a core; near-twins are found among the first 20,000 synthetic pieces.

Example: python scripts/bench/ingest.py --count 100000
"""

import json
import random
import resource
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from _common import options, report

from asciiloom.corpus import Corpus
from asciiloom.readers import synth

TWINS = 20_000


def write_pieces(path: Path, count: int) -> None:
    """JSON lines of ``count`` distinct pieces: synthetic ones stacked, each with its number."""
    base = list(synth.generate(min(count, 6000), seed=3))
    rng = random.Random(1)
    with path.open("w") as stream:
        for number in range(count):
            first = rng.choice(base)
            text = first.text
            while len(text) < rng.choice((150, 300, 400, 500, 800)):
                text += "\n" + rng.choice(base).text
            row = {"text": f"{text}\n{number:x}", "title": first.title, "tags": first.tags}
            stream.write(json.dumps({**row, "source": "made", "license": "CC0-1.0"}) + "\n")


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    told = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "in.jsonl"
        write_pieces(path, told.count)
        start = time.perf_counter()
        db = sqlite3.connect(Path(folder) / "floor.db")
        db.execute("CREATE TABLE piece (id INTEGER PRIMARY KEY, text TEXT, title TEXT, tags TEXT)")
        db.execute(
            "CREATE VIRTUAL TABLE f USING fts5(title, tags, content='piece', content_rowid='id')"
        )
        with path.open() as stream:
            db.executemany(
                "INSERT INTO piece (text, title, tags) VALUES (?, ?, ?)",
                ((r["text"], r["title"], json.dumps(r["tags"])) for r in map(json.loads, stream)),
            )
        db.execute("INSERT INTO f (f) VALUES ('rebuild')")
        db.commit()
        db.close()
        floor = told.count / (time.perf_counter() - start)
        rows.append(("sqlite3 executemany + word index", told.count, round(floor), 1.0))
        for workers in (1, told.workers):
            with Corpus(Path(folder) / f"{workers}.db", create=True) as corpus:
                start = time.perf_counter()
                assert corpus.ingest([path], workers=workers).row()["new"] == told.count
                rate = told.count / (time.perf_counter() - start)
            rows.append(
                (f"asciiloom ingest, {workers} processes", told.count, round(rate), rate / floor)
            )
        with Corpus(Path(folder) / "twins.db", create=True) as corpus:
            corpus.add(synth.generate(500, seed=9))
            corpus.dedup()  # compiles on a fresh machine
        with Corpus(Path(folder) / "twins2.db", create=True) as corpus:
            corpus.add(synth.generate(TWINS))
            start = time.perf_counter()
            corpus.dedup()
            rate = TWINS / (time.perf_counter() - start)
            rows.append(
                ("asciiloom dedup (sign, verify, cluster, split)", TWINS, round(rate), rate / floor)
            )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    rows.append((f"peak memory of the writing process: {peak} MB", 0, 0, 0.0))
    report("ingest", ("job", "pieces", "pieces/s", "x floor"), rows)


if __name__ == "__main__":
    main()
