#!/usr/bin/env python3
"""How fast the pages of ``asciiloom browse`` answer: the real server in a process of its own, asked over HTTP.

Example: python scripts/bench/browse.py art.db --requests 40
"""

import random
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parent))
from _common import options, report

from asciiloom.corpus import Corpus


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("db", type=Path)
    parser.add_argument("--requests", type=int, default=40)
    told = parser.parse_args()
    rng = random.Random(3)
    with Corpus(told.db) as corpus:
        pieces = corpus.count()
        tags = [
            row[0]
            for row in corpus.connection.execute(
                "SELECT name FROM tag GROUP BY name ORDER BY count(*) DESC LIMIT 30"
            )
        ]
    words = [w for t in tags if (w := re.sub(r"\W.*", "", t.split(":")[-1]))]
    command = [sys.executable, "-m", "asciiloom", "browse", str(told.db), "--port", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    address = server.stderr.readline().split(": ", 1)[1].strip()
    base = address.split("/enter")[0]
    pages: dict[str, Callable[[], dict[str, object]]] = {
        "gallery": lambda: {"path": ""},
        "page 20": lambda: {"path": "", "page": 20},
        "words": lambda: {"path": "", "q": rng.choice(words)},
        "words and size": lambda: {"path": "", "q": rng.choice(words), "size": "40x12"},
        "tag": lambda: {"path": "", "tag": rng.choice(tags)},
        "size": lambda: {"path": "", "size": rng.choice(["20x5", "40x12", "80x25"])},
        "shape": lambda: {"path": "", "glyphs": rng.choice(["(o.o)", "+--+", "|__|"])},
        "piece": lambda: {"path": f"/piece/{rng.randrange(1, pieces)}"},
        "review": lambda: {"path": "/review", "skip": rng.randrange(50)},
    }
    rows = []
    every: list[float] = []
    try:
        with httpx.Client(timeout=60) as client:
            for _ in range(100):
                try:
                    client.get(base)
                    break
                except httpx.ConnectError:
                    time.sleep(0.1)
            for name, make in pages.items():
                times = []
                for number in range(told.requests + 3):
                    query = make()
                    start = time.perf_counter()
                    answer = client.get(f"{base}{query.pop('path')}", params=query)
                    assert answer.status_code == 200, (name, answer.status_code)
                    if number >= 3:  # each of the server's threads opens its connection once
                        times.append((time.perf_counter() - start) * 1000)
                times.sort()
                every += times
                p95 = times[int(len(times) * 0.95)]
                rows.append((name, pieces, round(times[len(times) // 2], 1), round(p95, 1)))
    finally:
        server.terminate()
    every.sort()
    rows.append(
        ("all", pieces, round(every[len(every) // 2], 1), round(every[int(len(every) * 0.95)], 1))
    )
    report(f"browse-{pieces}", ("page", "pieces", "p50 ms", "p95 ms"), rows)


if __name__ == "__main__":
    main()
