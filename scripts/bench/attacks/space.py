"""A full disk: a small limit on the size of files, and a small file system of our own."""

import os
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from .commands import COMMANDS, Command
from .scene import SIDECARS, Scene, contents, fresh, hashes, tree, unsound
from .trial import Bench, Group, Problem, WarmServer, alarm, judge

# May end with some of their work done: delete still has to clear its traces when its pieces are gone.
PARTLY = ("ingest", "import", "merge", "dedup", "repair", "delete")
MORE_OUTPUTS = (Command("export preset", "export {out}.m --preset nano", heavy=True),)
LEFT_KIB = (0, 48, 400)


def attack(bench: Bench, scene: Scene, group: Group, quick: bool) -> None:
    """Every command that writes, at several limits."""
    size = scene.db.stat().st_size
    limits = (8 << 10, size) if quick else (4 << 10, 64 << 10, size, size + (128 << 10))
    writing = [c for c in (*COMMANDS, *MORE_OUTPUTS) if c.writes or "{out}" in c.words]
    trials = [
        partial(_limited, bench, scene, group, command, limit)
        for command in writing
        for limit in (limits[1:2] if command.slow else limits)
    ]
    bench.each(trials)
    _tiny(bench, scene, group, writing, LEFT_KIB[:2] if quick else LEFT_KIB)


def _limited(bench: Bench, scene: Scene, group: Group, command: Command, limit: int) -> None:
    room = bench.room()
    db = fresh(scene, room)
    outcome = scene.run(bench, command, db, file_bytes=limit)
    problems = judge(outcome, statuses=(0, 1), lists=command.lists, memory=3000)
    problems += _after(bench, scene, command, room, outcome.status)
    group.record(f"{outcome.command}   [files of at most {limit:,} bytes]", problems, outcome.tail)
    shutil.rmtree(room)


def _after(
    bench: Bench, scene: Scene, command: Command, room: Path, status: int, point: Path | None = None
) -> list[Problem]:
    """Whether everything that was there is there, and nothing else where the command failed."""
    db = room / "art.db"
    problems: list[Problem] = [("loss", wrong) for wrong in unsound(db)[:2]]
    if not problems and status:
        if command.name in PARTLY:
            if len(hashes(scene.db) - hashes(db)) > (2 if command.name == "delete" else 0):
                problems.append(("loss", "pieces are gone"))
        elif contents(db) != contents(scene.db):
            problems.append(("loss", "rows changed though the command failed"))
    left = [n for n in tree(room) if n not in ("art.db", "filler") and not n.endswith(SIDECARS)]
    if status and command.name == "merge from it":
        # The corpus that was to be made may be there, sound.
        left = [
            n
            for n in left
            if n.endswith(".part") or unsound(room / n) not in ([], ["the file is empty"])
        ]
    if command.name == "train":  # a run is gone on with: its folder and its log stay
        left = [n for n in left if ".part" in n or ".building" in n]
    if status and left:
        problems.append(("other", f"left {', '.join(sorted(left)[:3])}"))
    if not problems:
        # A private file system is reached by its own processes only.
        again = bench.run("check", (point or room) / "art.db", kind="tiny" if point else "light")
        if again.status:
            problems.append(("false alarm", f"check afterwards: {again.tail or again.out[:200]!r}"))
    return problems


def _tiny(
    bench: Bench, scene: Scene, group: Group, commands: Sequence[Command], left: Sequence[int]
) -> None:
    """The same in a file system of 8 MB that is all but full."""
    point = bench.room()
    script = f'mount -t tmpfs -o size=8m,mode=755 none {point} && exec "$0" "$@"'
    try:
        server = WarmServer("tiny", bench.folder, ["unshare", "-m", "sh", "-c", script])
        heavy = WarmServer(
            "tiny-torch", bench.folder, ["nsenter", "-m", "-t", str(server.process.pid)]
        )
    except (RuntimeError, OSError) as error:
        group.untried.append(f"a tiny file system (a private mount is not permitted: {error})")
        return
    bench.add("tiny", server)
    bench.add("tiny-torch", heavy)
    inside = Path(f"/proc/{server.process.pid}/root{point}")
    for command in commands:
        if command.name == "export preset":
            continue
        for kib in left[1:2] if command.slow else left:
            _in_tiny(bench, scene, group, command, kib, point, inside)


def _in_tiny(
    bench: Bench, scene: Scene, group: Group, command: Command, kib: int, point: Path, inside: Path
) -> None:
    db = fresh(scene, inside)
    _fill(inside / "filler", kib)
    how = "tiny-torch" if command.heavy else "tiny"
    outcome = bench.run(*scene.words(command, point / "art.db", point / "out"), kind=how)
    problems = judge(outcome, statuses=(0, 1), lists=command.lists, memory=3000)
    if (
        "art.db" in outcome.err
        and outcome.status
        and command.name in ("check", "check deep", "repair")
    ):
        problems += alarm(outcome)
    still = bench.run("check", point / "art.db", kind="tiny")
    problems += judge(still, statuses=(0, 1), lists=True) + alarm(still)
    (inside / "filler").unlink()
    problems += _after(bench, scene, command, inside, outcome.status, point)
    group.record(f"{outcome.command}   [{kib} KiB left on the disk]", problems, outcome.tail)
    for path in inside.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    del db


def _fill(path: Path, kib: int) -> None:
    """A file that leaves ``kib`` KiB of its file system."""
    room = os.statvfs(path.parent)
    size = max(0, room.f_bavail * room.f_frsize - (kib << 10))
    with path.open("wb") as stream:
        os.posix_fallocate(stream.fileno(), 0, max(1, size))
