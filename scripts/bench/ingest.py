#!/usr/bin/env python3
"""Ingest of made pieces (median about 400 characters, 4 to 7 tags) from JSONL, beside two floors and a peer.

The floor writes the same texts, titles and tags with bare ``executemany`` and builds a word index: no
canonical form, measures, hashes, credits or provenance. The peer is ``sqlite-utils insert --nl`` and
``enable-fts`` on rows that carry the same columns, computed before. The index of shapes, which ingest
leaves for later after a large load, is timed on its own. With --kills an ingest is killed at random
moments and run again. The second run of the peer writes all that an ingest writes: pieces without
exact copies, tags and origins with the same keys and indexes, and a word index that is kept up to date.
"CPU s" is the time of all processes together: what a job costs on a machine that others use, too.

Example: python scripts/bench/ingest.py --count 1000000 --kills 20
"""

import json
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from _common import cpu_seconds, options, report

from asciiloom import synth
from asciiloom.corpus import Corpus
from asciiloom.store.shapes import index_shapes


def write_pieces(path: Path, count: int) -> None:
    """JSON lines of ``count`` distinct pieces: synthetic ones stacked, each with its number and 4 to 7 tags."""
    base = list(synth.generate(min(count, 6000), seed=3))
    words = sorted({tag for piece in base for tag in piece.tags})
    rng = random.Random(1)
    with path.open("w") as stream:
        for number in range(count):
            first = rng.choice(base)
            text = first.text
            while len(text) < rng.choice((150, 300, 400, 500, 800)):
                text += "\n" + rng.choice(base).text
            tags = {*first.tags, *rng.sample(words, 7)}
            tags = sorted(tags, key=lambda tag: (tag not in first.tags, tag))[: rng.randrange(4, 8)]
            row = {"text": f"{text}\n{number:x}", "title": first.title, "tags": tags}
            stream.write(json.dumps({**row, "source": "made", "license": "CC0-1.0"}) + "\n")


def floor(folder: Path, path: Path) -> None:
    """Bare SQLite: three columns, one word index."""
    db = sqlite3.connect(folder / "floor.db")
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


def _sqlite_utils(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "sqlite_utils", *arguments], check=True)


def peer(folder: Path, rows: Path) -> None:
    """sqlite-utils on rows that have every column already."""
    db = str(folder / "peer.db")
    _sqlite_utils("insert", db, "piece", str(rows), "--nl", "--pk", "id")
    _sqlite_utils("enable-fts", db, "piece", "title", "tags")


def peer_whole(folder: Path, rows: Path) -> None:
    """The same tables with the same keys: pieces without exact copies, tags, places; words kept up to date."""
    db = str(folder / "whole.db")
    _sqlite_utils("insert", db, "piece", str(rows), "--nl", "--pk", "hash", "--ignore")
    for columns in (("id",), ("width", "height"), ("source_id",)):
        _sqlite_utils("create-index", db, "piece", *columns)
    _sqlite_utils("enable-fts", db, "piece", "title", "tags", "--create-triggers")
    for name, keys in (("tag", ("piece_id", "name")), ("origin", ("id",))):
        table = str(rows.with_suffix(f".{name}"))
        _sqlite_utils("insert", db, name, table, "--nl", *(x for k in keys for x in ("--pk", k)))
    _sqlite_utils("create-index", db, "tag", "name", "piece_id")
    _sqlite_utils(
        "create-index", db, "origin", "piece_id", "source_id", "path", "locator", "--unique"
    )


def computed_rows(corpus: Corpus, path: Path) -> None:
    """The corpus's own columns as JSON lines: pieces, and beside them tags and origins."""
    columns = (
        "id, hash, bare_hash, mirror_hash, text, title, description, artist, tags, kind, charset,"
        " is_grid, width, height, chars, ink, glyphs, quality, source_id, licence"
    )
    for file, table, wanted in (
        (path, "piece", columns),
        (path.with_suffix(".tag"), "tag", "*"),
        (path.with_suffix(".origin"), "origin", "*"),
    ):
        cursor = corpus.connection.execute(f"SELECT {wanted} FROM {table}")
        names = [c[0] for c in cursor.description]
        with file.open("w") as stream:
            for row in cursor:
                stream.write(json.dumps(dict(zip(names, row, strict=True))) + "\n")


def killed(folder: Path, path: Path, count: int, kills: int, seconds: float) -> str:
    """Kill an ingest at random moments, each time run on; what is wrong at the end, or "sound"."""
    db = folder / "killed.db"
    rng = random.Random(5)
    for _ in range(kills):
        command = [sys.executable, "-m", "asciiloom", "ingest", str(db), str(path), "-q"]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            process.wait(rng.uniform(1, max(2, seconds)))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        if db.exists():
            with Corpus(db) as corpus:
                checks = corpus.connection.execute("PRAGMA quick_check").fetchall()
                if checks != [("ok",)]:
                    return f"broken: {checks[:3]}"
                row = corpus.connection.execute(
                    "SELECT (SELECT count(*) FROM piece), (SELECT count(*) FROM origin),"
                    " (SELECT sum(new) FROM ingest)"
                ).fetchone()
                if not row[0] == row[1] == (row[2] or 0):
                    return f"pieces, origins and the log differ: {row}"
    with Corpus(db, create=True) as corpus:
        corpus.ingest([path], workers=2)
        index_shapes(corpus.connection)
        rows = corpus.count()
        corpus.connection.execute("INSERT INTO piece_fts (piece_fts) VALUES ('integrity-check')")
        ok = corpus.connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        distinct = corpus.connection.execute("SELECT count(DISTINCT hash) FROM piece").fetchone()[0]
    return "sound" if ok and rows == distinct == count else f"{rows} rows, {distinct} distinct"


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument(
        "--kill-count", type=int, default=200_000, help="Pieces of the killed ingest."
    )
    told = parser.parse_args()
    rows: list[tuple[str, int, int, float, float]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path, computed = folder / "in.jsonl", folder / "computed.jsonl"
        write_pieces(path, told.count)
        with Corpus(folder / "warm.db", create=True) as corpus:
            corpus.add(synth.generate(200, seed=9))  # compiles on a fresh machine

        def timed(label: str, run: object) -> float:
            start, spent = time.perf_counter(), cpu_seconds()
            run()  # type: ignore[operator]
            rate = told.count / (time.perf_counter() - start)
            base = rows[0][2] if rows else rate
            rows.append((label, told.count, round(rate), rate / base, cpu_seconds() - spent))
            return rate

        timed("sqlite3 executemany + word index", lambda: floor(folder, path))
        # The real command in a process of its own, so that its memory is its own.
        tool = [sys.executable, "-m", "asciiloom", "ingest", str(folder / "art.db"), str(path)]
        command = [*tool, "-q", "--workers", str(told.workers)]
        rate = timed(
            f"asciiloom ingest, {told.workers} processes",
            lambda: subprocess.run(command, check=True, stderr=subprocess.DEVNULL),
        )
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
        with Corpus(folder / "art.db") as corpus:
            assert corpus.count() == told.count
            timed("... the index of shapes, later", lambda: index_shapes(corpus.connection))
            computed_rows(corpus, computed)
        timed("sqlite-utils insert --nl, enable-fts, columns given", lambda: peer(folder, computed))
        timed("... all tables and keys that ingest writes", lambda: peer_whole(folder, computed))
        rows.append(
            (f"peak memory of the largest process of the ingest: {peak} MB", 0, 0, 0.0, 0.0)
        )
        if told.kills:
            part = folder / "part.jsonl"
            count = min(told.count, told.kill_count)
            with path.open() as stream, part.open("w") as out:
                out.writelines(line for _, line in zip(range(count), stream, strict=False))
            found = killed(folder, part, count, told.kills, count / rate)
            print(f"killed {told.kills} times: {found}")
            rows.append((f"killed {told.kills} times and run on: {found}", count, 0, 0.0, 0.0))
    report("ingest", ("job", "pieces", "pieces/s", "x floor", "CPU s"), rows)


if __name__ == "__main__":
    main()
