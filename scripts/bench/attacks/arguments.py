"""Bad arguments and outputs that cannot be written: a line and exit status 1 or 2."""

import os
import shutil
import subprocess
from functools import partial
from pathlib import Path

from .commands import COMMANDS, Help
from .scene import Scene, contents, fresh
from .trial import BIN, Bench, Group, Outcome, Problem, judge, wait_for

VALUES = {
    "30 digits": "9" * 30, "negative": "-7", "nan": "nan", "inf": "inf", "empty": "", "no UTF-8": os.fsdecode(b"a\xff\xfe\x80"),
    "300 characters": "n" * 300, "ESC": "a\x1b[31m\x9b", "newline": "a\nb", "superscript": "²", "Arabic digits": "٣", "20 digits": "18446744073709551616",
    "a quote": "'\"; --", "a brace": "{0}%s%(x)s", "blank": " ", "bidi": "\u202ex", "a slash": "a/b", "0x10": "0x10", "1_0": "1_0", "1e9": "1e9",
}  # fmt: skip
QUICK = ("30 digits", "empty", "no UTF-8", "300 characters", "superscript")
# Commands with a place for the value; {db} a copy of the corpus, {room} its folder.
PLACES = (
    "search {db} {v}", "search {db} --max {v}", "search {db} --width {v}", "search {db} --tag {v}", "search {db} --like {v}", "search {db} --glyphs {v}",
    "search {db} --limit {v}", "search {db} --offset {v}", "search {db} --seed {v} --random", "search {db} --quality {v}",
    "search {db} --source {v} --json", "search {db} --artist {v} --csv", "search {v}", "show {db} {v}", "show {db} 1 --original --path {v}",
    "stats {db} {v}", "stats {db} --chars {v}", "history {db} -n {v}", "undo {db} {v}", "tag add {db} {v} 1", "tag rename {db} cat {v}",
    "tag merge {db} {v} cat", "tag rm {db} cat {v}", "tag add {db} x --where {v}", "edit {db} {v} --set title=x", "edit {db} 1 --set {v}",
    "edit {db} 1 --set title={v}", "edit {db} 1 --set text={v}", "edit {db} --from {v}", "reject {db} 5 --reason {v}", "reject {db} {v}", "restore {db} {v}",
    "delete {db} {v} --yes", "credit {db} {v} 1", "license {db} {v} 1", "review {db} --set 1 {v} same", "review {db} --limit {v}",
    "splits {v}", "check {v}", "repair {v}", "vacuum {v}", "index {v}", "init {room}/{v}", "backup {db} {room}/{v}", "backup {v} {room}/b.db",
    "merge {db} {v}", "import {db} {v}", "ingest {db} {v} -q", "ingest {db} {art} -q --limit {v}", "ingest {db} {art} -q --source {v}",
    "ingest {db} {art} -q --encoding {v}", "ingest {db} {art} -q --column {v}", "ingest {db} {art} -q --tag {v}", "ingest {db} {art} -q --workers {v}",
    "ingest {db} {art} -q --image-glyphs {v}", "dedup {db} --seed {v} -q", "dedup {db} --same {v} -q", "dedup {db} --shards {v} -q",
    "export {room}/{v} --corpus {db}", "export {room}/x --corpus {db} --format {v}", "formats {v}", "{v}",
)  # fmt: skip
HEAVY = (
    "generate {model} {v} --max 8x3 -q", "generate {model} cat --size {v} -q", "generate {model} cat --max {v} -q", "generate {model} cat --seed {v} --max 8x3 -q",
    "generate {model} cat --max 8x3 --temperature {v} -q", "generate {model} cat --max 8x3 --forbid {v} -q", "generate {model} cat --max 8x3 --allow {v} -q",
    "generate {model} cat --max 8x3 --top-p {v} -q", "generate {model} cat --max 8x3 --top-k {v} -q", "generate {model} cat --chars {v} -q", "generate {v} cat -q",
    "export {room}/m --preset {v}", "export {room}/m --model {v}", "export {room}/m --preset nano --model-charset {v}",
    "eval {db} {v} -q", "train {db} --out {room}/r --steps {v} --preset {v} -q", "train {db} --out {room}/r --steps 1 --preset nano --set {v} -q --no-baselines",
    "train {db} --out {room}/r --minutes 0.001 --seed {v} --preset nano -q --no-baselines", "train {db} --out {room}/r --config {v} -q", "train {db} --out {room}/r --device {v} --steps 1 --preset nano -q",
)  # fmt: skip
TABLES = {
    "repeated ids": "id,title\n1,a\n1,b\n2,c\n1,d\n", "repeated ids, text": "id,text\n1,##\n1,###\n", "ids of no piece": "id,title\n999,a\n-1,b\n",
    "ids that are no numbers": "id,title\n²,a\nx,b\n,c\n1.5,d\n", "30 digits": "id,title\n" + "9" * 30 + ",a\n", "no id": "title\na\n", "empty": "",
    "ragged": "id,title\n1\n2,b,c,d\n", "NUL": "id,title\n1,a\0b\n", "Latin-1": "id,title\n1,caf\udce9\n", "a blank line": "id,title\n1,a\n\n", "header only": "id,title\n",
    "unknown column": "id,colour\n1,red\n", "repeated column": "id,title,title\n1,a,b\n", "a bad kind": "id,kind\n1,malware\n", "measured column": "id,width\n1,5\n",
    "ESC": "id,title,text\n1,\x1b[31mx,\x1b[31m##\n", "a huge cell": "id,title\n1," + "x" * 2_000_000 + "\n",
}  # fmt: skip


def attack(bench: Bench, scene: Scene, group: Group, quick: bool) -> None:
    """Values in every place, tables of edits, and outputs that cannot be written."""
    values = {k: v for k, v in VALUES.items() if not quick or k in QUICK}
    few = dict(list(values.items())[:: 1 if quick else 2])
    trials = [
        partial(_value, bench, scene, group, p, n, v) for p in PLACES for n, v in values.items()
    ]
    trials += [
        partial(_value, bench, scene, group, p, n, v, "torch")
        for p in HEAVY[:: 3 if quick else 1] for n, v in few.items()
    ]  # fmt: skip
    trials += [partial(_table, bench, scene, group, n, t) for n, t in TABLES.items()]
    manual = Help(bench)
    commands = [c for c in COMMANDS if not c.heavy]
    trials += [partial(_full, bench, scene, group, c.words, c.lists) for c in commands]
    trials += [partial(_full, bench, scene, group, f"{c.words} --json", c.lists) for c in commands
               if "--json" not in c.words and "--csv" not in c.words and "--nl" not in c.words
               and manual.has(" ".join(c.words.split()[: 2 if c.words.startswith("tag") else 1]), "--json")]  # fmt: skip
    trials += [
        partial(_full, bench, scene, group, w, False)
        for w in ("formats", "--help", "search --help", "--version")
    ]
    shells = ("search {db} cat --nl >&-", "search {db} --limit 400 --nl | head -c1", "formats | head -c1", "show {db} 3 >&-",
              "search {db} --limit 400 --json | head -c1", "stats {db} | true", "show {db} {painted} --original >&-", "check {db} >&-",
              "tag add {db} x 1 >&- 2>&-", "ingest {db} {art} <&- >&-", "ingest {db} - -q <&-", "--help | true", "search {db} cat 2>&-", "search {db} nothing-here-at-all 2>/dev/full")  # fmt: skip
    trials += [partial(_shell, bench, scene, group, w) for w in (shells[:4] if quick else shells)]
    bench.each(trials)


def _clean(room: Path) -> None:
    shutil.rmtree(os.fsencode(room), ignore_errors=True)


def _value(
    bench: Bench, scene: Scene, group: Group, place: str, name: str, value: str, kind: str = "light"
) -> None:
    room = bench.room()
    db = fresh(scene, room)
    words = [
        w.replace("{db}", str(db)).replace("{room}", str(room)).replace("{art}", str(scene.art))
        .replace("{model}", str(scene.model)).replace("{v}", value)
        for w in place.split()
    ]  # fmt: skip
    outcome = bench.run(*words, cwd=room, kind=kind, timeout=40)
    problems = judge(outcome, lists=words[0] in ("check", "splits"), memory=2000)
    problems += _two_is_usage(outcome)
    group.record(f"{place}   [{name}]", problems, outcome.tail)
    _clean(room)


def _two_is_usage(outcome: Outcome) -> list[Problem]:
    if outcome.status == 2 and "Error:" not in outcome.err:
        return [("other", "exit status 2 without a word")]
    return []


def _table(bench: Bench, scene: Scene, group: Group, name: str, text: str) -> None:
    room = bench.room()
    db = fresh(scene, room)
    (room / "t.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
    outcome = bench.run("edit", db, "--from", room / "t.csv")
    problems = judge(outcome) + _two_is_usage(outcome)
    if outcome.status and contents(db) != contents(scene.db):
        problems.append(("loss", "rows changed though the command failed"))
    group.record(f"{outcome.command}   [a table of edits: {name}]", problems, outcome.tail)
    _clean(room)


def _full(bench: Bench, scene: Scene, group: Group, words: str, lists: bool) -> None:
    """Stdout is a disk that is full; what was printed is lost, so 0 is a lie where something was to be printed."""
    room = bench.room()
    db = fresh(scene, room)
    filled = [
        w.format(db=db, out=room / "out", jsonl=scene.jsonl, art=scene.art, theirs=scene.theirs,
                 table=scene.table, model=scene.model, **scene.numbers)
        for w in words.split()
    ]  # fmt: skip
    kind = "torch" if filled[0] == "export" else "light"
    # A device that is full says so at the end of the process too: only a new interpreter tells the whole.
    outcome = bench.run(*filled, kind=kind, stdout=Path("/dev/full"), timeout=60)
    problems = judge(outcome, statuses=(0, 1), lists=lists)
    if outcome.status == 1 and lists and not outcome.err.strip():
        problems.append(("other", "exit status 1 without a word"))
    group.record(f"{outcome.command}   [> /dev/full]", problems, outcome.tail)
    _clean(room)


def _shell(bench: Bench, scene: Scene, group: Group, words: str) -> None:
    """Through a shell: closed files and broken pipes, in a new interpreter."""
    room = bench.room()
    db = fresh(scene, room)
    line = f"{BIN} {words}".format(db=db, art=scene.art, **scene.numbers)
    with (room / "err").open("wb") as err:
        child = subprocess.Popen(
            ["bash", "-c", line], cwd=room, start_new_session=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=err,
        )  # fmt: skip
        status, peak, hung, left = wait_for(child, 60)
    said = (room / "err").read_text(errors="backslashreplace")
    outcome = Outcome(line, status, b"", said, 60, peak, hung, left)
    problems = judge(outcome, statuses=(0, 1, 2, 120, 141), lists=True)
    group.record(f"asciiloom {words}", problems, outcome.tail)
    _clean(room)
