"""Signals at seeded moments: one line for those that can be caught; after kill -9 a sound corpus that goes on."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from functools import partial
from pathlib import Path

from .scene import SIDECARS, Scene, copied, fresh, hashes, tree, unsound, write_records
from .trial import BIN, Bench, Group, Outcome, Problem, errors, judge, wait_for

# name, words, whether it makes an output; {big} thousands of new records, {full} a corpus of them.
LONG = (
    ("ingest", "ingest {db} {big} -q --workers 1", False),
    ("ingest with workers", "ingest {db} {big} -q --workers 2", False),
    ("dedup", "dedup {full} -q", False),
    ("import", "import {db} {big}", False),
    ("merge", "merge {db} {full}", False),
    ("backup", "backup {full} {room}/copy.db -q", True),
    ("export", "export {room}/out.parquet --corpus {full}", True),
    ("export jsonl", "export {room}/out.jsonl --corpus {full}", True),
    ("train", "train {db} --out {room}/run --preset nano --steps 3 --no-baselines -q", True),
)
PIECES = 6000


def attack(bench: Bench, scene: Scene, group: Group, quick: bool) -> None:
    """SIGINT and SIGTERM, then kill -9."""
    pieces = PIECES // 4 if quick else PIECES
    store = bench.room()
    big = write_records(store / "big.jsonl", pieces, 11)
    full = store / "full.db"
    made = bench.run("ingest", full, big, "-q", "--workers", "1", timeout=300)
    if made.status:
        raise RuntimeError(f"the scene could not be set: {made.tail}")
    start = time.monotonic()
    subprocess.run([BIN, "--version"], check=True, capture_output=True)
    started = 1.2 * (time.monotonic() - start)
    lasts = {}
    for name, words, _ in LONG:
        start = time.monotonic()
        _start(bench, scene, words, big, full).wait(300)
        lasts[name] = time.monotonic() - start
    rng = random.Random(5)
    trials = []
    moments = 1 if quick else 3
    for name, words, output in LONG:
        for number in (signal.SIGINT, signal.SIGTERM):
            for k in range(moments if name != "train" else 1):
                # Spread over the run, the start of the interpreter among it.
                at = (k + rng.random()) / moments * lasts[name] * 0.9
                trials.append(
                    partial(
                        _signalled,
                        bench,
                        scene,
                        group,
                        name,
                        words,
                        output,
                        big,
                        full,
                        number,
                        at,
                        started,
                    )
                )
    for k in range(5 if quick else 20):
        name, words, output = LONG[k % 7]
        at = (0.25 + 0.75 * rng.random()) * lasts[name]
        trials.append(partial(_killed, bench, scene, group, name, words, output, big, full, at))
    bench.each(trials)


def _start(
    bench: Bench, scene: Scene, words: str, big: Path, full: Path, room: Path | None = None
) -> "subprocess.Popen[bytes]":
    room = room or bench.room()
    db = fresh(scene, room)
    mine = fresh(scene, room, "full.db", full) if "{full}" in words else room / "none"
    with (room / "err").open("ab") as err:
        return subprocess.Popen(
            [BIN, *words.format(db=db, full=mine, big=big, room=room).split()],
            cwd=room, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err, start_new_session=True,
        )  # fmt: skip


def _left(room: Path) -> list[str]:
    known = {"art.db", "full.db", "err"}
    return [
        n for n in tree(room) if n.split("/")[0] not in {*known, "run"} and not n.endswith(SIDECARS)
    ]


def _sound(room: Path, before: set[str]) -> list[Problem]:
    problems: list[Problem] = []
    for name in ("art.db", "full.db"):
        if (room / name).exists():
            problems += [
                ("loss", f"{name}: {wrong}")
                for wrong in unsound(room / name)[:1] + counted(room / name)
            ]
    if not problems and not hashes(room / "art.db") >= before:
        problems.append(("loss", "pieces are gone"))
    return problems


def counted(db: Path) -> list[str]:
    """Where the log and the rows disagree."""
    with copied(db) as copy, closing(sqlite3.connect(copy)) as plain:
        wrong = plain.execute(
            "SELECT id, new, (SELECT count(*) FROM piece WHERE ingest_id = ingest.id) AS rows, read, duplicate, rejected"
            " FROM ingest WHERE new <> rows OR read <> new + duplicate + rejected"
        ).fetchall()
        doubled = plain.execute("SELECT count(*) - count(DISTINCT text) FROM piece").fetchone()[0]
        sizes = plain.execute(
            "SELECT (SELECT count(*) FROM piece) - (SELECT count(*) FROM size)"
        ).fetchone()[0]
    found = [f"the log says {row} of ingest {row[0]}" for row in wrong[:1]]
    found += [f"{doubled} texts twice"] if doubled else []
    return found + ([f"{sizes} pieces without a size"] if sizes else [])


def _signalled(
    bench: Bench, scene: Scene, group: Group, name: str, words: str, output: bool, big: Path, full: Path,
    number: signal.Signals, at: float, started: float,
) -> None:  # fmt: skip
    room = bench.room()
    child = _start(bench, scene, words, big, full, room)
    time.sleep(at)
    os.kill(child.pid, number)
    start = time.monotonic()
    status, peak, hung, left = wait_for(child, 30)
    said = (room / "err").read_text(errors="backslashreplace")
    outcome = Outcome(
        f"asciiloom {words}", status, b"", said, time.monotonic() - start, peak, hung, left
    )
    problems = judge(outcome, statuses=(0, 1, 130, 143), lists=True, memory=4000)
    lines = [line for line in said.splitlines() if line.strip()]
    words_of_end = errors(said)
    if at < started or (status < 0 and lines and not words_of_end and "Traceback" not in said):
        # Before our first line runs and after our last nobody can catch a signal.
        problems = []
    elif status and len(words_of_end) != 1 and not any(k == "traceback" for k, _ in problems):
        problems.append(("other", f"{len(words_of_end)} lines of error"))
    if status and output and _left(room):
        problems.append(("other", f"left {', '.join(_left(room)[:3])}"))
    problems += _sound(room, hashes(scene.db))
    group.record(f"asciiloom {words}   [{number.name} after {at:.2f} s]", problems, outcome.tail)
    shutil.rmtree(room)


def _killed(
    bench: Bench,
    scene: Scene,
    group: Group,
    name: str,
    words: str,
    output: bool,
    big: Path,
    full: Path,
    at: float,
) -> None:
    room = bench.room()
    child = _start(bench, scene, words, big, full, room)
    time.sleep(at)
    os.kill(child.pid, signal.SIGKILL)
    _, _, _, left = wait_for(child, 30)
    problems: list[Problem] = _sound(room, hashes(scene.db))
    if left and "workers 2" not in words:
        problems.append(("other", "left a process behind"))
    whole = [room / n for n in ("copy.db", "out.parquet", "out.jsonl") if (room / n).exists()]
    if name == "backup" and whole and unsound(whole[0]):
        problems.append(("loss", "a half copy has the name of the whole one"))
    for path in whole:
        path.unlink()
    filled = words.format(db=room / "art.db", full=room / "full.db", big=big, room=room).split()
    again = bench.run(*filled, cwd=room, kind="torch" if name == "train" else "light", timeout=120)
    problems += judge(again, statuses=(0,), memory=4000) + _sound(room, hashes(scene.db))
    if name in ("ingest", "ingest with workers", "import", "merge") and not problems:
        expected = hashes(scene.db) | hashes(full)
        if hashes(room / "art.db") != expected:
            problems.append(
                (
                    "loss",
                    f"{len(hashes(room / 'art.db') ^ expected)} pieces differ after the run again",
                )
            )
    group.record(
        f"asciiloom {words}   [kill -9 after {at:.2f} s, then again]", problems, again.tail
    )
    shutil.rmtree(room)
