"""Ingest and near-twin speed on synthetic pieces, beside the bare sqlite3 floor on the same text.

The floor writes the same texts, titles and tags with ``executemany`` and rebuilds a word index: no
canonical form, measures, hashes, provenance or shape index.

Usage: python scripts/bench/ingest.py [--count 20000]
"""

import json
import sqlite3
import tempfile
import time
from pathlib import Path

from _common import options, report

from asciiloom.corpus import Corpus
from asciiloom.readers import synth


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    count = parser.parse_args().count
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "in.jsonl"
        pieces = list(synth.generate(count))
        path.write_text(
            "".join(
                json.dumps({"text": p.text, "title": p.title, "tags": p.tags, "source": "s"}) + "\n"
                for p in pieces
            )
        )
        start = time.perf_counter()
        db = sqlite3.connect(Path(folder) / "floor.db")
        db.execute("CREATE TABLE piece (id INTEGER PRIMARY KEY, text TEXT, title TEXT, tags TEXT)")
        db.execute(
            "CREATE VIRTUAL TABLE f USING fts5(title, tags, content='piece', content_rowid='id')"
        )
        loaded = map(json.loads, path.open())
        db.executemany(
            "INSERT INTO piece (text, title, tags) VALUES (?, ?, ?)",
            ((r["text"], r["title"], json.dumps(r["tags"])) for r in loaded),
        )
        db.execute("INSERT INTO f (f) VALUES ('rebuild')")
        db.commit()
        floor = count / (time.perf_counter() - start)
        rows.append(("sqlite3 executemany + word index", round(floor), 1.0))
        with Corpus(Path(folder) / "a.db", create=True) as corpus:
            start = time.perf_counter()
            assert corpus.ingest([path]).row()["new"] == count
            rate = count / (time.perf_counter() - start)
            rows.append(("asciiloom ingest", round(rate), rate / floor))
            corpus.dedup()  # compiles on a fresh machine
        with Corpus(Path(folder) / "b.db", create=True) as corpus:
            corpus.ingest([path])
            start = time.perf_counter()
            corpus.dedup()
            rate = count / (time.perf_counter() - start)
            rows.append(
                ("asciiloom dedup (sign, verify, cluster, split)", round(rate), rate / floor)
            )
    report("ingest", ("job", "pieces/s", "x floor"), rows)


if __name__ == "__main__":
    main()
