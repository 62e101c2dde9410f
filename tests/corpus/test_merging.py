"""Hostile merges: what another corpus holds is read as data, and its code is not run."""

import os
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asciiloom.corpus import Corpus
from asciiloom.corpus.merging import merge
from asciiloom.curate.edits import Change, apply
from asciiloom.curate.upkeep import check
from asciiloom.errors import CorpusError
from asciiloom.piece import ColourPlane, Piece, content_hash
from asciiloom.store import Selection
from asciiloom.store.schema import migrations

ART = "/\\_/\\\n( o.o ) jgs"
# A statement that never ends.
ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def _plane(text: str) -> bytes:
    rows = text.split("\n")
    fore = np.full((len(rows), max(map(len, rows))), 7, np.int32)
    return ColourPlane(fore, fore).pack()


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    path = tmp_path / "theirs.db"
    with Corpus(path, create=True) as other:
        other.add(
            [
                Piece("first\n|_|", source="a", path="1.txt", original=b"\x1b[mfirst"),
                Piece(ART, title="cat", tags=("pet",), source="c", path="z", colour=_plane(ART)),
                Piece("last\n|_|", source="b", path="3.txt", locator="7"),
            ]
        )
    return path


def _change(path: Path, *statements: str, params: tuple[Any, ...] = ()) -> None:
    """Write into a corpus as somebody who means harm can."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute("PRAGMA writable_schema = ON")
        for statement in statements:
            db.execute(statement, params if "?" in statement else ())
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _loosened(path: Path, *tables: str) -> None:
    """Make tables of ``path`` ones that take values of any type."""
    for table in tables:
        _change(
            path,
            f"UPDATE sqlite_master SET sql = replace(sql, 'STRICT', '') WHERE name = '{table}'",
        )


def _merged(tmp_path: Path, theirs: Path) -> tuple[list[str], dict[str, int]]:
    """The texts of a corpus after merging ``theirs``, and the reasons of rejections; sound in any case."""
    before = theirs.read_bytes()
    files = {*tmp_path.iterdir()}
    with Corpus(tmp_path / "ours.db", create=True) as corpus:
        tally, _ = merge(corpus, theirs)
        assert check(corpus.connection, deep=True) == []
        texts = [r["text"] for r in corpus.select()]
    assert theirs.read_bytes() == before
    assert {*tmp_path.iterdir()} - {tmp_path / "ours.db"} == files
    return texts, dict(tally.reasons)


def test_merging_joins_origins_and_decisions(theirs: Path, tmp_path: Path) -> None:
    with Corpus(theirs) as other:
        apply(other.connection, "reject", [Change(3, "withdrawn", "ugly")])
    with Corpus(tmp_path / "ours.db", create=True) as corpus:
        corpus.add([Piece(ART, source="a", path="x"), Piece("ours\n|")])
        tally, withdrawn = merge(corpus, theirs)
        assert tally.row() == {"read": 3, "new": 2, "duplicate": 1, "rejected": 0}
        assert withdrawn == 1 and corpus.count(Selection(withdrawn=True)) == 1
        record = corpus.get(1)
        assert [o["source"] for o in record["origins"]] == ["a", "c"]
        assert (record["title"], record["tags"]) == ("cat", ["pet"])
        assert corpus.colour(1) is not None
        number = corpus.ids(Selection(sources=("a",)))
        assert b"\x1b[mfirst" in [corpus.original(n) for n in number]
        tally, withdrawn = merge(corpus, theirs)
        assert (tally.row()["new"], withdrawn) == (0, 0)
        assert check(corpus.connection, deep=True) == []


def test_a_corpus_that_is_open_elsewhere_is_read_with_its_journal(
    theirs: Path, tmp_path: Path
) -> None:
    with Corpus(theirs) as other, Corpus(tmp_path / "ours.db", create=True) as corpus:
        other.add([Piece("not yet\nin the file")])
        merge(corpus, theirs)
        assert corpus.count() == 4


@pytest.mark.parametrize("link", [None, os.link, os.symlink])
def test_a_corpus_is_not_merged_into_itself(
    theirs: Path, tmp_path: Path, link: Callable[[Path, Path], None] | None
) -> None:
    name = theirs
    if link is not None:
        name = tmp_path / "other-name.db"
        link(theirs, name)
    with Corpus(theirs) as corpus, pytest.raises(CorpusError, match="the same file"):
        merge(corpus, name)


REFUSED: dict[str, tuple[list[str], str]] = {
    "a view named withdrawn": (["DROP TABLE withdrawn", f"CREATE VIEW withdrawn AS {ENDLESS}"], "view named withdrawn"),
    "a view named colour": (["DROP TABLE colour", f"CREATE VIEW colour AS {ENDLESS}"], "view named colour"),
    "a view in other letters": (["DROP TABLE withdrawn", f"CREATE VIEW WithDrawn AS {ENDLESS}"], "view named withdrawn"),
    "a virtual table named origin": (
        ["DROP TABLE origin", "CREATE VIRTUAL TABLE origin USING fts5 (path)"],
        "virtual table named origin",
    ),
    "no table of originals": (["DROP TABLE original"], "no table original"),
    "a column missing": (["ALTER TABLE piece DROP COLUMN made"], "column made of table piece"),
    "a column of another type": (
        ["DROP TABLE colour", "CREATE TABLE colour (piece_id INTEGER PRIMARY KEY, plane TEXT)"],
        "column plane of table colour",
    ),
    "a generated column": (
        [
            "DROP TABLE withdrawn",
            "CREATE TABLE withdrawn (piece_id INTEGER PRIMARY KEY, reason TEXT AS (hex(zeroblob(1 << 28)))"
            " NOT NULL, made TEXT NOT NULL)",
        ],
        "column reason of table withdrawn",
    ),
    "a table without its key": (
        ["DROP TABLE source", "CREATE TABLE source (id INTEGER PRIMARY KEY, name TEXT NOT NULL, licence TEXT,"
         " redistributable INTEGER, url TEXT, note TEXT)"],
        "table source lacks a key",
    ),
    "a newer schema": (["PRAGMA user_version = 99"], "upgrade asciiloom"),
    "a negative schema": (["PRAGMA user_version = -3"], "damaged (schema version -3)"),
    "another program's": (["PRAGMA application_id = 7"], "another program"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_schema_that_is_not_ours_is_refused_by_name(
    theirs: Path, tmp_path: Path, name: str, cli: Any
) -> None:
    statements, said = REFUSED[name]
    _change(theirs, "PRAGMA foreign_keys = OFF", *statements)
    output = cli("merge", tmp_path / "ours.db", theirs, exits=1).output
    assert said in output and output.count("\n") == 1


def test_what_lies_beside_our_tables_is_ignored(theirs: Path, tmp_path: Path) -> None:
    _change(
        theirs,
        f"CREATE VIEW theirs AS {ENDLESS}",
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, note TEXT)",
        "CREATE VIRTUAL TABLE words USING fts5 (note)",
        "ALTER TABLE piece ADD COLUMN stars INTEGER",
        f"CREATE TRIGGER own AFTER INSERT ON piece BEGIN INSERT INTO notes SELECT 1, ({ENDLESS}); END",
        "CREATE INDEX own_index ON piece (title)",
    )
    texts, reasons = _merged(tmp_path, theirs)
    assert len(texts) == 3 and reasons == {}


VALUES: dict[str, tuple[str, Any, int, dict[str, int]]] = {
    "text of ESC": ("UPDATE piece SET text = ? WHERE id = 1", "\x1b[31mred\x1b[0m\r\n|", 3, {}),
    "text that is no UTF-8": (
        "UPDATE piece SET text = CAST(? AS TEXT) WHERE id = 1", b"a|\xff\xfe\n|", 3, {},
    ),
    "text a BLOB": ("UPDATE piece SET text = ? WHERE id = 1", b"a|", 2, {"not-a-record": 1}),
    "text a number": ("UPDATE piece SET text = CAST(? AS BLOB) WHERE id = 1", 3, 2, {"not-a-record": 1}),
    "text binary": ("UPDATE piece SET text = ? WHERE id = 1", "\x00\x01" * 99, 2, {"binary": 1}),
    "text blank": ("UPDATE piece SET text = ? WHERE id = 1", " \n ", 2, {"empty": 1}),
    "text too long": ("UPDATE piece SET text = ? WHERE id = 1", "x" * 5_000_000, 2, {"too-large": 1}),
    "text beyond what is read": (
        "UPDATE piece SET text = zeroblob(?) WHERE id = 1", (128 << 20) + 9, 2, {"damaged": 1},
    ),
    "tags that are no JSON": ("UPDATE piece SET tags = ? WHERE id = 1", "[", 2, {"not-a-record": 1}),
    "tags a nested list": ("UPDATE piece SET tags = ? WHERE id = 1", '[["x"]]', 2, {"not-a-record": 1}),
    "tags nested without end": ("UPDATE piece SET tags = ? WHERE id = 1", "[" * 90_000, 2, {"not-a-record": 1}),
    "tags of numbers": ("UPDATE piece SET tags = ? WHERE id = 1", "[1, 2]", 3, {}),
    "an invented kind": ("UPDATE piece SET kind = ? WHERE id = 1", "masterpiece", 3, {}),
    "a title of control characters": ("UPDATE piece SET title = ? WHERE id = 1", "a\x1b\x00\u202e\nb", 3, {}),
    "a title a BLOB": ("UPDATE piece SET title = ? WHERE id = 1", b"x", 2, {"not-a-record": 1}),
    "steps that are no JSON": ("UPDATE origin SET steps = ? WHERE id = 1", "{", 2, {"not-a-record": 1}),
    "a path of NUL": ("UPDATE origin SET path = ? WHERE id = 1", "a\x00b", 3, {}),
    "a source of bytes": ("UPDATE source SET name = ? WHERE id = 1", b"\xff", 2, {"not-a-record": 2}),
    "a source that is not there": ("UPDATE origin SET source_id = ? WHERE id = 1", 99, 3, {}),
    "no origins": ("DELETE FROM origin WHERE piece_id < ?", 9, 3, {}),
    "a garbage colour plane": ("UPDATE colour SET plane = ?", b"garbage", 3, {}),
    "a colour plane a text": ("UPDATE colour SET plane = ?", "CP1", 3, {}),
    "a colour plane without end": (
        "UPDATE colour SET plane = ?",
        struct.pack("<4sIIII", b"CP1\0", 4000, 4000, 1 << 30, 4) + zlib.compress(bytes(64 << 20), 9), 3, {},
    ),
    "an original of garbage": ("UPDATE original SET bytes = ?", b"garbage", 3, {}),
    "an original of another hash": ("UPDATE original SET bytes = ?", zlib.compress(b"\x1b[mfirsx"), 3, {}),
    "an original cut off": ("UPDATE original SET bytes = ?", zlib.compress(b"\x1b[mfirst")[:-3], 3, {}),
    "an original a number": ("UPDATE original SET bytes = CAST(? AS INTEGER)", 7, 3, {}),
    "an original without end": ("UPDATE original SET bytes = ?", zlib.compress(bytes(64 << 20), 9), 3, {}),
    "an original that is not there": ("UPDATE origin SET original_id = ? WHERE id = 1", 99, 3, {}),
    "a reason a BLOB": ("INSERT INTO withdrawn VALUES (1, ?, 1)", b"\xff", 2, {}),
    "a hash that lies": ("UPDATE piece SET hash = ? WHERE id = 1", "x", 3, {}),
    "measures that lie": ("UPDATE piece SET width = ?, quality = -1 WHERE id = 1", 10**9, 3, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", VALUES)
def test_values_of_any_kind_pass_the_gate(theirs: Path, tmp_path: Path, name: str) -> None:
    statement, value, count, expected = VALUES[name]
    _loosened(theirs, "piece", "origin", "source", "colour", "original", "withdrawn")
    _change(
        theirs,
        "DROP TRIGGER piece_text",
        "DROP TRIGGER piece_stale_text",
        statement,
        params=(value,),
    )
    texts, reasons = _merged(tmp_path, theirs)
    assert reasons == expected
    assert len(texts) == count and "last\n|_|" in texts


def _older(path: Path, version: int) -> None:
    with closing(sqlite3.connect(path)) as db:
        for number, sql in migrations():
            if number <= version:
                db.executescript(sql)
        db.execute("PRAGMA application_id = 1094798413")
        db.execute(f"PRAGMA user_version = {version}")
        db.execute("INSERT INTO source (name) VALUES ('old')")
        db.execute("INSERT INTO ingest (started, inputs, version) VALUES ('x', '[]', '0')")
        for number, text in ((1, "old\n|"), (2, "elder\n|")):
            db.execute(
                "INSERT INTO piece (id, hash, bare_hash, mirror_hash, text, charset, is_grid, width, height,"
                " chars, ink, glyphs, source_id, ingest_id)"
                " VALUES (?, ?, 'x', 'x', ?, 'ascii', 1, 5, 2, 5, 4, 4, 1, 1)",
                (number, content_hash(text), text),
            )
            db.execute(
                "INSERT INTO origin (piece_id, source_id, ingest_id, path, locator, encoding, steps)"
                " VALUES (?, 1, 1, 'p', '', 'utf-8', '[]')",
                (number,),
            )
        db.commit()


@pytest.mark.parametrize("version", range(1, migrations()[-1][0]))
def test_an_older_corpus_is_read_as_it_is(tmp_path: Path, version: int) -> None:
    path = tmp_path / "old.db"
    _older(path, version)
    assert _merged(tmp_path, path) == (["old\n|", "elder\n|"], {})


def test_an_older_corpus_says_what_it_says_once_migrated(tmp_path: Path) -> None:
    """The licence that somebody gave a source, the artist whom a signature names; not where a person decided."""
    path, migrated = tmp_path / "old.db", tmp_path / "migrated.db"
    _older(path, 8)
    text = "(o)  jgs"
    _change(
        path,
        "UPDATE source SET licence = 'GPLv3', redistributable = 1",
        f"UPDATE piece SET text = '{text}', hash = '{content_hash(text)}' WHERE id = 1",
        "INSERT INTO credit VALUES (1, 0, 5, 3, 'jgs', 'Joan G. Stark')",
        "INSERT INTO edit (id, made, command, pieces) VALUES (1, 'x', 'y', 1)",
        "INSERT INTO change VALUES (1, 2, 'licence', '\"GPLv3\"', 'null')",
    )
    shutil.copy(path, migrated)
    said = "SELECT text, artist, licence FROM piece ORDER BY id"
    with Corpus(migrated) as corpus:
        expected = corpus.connection.execute(said).fetchall()
    assert expected == [(text, "Joan G. Stark", "GPL-3.0-only"), ("elder\n|", None, None)]
    with Corpus(tmp_path / "ours.db", create=True) as corpus:
        merge(corpus, path)
        assert corpus.connection.execute(said).fetchall() == expected
        corpus.undo(1)
        assert corpus.count(Selection(redistributable=True)) == 2


def test_nothing_is_migrated_by_code_of_the_other_corpus(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    _older(path, 2)
    _change(
        path,
        f"CREATE VIEW theirs AS {ENDLESS}",
        f"CREATE TRIGGER own AFTER UPDATE ON piece BEGIN DELETE FROM piece WHERE ({ENDLESS}) > 0; END",
        "DROP TRIGGER piece_au",
        f"CREATE TRIGGER piece_au AFTER UPDATE ON piece BEGIN UPDATE piece SET text = ({ENDLESS}); END",
    )
    assert _merged(tmp_path, path)[0] == ["old\n|", "elder\n|"]


@pytest.mark.parametrize("content", [b"", b"x" * 9999, b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_file_that_is_no_corpus_is_one_line(tmp_path: Path, cli: Any, content: bytes) -> None:
    path = tmp_path / "other.db"
    path.write_bytes(content)
    output = cli("merge", tmp_path / "ours.db", path, exits=1).output
    assert output.count("\n") == 1 and "other.db" in output
    assert path.read_bytes() == content


_MERGE = "import sys\nfrom asciiloom.cli import main\nmain(['merge', *sys.argv[1:]])"


def test_an_interrupt_ends_a_merge_within_a_statement(theirs: Path, tmp_path: Path) -> None:
    """One piece of 300,000 origins: SQLite sorts them in one statement before the first is seen."""
    _change(
        theirs,
        "PRAGMA foreign_keys = OFF",
        "WITH RECURSIVE n (i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)"
        " INSERT INTO origin (piece_id, source_id, ingest_id, path, locator, encoding, steps)"
        " SELECT 1, 1, 1, i, '', 'utf-8', '[]' FROM n",
    )
    command = [sys.executable, "-c", _MERGE, str(tmp_path / "ours.db"), str(theirs)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (tmp_path / "ours.db").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in said
    with Corpus(tmp_path / "ours.db") as corpus:
        assert check(corpus.connection, deep=True) == []
