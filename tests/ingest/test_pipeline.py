"""Reading in parallel gives the corpus that one process gives, also where a worker dies."""

import gzip
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
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


def test_kill_loses_nothing_committed_and_resumes(folder: Path, tmp_path: Path) -> None:
    with Corpus(tmp_path / "whole.db", create=True) as corpus:
        corpus.ingest([folder], ReadOptions(source="s"))
    db = tmp_path / "killed.db"
    (tmp_path / "big.jsonl").write_text("".join(row(n) + "\n" for n in range(60_000)))
    inputs = [str(tmp_path / "big.jsonl"), str(folder)]
    command = [
        sys.executable,
        "-m",
        "asciiloom",
        "ingest",
        str(db),
        *inputs,
        "--source",
        "s",
        "--workers",
        "2",
    ]
    seen = -1
    for pause in (1.2, 1.9, 2.6):
        marked = {**os.environ, "ASCIILOOM_TEST": str(db)}
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=marked
        )
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if not db.exists():
            continue
        with sqlite3.connect(db) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            if connection.execute(
                "SELECT count(*) FROM sqlite_master WHERE name = 'piece'"
            ).fetchone()[0]:
                count = connection.execute("SELECT count(*) FROM piece").fetchone()[0]
                assert count >= seen
                seen = count
        connection.close()
    deadline = time.monotonic() + 10
    while (left := _children_of(str(db))) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []  # workers end with the process that started them
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    pieces, _, _, schema = contents(db)
    texts = [text for _, _, _, text, *_ in pieces]
    assert len(texts) == len(set(texts)) == 60_000 + 3000 + 7
    assert {"piece_ai", "tag_ai"} <= {name for name, _ in schema}


def test_an_interrupt_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "big.jsonl").write_text("".join(row(n) + "\n" for n in range(300_000)))
    command = [
        sys.executable,
        "-m",
        "asciiloom",
        "ingest",
        str(tmp_path / "a.db"),
        str(tmp_path / "big.jsonl"),
        "--workers",
        "2",
    ]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Whoever runs the tests in the background of a shell has interrupts ignored, and so their children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    journal = tmp_path / "a.db-wal"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if journal.exists() and journal.stat().st_size > 2 << 20:
            break  # the first pieces are in
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal sends it: to all of them
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1 and said.strip() == "Aborted!", said
