#!/usr/bin/env python3
"""Feed damaged files to every reader and count what must not happen.

Real files (a folder of them) and small made ones of every format are cut, spliced, flipped, repeated and
given hostile numbers; each result is read under the name of some format. What must not happen: an
exception, a reader that failed inside, a control character in a stored text, more than LIMIT seconds for
one input, more than 1 GB of memory in the process.

Example: python scripts/bench/fuzz.py ../shared/native --inputs 200000 --seed 1
"""

import gzip
import io
import json
import os
import random
import resource
import signal
import struct
import sys
import tarfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from _common import options, report

from asciiloom.piece import Piece
from asciiloom.readers import ReadOptions
from asciiloom.readers.registry import read_bytes

LIMIT = 5.0
MAX_SEED = 64 << 10
_HOSTILE = (
    b"\x1b[999999999B", b"\x1b[1000000000;1H", b"\x1b[38;2;1m", b"\x1b[;;;;;;;;;;;m", b"\x00" * 64,
    b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x1a", b"SAUCE00", b"COMNT", b"\n" * 200, b"\t" * 90,
    b"<pre>", b"</pre>", b"<b>" * 50, b"&#99999999;", b"```\n", b"---\n", b"%\n", b"$x", b"@{[`id`]}",
    b"\\x{110000}", b"\\N{U+D800}", b"$the_cow = <<EOC;\n", b"EOC\n", b"flf2a$ 9 9 9 9 9\n", b"@@\n",
    b'{"text": "', b"[" * 100, b"\xf0\x9f\x98\x80", b"\xe2\x80\xae", "ﷺ".encode(), b"\xcc\x81" * 50,
    b"PK\x03\x04", b"\x1f\x8b\x08\x00", b"1\n" * 30, b"&anchor [*anchor]",
)  # fmt: skip


def made() -> dict[str, bytes]:
    """One small sound file of each format that real folders seldom hold."""
    art = b" /\\_/\\\n( o.o )\n > ^ <\n"
    sauce = struct.pack(
        "<5s2s35s20s20s8sIBB4HBB22s", b"SAUCE", b"00", b"Cat", b"Ada", b"Loom", b"20200101",
        len(art), 1, 1, 80, 3, 0, 0, 0, 0, b"IBM VGA",
    )  # fmt: skip
    cells = bytes(b for c in art if c != 10 for b in (c, 7))
    idf = b"\x041.4" + struct.pack("<4H", 0, 0, 6, 2) + cells + bytes(4096 + 48)
    xp_cells = b"".join(struct.pack("<I6B", 65, 1, 2, 3, 4, 5, 6) for _ in range(12))
    xp = gzip.compress(struct.pack("<iiii", -1, 1, 4, 3) + xp_cells)
    film = {"formatVersion": 7, "colorFormat": "256", "name": "x", "artist": "y",
            "frames": [{"contents": ["ab", "cd"], "colorMap": [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]}] * 2}  # fmt: skip
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("cat.txt", art)
        archive.writestr("in/more.zip", packed.getvalue() or b"PK\x05\x06" + bytes(18))
    tarred = io.BytesIO()
    with tarfile.open(fileobj=tarred, mode="w") as tar:
        info = tarfile.TarInfo("cat.txt")
        info.size = len(art)
        tar.addfile(info, io.BytesIO(art))
    files = {
        "sauce.ans": b"\x1b[1;31m" + art + b"\x1a" + sauce,
        "a.idf": idf, "a.xp": xp, "a.dur": gzip.compress(json.dumps({"DurMovie": film}).encode()),
        "a.zip": packed.getvalue(), "a.tar": tarred.getvalue(), "a.txt.gz": gzip.compress(art),
        "a.csv": b"title,ascii_art\ncat,\"/\\_/\\\n(o.o)\"\n", "a.svg": b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><path d='M0 0L9 9'/></svg>",
        "a.pieces": b"%! licence: CC0-1.0\n%% cat | art | x\n" + art,
        "boxes-config": b"BOX a\ndesigner \"x\"\nsample\n+-+\n|a|\n+-+\nends\nshapes { n (\"-\") }\nEND a\n",
        "neofetch": b"\"Arch\"*)\n set_colors 6\n read -rd '' ascii_data <<'EOF'\n${c1} /\\\\\nEOF\n;;\n",
    }  # fmt: skip
    try:
        from PIL import Image

        for form in ("PNG", "GIF", "JPEG", "BMP"):
            out = io.BytesIO()
            Image.radial_gradient("L").resize((24, 24)).save(out, form)
            files[f"a.{form.lower()}"] = out.getvalue()
    except ModuleNotFoundError:
        pass
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"text": [art.decode()], "title": ["cat"]})
    sink = io.BytesIO()
    pq.write_table(table, sink)
    files["a.parquet"] = sink.getvalue()
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    files["a.arrow"] = sink.getvalue()
    return files


def seeds(folder: Path | None) -> list[tuple[str, bytes]]:
    """(name, bytes) of the files to damage."""
    found = list(made().items())
    if folder is not None:
        for place, _, names in sorted(os.walk(folder)):
            for name in sorted(names):
                path = Path(place) / name
                if path.stat().st_size:
                    with path.open("rb") as stream:
                        found.append((name, stream.read(MAX_SEED)))
    return found


def damage(rng: random.Random, pool: list[tuple[str, bytes]]) -> tuple[str, bytes]:
    """A damaged file and the name it is read under, mostly its own."""
    name, data = rng.choice(pool)
    body = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3, 6, 12))):
        size = len(body)
        at = rng.randrange(size + 1)
        kind = rng.randrange(8)
        if kind == 0 and size:
            body[at % size] ^= 1 << rng.randrange(8)
        elif kind == 1 and size:
            for _ in range(rng.randrange(1, 16)):
                body[rng.randrange(size)] = rng.randrange(256)
        elif kind == 2:
            body[at:at] = rng.choice(_HOSTILE)
        elif kind == 3:
            del body[at : at + rng.choice((1, 2, 7, 100, 5000))]
        elif kind == 4:
            del body[at:]
        elif kind == 5:
            body[at:at] = body[at : at + rng.randrange(1, 300)] * rng.choice((2, 3, 50))
        elif kind == 6:
            other = rng.choice(pool)[1]
            start = rng.randrange(len(other))
            body[at : at + 200] = other[start : start + rng.randrange(1, 2000)]
        elif size > 8:
            body[at % (size - 4) : at % (size - 4) + 4] = struct.pack(
                "<I", rng.choice((0, 1, 2**31, 2**32 - 1, 65536))
            )
        if len(body) > 4 * MAX_SEED:
            del body[4 * MAX_SEED :]
    if rng.random() < 0.1:
        name = rng.choice(pool)[0]
    return name, bytes(body)


class TooSlowError(BaseException):
    """Longer than ``LIMIT``. No ``Exception``, so that no reader takes it for trouble with the file."""


def _stop(signum: int, frame: object) -> None:
    raise TooSlowError(f"longer than {LIMIT} s")


def run(seed: int, inputs: int, folder: Path | None) -> dict[str, Any]:
    """Read ``inputs`` damaged files; counts and the first failures."""
    rng = random.Random(seed)
    pool = seeds(folder)
    signal.signal(signal.SIGALRM, _stop)
    counts: Counter[str] = Counter()
    failures: list[str] = []
    slowest = (0.0, "")
    choices = (
        ReadOptions(),
        ReadOptions(whole=True),
        ReadOptions(words=("Hi",), frames=True, columns_wide=20),
    )
    for number in range(inputs):
        name, data = damage(rng, pool)
        start = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, LIMIT)
        try:
            for item in read_bytes(data, name, rng.choice(choices)):
                if isinstance(item, Piece):
                    counts["pieces"] += 1
                    bad = [
                        c for c in item.text if (ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0
                    ]
                    if bad or not item.text:
                        failures.append(f"{seed}/{number} {name}: stored {bad[:3]!r}")
                else:
                    counts["rejections"] += 1
                    if item.reason == "reader-failed":
                        failures.append(f"{seed}/{number} {name}: {item.detail}")
        except TooSlowError as error:
            failures.append(f"{seed}/{number} {name}: {error}")
        except Exception:
            failures.append(f"{seed}/{number} {name}: {traceback.format_exc(limit=-2)}")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        took = time.perf_counter() - start
        slowest = max(slowest, (took, f"{seed}/{number} {name}"))
    counts["inputs"] = inputs
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"counts": counts, "failures": failures, "slowest": slowest, "memory": memory}


def runs(inputs: int, seed: int, folder: Path | None, workers: int) -> Iterator[dict[str, Any]]:
    """``inputs`` in all, in parts of a process each."""
    part = max(1, min(5000, inputs // workers))
    with ProcessPoolExecutor(workers, max_tasks_per_child=1) as pool:
        parts = [min(part, inputs - at) for at in range(0, inputs, part)]
        jobs = [pool.submit(run, seed * 1000 + n, size, folder) for n, size in enumerate(parts)]
        for job in jobs:
            yield job.result()


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--inputs", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    told = parser.parse_args()
    start = time.perf_counter()
    total: Counter[str] = Counter()
    failures: list[str] = []
    slowest, memory = (0.0, ""), 0.0
    for result in runs(told.inputs, told.seed, told.folder, told.workers):
        total.update(result["counts"])
        failures += result["failures"]
        slowest = max(slowest, result["slowest"])
        memory = max(memory, result["memory"])
        print(f"{total['inputs']:,} inputs, {len(failures)} failures", file=sys.stderr)
    rows = [(total["inputs"], total["pieces"], total["rejections"], len(failures),
             round(slowest[0], 2), round(memory), round(time.perf_counter() - start))]  # fmt: skip
    report(
        "fuzz",
        ("inputs", "pieces", "rejections", "failures", "slowest s", "peak MB", "seconds"),
        rows,
    )
    for line in failures[:40]:
        print("  " + line)
    print(f"  slowest: {slowest[1]}")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
