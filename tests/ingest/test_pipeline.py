"""Reading in parallel gives the corpus that one process gives, also where a worker dies."""

import gzip
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from asciiloom.corpus import Corpus
from asciiloom.ingest import pipeline
from asciiloom.ingest.pipeline import FilesJob, ItemsJob, LinesJob, read_batches, usable_workers
from asciiloom.readers import ReadOptions, readers
from asciiloom.readers.tables import lines

COLUMNS = "id, hash, bare_hash, text, title, tags, kind, width, height, ink, glyphs, flags"


def row(number: int) -> str:
    return json.dumps(
        {"text": f" /\\_/\\\n( {number:05d} )\n > ^ <", "title": f"cat {number}", "tags": ["cat"]}
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Long and short, packed and damaged files, with the line between long and short drawn low."""
    monkeypatch.setattr(pipeline, "_LONG_FILE", 20_000)
    monkeypatch.setattr(lines, "CHUNK", 10_000)
    root = tmp_path / "in"
    (root / "small").mkdir(parents=True)
    rows = [row(n) for n in range(900)]
    rows[37] = "{broken"
    rows[500] = ""
    rows[600] = rows[5]
    (root / "a.jsonl").write_text("\n".join(rows))  # no newline at the end
    with gzip.open(root / "b.jsonl.gz", "wt", compresslevel=0) as stream:
        stream.write("\n".join(row(n) for n in range(800, 1500)) + "\n")
    (root / "c.csv").write_text("title,text\n" + "".join(f"fish,><{n}o>\n" for n in range(3000)))
    for n in range(7):
        (root / "small" / f"{n}.txt").write_text(f"({n}.{n})\n")
    (root / "small" / "empty.txt").touch()
    return root


def contents(path: Path) -> list[list[tuple[object, ...]]]:
    with sqlite3.connect(path) as db:
        out = [
            db.execute(f"SELECT {COLUMNS} FROM piece ORDER BY id").fetchall(),
            db.execute(
                "SELECT piece_id, path, locator, steps FROM origin ORDER BY piece_id, path, locator"
            ).fetchall(),
            db.execute(
                "SELECT path, locator, reason, detail FROM rejection ORDER BY path, locator"
            ).fetchall(),
            db.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall(),
        ]
        for index in ("piece_fts", "piece_art"):
            db.execute(f"INSERT INTO {index} ({index}) VALUES ('integrity-check')")
    db.close()
    return out


def test_many_workers_make_the_same_corpus(folder: Path, tmp_path: Path) -> None:
    tallies = []
    for workers in (1, 2):
        with Corpus(tmp_path / f"{workers}.db", create=True) as corpus:
            tallies.append(corpus.ingest([folder], ReadOptions(source="s"), workers=workers))
    one, two = contents(tmp_path / "1.db"), contents(tmp_path / "2.db")
    assert one == two
    assert tallies[0].row() == tallies[1].row()
    assert tallies[0].row()["new"] == 1498 - 1 + 3000 + 7 and tallies[0].reasons["bad-json"] == 1


def test_jobs_by_kind_of_input(folder: Path) -> None:
    jobs = list(pipeline._jobs([str(folder)], ReadOptions()))
    kinds = [type(job) for job in jobs]
    assert kinds.count(LinesJob) > 5 and kinds.count(FilesJob) == 1 and ItemsJob in kinds


def test_a_limit_is_counted_by_one_process(folder: Path) -> None:
    batches = list(read_batches([str(folder)], ReadOptions(), workers=2, limit=10))
    assert sum(len(b.pieces) + len(b.rejections) for b in batches if b is not None) == 10


def test_workers_only_for_much_input(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert usable_workers([str(folder), "-", "hf:a/b"]) == 1
    monkeypatch.setattr(pipeline, "WORTH_WORKERS", 1000)
    assert usable_workers([str(folder)]) == min(8, len(os.sched_getaffinity(0)))


_DEADLY = """
import os
class Deadly:
    name, extensions, summary, recognised, oracle = "deadly", (".die",), "ends", ".die", "-"
    def sniff(self, head, path): return path.endswith(".die")
    def read(self, source):
        os._exit(9)
        yield
"""


def test_a_file_that_ends_its_worker_costs_one_rejection(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plug-in whose reader takes the process down, found by a real entry point in the workers."""
    site = tmp_path / "site"
    (site / "deadly-1.dist-info").mkdir(parents=True)
    (site / "deadly.py").write_text(_DEADLY)
    (site / "deadly-1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: deadly\nVersion: 1\n"
    )
    (site / "deadly-1.dist-info" / "entry_points.txt").write_text(
        "[asciiloom.readers]\nd = deadly:Deadly\n"
    )
    readers()  # this process keeps the list it has; workers inherit the path and find the plug-in
    monkeypatch.syspath_prepend(str(site))
    (folder / "small" / "3b.die").write_text("x")
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.ingest([folder], ReadOptions(source="s"), workers=2)
    pieces, _, rejections, _ = contents(tmp_path / "a.db")
    assert len(pieces) == 1498 - 1 + 3000 + 7
    assert [(Path(str(p)).name, r) for p, _, r, _ in rejections if r == "crashed"] == [
        ("3b.die", "crashed")
    ]


def _children_of(marker: str) -> list[int]:
    """Processes with ``marker`` in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if marker.encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


# The command with a transaction every thousand pieces or so: there is much between the first and the last.
_COMMAND = (
    "import sys; from asciiloom.ingest import run; run.TOGETHER = 1000;"
    "from asciiloom.readers.tables import lines; lines.CHUNK = 100_000;"
    "from asciiloom.cli import main; main(['ingest', *sys.argv[1:], '--workers', '2'])"
)


def _start(db: Path, *inputs: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", _COMMAND, str(db), *map(str, inputs), "--source", "s"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "ASCIILOOM_TEST": str(db)},
        start_new_session=True,
    )


def _committed(db: Path) -> int:
    try:
        with closing(sqlite3.connect(f"file:{db}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM piece").fetchone()[0])
    except sqlite3.OperationalError:
        return 0  # not there yet


def _wait(until: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline and process.poll() is None and not until():
        time.sleep(0.005)


def _assert_no_process_left(db: Path) -> None:
    deadline = time.monotonic() + 20
    while (left := _children_of(str(db))) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []  # workers end with the process that started them


def test_kill_loses_nothing_committed_and_resumes(folder: Path, tmp_path: Path) -> None:
    db, big = tmp_path / "killed.db", tmp_path / "big.jsonl"
    big.write_text("".join(row(n) + "\n" for n in range(60_000)))
    seen = 0
    for _ in range(3):
        process = _start(db, big, folder)
        _wait(lambda before=seen: _committed(db) > before, process)  # type: ignore[misc]
        now = _committed(db)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        with closing(sqlite3.connect(db)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            (count,) = connection.execute("SELECT count(*) FROM piece").fetchone()
        assert seen < now <= count < 60_000  # in the middle, and nothing that was seen is gone
        seen = count
    _assert_no_process_left(db)
    _, said = (process := _start(db, big, folder)).communicate(timeout=200)
    assert process.returncode == 0, said
    pieces, _, _, schema = contents(db)
    texts = [text for _, _, _, text, *_ in pieces]
    assert len(texts) == len(set(texts)) == 60_000 + 3000 + 7
    assert {"piece_ai", "tag_ai"} <= {name for name, _ in schema}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["tracker", "workers", "committed"])
@pytest.mark.parametrize("to", ["group", "parent"])
def test_a_signal_is_one_line(tmp_path: Path, number: signal.Signals, moment: str, to: str) -> None:
    """A terminal and ``timeout`` signal every process of a group, ``kill`` only the one."""
    db, big = tmp_path / "a.db", tmp_path / "big.jsonl"
    big.write_text("".join(row(n) + "\n" for n in range(100_000)))
    process = _start(db, big)
    if moment == "committed":
        _wait(lambda: _committed(db) > 0, process)
    else:
        processes = {"tracker": 2, "workers": 4}[moment]
        _wait(lambda: len(_children_of(str(db))) >= processes, process)
    before = _committed(db)
    os.kill(process.pid if to == "parent" else -process.pid, number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + number, said
    assert len(said.strip().splitlines()) == 1 and "Traceback" not in said, said
    assert before <= _committed(db) < 100_000
    assert (moment == "committed") <= (before > 0)
    _assert_no_process_left(db)
