"""Every command where the file or the machine fails: one line that names the cause, exit 1, nothing lost."""

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from asciiloom import synth
from asciiloom.cli import main
from asciiloom.corpus import Corpus
from asciiloom.curate.upkeep import check
from asciiloom.piece import Piece

BUSY = "0.1"

# What each command is called with; {0} is the corpus, {1} the folder that it lies in.
READING = {
    "init": "init {0}",
    "search": "search {0} cat",
    "search all": "search {0} -n 900 --json",
    "search shapes": "search {0} --glyphs o.o",
    "search like": "search {0} --like 1",
    "count": "search {0} --count",
    "show": "show {0} 1 --json",
    "original": "show {0} 1 --original",
    "history": "history {0}",
    "review": "review {0}",
    "stats": "stats {0}",
    "splits": "splits {0} --check",
    "check": "check {0} --deep",
}
WRITING = {
    "ingest": "ingest {0} {1}/new.txt -q",
    "tag add": "tag add {0} zebra 1 2",
    "tag rename": "tag rename {0} pet beast",
    "edit": "edit {0} 2 --set title=x",
    "edit from": "edit {0} --from {1}/edits.json",
    "edit text": "edit {0} 4 --set text=hello",
    "reject": "reject {0} 3",
    "restore": "restore {0} 5",
    "delete": "delete {0} 6 --yes",
    "credit": "credit {0} jgs 6",
    "license": "license {0} MIT 6",
    "undo": "undo {0}",
    "import": "import {0} {1}/in.jsonl",
    "merge": "merge {0} {1}/other.db",
    "dedup": "dedup {0} --same 0.9 -q",
    "repair": "repair {0}",
    "vacuum": "vacuum {0}",
}
COPYING = {
    "backup": "backup {0} {1}/copy.db -q",
    "export": "export {1}/x.jsonl --corpus {0}",
}
ALL = READING | WRITING | COPYING
# Those that load no compiler, which takes seconds in a process of its own.
LIGHT = {name: ALL[name] for name in ALL if name not in ("dedup", "search like")}


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a sound corpus and what the commands read."""
    folder = tmp_path_factory.mktemp("master")
    with Corpus(folder / "a.db", create=True) as corpus:
        cat = Piece(" /\\_/\\\n( o.o )\n > ^ <", title="cat", tags=("pet",), original=b"x")
        corpus.add([cat, *synth.generate(120, seed=5)])
        corpus.dedup()
        corpus.tag([1, 2], ["animal"])
    assert CliRunner().invoke(main, ["reject", str(folder / "a.db"), "5"]).exit_code == 0
    with Corpus(folder / "other.db", create=True) as corpus:
        corpus.add(synth.generate(10, seed=9))
    (folder / "new.txt").write_text("/\\/\\\n\\/\\/ new\n")
    (folder / "edits.json").write_text(json.dumps([{"id": 1, "title": "t"}]))
    exported = CliRunner().invoke(
        main, ["export", str(folder / "in.jsonl"), "--corpus", str(folder / "other.db")]
    )
    assert exported.exit_code == 0, exported.output
    assert not list(folder.glob("*-wal"))
    return folder


@pytest.fixture
def place(master: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASCIILOOM_BUSY_SECONDS", BUSY)
    shutil.copytree(master, tmp_path / "w")
    return tmp_path / "w"


def invoke(command: str, folder: Path) -> Result:
    words = [word.format(folder / "a.db", folder) for word in command.split()]
    return CliRunner().invoke(main, words)


def failed_in_one_line(result: Result, *said: str) -> None:
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 1, result.output
    lines = result.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("Error: "), lines
    for part in said:
        assert part in lines[0]


def went_well(result: Result) -> None:
    assert result.exit_code == 0, (result.output, result.exception)


@pytest.mark.parametrize("command", ALL)
def test_every_command_works_on_a_sound_file(place: Path, command: str) -> None:
    went_well(invoke(ALL[command], place))


@pytest.mark.parametrize("command", ALL)
def test_while_another_program_writes(place: Path, command: str) -> None:
    other = sqlite3.connect(place / "a.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    before = other.execute("SELECT total(id), count(*) FROM piece").fetchone()
    result = invoke(ALL[command], place)
    if command in WRITING:
        failed_in_one_line(result, "a.db is locked", "another program is writing", "wait")
        assert other.execute("SELECT total(id), count(*) FROM piece").fetchone() == before
    else:
        went_well(result)
    other.close()


@pytest.mark.parametrize("command", ["search", "edit", "check", "backup"])
def test_a_file_that_another_program_keeps_to_itself(place: Path, command: str) -> None:
    other = sqlite3.connect(place / "a.db", isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    other.execute("UPDATE piece SET title = 'x' WHERE id = 1")
    failed_in_one_line(invoke(ALL[command], place), "a.db is locked")
    other.close()


def in_child(job: str, folder: Path, *, commands: dict[str, str]) -> dict[str, list[object]]:
    """``job``, Python that makes the machine fail, in a process of its own, then every command in a copy of
    ``folder``: {command: [exit code or name of the exception, stderr]}."""
    code = f"""
    import json, os, resource, shutil, sys
    from pathlib import Path
    from click.testing import CliRunner
    from asciiloom.cli import main
    commands, folder = json.loads(sys.argv[1]), Path(sys.argv[2])
    def run(name, place):
        words = [word.format(place / "a.db", place) for word in commands[name].split()]
        return CliRunner().invoke(main, words)
    for name in commands:
        shutil.copytree(folder, folder.parent / name)
    shutil.copytree(folder, folder.parent / "warm")
    for name in commands:  # what they import, nobody else may be able to read
        run(name, folder.parent / "warm")
    {job}
    found = {{}}
    for name in commands:
        result = run(name, folder.parent / name)
        known = result.exception is None or isinstance(result.exception, SystemExit)
        found[name] = [result.exit_code if known else repr(result.exception), result.stderr]
    print(json.dumps(found))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), json.dumps(commands), str(folder)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "ASCIILOOM_BUSY_SECONDS": BUSY},
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[object]] = json.loads(done.stdout)
    return found


@pytest.fixture
def outside(master: Path) -> Iterator[Path]:
    """As ``place``, where other users may look, too: pytest's own folders are closed to them."""
    import tempfile

    top = Path(tempfile.mkdtemp())
    top.chmod(0o755)
    shutil.copytree(master, top / "w")
    yield top / "w"
    for path in top.rglob("*"):
        path.chmod(0o755)
    shutil.rmtree(top)


# Root may write where nobody may: become nobody.
READ_ONLY = """
    for path in folder.parent.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    if os.getuid() == 0:
        os.setgroups([]); os.setgid(65534); os.setuid(65534)
    assert not os.access(folder, os.W_OK) and not os.access(folder / "a.db", os.W_OK)
"""


def test_a_sound_corpus_that_may_not_be_written(outside: Path) -> None:
    found = in_child(READ_ONLY.strip(), outside, commands=LIGHT)
    for name, (code, said) in found.items():
        if name in READING:
            assert code == 0, (name, code, said)
            assert "damage" not in str(said) and "not looked at" not in str(said)
        else:
            assert code == 1, (name, code, said)
            assert str(said).startswith("Error: ") and str(said).count("\n") == 1, (name, said)
        if name in WRITING:
            assert "cannot be written: the file is read-only to you" in str(said), (name, said)
    assert len(found) == len(LIGHT)


FULL = "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))"


def test_where_no_more_can_be_written(outside: Path) -> None:
    """A limit of 4 KiB a file stands for a full disk: every write beyond it fails, reading goes on."""
    found = in_child(FULL, outside, commands=LIGHT)
    for name, (code, said) in found.items():
        if name in READING:
            assert code == 0, (name, code, said)
            continue
        assert code == 1, (name, code, said)
        assert str(said).startswith("Error: ") and str(said).count("\n") == 1, (name, said)
        assert "ulimit" in str(said) or "File too large" in str(said), (name, said)
        assert "damaged" not in str(said)
    for name in LIGHT:
        with Corpus(outside.parent / name / "a.db") as corpus:
            assert corpus.count() == 120 and check(corpus.connection) == []


def _pages(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 4)):
        page = rng.randrange(1, len(data) // 8192) * 8192
        data[page : page + 8192] = rng.choice((rng.randbytes(8192), bytes(8192)))


def _bits(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 20, 400))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _header(data: bytearray, rng: random.Random) -> None:
    for _ in range(3):
        data[rng.randrange(100)] = rng.randrange(256)


def _cut(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data)) :]


@pytest.mark.parametrize("damage", [_pages, _bits, _header, _cut])
@pytest.mark.parametrize("seed", range(10))
def test_no_damage_is_a_traceback(
    place: Path, damage: Callable[[bytearray, random.Random], None], seed: int
) -> None:
    rng = random.Random(seed)
    data = bytearray((place / "a.db").read_bytes())
    damage(data, rng)
    for command in rng.sample(sorted(ALL), 6):
        (place / "a.db").write_bytes(data)
        result = invoke(ALL[command], place)
        assert result.exception is None or isinstance(result.exception, SystemExit), (
            command,
            result.exception,
        )
        assert result.exit_code in (0, 1), result.output
        for left in place.glob("a.db-*"):
            left.unlink()
        for made in ("copy.db", "x.jsonl"):
            (place / made).unlink(missing_ok=True)


@pytest.mark.parametrize("command", [name for name in WRITING if name != "repair"])
def test_nothing_is_written_into_a_damaged_file(place: Path, command: str) -> None:
    with sqlite3.connect(place / "a.db") as db:
        # A table that none of the commands but undo reads before it writes.
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'change'").fetchone()
    db.close()
    data = bytearray((place / "a.db").read_bytes())
    data[(page - 1) * 8192 : page * 8192] = b"\xff" * 8192
    (place / "a.db").write_bytes(data)
    failed_in_one_line(invoke(ALL[command], place), "damaged", "nothing was written", "check")
    assert (place / "a.db").read_bytes() == bytes(data)


TABLES = ("piece", "origin", "tag", "source", "twin", "edit", "size", "unindexed", "signature")


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_missing(place: Path, table: str) -> None:
    with sqlite3.connect(place / "a.db") as db:
        db.execute(f"DROP TABLE {table}")
    db.close()
    for command in WRITING:
        if command not in ("vacuum", "restore"):
            result = invoke(ALL[command], place)
            assert result.exit_code == 1 and isinstance(result.exception, SystemExit), command
            assert result.stderr.count("\n") == 1 and table in result.stderr, result.stderr
    for command in READING:
        result = invoke(ALL[command], place)
        assert result.exception is None or isinstance(result.exception, SystemExit), command
    checked = invoke("check {0}", place)
    assert checked.exit_code == 1 and f"the table {table} is missing" in checked.stdout


def test_indexes_and_triggers_that_are_missing_are_made_again(place: Path) -> None:
    with sqlite3.connect(place / "a.db") as db:
        db.execute("DROP TRIGGER piece_au")
        db.execute("DROP INDEX tag_name")
        db.execute("DELETE FROM size WHERE piece_id = 3")
        db.execute("UPDATE piece SET title = 'unheard of' WHERE id = 2")
    db.close()
    failed_in_one_line(invoke(ALL["edit"], place), "the index tag_name", "repair")
    went_well(invoke("repair {0}", place))
    went_well(invoke("check {0} --deep", place))
    assert "#2 " in invoke("search {0} unheard", place).stderr


def test_repair_says_what_it_could_not_mend(place: Path) -> None:
    with sqlite3.connect(place / "a.db") as db:
        db.execute("DELETE FROM origin WHERE piece_id = 7")
    db.close()
    result = invoke("repair {0}", place)
    assert result.exit_code == 1 and "piece without an origin: 1 (7)" in result.stdout
    result = invoke("repair {0} --json", place)
    assert result.exit_code == 1 and len(json.loads(result.stdout)["left"]) == 1


BIG = "9" * 30


@pytest.mark.parametrize(
    "command",
    [f"show {{0}} {BIG}", f"search {{0}} --offset {BIG}", f"search {{0}} -n {BIG}",
     f"search {{0}} --like {BIG}", f"tag add {{0}} x {BIG}", f"undo {{0}} {BIG}",
     f"history {{0}} -n {BIG}", f"review {{0}} --set {BIG} 2 same", f"delete {{0}} {BIG} --yes"],
)  # fmt: skip
def test_numbers_beyond_64_bits(place: Path, command: str) -> None:
    failed_in_one_line(invoke(command, place), "64 bits")


@pytest.mark.parametrize(
    "command",
    ["dedup {0} --same nan", "search {0} --quality nan", "review {0} --set 1 ² same",
     "train {0} --minutes nan", "generate {1} cat --temperature nan"],
)  # fmt: skip
def test_what_only_looks_like_a_number_is_a_matter_of_usage(place: Path, command: str) -> None:
    result = invoke(command, place)
    assert result.exit_code == 2 and "Error" in result.stderr


def test_a_limit_of_ingest_beyond_64_bits_is_a_matter_of_usage(place: Path) -> None:
    assert invoke(f"ingest {{0}} {{1}}/new.txt --limit {BIG}", place).exit_code == 2


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("id,title\n1,a\n1,b\n", "two values of title"),
        ("id,title\n1,a,b\n", "more cells"),
        ('[{"id": 1, "title": {"a": 1}}]', "no text"),
        ('[{"id": 1, "tags": [{"a": 1}]}]', "no text"),
        ('[{"id": 1e999, "title": "a"}]', "no id"),
        (f"id,title\n{BIG},a\n", "no piece can have"),
        ("[" * 100_000, "neither JSON nor CSV"),
    ],
)
def test_odd_tables_of_edits(place: Path, table: str, said: str) -> None:
    (place / "edits.json").write_text(table)
    failed_in_one_line(invoke(ALL["edit from"], place), said)


def test_a_cell_of_edits_may_be_long(place: Path) -> None:
    """csv's own limit is 131,072 characters; a drawing may have a million."""
    drawing = "\n".join(["o" * 999] * 200)
    (place / "edits.json").write_text(f'id,text\n1,"{drawing}"\n')
    assert invoke(ALL["edit from"], place).exit_code == 0
    assert json.loads(invoke("show {0} 1 --json", place).stdout)["text"] == drawing


def test_a_piece_named_twice_is_edited_once(place: Path) -> None:
    result = CliRunner().invoke(
        main, ["edit", str(place / "a.db"), "1", "1", "--set", "title=q", "--json"]
    )
    assert json.loads(result.stdout)["changed"] == 1


LONE = b"x\xff".decode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    "command",
    ["search {0} LONE", "search {0} --tag LONE", "search {0} --source LONE", "credit {0} LONE 1",
     "edit {0} 1 --set title=LONE"],
)  # fmt: skip
def test_bytes_that_are_no_text_in_arguments(place: Path, command: str) -> None:
    failed_in_one_line(invoke(command.replace("LONE", LONE), place), "not UTF-8", "\\udcff")


def test_a_corpus_whose_name_is_no_text(place: Path) -> None:
    (place / "a.db").rename(place / f"{LONE}.db")
    found = CliRunner().invoke(main, ["search", str(place / f"{LONE}.db"), "--count"])
    assert found.stdout == "120\n"
    assert CliRunner().invoke(main, ["check", str(place / f"{LONE}.db")]).exit_code == 0


@pytest.mark.parametrize(
    "command", ["show NAME 1", "init NAME", "ingest NAME {1}/new.txt", "backup {0} NAME"]
)
def test_names_that_are_too_long(place: Path, command: str) -> None:
    result = invoke(command.replace("NAME", "n" * 300), place)
    assert "ile name too long" in result.stderr
    failed_in_one_line(result)


def test_errors_hold_no_control_characters(place: Path) -> None:
    for args in (["search", "\x1b[31m.db"], ["\x1b[31m"], ["show", str(place / "a.db"), "\x1b[2J"]):
        result = CliRunner().invoke(main, args)
        assert result.exit_code in (1, 2) and "\x1b" not in result.output
        assert "\\x1b[" in result.stderr


def test_a_defect_keeps_its_traceback(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("asciiloom.corpus.corpus.Corpus.count", fail)
    assert isinstance(invoke(ALL["count"], place).exception, ZeroDivisionError)


def run(command: str, **more: object) -> subprocess.CompletedProcess[str]:
    shell = command.replace("asciiloom", f"{sys.executable} -m asciiloom")
    return subprocess.run(["bash", "-c", shell], capture_output=True, text=True, timeout=60)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("command", ["search {0} cat", "show {0} 1 --original", "--help"])
def test_a_full_output(place: Path, command: str) -> None:
    done = run(f"asciiloom {command.format(place / 'a.db')} > /dev/full")
    lines = [line for line in done.stderr.splitlines() if line.startswith("Error")]
    assert done.returncode == 1 and len(lines) == 1, done.stderr
    assert "no space left" in lines[0] and "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_closed_pipe_ends_it_quietly(place: Path) -> None:
    done = run(f"asciiloom show {place / 'a.db'} 1 --original | true; exit ${{PIPESTATUS[0]}}")
    assert done.returncode == 1 and done.stderr == ""


def test_closed_streams(place: Path) -> None:
    assert run(f"asciiloom search {place / 'a.db'} --count >&-").returncode == 0
    done = run(f"asciiloom ingest {place / 'a.db'} - <&-")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "all 1 items were rejected" in done.stderr


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_signals_end_a_command_in_one_line(
    place: Path, number: signal.Signals, code: int, said: str
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "asciiloom", "ingest", str(place / "a.db"), "-", "--workers", "1"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Where the tests run in the background, interrupts are ignored, and that is inherited.
    )
    assert process.stdin is not None
    process.stdin.write(
        b"x" * (1 << 20)
    )  # far more than a pipe holds: once written, it is being read
    process.stdin.flush()
    process.send_signal(number)
    said_last = process.communicate(timeout=60)[1].decode()
    assert process.returncode == code, said_last
    assert f"{said}; what was committed is kept" in said_last and "Traceback" not in said_last


def test_an_interrupt_at_a_question(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("click.termui.visible_prompt_func", interrupt)
    with pytest.raises(SystemExit) as ended:
        main(["delete", str(place / "a.db"), "6"])
    assert ended.value.code == 130
    assert "interrupted; what was committed is kept" in capsys.readouterr().err


def test_an_interrupt_while_another_error_is_handled(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        try:
            raise KeyError
        except KeyError:
            raise KeyboardInterrupt from None

    monkeypatch.setattr("asciiloom.cli.corpus.Corpus", interrupt)
    with pytest.raises(SystemExit) as ended:
        main(["dedup", str(place / "a.db")])
    assert ended.value.code == 130
    assert capsys.readouterr().err == "interrupted; what was committed is kept\n"
