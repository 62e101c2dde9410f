#!/usr/bin/env python3
"""Throughput of every reader on one core, and of the ANSI renderer beside pyte on the same files.

Each reader gets the real files of its format (or, where a folder has none, small made ones, many
times over) from memory: bytes in, pieces out, with canonical text, colour plane and all. The renderer
alone is measured apart: bytes to a grid of glyphs and colours, as pyte's screen is.

Example: python scripts/bench/readers.py ../shared/native
"""

import os
import sys
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from _common import options, report, seconds
from fuzz import made

from asciiloom.readers import readers
from asciiloom.readers.registry import read_bytes
from asciiloom.readers.screens.emulator.dialect import dialect, render_ansi
from asciiloom.readers.screens.sauce import split_sauce

ENOUGH = 0.3  # seconds a measurement, at least


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    files: dict[str, list[tuple[str, bytes]]] = defaultdict(list)
    found = [
        (str(Path(d) / f), (Path(d) / f).read_bytes())
        for d, _, n in sorted(os.walk(folder))
        for f in sorted(n)
    ]
    for path, data in [*found, *made().items()]:
        name = next(r.name for r in readers() if r.sniff(data[:4096], path))
        if path.startswith(str(folder)) or not files[name]:
            files[name].append((path, data))
    rows = []
    for name, group in sorted(files.items()):
        size = sum(len(data) for _, data in group)
        pieces = sum(1 for path, data in group for _ in read_bytes(data, path))
        start = time.perf_counter()
        for path, data in group:
            list(read_bytes(data, path))
        times = max(1, int(ENOUGH / (time.perf_counter() - start)))

        def work(group: list[tuple[str, bytes]] = group, times: int = times) -> None:
            for _ in range(times):
                for path, data in group:
                    for _ in read_bytes(data, path):
                        pass

        took = seconds(work, 3) / times
        rows.append(
            (
                name,
                len(group),
                pieces,
                round(size / 1e6, 3),
                round(size / took / 1e6, 2),
                round(pieces / took),
            )
        )
    report("readers", ("reader", "files", "items", "MB", "MB/s", "items/s"), rows)

    ansi = []
    for path, data in found:
        if path.lower().endswith((".ans", ".asc", ".diz", ".ice", ".nfo")):
            body, sauce = split_sauce(data)
            how = dialect(body, sauce)
            if how.dos:
                ansi.append((body, how))
    size = sum(len(body) for body, _ in ansi)

    def ours() -> None:
        for body, how in ansi:
            render_ansi(body, how)

    def pyte_screens() -> None:
        import pyte

        for body, how in ansi:
            rows = body.count(b"\n") + len(body) // how.columns + 25
            pyte.Stream(pyte.Screen(how.columns, min(rows, 2000))).feed(body.decode("cp437"))

    ours()
    mine = seconds(ours, 5)
    start = time.perf_counter()
    pyte_screens()
    theirs = time.perf_counter() - start
    report(
        "ansi",
        ("renderer", "files", "MB", "MB/s", "ratio"),
        [
            (
                "asciiloom",
                len(ansi),
                round(size / 1e6, 3),
                round(size / mine / 1e6, 1),
                round(theirs / mine, 1),
            ),
            ("pyte", len(ansi), round(size / 1e6, 3), round(size / theirs / 1e6, 2), 1.0),
        ],
    )


if __name__ == "__main__":
    main()
