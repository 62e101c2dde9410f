"""A piece that is deleted leaves nothing behind, and its cluster another piece to keep."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from asciiloom import synth
from asciiloom.corpus import Corpus
from asciiloom.curate.edits import Change, apply
from asciiloom.curate.removal import remove
from asciiloom.curate.upkeep import check
from asciiloom.errors import CorpusError
from asciiloom.piece import Piece
from asciiloom.store import Selection

SECRET = "  /\\_SECRET_/\\ \n ( o . o )\n  > ~~~ <\n   U   U"
NAME = "xyzzyartist"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    art = [p for p in synth.generate(80, seed=2) if p.source and len(p.text) > 80]
    twin = max(art, key=lambda p: len(set(p.text))).text
    path = tmp_path / "a.db"
    with Corpus(path, create=True) as corpus:
        corpus.add([Piece(twin, artist=NAME, title="plugh"), *art])
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "s.txt").write_bytes(SECRET.replace("\n", "\r\n").encode())
        corpus.ingest([tmp_path / "in"])
        corpus.add([Piece(twin + "\n\n a caption of it", title="kept")])
        corpus.dedup()
    return path


def test_nothing_is_left(path: Path) -> None:
    with Corpus(path) as corpus:
        (secret,) = corpus.select(Selection(glyphs="_SECRET_"))
        (credited,) = corpus.select(Selection(text=NAME))
        apply(corpus.connection, "x", [Change(credited["id"], "title", "frobozz")])
        before = corpus.count()
        assert remove(corpus.connection, [secret["id"], credited["id"], 10**6]) == 2
        assert corpus.count() == before - 2
        assert corpus.connection.execute("SELECT count(*) FROM original").fetchone() == (0,)
        assert corpus.connection.execute("SELECT count(*) FROM change").fetchone() == (0,)
        assert list(corpus.select(Selection(text=NAME))) == []
        # The twin that is left is the one to keep now.
        (kept,) = corpus.select(Selection(text="kept"))
        assert (kept["canonical"], kept["cluster_id"]) == (1, kept["id"])
        assert check(corpus.connection) == []
        assert corpus.dedup().signed == 0
    held = path.read_bytes()
    for gone in (b"SECRET", b"frobozz"):
        assert gone not in held


def test_the_command_asks_first(path: Path, cli: Callable[..., Result]) -> None:
    def count() -> int:
        with Corpus(path) as corpus:
            return corpus.count()

    before = count()
    refused = cli("delete", path, "1", exits=1)
    assert "Aborted" in refused.stderr and count() == before
    assert "1 pieces (dry run" in cli("delete", path, "1", "--dry-run").stderr
    cli("delete", path, exits=2)
    cli("delete", path, "9999", "--yes", exits=1)
    assert count() == before
    cli("delete", path, "--where", "SECRET OR plugh", "--yes")
    assert count() == before - 1


class _FullAtTheEnd:
    """A connection whose disk is full once the pieces are gone."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, *params: object) -> object:
        if "optimize" in sql:
            raise sqlite3.OperationalError("database or disk is full")
        return self._connection.execute(sql, *params)

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)


def test_a_disk_that_is_full_afterwards_is_told_from_one_that_was_full_before(path: Path) -> None:
    with Corpus(path) as corpus:
        (secret,) = corpus.select(Selection(glyphs="_SECRET_"))
        full: Any = _FullAtTheEnd(corpus.connection)
        with pytest.raises(CorpusError, match=r"1 pieces are deleted.*vacuum"):
            remove(full, [secret["id"]])
        assert corpus.count(Selection(glyphs="_SECRET_")) == 0
