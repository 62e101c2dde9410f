"""The look before the first write: what it finds, and what it must not take for damage."""

import sqlite3
from pathlib import Path

import pytest

from asciiloom import synth
from asciiloom.corpus import Corpus
from asciiloom.errors import CorpusError
from asciiloom.piece import Piece
from asciiloom.store import soundness
from asciiloom.store.schema import derived_part, migrations, missing_parts


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add(synth.generate(200, seed=3))
    return tmp_path / "a.db"


def test_a_file_that_is_cut_off_is_not_opened(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:-8192])
    with pytest.raises(CorpusError, match="is damaged"):
        Corpus(path)
    path.write_bytes(data + b"more")  # is no harm
    with Corpus(path) as corpus:
        corpus.add([Piece("new")])


def test_a_large_file_is_looked_at_in_part(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundness, "LOOKED_THROUGH", 0)
    monkeypatch.setattr(soundness, "_SMALL_TABLE", 100)
    with Corpus(path) as corpus:
        corpus.add([Piece("sound")])
    with sqlite3.connect(path) as db:
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'piece'").fetchone()
    db.close()
    data = bytearray(path.read_bytes())
    data[(page - 1) * 8192 : page * 8192] = bytes(8192)
    path.write_bytes(data)
    with Corpus(path) as corpus, pytest.raises(CorpusError, match="nothing was written"):
        corpus.add([Piece("lost")])


def test_tables_of_others_and_a_journal_are_no_damage(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE mine (x)")
        db.execute("CREATE VIEW ours AS SELECT * FROM piece")
        db.execute("ALTER TABLE piece ADD COLUMN stars INTEGER")
    db.close()
    with Corpus(path) as one, Corpus(path) as other:
        one.add([Piece("first")])
        assert other.connection.looked_at is False
        other.add([Piece("second")])
        assert other.connection.looked_at is True


def test_every_index_and_trigger_can_be_made_again() -> None:
    db = sqlite3.connect(":memory:")
    for _, sql in migrations():
        db.executescript(sql)
    assert missing_parts(db) == []
    made = db.execute(
        "SELECT type, name FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql NOTNULL"
    ).fetchall()
    assert len(made) > 15
    for what, name in made:
        db.execute(f"DROP {what} {name}")
    assert missing_parts(db) == sorted(made)
    for _, name in made:
        db.execute(derived_part(name) or "")
    assert missing_parts(db) == []


def test_a_missing_column_is_damage(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("ALTER TABLE source DROP COLUMN note")
        assert missing_parts(db) == [("column", "source.note")]
    db.close()
    with Corpus(path) as corpus, pytest.raises(CorpusError, match=r"the column source\.note"):
        corpus.add([Piece("new")])
