"""Every command that takes a corpus, as words with places to fill in."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .trial import Bench


@dataclass(frozen=True, slots=True)
class Command:
    """``words`` with {db}, {out} (a new name in a folder that is there), {model}, {jsonl}, {art}, {theirs}.

    ``writes`` the corpus; ``heavy`` needs torch; ``lists``: findings and exit status 1 belong together;
    ``slow`` ones are not tried on everything.
    """

    name: str
    words: str
    writes: bool = False
    heavy: bool = False
    lists: bool = False
    slow: bool = False

    @property
    def kind(self) -> str:
        return "torch" if self.heavy else "light"

    def filled(self, **places: str | Path) -> list[str]:
        return [
            word.format(**{k: str(v) for k, v in places.items()}) for word in self.words.split()
        ]


TRAINING = "--preset nano --steps 1 --no-baselines -q"
COMMANDS = (
    Command("search words", "search {db} cat --json"),
    Command("search glyphs", "search {db} --glyphs (o.o) --json"),
    Command("search size", "search {db} --max 40x12 --random --count"),
    Command("search like", "search {db} --like 1 --nl"),
    Command("search tag", "search {db} --tag cat --order large --csv"),
    Command("show", "show {db} 3"),
    Command("show original", "show {db} {painted} --original"),
    Command("show colour", "show {db} {painted} --colour"),
    Command("history", "history {db}"),
    Command("stats", "stats {db}"),
    Command("stats report", "stats {db} --report {out}.html", slow=True),
    Command("stats plots", "stats {db} --plots {out}.plots", slow=True),
    Command("splits", "splits {db} --check", lists=True),
    Command("review", "review {db} --verdict same"),
    Command("check", "check {db}", lists=True),
    Command("check deep", "check {db} --deep", lists=True),
    Command("export jsonl", "export {out}.jsonl --corpus {db} --originals"),
    Command("export parquet", "export {out}.parquet --corpus {db}"),
    Command("export hf", "export {out}.hf --corpus {db} --format hf"),
    Command("backup", "backup {db} {out}.db"),
    Command("merge from it", "merge {out}.db {db}"),
    Command("train", f"train {{db}} --out {{out}}.run {TRAINING}", heavy=True, slow=True),
    Command("eval", "eval {db} {model} --no-baselines --limit 3 -q", heavy=True, slow=True),
    Command("init", "init {db}", writes=True),
    Command("ingest", "ingest {db} {art} -q --workers 1", writes=True),
    Command("dedup", "dedup {db} -q", writes=True),
    Command("tag add", "tag add {db} hairy 1 2 3", writes=True),
    Command("tag rm", "tag rm {db} cat 1 2 3", writes=True),
    Command("tag rename", "tag rename {db} cat kitty", writes=True),
    Command("tag merge", "tag merge {db} beast cat dog", writes=True),
    Command("edit", "edit {db} 1 2 --set title=other", writes=True),
    Command("edit text", "edit {db} 4 --set text=###", writes=True),
    Command("edit from", "edit {db} --from {table}", writes=True),
    Command("reject", "reject {db} 5 6", writes=True),
    Command("restore", "restore {db} {rejected}", writes=True),
    Command("delete", "delete {db} 7 8 --yes", writes=True),
    Command("credit", "credit {db} Ada 1 2", writes=True),
    Command("license", "license {db} CC-BY-4.0 1 2", writes=True),
    Command("review set", "review {db} --set {a} {b} variant", writes=True),
    Command("undo", "undo {db}", writes=True),
    Command("index", "index {db} -q", writes=True),
    Command("import", "import {db} {jsonl}", writes=True),
    Command("merge", "merge {db} {theirs}", writes=True),
    Command("repair", "repair {db}", writes=True),
    Command("vacuum", "vacuum {db}", writes=True),
)
WRITERS = tuple(c for c in COMMANDS if c.writes)
READERS = tuple(c for c in COMMANDS if not c.writes)


class Help:
    """What ``--help`` of a command says, asked once."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    @cache  # noqa: B019  (one object, as long as the process)
    def of(self, command: str) -> str:
        kind = "torch" if command in ("train", "eval", "generate", "export", "demo") else "light"
        return self.bench.run(*command.split(), "--help", kind=kind).out.decode()

    def has(self, command: str, option: str) -> bool:
        return re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", self.of(command)) is not None
