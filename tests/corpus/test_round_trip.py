"""What goes out comes in again, every table of it, through the real command line."""

import importlib.util
import random
import sqlite3
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from asciiloom import synth
from asciiloom.corpus import Corpus
from asciiloom.curate.upkeep import check
from asciiloom.piece import Piece
from asciiloom.twins.marks import check_splits

CAT = " /\\_/\\\n( o.o )\n > ^ <  jgs"
RED = b"\x1b[31m/\\__/\\\r\n\x1b[32m(o  o)\r\n\x1b[0m \\__/ \r\n"


def _load_script() -> ModuleType:
    """The benchmark that prints the same comparison of the real collections."""
    path = Path(__file__).parents[2] / "scripts" / "bench" / "round_trip.py"
    spec = importlib.util.spec_from_file_location("round_trip", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


script = _load_script()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus with something in every table. Read only."""
    folder = tmp_path_factory.mktemp("whole")
    art = folder / "art"
    art.mkdir()
    (art / "cat.txt").write_text(CAT)
    (art / "red.ans").write_bytes(RED)
    (art / "blue.ans").write_bytes(
        RED.replace(b"[31m", b"[34m").replace(b"__", b"==").replace(b"o", b"O")
    )
    noise = random.Random(1)
    page = [
        "\n".join("".join(noise.choice("/\\|_-(o)<>^ ") for _ in range(24)) for _ in range(8))
        for _ in range(12)
    ]
    (art / "page.txt").write_text("\r\n\r\n\r\n".join(p.replace("\n", "\r\n") for p in page))
    (art / "nothing.bin").write_bytes(bytes(range(256)) * 20)
    path = folder / "whole.db"
    with Corpus(path, create=True) as corpus:
        corpus.ingest([art])
        corpus.add(synth.generate(150, seed=3))
        # Twins: two glyphs of forty differ.
        rows = page[0].split("\n")
        corpus.add([Piece("\n".join([*rows[:-1], rows[-1][:-2] + "##"]), source="copies")])
        corpus.dedup()
    script.curate(path)
    with Corpus(path) as corpus:
        counts = {
            name: corpus.connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for name in script.tables(corpus.connection)
        }
        corpus.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert check(corpus.connection, deep=True) == []
    assert min(counts.values()) > 0, counts
    return path


@pytest.mark.parametrize("way", ["JSONL", "Parquet", "HF folder", "merge"])
def test_every_table_comes_back(whole: Path, tmp_path: Path, way: str) -> None:
    new = tmp_path / "new.db"
    make = script.ways(whole, tmp_path)[way]
    make(new)
    found = script.compare(whole, new)
    assert [(name, lost) for name, _, lost, _ in found if lost] == []
    # Only the new file's own run of the import.
    assert [(name, added) for name, _, _, added in found if added] == [("ingest", 1)]
    with Corpus(new) as corpus:
        assert check(corpus.connection, deep=True) == []
    make_again = script.ways(whole, tmp_path / "again")[way]
    (tmp_path / "again").mkdir()
    make_again(new)
    assert [(name, added) for name, _, _, added in script.compare(whole, new) if added] == [
        ("ingest", 2)
    ]


def test_the_next_dedup_agrees(whole: Path, tmp_path: Path, cli: Any) -> None:
    """Signatures are made again; marks, splits and a person's verdicts stay what they were."""
    new, old = tmp_path / "new.db", tmp_path / "old.db"
    cli("merge", old, whole)
    cli("backup", old, new)
    cli("dedup", new)
    # Those that came or were edited after the last dedup, or were twins of these, get their marks; and others
    # get them as twins.
    with sqlite3.connect(old) as db:
        late = {n for (n,) in db.execute("SELECT id FROM piece WHERE cluster_id IS NULL")}
    with sqlite3.connect(new) as db:
        cluster_of = dict(db.execute("SELECT id, cluster_id FROM piece"))
    joined = {n for n in cluster_of if cluster_of[n] in {cluster_of[m] for m in late}}
    lost = {name: lost for name, _, lost, _ in script.compare(old, new) if lost}
    assert late and lost == {"piece": len(joined | late)}
    with Corpus(new) as corpus, sqlite3.connect(whole) as before:
        said = (
            "SELECT (SELECT hash FROM piece WHERE id = a), (SELECT hash FROM piece WHERE id = b),"
        )
        said += " verdict FROM twin WHERE reviewed"
        theirs = {(*sorted((a, b)), v) for a, b, v in before.execute(said)}
        ours = {(*sorted((a, b)), v) for a, b, v in corpus.connection.execute(said)}
        assert theirs and ours == theirs
        assert check(corpus.connection) == [] and check_splits(corpus.connection) == []
