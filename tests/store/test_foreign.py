import os
import signal
import sqlite3
import threading
from pathlib import Path

import pytest

from asciiloom.corpus import Corpus
from asciiloom.errors import CorpusError
from asciiloom.piece import Piece
from asciiloom.store.foreign import open_foreign

ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece("a\n|"), Piece("b\n|")])
    return tmp_path / "a.db"


def test_nothing_can_be_written_through_it(path: Path) -> None:
    before = path.read_bytes()
    with open_foreign(path) as other:
        assert "made" in other.tables["piece"].columns and "colour" in other.tables
        for statement in ("DELETE FROM piece", "CREATE TABLE x (y)", "PRAGMA user_version = 3"):
            with pytest.raises(sqlite3.OperationalError):
                other.connection.execute(statement)
    assert path.read_bytes() == before and list(path.parent.iterdir()) == [path]


def test_an_interrupt_ends_a_statement_that_never_would(path: Path) -> None:
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt), open_foreign(path) as other:
        timer.start()
        other.connection.execute(ENDLESS).fetchone()


def test_a_file_that_is_written_meanwhile_is_told(path: Path) -> None:
    with pytest.raises(CorpusError, match="while it was read"), open_foreign(path) as other:
        assert other.connection.execute("SELECT count(*) FROM piece").fetchone() == (2,)
        with Corpus(path) as corpus:
            corpus.add([Piece("c\n|")])
