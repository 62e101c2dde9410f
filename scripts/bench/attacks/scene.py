"""What is attacked: small corpora from the data that comes with asciiloom, a model, and what a sound file is."""

import hashlib
import json
import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from .commands import Command
from .trial import Bench, Outcome

SIDECARS = ("-wal", "-shm", "-journal")
ANSI = "\x1b[1;31m/\\_/\\\x1b[0m\n\x1b[32m( o.o )\n > ^ <\x1b[0m\n"
CAT = " /\\_/\\\n( o.o )\n > ^ <"


def records(count: int, seed: int) -> Iterator[dict[str, object]]:
    """Exported records of ``count`` generated pieces."""
    from asciiloom.synth import generate

    for piece in generate(count, seed):
        yield {
            "text": piece.text, "title": piece.title, "tags": list(piece.tags), "kind": piece.kind,
            "source": "asciiloom/synth", "licence": "CC0-1.0",
        }  # fmt: skip


def write_records(path: Path, count: int, seed: int) -> Path:
    with path.open("w", encoding="utf-8") as stream:
        for record in records(count, seed):
            stream.write(json.dumps(record, ensure_ascii=False) + "\n")
    return path


@dataclass(frozen=True, slots=True)
class Scene:
    """Paths that trials copy from. ``numbers`` fill {painted}, {rejected}, {a} and {b} of the commands."""

    folder: Path
    db: Path
    theirs: Path
    jsonl: Path
    art: Path
    table: Path
    model: Path
    numbers: dict[str, str]

    def words(self, command: Command, db: str | Path, out: str | Path) -> list[str]:
        """The words of ``command``; an input that is written to is a copy beside ``out``."""
        return command.filled(
            db=db, out=out, model=self.model, jsonl=self.jsonl, art=self.art, table=self.table,
            theirs=self.theirs, **self.numbers,
        )  # fmt: skip

    def run(
        self, bench: Bench, command: Command, db: Path, timeout: float = 40, **how: object
    ) -> Outcome:
        """Run ``command`` on ``db`` with its output beside it, named after the command."""
        out = db.parent / command.name.replace(" ", "-")
        return bench.run(
            *self.words(command, db, out), kind=command.kind, timeout=timeout, **how  # type: ignore[arg-type]
        )  # fmt: skip


def _must(outcome: Outcome) -> None:
    if outcome.status:
        raise RuntimeError(f"the scene could not be set: {outcome.command}: {outcome.tail}")


def build(bench: Bench) -> Scene:
    """Make the scene with the command line itself."""
    from asciiloom.resources import resource_dir

    folder = bench.room()
    db, theirs = folder / "art.db", folder / "theirs.db"
    jsonl = write_records(folder / "more.jsonl", 120, 1)
    art = folder / "new.txt"
    art.write_text("  __\n /  \\\n| <> |\n \\__/\n")
    painted, twins = folder / "red.ans", folder / "twins"
    painted.write_text(ANSI)
    twins.mkdir()
    big = "\n".join("#" * k + "." * (30 - k) + "|" + "/\\" * 5 for k in range(30))
    (twins / "a.txt").write_text(big)
    (twins / "b.txt").write_text(big.replace("#.", "##", 1))
    for words in (
        ["ingest", db, resource_dir("data"), "-q", "--workers", "1"],
        ["ingest", db, write_records(folder / "some.jsonl", 100, 2), "-q", "--workers", "1"],
        ["ingest", db, painted, "--whole", "-q", "--workers", "1"],
        ["ingest", db, twins, "--whole", "-q", "--workers", "1"],
        ["dedup", db, "-q"],
        ["tag", "add", db, "small", "--max", "10x4"],
        ["edit", db, "1", "--set", "title=edited"],
        ["reject", db, "9"],
        ["ingest", theirs, write_records(folder / "other.jsonl", 60, 3), "-q", "--workers", "1"],
        ["ingest", theirs, painted, "--whole", "-q", "--workers", "1", "--source", "them"],
        ["reject", theirs, "2"],
    ):
        _must(bench.run(*[str(w) for w in words], timeout=300))
    model = folder / "model"
    _must(bench.run("export", model, "--preset", "nano", kind="torch", timeout=120))
    with closing(sqlite3.connect(db)) as plain:
        (number,) = plain.execute("SELECT piece_id FROM colour").fetchone()
        pair = plain.execute("SELECT a, b FROM twin").fetchone()
        plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with closing(sqlite3.connect(theirs)) as plain:
        plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    table = folder / "edits.csv"
    table.write_text("id,title\n1,one\n2,two\n")
    for path in (db, theirs):
        for ending in SIDECARS:
            Path(f"{path}{ending}").unlink(missing_ok=True)
    return Scene(
        folder,
        db,
        theirs,
        jsonl,
        art,
        table,
        model,
        {"painted": str(number), "rejected": "9", "a": str(pair[0]), "b": str(pair[1])},
    )


def fresh(scene: Scene, room: Path, name: str = "art.db", source: Path | None = None) -> Path:
    """A copy of the corpus in ``room``."""
    return Path(shutil.copyfile(source or scene.db, room / name))


@contextmanager
def copied(db: Path) -> Iterator[Path]:
    """A copy of a corpus and its journal, to be looked at without touching the thing itself."""
    with tempfile.TemporaryDirectory() as folder:
        for ending in ("", "-wal", "-journal"):
            path = Path(f"{db}{ending}")
            if path.is_file():
                shutil.copyfile(path, Path(folder, "copy.db" + ending))
        yield Path(folder, "copy.db")


def unsound(db: Path) -> list[str]:
    """What plain SQLite finds wrong with a file; nothing where it is sound."""
    with copied(db) as copy:
        if not copy.exists():
            return ["the file is gone"]
        if copy.stat().st_size == 0 and not Path(f"{copy}-wal").exists():
            return ["the file is empty"]
        try:
            with closing(sqlite3.connect(copy)) as plain:
                found = [r[0] for r in plain.execute("PRAGMA integrity_check(5)") if r[0] != "ok"]
                found += [f"reference {r[:3]}" for r in plain.execute("PRAGMA foreign_key_check")][
                    :5
                ]
                if plain.execute(
                    "SELECT 1 FROM piece WHERE id NOT IN (SELECT piece_id FROM origin)"
                ).fetchone():
                    found.append("a piece without an origin")
                return found
        except sqlite3.Error as error:
            return [str(error)]


def contents(db: Path) -> dict[str, str]:
    """A digest of the rows of each ordinary table."""
    with copied(db) as copy, closing(sqlite3.connect(copy)) as plain:
        names = [
            row[0] for row in plain.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
                " AND name NOT LIKE 'piece_fts%' AND name NOT LIKE 'piece_art%' AND name NOT LIKE 'sqlite_%'"
            )
        ]  # fmt: skip
        return {
            name: hashlib.sha256(
                "\n".join(sorted(map(repr, plain.execute(f"SELECT * FROM {name}")))).encode()
            ).hexdigest()
            for name in names
        }


def hashes(db: Path) -> set[str]:
    """Content hashes of the pieces."""
    with copied(db) as copy, closing(sqlite3.connect(copy)) as plain:
        return {row[0] for row in plain.execute("SELECT hash FROM piece")}


def tree(folder: Path) -> dict[str, str]:
    """What each name below ``folder`` is: kind and digest; journals of SQLite's left out."""
    found: dict[str, str] = {}
    for place, folders, names in os.walk(os.fsencode(folder)):
        for raw in folders + names:
            path = os.path.join(place, raw)  # noqa: PTH118  (names may be no UTF-8)
            name = os.fsdecode(os.path.relpath(path, os.fsencode(folder)))
            if name.endswith(SIDECARS):
                continue
            found[name] = _state(path)
    return found


def _state(path: bytes) -> str:
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        return "link to " + os.fsdecode(os.readlink(path))  # noqa: PTH115
    if stat.S_ISDIR(mode):
        return "folder"
    if not stat.S_ISREG(mode):
        return f"special {stat.S_IFMT(mode):o}"
    with open(path, "rb") as stream:  # noqa: PTH123
        return hashlib.file_digest(stream, "sha256").hexdigest()
