import sqlite3
from pathlib import Path

import pytest

from asciiloom.corpus import Corpus
from asciiloom.errors import CorpusError
from asciiloom.store.database import APPLICATION_ID, migrations, open_database


def test_new_corpus_is_marked_strict_and_checked(tmp_path: Path) -> None:
    with Corpus(tmp_path / "a.db", create=True) as corpus:

        def one(sql: str) -> object:
            return corpus.connection.execute(sql).fetchone()[0]

        assert one("PRAGMA application_id") == APPLICATION_ID
        assert one("PRAGMA user_version") == migrations()[-1][0]
        assert one("PRAGMA journal_mode") == "wal"
        assert one("PRAGMA foreign_keys") == 1
        assert one("PRAGMA integrity_check") == "ok"
        loose = corpus.connection.execute(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND NOT strict"
            " AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '%\\_fts%' ESCAPE '\\' AND name NOT LIKE 'piece\\_art%' ESCAPE '\\'"
        ).fetchall()
        assert loose == []
        with pytest.raises(sqlite3.IntegrityError):
            corpus.connection.execute("INSERT INTO tag VALUES (99, 'x')")


def test_every_table_and_column_is_documented() -> None:
    from asciiloom.resources import resource_dir

    text = (resource_dir("schema") / "README.md").read_text()
    db = sqlite3.connect(":memory:")
    for _, sql in migrations():
        db.executescript(sql)
    names = db.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE TABLE%STRICT%'"
    ).fetchall()
    assert len(names) >= 11
    for (name,) in names:
        assert f"## `{name}`" in text, name
        section = text.split(f"## `{name}`")[1].split("\n## ")[0]
        for column in db.execute("SELECT name FROM pragma_table_info(?)", (name,)):
            assert f"`{column[0]}`" in section, (name, column[0])


def test_missing_and_impossible_paths(tmp_path: Path) -> None:
    for path in (tmp_path / "no.db", tmp_path):
        with pytest.raises(CorpusError):
            open_database(path)
    with pytest.raises(CorpusError, match="no folder"):
        open_database(tmp_path / "x" / "a.db", create=True)


def _foreign(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE t (x)")
    db.close()


def _newer(path: Path) -> None:
    Corpus(path, create=True).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 999")
    db.close()


def _text(path: Path) -> None:
    path.write_text("this is a text file, not a database, and long enough to have a header" * 4)


@pytest.mark.parametrize(
    ("make", "says"), [(_foreign, "another"), (_newer, "999"), (_text, "not a corpus")]
)
def test_what_is_no_corpus_is_left_untouched(tmp_path: Path, make: object, says: str) -> None:
    path = tmp_path / "a.db"
    assert callable(make)
    make(path)
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    with pytest.raises(CorpusError, match=says):
        Corpus(path, create=True)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.db"]


def test_older_corpus_is_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.db"
    Corpus(path, create=True).close()
    following = [
        *migrations(),
        (
            len(migrations()) + 1,
            "CREATE TABLE later (x INTEGER) STRICT;\nCREATE INDEX later_x ON later (x);\n",
        ),
    ]
    monkeypatch.setattr("asciiloom.store.database.migrations", lambda: following)
    with Corpus(path) as corpus:
        assert corpus.connection.execute("PRAGMA user_version").fetchone()[0] == len(following)
        assert corpus.connection.execute("SELECT count(*) FROM later").fetchone()[0] == 0


def test_failed_migration_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.db"
    Corpus(path, create=True).close()
    broken = [
        *migrations(),
        (
            len(migrations()) + 1,
            "CREATE TABLE later (x INTEGER) STRICT;\nCREATE TABLE piece (x);\n",
        ),
    ]
    monkeypatch.setattr("asciiloom.store.database.migrations", lambda: broken)
    with pytest.raises(CorpusError):
        Corpus(path)
    monkeypatch.undo()
    with Corpus(path) as corpus:
        names = {r[0] for r in corpus.connection.execute("SELECT name FROM sqlite_master")}
        assert "later" not in names
        assert corpus.connection.execute("PRAGMA user_version").fetchone()[0] == len(migrations())


def test_read_only_file_can_be_searched(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    Corpus(path, create=True).close()
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        assert db.execute("SELECT count(*) FROM piece").fetchone()[0] == 0
    db.close()
