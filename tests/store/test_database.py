import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from asciiloom.corpus import Corpus
from asciiloom.curate.upkeep import check, repair
from asciiloom.errors import CorpusError
from asciiloom.ingest.measured import MeasuredColumns
from asciiloom.piece import CreditSpan, Piece
from asciiloom.store import Selection
from asciiloom.store.connection import busy_seconds
from asciiloom.store.database import open_database
from asciiloom.store.schema import APPLICATION_ID, migrations


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
            " AND name NOT GLOB 'sqlite_*' AND name NOT GLOB 'piece_*'"
        ).fetchall()
        assert loose == []  # FTS5 makes the tables of the indexes as it likes
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


@pytest.fixture
def top() -> Iterator[Path]:
    """A folder that every user may look into, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def close_folder(top: Path) -> Iterator[Callable[[Path], None]]:
    """Takes the right to write in a folder away, and, as root may write all the same, becomes nobody."""
    root = os.geteuid() == 0
    closed: list[Path] = []

    def close(folder: Path) -> None:
        closed.append(folder)
        for path in (*folder.iterdir(), folder):
            path.chmod(0o555 if path.is_dir() else 0o444)
        if root:
            os.seteuid(65534)

    yield close
    if root:
        os.seteuid(0)
    for folder in closed:
        folder.chmod(0o755)


def _filled(folder: Path) -> Path:
    folder.mkdir()
    with Corpus(folder / "a.db", create=True) as corpus:
        corpus.add([Piece("( o.o )", title="cat"), Piece("><(((o>", title="fish")])
    return folder / "a.db"


def test_a_corpus_that_cannot_be_written_is_read(
    top: Path, close_folder: Callable[[Path], None]
) -> None:
    path = _filled(top / "w")
    close_folder(path.parent)
    with Corpus(path) as corpus:
        assert corpus.connection.read_only
        assert corpus.ids(Selection(text="fish")) == [2]
        assert corpus.ids(Selection(glyphs="o.o")) == [1]
        assert check(corpus.connection, deep=True) == []
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            corpus.tag([1], ["x"])
    assert sorted(p.name for p in path.parent.iterdir()) == ["a.db"]


def test_an_older_corpus_that_cannot_be_written_is_refused(
    top: Path, close_folder: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _filled(top / "w")
    newest = len(migrations()) + 1
    following = [*migrations(), (newest, "CREATE TABLE later (x INTEGER) STRICT;\n")]
    monkeypatch.setattr("asciiloom.store.database.migrations", lambda: following)
    close_folder(path.parent)
    with pytest.raises(
        CorpusError, match=f"needs {newest}, but the file is read-only to you; copy it"
    ):
        Corpus(path)


def test_changes_left_in_a_journal_that_cannot_be_brought_in(
    top: Path, close_folder: Callable[[Path], None]
) -> None:
    path = _filled(top / "w")
    with Corpus(path) as corpus:
        corpus.tag([1], ["late"])
        (top / "x").mkdir()
        for name in ("a.db", "a.db-wal"):  # as a kill leaves them
            (top / "x" / name).write_bytes((path.parent / name).read_bytes())
    close_folder(top / "x")
    with pytest.raises(
        CorpusError, match=r"changes are left in a\.db-wal.*copy a\.db and a\.db-wal"
    ):
        Corpus(top / "x" / "a.db")


def test_waiting_for_a_lock_can_be_shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    for given, seconds in (("0.5", 0.5), ("-1", 0), ("nonsense", 60), ("1e99", 86_400)):
        monkeypatch.setenv("ASCIILOOM_BUSY_SECONDS", given)
        assert busy_seconds() == seconds


def _of_version_8(path: Path) -> None:
    """A corpus as it was when a licence was the source's, and a signature nobody's."""
    sources = [("mixed", "CC BY 4.0", 1), ("by hand", "public domain", 1), ("silent", None, 0)]
    pieces = [
        # source, stated licence, artist, signatures
        (1, "CC BY 4.0", "Joan G. Stark", ()),
        (1, "All rights reserved", "jgs/TT", ()),
        (1, None, None, ("Joan G. Stark",)),
        (2, None, None, ("the", "Hayley Jane Wakenshaw", "Joan G. Stark")),
        (2, "GPLv2+", None, ("your",)),
        (2, None, None, ("jgs",)),
        (3, "MIT not granted to anyone", None, ()),
    ]
    with closing(sqlite3.connect(path)) as db:
        for number, sql in migrations():
            if number <= 8:
                db.executescript(sql)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute("PRAGMA user_version = 8")
        db.executemany(
            "INSERT INTO source (name, licence, redistributable) VALUES (?, ?, ?)", sources
        )
        db.execute("INSERT INTO ingest (started, inputs, version) VALUES ('x', '[]', '0')")
        for number, (source, licence, artist, signed) in enumerate(pieces, 1):
            text = f"({'o' * number})"
            spans = tuple(CreditSpan(0, k, 1, text[k], name) for k, name in enumerate(signed))
            m = MeasuredColumns.of([text], [artist], [()], credits=[spans])
            names = ("hash", "bare_hash", "mirror_hash", "charset", "is_grid", "width", "height",
                     "chars", "ink", "glyphs", "quality", "flags")  # fmt: skip
            row = {n: getattr(m, n)[0] for n in names} | {
                "id": number, "text": text, "title": f"ring {number}", "source_id": source,
                "licence": licence, "artist": artist, "ingest_id": 1,
            }  # fmt: skip
            marks = ", ".join(f":{name}" for name in row)
            db.execute(f"INSERT INTO piece ({', '.join(row)}) VALUES ({marks})", row)
            db.execute(
                "INSERT INTO origin (piece_id, source_id, ingest_id, path, locator, licence, artist,"
                " encoding, steps) VALUES (?, ?, 1, 'p', '', ?, ?, 'utf-8', '[]')",
                (number, source, licence, artist),
            )
            db.executemany(
                "INSERT INTO credit (piece_id, row, col, length, text, artist) VALUES (?, ?, ?, ?, ?, ?)",
                [(number, c.row, c.column, c.length, c.text, c.artist) for c in spans],
            )
        db.execute("INSERT INTO edit (made, command, pieces) VALUES ('x', 'license', 1)")
        # Piece 6 has no licence and no artist because a person said so.
        db.execute("INSERT INTO change VALUES (1, 6, 'licence', '\"cc0\"', 'null')")
        db.execute("INSERT INTO change VALUES (1, 6, 'artist', '\"me\"', 'null')")
        db.execute("INSERT INTO change VALUES (1, 1, 'licence', 'null', '\"CC BY 4.0\"')")
        db.commit()


def test_licences_and_artists_of_an_older_corpus_carry_over(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    _of_version_8(path)
    with Corpus(path) as corpus:
        found = [(r["licence"], r["artist"]) for r in corpus.select()]
        assert found == [
            ("CC-BY-4.0", "Joan G. Stark"),
            ("All rights reserved", "jgs/TT"),
            # What the first piece of a source stated was never the licence of the others,
            (None, "Joan G. Stark"),
            # but one that no piece stated was that of all.
            ("CC-PDDC", "Hayley Jane Wakenshaw & Joan G. Stark"),
            ("GPL-2.0-or-later", None),
            (None, None),
            ("MIT not granted to anyone", None),
        ]
        assert corpus.ids(Selection(redistributable=True)) == [1, 4, 5]
        assert corpus.ids(Selection(artists=("jgs",))) == [1, 2, 3, 4]
        assert corpus.ids(Selection(text="ring", order="rank", limit=3)) == [1, 2, 3]
        origins = [corpus.get(k)["origins"][0]["licence"] for k in (1, 4, 5)]
        assert origins == ["CC BY 4.0", None, "GPLv2+"]
        assert check(corpus.connection, deep=True) == []
        corpus.undo(1)
        found = [(r["licence"], r["artist"]) for r in corpus.select(Selection(ids=(1, 6)))]
        assert found == [(None, "Joan G. Stark"), ("CC0-1.0", "me")]


def test_repair_makes_the_order_of_titles_anew(tmp_path: Path) -> None:
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece("(o)", title="ring"), Piece("(oo)", title="a ring")])
        corpus.connection.execute("DELETE FROM piece_title_data WHERE id > 10")
        corpus.connection.execute("DROP VIEW titled")
        assert any("titled" in line for line in check(corpus.connection))
        repair(corpus.connection)
        assert check(corpus.connection) == []
        assert corpus.ids(Selection(text="ring", order="rank")) == [1, 2]
