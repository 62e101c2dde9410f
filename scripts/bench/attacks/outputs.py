"""Outputs over inputs: nothing that existed may change, but a plain file with --force."""

import os
import shutil
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path

from .commands import TRAINING, Help
from .scene import Scene, fresh, tree
from .trial import Bench, Group, Problem, judge

# What it is, the words ({out} is the target), whether the target is a folder, whether it needs torch.
OUTPUTS = (
    ("export jsonl", "export {out} --corpus {db} --format jsonl", False, False),
    ("export parquet", "export {out} --corpus {db} --format parquet", False, False),
    ("export by name", "export {out} --corpus {db}", True, False),
    ("export hf", "export {out} --corpus {db} --format hf", True, False),
    ("stats report", "stats {db} --report {out}", False, False),
    ("stats plots", "stats {db} --plots {out}", True, False),
    ("backup", "backup {db} {out} -q", False, False),
    ("export preset", "export {out} --preset nano", True, True),
    ("export model", "export {out} --model {model}", True, True),
    ("train", f"train {{db}} --out {{out}} {TRAINING}", True, True),
    ("demo", "demo --out {out} --minutes 0.02 --pieces 200", True, True),
)
LONG = "n" * 300
NAMES = {"newline": "a\nb", "escape": "a\x1b[31mb", "no UTF-8": os.fsdecode(b"a\xff\xfeb")}


def _input(room: Path, db: Path, model: Path) -> Path:
    return db


def _link(room: Path, db: Path, model: Path) -> Path:
    (room / "link").symlink_to(db)
    return room / "link"


def _hard(room: Path, db: Path, model: Path) -> Path:
    (room / "hard").hardlink_to(db)
    return room / "hard"


def _model(room: Path, db: Path, model: Path) -> Path:
    return model


def _model_link(room: Path, db: Path, model: Path) -> Path:
    (room / "model-link").symlink_to(model)
    return room / "model-link"


def _other(room: Path, db: Path, model: Path) -> Path:
    return Path(shutil.copyfile(db, room / "other.db"))


def _wal(room: Path, db: Path, model: Path) -> Path:
    return Path(f"{db}-wal")


def _sqlite(room: Path, db: Path, model: Path) -> Path:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(room / "notes.sqlite")) as plain:
        plain.execute("CREATE TABLE note (words)")
        plain.execute("INSERT INTO note VALUES ('mine')")
        plain.commit()
    return room / "notes.sqlite"


def _plain(room: Path, db: Path, model: Path) -> Path:
    (room / "diary.txt").write_text("my only copy\n")
    return room / "diary.txt"


def _plain_link(room: Path, db: Path, model: Path) -> Path:
    _plain(room, db, model)
    (room / "to-diary").symlink_to(room / "diary.txt")
    return room / "to-diary"


def _folder(room: Path, db: Path, model: Path) -> Path:
    (room / "things" / "data").mkdir(parents=True)
    for name in ("README.md", "config.json", "index.html", "loss.png", "sizes.png", "corpus.db", "metrics.jsonl",
                 "model.safetensors", "tokenizer.json", "data/train-00000-of-00001.parquet"):  # fmt: skip
        (room / "things" / name).write_text(f"my own {name}\n")
    return room / "things"


def _full(room: Path, db: Path, model: Path) -> Path:
    os.mknod(room / "full", 0o666 | stat.S_IFCHR, os.makedev(1, 7))
    return room / "full"


def _pipe(room: Path, db: Path, model: Path) -> Path:
    os.mkfifo(room / "pipe")
    return room / "pipe"


def _dangling(room: Path, db: Path, model: Path) -> Path:
    (room / "dangling").symlink_to(room / "nowhere" / "x")
    return room / "dangling"


def _named(name: str) -> Callable[[Path, Path, Path], Path]:
    return lambda room, db, model: room / name


TARGETS: dict[str, Callable[[Path, Path, Path], Path]] = {
    "the corpus": _input, "a link to it": _link, "a hard link": _hard, "the model": _model,
    "a link to the model": _model_link, "another corpus": _other, "its journal": _wal,
    "an SQLite file": _sqlite, "a plain file": _plain, "a link to a plain file": _plain_link,
    "a folder": _folder, "/dev/full": _full, "a pipe": _pipe, "a link to nowhere": _dangling,
    "no parent": _named("missing/x"), "a long name": _named(LONG),
    **{name: _named(text) for name, text in NAMES.items()},
}  # fmt: skip
FORCED = ("the corpus", "a link to it", "a hard link", "the model", "another corpus", "its journal",
          "an SQLite file", "a plain file", "a link to a plain file", "/dev/full", "a folder")  # fmt: skip


def attack(bench: Bench, scene: Scene, group: Group, quick: bool) -> None:
    """Every output over every target."""
    manual = Help(bench)
    try:
        _full(bench.room(), scene.db, scene.model)
    except OSError as error:
        group.untried.append(
            f"a device that is full as target (a node of one's own: {error.strerror})"
        )
        TARGETS.pop("/dev/full", None)
    trials = []
    for name, words, is_folder, heavy in OUTPUTS:
        command = words.split()[0]
        chosen = list(TARGETS)
        if name in ("demo", "train"):  # these take seconds each
            chosen = ["the corpus", "another corpus", "a plain file", "/dev/full", "its journal"]
            chosen += [] if quick or name == "demo" else ["a link to it", "a folder", "no UTF-8"]
        chosen = [t for t in chosen if t in TARGETS]  # what can be made here
        trials += [
            partial(_try, bench, scene, group, words, t, is_folder, heavy, ()) for t in chosen
        ]
        if manual.has(command, "--force"):
            trials += [
                partial(_try, bench, scene, group, words, t, is_folder, heavy, ("--force",))
                for t in chosen if t in FORCED
            ]  # fmt: skip
        else:
            group.untried.append(f"{command} --force: it has no such option")
    group.untried = list(dict.fromkeys(group.untried))
    bench.each(trials)


def _try(
    bench: Bench, scene: Scene, group: Group, words: str, target: str, is_folder: bool, heavy: bool,
    force: tuple[str, ...],
) -> None:  # fmt: skip
    room = bench.room()
    db = fresh(scene, room)
    model = room / "model"
    shutil.copytree(scene.model, model)
    out = TARGETS[target](room, db, model)
    before = tree(room)
    filled = [w.format(db=db, out=out, model=model) for w in words.split()]
    outcome = bench.run(
        *filled,
        *force,
        cwd=room,
        kind="torch" if heavy else "light",
        timeout=10 if target == "a pipe" else 60,
    )
    problems = judge(outcome, statuses=(0, 1, 2), memory=3000)
    problems += compare(
        room, before, tree(room), out, outcome.status, bool(force), target, "{model}" in words
    )
    group.record(f"{outcome.command}   [onto {target}]", problems, outcome.tail)
    shutil.rmtree(room, ignore_errors=True)


def compare(
    room: Path,
    before: dict[str, str],
    after: dict[str, str],
    out: Path,
    status: int,
    force: bool,
    target: str,
    reads_model: bool,
) -> list[Problem]:
    """What was lost and what was left."""
    problems: list[Problem] = []
    name = str(out.relative_to(room))
    allowed = {name} if force and target == "a plain file" else set()
    if force and target == "a link to a plain file":
        allowed = {name, "diary.txt"}
    if force and target in ("the model", "a link to the model") and not reads_model:
        allowed = {n for n in before if n.startswith("model/")}
    if force and target == "a folder":
        allowed = {n for n in before if n.startswith("things/")}
    for path, state in before.items():
        if path not in allowed and after.get(path) != state:
            problems.append(("loss", f"{path} was {'changed' if path in after else 'removed'}"))
    new = [p for p in after if p not in before]
    if status:
        new = [p for p in new if not (p == name and after[p] == "folder")]
        if new:
            problems.append(("other", f"left {', '.join(sorted(new)[:3])}"))
    else:
        # Through a dangling link an output lands where the link points to; a missing parent may be made.
        beside = [
            p
            for p in new
            if p not in (name, "missing") and not p.startswith(name + "/") and "nowhere" not in p
        ]
        if beside:
            problems.append(("other", f"left {', '.join(sorted(beside)[:3])} beside the target"))
        if (
            name not in new
            and before.get(name) == after.get(name) != "folder"
            and target != "its journal"
            and not target.startswith("a link")
        ):
            problems.append(("other", "exit status 0, and nothing was written"))
    if target == "its journal" and out.exists() and (out.is_dir() or b"{" in out.read_bytes()[:1]):
        problems.append(
            ("loss", "the corpus cannot be opened beside what was made under its journal's name")
        )
    return problems
