import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from asciiloom import synth
from asciiloom.corpus import Corpus
from asciiloom.curate.upkeep import backup, check, repair, vacuum
from asciiloom.errors import OutputError
from asciiloom.piece import Piece
from asciiloom.store import Selection


@pytest.fixture
def corpus(tmp_path: Path):  # type: ignore[no-untyped-def]
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add(synth.generate(150, seed=2))
        corpus.add([Piece("/\\_/\\", original=b"x")])
        corpus.dedup()
        yield corpus


def test_a_sound_corpus_has_nothing_wrong(corpus: Corpus) -> None:
    assert check(corpus.connection, deep=True) == []


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("UPDATE piece SET tags = '[\"nonsense\"]' WHERE id = 3", "tags differ"),
        ("DELETE FROM origin WHERE piece_id = 5", "piece without an origin"),
        ("UPDATE origin SET original_id = NULL", "original that no origin"),
        ("UPDATE piece SET canonical = 0 WHERE id = 7", "cluster without"),
        ("DELETE FROM band WHERE name = 'ink'", "run of signatures"),
        ("INSERT INTO unindexed VALUES (9999)", "unindexed piece"),
        ("INSERT INTO piece_fts (piece_fts, rowid, title, tags, description, artist)"
         " SELECT 'delete', id, title, tags, description, artist FROM piece WHERE id = 9", "piece_fts"),
        ("INSERT INTO piece_art (piece_art, rowid, text) SELECT 'delete', id, text FROM piece WHERE id = 9",
         "piece_art"),
    ],
)  # fmt: skip
def test_damage_is_named_and_repaired(corpus: Corpus, damage: str, said: str) -> None:
    corpus.connection.execute(damage)
    wrong = check(corpus.connection)
    assert len(wrong) == 1 and said in wrong[0], wrong
    repair(corpus.connection)
    left = check(corpus.connection)
    assert left == ([] if "origin WHERE piece_id" not in damage else wrong)  # what is lost is lost
    corpus.dedup()
    assert corpus.connection.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_a_changed_text_shows_in_a_deep_check(corpus: Corpus) -> None:
    corpus.connection.execute("UPDATE piece SET text = 'x' WHERE id = 4")
    assert any("what its hash says: 1 (4)" in line for line in check(corpus.connection, deep=True))


def test_repair_fails_where_damage_is_left(cli, corpus: Corpus) -> None:  # type: ignore[no-untyped-def]
    with corpus.connection as another_program:
        another_program.execute("UPDATE piece SET quality = 0.123, ink = ink + 1 WHERE id = 3")
    done = cli("repair", corpus.path, exits=1)
    assert "ink that is not that of its text: 1 (3)" in done.stdout
    assert "2 things are still wrong" in done.stderr


def test_rows_without_their_piece_go(corpus: Corpus) -> None:
    corpus.connection.execute("PRAGMA foreign_keys = OFF")
    corpus.connection.execute("INSERT INTO tag VALUES (777, 'ghost')")
    corpus.connection.execute("PRAGMA foreign_keys = ON")
    assert any("foreign key" in line for line in check(corpus.connection))
    assert any("rows of tag" in line for line in repair(corpus.connection))
    assert check(corpus.connection) == []


def test_vacuum_gives_space_back(corpus: Corpus) -> None:
    corpus.connection.execute("DELETE FROM piece WHERE id > 20")
    repair(corpus.connection)  # the original of a piece that went
    before, after = vacuum(corpus.connection)
    assert after < before and check(corpus.connection) == []


def test_a_backup_while_another_writes_is_sound(corpus: Corpus, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    stop = threading.Event()

    def write() -> None:
        with Corpus(corpus.path) as other:
            number = 0
            while not stop.is_set():
                number += 1
                other.add([Piece(f"written {number}\nmeanwhile")])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert backup(corpus.connection, target) == target.stat().st_size
    finally:
        stop.set()
        writer.join()
    with Corpus(target) as copy:
        assert check(copy.connection, deep=True) == [] and copy.count() >= 151
    for force in (False, True):
        with pytest.raises(OutputError, match="never written over"):
            backup(corpus.connection, target, force=force)
    with pytest.raises(OutputError, match="no folder"):
        backup(corpus.connection, tmp_path / "no" / "x.db")
    assert not list(tmp_path.glob(".asciiloom-*"))


def test_shapes_are_found_before_and_after_they_are_indexed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asciiloom.ingest.run.INDEX_LATER", 1)
    with Corpus(tmp_path / "b.db", create=True) as corpus:
        corpus.add([Piece("( o.o )\n > ^ <"), Piece("><(((o>")])
        waiting = corpus.connection.execute("SELECT count(*) FROM unindexed").fetchone()
        assert waiting == (2,) and corpus.ids(Selection(glyphs="o.o")) == [1]
        corpus.connection.execute("UPDATE piece SET text = 'x[o.o]x' WHERE id = 2")
        corpus.connection.execute("DELETE FROM piece WHERE id = 1")
        assert check(corpus.connection) == []
        corpus.dedup()
        assert corpus.connection.execute("SELECT count(*) FROM unindexed").fetchone() == (0,)
        assert corpus.ids(Selection(glyphs="[o.o]")) == [2] and check(corpus.connection) == []


def test_a_file_that_is_cut_is_said_to_be(tmp_path: Path) -> None:
    with Corpus(tmp_path / "c.db", create=True) as corpus:
        corpus.add(synth.generate(300, seed=3))
    path = tmp_path / "c.db"
    data = bytearray(path.read_bytes())
    middle = len(data) * 3 // 4  # among the rows; the schema is further up
    data[middle : middle + 4096] = b"\xff" * 4096
    path.write_bytes(data)
    with Corpus(path) as corpus:
        try:
            wrong = check(corpus.connection)
        except sqlite3.DatabaseError as error:
            wrong = [str(error)]
        assert wrong


def _searched(path: Path, library: Callable[[str], Any]) -> tuple[str, Any, int]:
    """What sqlite-utils and Datasette without any plug-in find for "fat cats" among the pieces at ``path``."""
    tool = Path(sys.executable).with_name("sqlite-utils")
    done = subprocess.run(
        [tool, "search", path, "piece", "fat cats", "-c", "id", "--csv", "--no-headers"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    library("datasette")
    query = f"/{path.stem}/piece.json?_search=fat+cats&_shape=array&_col=id"
    page = subprocess.run(
        [sys.executable, "-m", "datasette", path, "--get", query],
        env={**os.environ, "DATASETTE_LOAD_PLUGINS": ""},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return done.stdout + done.stderr, json.loads(page.stdout), done.returncode


def test_other_tools_search_pieces_by_their_words(
    tmp_path: Path, library: Callable[[str], Any]
) -> None:
    path = tmp_path / "art.db"
    with Corpus(path, create=True) as corpus:
        corpus.add([Piece("><>", title="fish"), Piece("( o.o )", title="a fat cat", tags=("pet",))])
    assert _searched(path, library) == ("2\n", [{"id": 2}], 0)
    # A file whose index was written otherwise, as former versions did: a repair makes it anew.
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("DROP TABLE piece_fts")
        db.execute(
            "CREATE VIRTUAL TABLE piece_fts USING fts5 (title, tags, description, artist,"
            " content = 'piece', content_rowid = 'id', tokenize = 'porter unicode61')"
        )
        db.execute("INSERT INTO piece_fts (piece_fts) VALUES ('rebuild')")
    assert _searched(path, library)[2] == 1
    with Corpus(path) as corpus:
        repair(corpus.connection)
        assert check(corpus.connection, deep=True) == []
        assert corpus.ids(Selection(text="fat cats")) == [2] and corpus.ids(
            Selection(glyphs="o.o")
        ) == [2]
    assert _searched(path, library) == ("2\n", [{"id": 2}], 0)


def test_a_search_index_that_is_missing_is_made_again(corpus: Corpus) -> None:
    found = corpus.ids(Selection(text="tree OR cat OR house"))
    corpus.connection.execute("DROP TABLE piece_fts")
    assert "schema: the table piece_fts is missing" in check(corpus.connection)
    assert "table piece_fts made again" in repair(corpus.connection)
    assert check(corpus.connection) == []
    assert found and corpus.ids(Selection(text="tree OR cat OR house")) == found
