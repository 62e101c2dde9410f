"""Somebody else holds the lock; the file, its folder or its disk may only be read; stdin stalls."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from .commands import COMMANDS, Command
from .scene import Scene, contents, fresh, hashes, tree, unsound
from .trial import BIN, Bench, Group, Outcome, Problem, WarmServer, alarm, judge

_HOLDER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
for statement in sys.argv[2:]:
    db.execute(statement).fetchall()
print("held", flush=True)
sys.stdin.read()
"""
# How it is held, the statements, whether readers go on.
LOCKS = (
    ("BEGIN IMMEDIATE", ("PRAGMA journal_mode = WAL", "BEGIN IMMEDIATE"), True),
    ("BEGIN EXCLUSIVE", ("PRAGMA journal_mode = WAL", "BEGIN EXCLUSIVE"), True),
    ("an exclusive file lock", ("PRAGMA locking_mode = EXCLUSIVE", "BEGIN EXCLUSIVE",
                                "UPDATE setting SET value = value", "COMMIT"), False),
    ("EXCLUSIVE, rollback journal", ("PRAGMA journal_mode = DELETE", "BEGIN EXCLUSIVE",
                                     "UPDATE setting SET value = value"), False),
)  # fmt: skip
PATIENCE = 15.0


@contextmanager
def holding(db: Path, statements: tuple[str, ...]) -> Iterator[None]:
    """Another process that has the lock."""
    holder = subprocess.Popen(
        [sys.executable, "-S", "-c", _HOLDER, str(db), *statements],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert holder.stdin is not None and holder.stdout is not None
    try:
        if holder.stdout.readline() != b"held\n":
            raise RuntimeError("the lock could not be taken")
        yield
    finally:
        holder.stdin.close()
        holder.wait()


def locked(bench: Bench, scene: Scene, group: Group, quick: bool) -> None:
    """Every command while another process has the lock."""
    locks = (LOCKS[0], LOCKS[2]) if quick else LOCKS
    trials = [
        partial(_locked, bench, scene, group, command, *lock)
        for lock in locks
        for command in COMMANDS
        if not (command.slow and lock is not LOCKS[0])
    ]
    bench.each(trials, workers=6)  # they wait more than they work


def _locked(
    bench: Bench, scene: Scene, group: Group, command: Command,
    name: str, statements: tuple[str, ...], reads: bool,
) -> None:  # fmt: skip
    room = bench.room()
    db = fresh(scene, room)
    with holding(db, statements):
        outcome = scene.run(bench, command, db, timeout=PATIENCE + (15 if command.heavy else 0))
    problems = judge(outcome, statuses=(0, 1), lists=command.lists, memory=3000)
    if command.writes and outcome.status == 0 and command.name not in ("init", "index"):
        problems.append(("other", "exit status 0 though nothing could be written"))
    if not command.writes and reads and outcome.status > 0:
        problems.append(("other", "a reader did not go on"))
    if command.name in ("check", "check deep", "repair") or outcome.status:
        problems += alarm(outcome)
    if unsound(db):
        problems.append(("loss", unsound(db)[0]))
    elif contents(db) != contents(scene.db):
        problems.append(("loss", "rows changed under somebody's lock"))
    group.record(f"{outcome.command}   [{name} held]", problems, outcome.tail)
    shutil.rmtree(room)


def read_only(bench: Bench, scene: Scene, group: Group, quick: bool) -> None:
    """Every command on a corpus that may only be read (root gives up its power over files for it)."""
    ways = [("file 0444, folder 0555", 0o444, 0o555), ("folder 0555", 0o666, 0o555),
            ("file 0444", 0o444, 0o777)]  # fmt: skip
    trials = [
        partial(_read_only, bench, scene, group, command, name, file_mode, folder_mode)
        for name, file_mode, folder_mode in (ways[:1] if quick else ways)
        for command in COMMANDS
        if not (command.slow and name != ways[0][0])
    ]
    bench.each(trials)
    point = bench.room()
    place = bench.room()
    fresh(scene, place)
    script = f'mount --bind {place} {point} && mount -o remount,ro,bind {point} && exec "$0" "$@"'
    try:
        server = WarmServer("bound", bench.folder, ["unshare", "-m", "sh", "-c", script])
    except (RuntimeError, OSError) as error:
        group.untried.append(f"a read-only bind mount (not permitted: {error})")
        return
    bench.add("bound", server)
    for command in COMMANDS:
        if not command.slow:
            _bound(bench, scene, group, command, place, point)


def _read_only(
    bench: Bench, scene: Scene, group: Group, command: Command,
    name: str, file_mode: int, folder_mode: int,
) -> None:  # fmt: skip
    room, results = bench.room(), bench.room()
    db = fresh(scene, room)
    db.chmod(file_mode)
    room.chmod(folder_mode)
    results.chmod(0o777)
    outcome = bench.run(
        *scene.words(command, db, results / "out"), kind=command.kind, ordinary=True,
        environment={"HOME": str(results)},
    )  # fmt: skip
    problems = _as_read_only(scene, command, outcome, db)
    if name == "file 0444" and command.writes:
        # SQLite may write beside it, not into it.
        problems = [p for p in problems if p[0] != "other" or "warning" in p[1] or "line" in p[1]]
    group.record(f"{outcome.command}   [{name}]", problems, outcome.tail)
    room.chmod(0o755)
    shutil.rmtree(room)
    shutil.rmtree(results)


def _bound(
    bench: Bench, scene: Scene, group: Group, command: Command, place: Path, point: Path
) -> None:
    results = bench.room()
    words = scene.words(command, point / "art.db", results / "out")
    outcome = bench.run(*words, kind="bound")
    problems = _as_read_only(scene, command, outcome, place / "art.db")
    group.record(f"{outcome.command}   [read-only mount]", problems, outcome.tail)
    shutil.rmtree(results)


def _as_read_only(scene: Scene, command: Command, outcome: Outcome, db: Path) -> list[Problem]:
    problems = judge(outcome, statuses=(0, 1), lists=command.lists, memory=3000)
    if command.writes:
        if outcome.status == 0 and command.name not in ("init", "index"):
            problems.append(("other", "exit status 0 though nothing could be written"))
    elif outcome.status > 0:
        problems.append(("other", "a reader did not go on"))
    if command.name in ("check", "check deep", "repair") or outcome.status:
        problems += alarm(outcome)
    if tree(db.parent)["art.db"] != tree(scene.folder)["art.db"]:
        problems.append(("loss", "the file was changed"))
    return problems


def stalled(bench: Bench, scene: Scene, group: Group, quick: bool) -> None:
    """``ingest -`` waits for its stdin; another writer must not."""
    lines = "".join(
        json.dumps({"text": f"<{n}>\n</{n}>"}) + "\n"
        for n in range(12_000)  # more than a batch
    ).encode()
    names = ("tag add", "ingest") if quick else ("tag add", "edit", "ingest", "import", "reject")
    trials = [
        partial(_stalled, bench, scene, group, command, first)
        for first in (b"", lines, lines[:900_000], b"(o.o)\n" * 3)
        for command in COMMANDS
        if command.name in names
    ]
    bench.each(trials)


def _stalled(bench: Bench, scene: Scene, group: Group, command: Command, first: bytes) -> None:
    room, alone = bench.room(), bench.room()
    usual = scene.run(bench, command, fresh(scene, alone)).seconds
    shutil.rmtree(alone)
    db = fresh(scene, room)
    waiting = subprocess.Popen(
        [BIN, "ingest", db, "-", "-q"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert waiting.stdin is not None and waiting.stderr is not None
    try:
        waiting.stdin.write(first)
        waiting.stdin.flush()
        until = time.monotonic() + 20
        # It has started when it has touched the corpus, or has had its time.
        while time.monotonic() < until and not Path(f"{db}-wal").exists():
            time.sleep(0.1)
        time.sleep(2)
        outcome = scene.run(
            bench, command, db, timeout=20, environment={"ASCIILOOM_BUSY_SECONDS": "5"}
        )
        problems = judge(outcome, statuses=(0,))
        if outcome.seconds > 5 + usual:
            problems.append(("hang", f"it took {outcome.seconds:.0f} s, alone {usual:.0f} s"))
        waiting.stdin.write(b'{"text": "end"}\n')
        waiting.stdin.close()
        err = waiting.stderr.read().decode("utf-8", "replace")
        if waiting.wait(60) or "Traceback" in err:
            problems.append(("other", f"ingest - ended with {waiting.returncode}: {err[-200:]}"))
    finally:
        waiting.kill()
        waiting.wait()
    problems += [("loss", wrong) for wrong in unsound(db)]
    if not problems and not hashes(db) >= hashes(scene.db):
        problems.append(("loss", "pieces are gone"))
    what = f"{outcome.command}   [ingest - has been given {len(first):,} bytes and waits]"
    group.record(what, problems, outcome.tail)
    shutil.rmtree(room)
