#!/usr/bin/env python3
"""Search latency on a corpus of one's own, p50 and p95 over many words, beside what a plain tool would do.

Peers in the same run: the FTS5 query that sqlite-utils issues (join, order by rank, limit), LIKE over
titles and tags, and ripgrep (where it is installed) for the same shapes over the texts in one file. Words are
the corpus's own tags, the most common first, so common terms are in. "CPU" is the time that the processor spent:
what holds on a machine that others use, too.

Example: python scripts/bench/search.py art.db --queries 60
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from _common import cpu_seconds, options, report

from asciiloom.corpus import Corpus
from asciiloom.store import Selection

ROWS = (".-----.\n| o o |", " /\\\n/  \\", "+--+\n|  |", "|__|\n    |")
SHAPES = ("(o.o)", "/\\_/\\", "+--+", "###", "|__|")


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("db", type=Path)
    parser.add_argument("--queries", type=int, default=60)
    told = parser.parse_args()
    with Corpus(told.db) as corpus:
        pieces = corpus.count()
        common = corpus.connection.execute(
            "SELECT name FROM tag GROUP BY name ORDER BY count(*) DESC LIMIT 40"
        ).fetchall()
        tags = [name for (name,) in common]
        words = [said[0] for name in tags if (said := name.split(":")[-1].split())]

        def word(number: int) -> str:
            return words[number % len(words)]

        def page(selection: Selection) -> Callable[[], object]:
            return lambda: list(corpus.select(selection))

        def plain(sql: str, *params: object) -> Callable[[], object]:
            return lambda: corpus.connection.execute(sql, params).fetchall()

        jobs: dict[str, Callable[[int], Callable[[], object]]] = {
            "one word, ranked": lambda i: page(Selection(text=word(i), order="rank", limit=10)),
            "two words": lambda i: page(Selection(text=f"{word(i)} {word(i + 3)}", order="rank", limit=10)),
            "either word": lambda i: page(Selection(text=f"{word(i)} OR {word(i + 3)}", order="rank", limit=10)),
            "prefix": lambda i: page(Selection(text=f"{word(i)[:3]}*", order="rank", limit=10)),
            "tag": lambda i: page(Selection(tags=(tags[i % len(tags)],), limit=10)),
            "word, size, ranked": lambda i: page(
                Selection(text=word(i), width=(None, 40), height=(None, 12), order="rank", limit=10)
            ),
            "two rows in the art": lambda i: page(Selection(glyphs=ROWS[i % len(ROWS)], limit=10)),
            "shape in the art": lambda i: page(Selection(glyphs=SHAPES[i % len(SHAPES)], limit=10)),
            "random of all": lambda i: page(Selection(order="random", seed=i, limit=10)),
            "plain FTS5, ranked": lambda i: plain(
                "SELECT piece.* FROM piece JOIN piece_fts ON piece.rowid = piece_fts.rowid"
                " WHERE piece_fts MATCH ? ORDER BY piece_fts.rank LIMIT 10",
                f'"{word(i)}"',
            ),
            "LIKE": lambda i: plain(
                "SELECT * FROM piece WHERE title LIKE ?1 OR tags LIKE ?1 LIMIT 10 OFFSET 1000", f"%{word(i)}%"
            ),
        }  # fmt: skip
        if rg := shutil.which("rg"):
            texts = Path(tempfile.mkdtemp()) / "texts.txt"
            with texts.open("w") as stream:
                for (text,) in corpus.connection.execute("SELECT text FROM piece"):
                    stream.write(text + "\n")
            command = [rg, "-F", "-c", "-e"]
            jobs["ripgrep, shape"] = lambda i: (
                lambda: subprocess.run(
                    [*command, SHAPES[i % len(SHAPES)], str(texts)], capture_output=True
                )
            )
        rows = []
        for name, make in jobs.items():
            count = (
                told.queries
                if name not in ("random of all", "LIKE", "ripgrep, shape")
                else max(3, told.queries // 10)
            )
            make(0)()
            taken = []
            for number in range(count):
                start, spent = time.perf_counter(), cpu_seconds()
                make(number)()
                taken.append((time.perf_counter() - start, cpu_seconds() - spent))
            columns = [sorted(column) for column in zip(*taken, strict=True)]
            middle, late = count // 2, int(count * 0.95)
            figures = [round(column[k] * 1000, 2) for column in columns for k in (middle, late)]
            rows.append((name, pieces, *figures))
    header = ("query", "pieces", "p50 ms", "p95 ms", "p50 CPU ms", "p95 CPU ms")
    report(f"search-{pieces}", header, rows)


if __name__ == "__main__":
    main()
