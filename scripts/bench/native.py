#!/usr/bin/env python3
"""What becomes of every file of a folder of native formats: a table per reader, and every reason.

Files are read one by one, each with the reader that the registry picks; a file that yields neither a
piece nor a rejection, a failure inside a reader or a control character in a stored text is an error.

Example: python scripts/bench/native.py ../shared/native
"""

import os
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from _common import options, report

from asciiloom.piece import Piece
from asciiloom.readers import read_path, readers


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    files: Counter[str] = Counter()
    pieces: Counter[str] = Counter()
    coloured: Counter[str] = Counter()
    size: Counter[str] = Counter()
    seconds: dict[str, float] = defaultdict(float)
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    wrong: list[str] = []
    paths = [Path(d) / f for d, _, names in sorted(os.walk(folder)) for f in sorted(names)]
    for again in (False, True):  # the first pass compiles and imports
        for path in paths:
            data = path.read_bytes()
            name = next(r.name for r in readers() if r.sniff(data[:4096], str(path)))
            start = time.perf_counter()
            items = list(read_path(path))
            if not again:
                continue
            seconds[name] += time.perf_counter() - start
            files[name] += 1
            size[name] += len(data)
            if not items:
                wrong.append(f"{path}: nothing")
            for item in items:
                if isinstance(item, Piece):
                    pieces[name] += 1
                    coloured[name] += item.colour is not None
                    if any((ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0 for c in item.text):
                        wrong.append(f"{path}: control characters")
                else:
                    reasons[name][item.reason] += 1
                    if item.reason == "reader-failed":
                        wrong.append(f"{path}: {item.detail}")
    rows = [
        (name, files[name], pieces[name], coloured[name], ", ".join(f"{n} {r}" for r, n in reasons[name].most_common()) or "-",
         round(pieces[name] / seconds[name]), round(size[name] / seconds[name] / 1e6, 1))
        for name in sorted(files)
    ]  # fmt: skip
    rejected = sum(sum(c.values()) for c in reasons.values())
    rows.append(("all", files.total(), pieces.total(), coloured.total(), f"{rejected} in all",
                 round(pieces.total() / sum(seconds.values())), round(size.total() / sum(seconds.values()) / 1e6, 1)))  # fmt: skip
    report(
        "native", ("reader", "files", "pieces", "coloured", "rejections", "pieces/s", "MB/s"), rows
    )
    for line in wrong:
        print("  " + line)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
