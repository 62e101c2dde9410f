"""Outputs are whole or not there, and nothing that is to be kept is written over."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from asciiloom.errors import OutputError
from asciiloom.outputs import (
    check_output_file,
    check_output_folder,
    output_file,
    output_folder,
    output_stream,
)

NAMES = ("a.txt", "data/*.bin")


def write(target: Path, text: str, **how: bool) -> None:
    with output_stream(target, **how) as stream:  # type: ignore[arg-type]
        stream.write(text.encode())


def fill(target: Path, *names: str, force: bool = False) -> None:
    with output_folder(target, names=NAMES, force=force) as part:
        for name in names:
            (part / name).parent.mkdir(exist_ok=True)
            (part / name).write_text(f"new {name}")


def listing(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "art.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (x)")
    connection.commit()
    connection.close()
    return path


def test_a_new_file_has_the_mode_of_any_new_file(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path / "a", "x")
        fill(tmp_path / "f", "a.txt")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o750
    (tmp_path / "a").chmod(0o604)
    write(tmp_path / "a", "y", force=True)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o604  # a file keeps the one it has


def test_a_file_that_is_there_needs_force(tmp_path: Path) -> None:
    write(tmp_path / "a", "one")
    with pytest.raises(OutputError, match="--force"):
        write(tmp_path / "a", "two")
    assert listing(tmp_path) == {"a": "one"}
    write(tmp_path / "a", "two", force=True)
    assert listing(tmp_path) == {"a": "two"}


def test_a_file_made_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="there"), output_stream(tmp_path / "a") as stream:
        stream.write(b"mine")
        (tmp_path / "a").write_text("theirs")
    assert listing(tmp_path) == {"a": "theirs"}


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("end", ["", "-wal", "-shm", "-journal"])
def test_no_database_is_written_over(database: Path, end: str, force: bool) -> None:
    before = database.read_bytes()
    with pytest.raises(OutputError, match="SQLite"):
        write(Path(f"{database}{end}"), "x", force=force)
    assert database.read_bytes() == before and list(database.parent.iterdir()) == [database]


def test_a_database_whose_pages_are_still_in_its_journal(tmp_path: Path) -> None:
    (tmp_path / "new.db").touch()
    (tmp_path / "new.db-wal").write_bytes(b"pages")
    with pytest.raises(OutputError, match="SQLite"):
        write(tmp_path / "new.db", "x", force=True)


def test_no_input_is_written_over_under_any_name(tmp_path: Path) -> None:
    given = tmp_path / "in.jsonl"
    given.write_text("kept")
    (tmp_path / "soft").symlink_to(given)
    os.link(given, tmp_path / "hard")
    for name in ("in.jsonl", "soft", "hard", "./x/../in.jsonl"):
        (tmp_path / "x").mkdir(exist_ok=True)
        with pytest.raises(OutputError, match="reads"):
            check_output_file(f"{tmp_path}/{name}", force=True, inputs=[given])
    model = tmp_path / "x"
    with pytest.raises(OutputError, match="reads"):
        check_output_folder(model, names=NAMES, force=True, inputs=[model])


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real" / "a")
    write(tmp_path / "link", "x")
    write(tmp_path / "link", "y", force=True)
    assert (tmp_path / "link").is_symlink() and listing(tmp_path / "real") == {"a": "y"}


def test_places_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for target, said in (
        (tmp_path, "folder"),
        (tmp_path / "pipe", "pipe"),
        (Path("/dev/null"), "device"),
        (tmp_path / "no" / "a", "no folder"),
        (tmp_path / "file" / "a", "cannot write"),
        (tmp_path / ("n" * 300), "too long"),
        (tmp_path / "a\x00b", "null"),
        (tmp_path / "loop", "cannot write"),
        ("", "empty"),
    ):
        with pytest.raises(OutputError, match=said) as caught:
            check_output_file(target, force=True)
        assert "\n" not in str(caught.value)
    for target, said in (
        (tmp_path / "file", "is a file"),
        (tmp_path / "file" / "a", "cannot write"),
        (tmp_path / ("n" * 300), "too long"),
    ):
        with pytest.raises(OutputError, match=said):
            check_output_folder(target, names=NAMES, force=True)
    # Root may write everywhere: the answer is made up.
    monkeypatch.setattr(os, "access", lambda *_: False)
    for check in (check_output_file, lambda target: check_output_folder(target, names=NAMES)):
        with pytest.raises(OutputError, match="not writable"):
            check(tmp_path / "a")


def test_an_error_leaves_the_former_file_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path / "a", "one")
    with pytest.raises(KeyError), output_stream(tmp_path / "a", force=True) as stream:
        stream.write(b"two")
        raise KeyError
    assert listing(tmp_path) == {"a": "one"}


def test_sqlite_companions_of_a_part_go_with_it(tmp_path: Path) -> None:
    with pytest.raises(KeyError), output_file(tmp_path / "a") as part:
        part.touch()
        Path(f"{part}-journal").touch()
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_filled_and_exchanged(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "out"
    fill(target, "a.txt", "data/1.bin", "data/2.bin")
    (target / "LICENSE").write_text("mine")
    (target / "data" / "notes.txt").write_text("mine, too")
    with pytest.raises(OutputError, match="--force"):
        fill(target, "a.txt")
    (target / "a.txt").write_text("old")
    fill(target, "a.txt", "data/2.bin", force=True)
    assert listing(tmp_path / "deep") == {
        "out/LICENSE": "mine",
        "out/a.txt": "new a.txt",
        "out/data/2.bin": "new data/2.bin",
        "out/data/notes.txt": "mine, too",
    }


def test_an_empty_folder_is_filled_without_force(tmp_path: Path) -> None:
    number = tmp_path.stat().st_ino
    fill(tmp_path, "a.txt")
    assert listing(tmp_path) == {"a.txt": "new a.txt"} and tmp_path.stat().st_ino == number


def test_a_database_in_a_folder_is_kept(database: Path) -> None:
    (database.parent / "a.txt").hardlink_to(database)
    before = listing_bytes(database.parent)
    with pytest.raises(OutputError, match="SQLite"):
        fill(database.parent, "a.txt", force=True)
    assert listing_bytes(database.parent) == before


def listing_bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("after", range(6))
def test_an_exchange_that_fails_half_way_is_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    target = tmp_path / "out"
    fill(target, "a.txt", "data/1.bin", "data/2.bin")
    (target / "a.txt").write_text("old")
    before = listing(target)
    moves = 0
    real = Path.replace

    def fails(self: Path, new: Path) -> Path:
        nonlocal moves
        moves += 1
        if moves == after + 1:
            raise OSError(28, "No space left on device")
        return real(self, new)

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(OutputError, match="No space left on device; what was there"):
        fill(target, "a.txt", "data/2.bin", "data/3.bin", force=True)
    assert listing(tmp_path) == {f"out/{name}": text for name, text in before.items()}


_WRITER = """
import os, sys, signal, time
from pathlib import Path
from asciiloom import outputs
target, how = Path(sys.argv[1]), sys.argv[2]
if how.startswith("move"):
    moves, real = int(how[4:]), Path.replace
    def stop(self, new):
        global moves
        moves -= 1
        if moves < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(self, new)
    Path.replace = stop
    with outputs.output_folder(target, names=("a.txt", "data/*.bin"), force=True) as part:
        (part / "data").mkdir()
        for name in ("a.txt", "data/2.bin", "data/3.bin"):
            (part / name).write_text("new")
with outputs.output_stream(target, force=True) as stream:
    stream.write(b"half")
    stream.flush()
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_signal_leaves_the_former_file(tmp_path: Path, number: signal.Signals) -> None:
    target = tmp_path / "a"
    target.write_text("one")
    process = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(target), "file"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # Whoever runs the tests in the background of a shell has interrupts ignored, and so their children.
    )
    assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    assert len(list(tmp_path.iterdir())) == 2
    process.send_signal(number)
    code = process.wait(timeout=20)
    assert target.read_text() == "one"
    if number == signal.SIGKILL:
        (left,) = set(tmp_path.iterdir()) - {target}
        assert left.name.startswith(".asciiloom-") and str(process.pid) in left.name
    elif number == signal.SIGTERM:
        assert code == 143
    write(target, "two", force=True)
    assert listing(tmp_path) == {"a": "two"}


def test_a_part_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    with output_stream(tmp_path / "a", force=True) as first:
        first.write(b"first")
        write(tmp_path / "a", "second", force=True)
        assert len(list(tmp_path.iterdir())) == 2
    assert listing(tmp_path) == {"a": "first"}


@pytest.mark.parametrize("moves", range(7))
def test_a_kill_within_an_exchange_is_put_right_by_the_next_run(tmp_path: Path, moves: int) -> None:
    target = tmp_path / "out"
    fill(target, "a.txt", "data/1.bin", "data/2.bin")
    (target / "mine").write_text("mine")
    before = listing(target)
    code = subprocess.run(
        [sys.executable, "-c", _WRITER, str(target), f"move{moves}"],
        capture_output=True,
        timeout=20,
    ).returncode
    if moves == 6:  # three out, three in: all is done, and what follows is no folder's business
        assert code == 1
        assert listing(target)["data/3.bin"] == "new"
        return
    assert code == -signal.SIGKILL
    with pytest.raises(OutputError, match="--force"):
        check_output_folder(target, names=NAMES)  # what every run does first
    assert listing(target) == before


_FULL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
from asciiloom.errors import OutputError
from asciiloom.outputs import output_stream
try:
    with output_stream(sys.argv[1], force=True) as stream:
        stream.write(b"x" * 100_000)
except OutputError as error:
    print(error)
"""


def test_a_full_disk_leaves_the_former_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(tmp_path / "a")],
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert "what was there before is unchanged" in done.stdout, done.stderr
    assert listing(tmp_path) == {"a": "one"}


def test_stdout_is_a_stream_unless_it_goes_into_an_input(tmp_path: Path) -> None:
    given = tmp_path / "in"
    given.write_text("kept\n")
    code = (
        "import sys\nfrom asciiloom.outputs import output_stream\n"
        "with output_stream(sys.argv[1], inputs=[sys.argv[2]]) as stream: stream.write(b'art')"
    )
    for name in ("-", "/dev/stdout"):
        command = [sys.executable, "-c", code, name, str(given)]
        assert subprocess.run(command, capture_output=True, timeout=20).stdout == b"art"
        with given.open("ab") as stream:
            done = subprocess.run(command, stdout=stream, stderr=subprocess.PIPE, timeout=20)
        assert b"OutputError" in done.stderr and given.read_text() == "kept\n"


def test_a_folder_never_takes_the_name_of_a_database_s_journal(database: Path) -> None:
    """SQLite could not open the database any more."""
    for end in ("-wal", "-shm", "-journal"):
        target = database.with_name(database.name + end)
        if not target.exists():
            for force in (False, True):
                with pytest.raises(OutputError, match="belongs to the SQLite file"):
                    check_output_folder(target, names=("a.txt",), force=force)
    plain = database.with_name("notes-wal")
    with output_folder(plain, names=("a.txt",)) as part:
        (part / "a.txt").write_text("x")
    assert (plain / "a.txt").read_text() == "x"
