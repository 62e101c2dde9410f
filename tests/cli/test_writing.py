"""No command writes over what it reads, over a database, or over a file without being told to."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# What a command writes, by a name: its arguments, TARGET and DB filled in; whether TARGET is a folder.
COMMANDS = {
    "jsonl": ("export TARGET --corpus DB --format jsonl", False),
    "parquet": ("export TARGET --corpus DB --format parquet", False),
    "hf": ("export TARGET --corpus DB --format hf", True),
    "report": ("stats DB --report TARGET", False),
    "plots": ("stats DB --plots TARGET", True),
    "backup": ("backup DB TARGET", False),
    "preset": ("export TARGET --preset nano", True),
}
FILES = [name for name, (_, folder) in COMMANDS.items() if not folder]
FOLDERS = [name for name, (_, folder) in COMMANDS.items() if folder]


def arguments(name: str, db: Path, target: Path | str) -> list[str]:
    return [
        {"TARGET": str(target), "DB": str(db)}.get(word, word) for word in COMMANDS[name][0].split()
    ]


@pytest.fixture
def db(corpus_file: Path, tmp_path: Path) -> Path:
    path = tmp_path / "in" / "art.db"
    path.parent.mkdir()
    shutil.copy(corpus_file, path)
    return path


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("force", [(), ("--force",)])
def test_no_file_is_written_over_a_corpus(cli, name, force, db, tmp_path) -> None:  # type: ignore[no-untyped-def]
    other, link = tmp_path / "other.db", tmp_path / "link.jsonl"
    shutil.copy(db, other)
    link.symlink_to(db)
    before = digests(tmp_path)
    for target in (db, other, link, f"{db}-wal"):
        said = cli(*arguments(name, db, target), *force, exits=1).stderr
        assert len(said.strip().splitlines()) == 1, said
    assert digests(tmp_path) == before


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_replaced_only_with_force(cli, name, db, tmp_path) -> None:  # type: ignore[no-untyped-def]
    target = tmp_path / "out.html"
    target.write_text("kept")
    said = cli(*arguments(name, db, target), exits=1).stderr
    assert "--force" in said and target.read_text() == "kept"
    cli(*arguments(name, db, target), "--force")
    assert target.read_bytes() != b"kept" and target.stat().st_mode & 0o777 == 0o644
    assert {path.name for path in tmp_path.iterdir()} == {"in", "out.html"}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_is_filled_only_with_force(cli, name, db, tmp_path) -> None:  # type: ignore[no-untyped-def]
    target = tmp_path / "out"
    cli(*arguments(name, db, target))
    first = digests(target)
    assert first and {path.name for path in tmp_path.iterdir()} == {"in", "out"}
    (target / "mine.txt").write_text("mine")
    said = cli(*arguments(name, db, target), exits=1).stderr
    assert "--force" in said
    cli(*arguments(name, db, target), "--force")
    assert set(digests(target)) == {*first, "mine.txt"}
    written = target / min(first)
    written.unlink()
    shutil.copy(db, written)  # a database under the name of a file to be written
    before = digests(target)
    assert "SQLite" in cli(*arguments(name, db, target), "--force", exits=1).stderr
    assert digests(target) == before


@pytest.mark.parametrize("name", COMMANDS)
def test_places_that_cannot_be_written_are_one_line(cli, name, db, tmp_path) -> None:  # type: ignore[no-untyped-def]
    targets = [tmp_path / ("n" * 300), db / "below"]
    if name in FILES:
        targets.append(tmp_path / "no" / "folder.jsonl")
    for target in targets:
        said = cli(*arguments(name, db, target), exits=1).stderr
        assert len(said.strip().splitlines()) == 1 and str(target.name)[:8] in said, said


_FULL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from asciiloom.cli import main
# The journal's index beside the corpus takes 32 KiB.
resource.setrlimit(resource.RLIMIT_FSIZE, (36_000, 36_000))
main(sys.argv[1:])
"""


@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk_leaves_what_was_there(cli, name, db, tmp_path) -> None:  # type: ignore[no-untyped-def]
    target = tmp_path / "out"
    if name in FOLDERS:
        cli(*arguments(name, db, target))
        (target / "mine.txt").write_text("mine")
    else:
        target.write_text("kept")
    before = digests(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", _FULL, *arguments(name, db, target), "--force"],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 1, done.stderr
    assert digests(tmp_path) == before


def test_an_unknown_ending_is_asked_about(cli, db, tmp_path) -> None:  # type: ignore[no-untyped-def]
    said = cli("export", tmp_path / "out.xyz", "--corpus", db, exits=2).stderr
    assert all(form in said for form in ("jsonl", "parquet", "hf"))
    assert not (tmp_path / "out.xyz").exists()
    cli("export", tmp_path / "out.xyz", "--corpus", db, "--format", "hf")
    assert (tmp_path / "out.xyz" / "README.md").is_file()
    cli("export", tmp_path / "out.xyz", "--corpus", db, "--force")  # a folder is one


def test_standard_output_takes_one_stream(cli, db) -> None:  # type: ignore[no-untyped-def]
    rows = cli("export", "-", "--corpus", db, "--tag", "cat").stdout.splitlines()
    assert rows and all("cat" in json.loads(row)["tags"] for row in rows)
    cli("export", "-", "--corpus", db, "--json", exits=2)
    cli("stats", db, "--report", "-", exits=2)
    cli("backup", db, "-", exits=1)
    assert not Path("-").exists()


def test_parquet_goes_through_a_pipe(db: Path, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    command = [sys.executable, "-m", "asciiloom", "export", "-", "--corpus", str(db)]
    done = subprocess.run(
        [*command, "--format", "parquet"], capture_output=True, timeout=100, check=True
    )
    (tmp_path / "a.parquet").write_bytes(done.stdout)
    assert pq.read_table(tmp_path / "a.parquet").num_rows > 600


def test_a_model_is_not_exported_into_itself(cli, run_folder: Path) -> None:  # type: ignore[no-untyped-def]
    before = digests(run_folder)
    for target in (run_folder, run_folder / "latest"):
        said = cli("export", target, "--model", run_folder, "--force", exits=1).stderr
        assert "reads" in said
    assert digests(run_folder) == before
