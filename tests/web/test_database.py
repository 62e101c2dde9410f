"""The connections that pages read through: they cannot write, and take only so much."""

import asyncio
import sqlite3
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from asciiloom.corpus import Corpus
from asciiloom.errors import CorpusError
from asciiloom.piece import Piece
from asciiloom.web import curating, limits
from asciiloom.web.database import ReadConnection
from asciiloom.web.query import Query, whole_number
from asciiloom.web.serve import gallery_address, make_datasette

NAMES = [
    "my art",
    "100%",
    "a+b",
    "a#b",
    "what?",
    "ünïcödé 猫",
    "a.b.c",
    "%20",
    "~7E",
    'it\'s "so"',
    "-",
    "_internal",
]


@pytest.fixture
def art(tmp_path: Path) -> Path:
    path = tmp_path / "art.db"
    with Corpus(path, create=True) as corpus:
        corpus.add([Piece(" /\\_/\\\n( o.o )", title="cat")])
    return path


@pytest.fixture
def connection(art: Path) -> Iterator[ReadConnection]:
    datasette, _ = make_datasette(art, free_sql=True)
    opened = datasette.databases["art"].connect()
    datasette._prepare_connection(opened, "art")
    with closing(opened):
        yield opened


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_any_name_is_served_where_it_is_said(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.db"
    with Corpus(path, create=True) as corpus:
        corpus.add([Piece("( o.o )", title="a cat")])
    datasette, token = make_datasette(path)
    address = gallery_address(datasette, "::1", 80, token)
    assert address.startswith("http://[::1]:80/-/art/")
    base = address.removeprefix("http://[::1]:80").partition("/enter?")[0]

    async def get(where: str) -> Any:
        return await datasette.client.get(where, follow_redirects=False)

    page = asyncio.run(get(base))
    assert page.status_code == 200 and "a cat" in page.text
    assert f'href="{base}/piece/1"' in page.text
    assert asyncio.run(get(f"{base}/piece/1")).status_code == 200
    assert asyncio.run(get("/-/art")).headers["location"] == base
    entered = asyncio.run(get(f"{base}/enter?token={token}"))
    assert entered.headers["location"] == base
    table = base.replace("/-/art/", "/") + "/piece.json"
    assert asyncio.run(get(table)).json()["rows"][0][0] == 1 or name == "-"


def test_nothing_is_written_and_no_other_file_is_opened(connection: ReadConnection) -> None:
    for statement in (
        "DELETE FROM piece",
        "CREATE TABLE x (y)",
        "ATTACH 'other.db' AS other",
        "SELECT fts3_tokenizer('simple')",
        "SELECT load_extension('x')",
    ):
        with pytest.raises(sqlite3.DatabaseError):
            connection.execute(statement)


def test_values_and_rows_are_bounded(connection: ReadConnection) -> None:
    large = limits.SQL_VALUE_BYTES - 10
    assert connection.execute("SELECT length(zeroblob(?))", (large,)).fetchone()[0] == large
    for statement in (
        "SELECT zeroblob(?)",
        "SELECT randomblob(?)",
        "SELECT hex(zeroblob(? / 2 + 9))",
    ):
        with pytest.raises(sqlite3.DataError, match="too big"):
            connection.execute(statement, (limits.SQL_VALUE_BYTES * 2,)).fetchone()
    endless = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT "
    for value in ("zeroblob(10000)", "hex(zeroblob(10000))"):
        connection.spent = 0
        with pytest.raises(sqlite3.OperationalError, match="hold more than"):
            connection.execute(f"{endless} {value} FROM n").fetchall()
        assert connection.spent < limits.ROWS_BYTES * 2


def test_numbers_of_an_address() -> None:
    assert whole_number("12", 20) == 12 and whole_number("0", 20) == 0
    for wrong in (None, "", "²", "١", "-1", "+1", " 1", "1 ", "21", "9" * 30, "1.0", "1e1", "0x1"):
        assert whole_number(wrong, 20) is None, wrong
    assert Query.of({"page": "²"}).page == 1 and Query.of({"page": "7"}).page == 7
    for size in ("²x²", "9" * 20 + "x1", "x", "1x", "-1x-1"):
        assert Query(size=size).selection().width == (None, None)
    assert Query(size="40x12").selection().width == (None, 40)


def test_a_file_that_is_gone_or_in_use_is_said_so(
    art: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curating, "BUSY_MILLISECONDS", 50)
    datasette, _ = make_datasette(art)
    actor = datasette.sign({"a": {"id": "curator"}}, "actor")

    async def edit() -> Any:
        page = await datasette.client.get("/-/art/art/piece/1", cookies={"ds_actor": actor})
        csrf = page.cookies["ds_csrftoken"]
        return await datasette.client.post(
            "/-/art/art/piece/1/edit",
            data={"title": "changed", "csrftoken": csrf},
            cookies={"ds_actor": actor, "ds_csrftoken": csrf},
        )

    with closing(sqlite3.connect(art, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        busy = asyncio.run(edit())
        assert busy.status_code == 503 and "another program is writing" in busy.text
        assert busy.headers["retry-after"] == "5"
    for ending in ("", "-wal", "-shm"):
        Path(f"{art}{ending}").unlink(missing_ok=True)
    for path in ("", "/piece/1", "/review"):
        gone = asyncio.run(datasette.client.get(f"/-/art/art{path}"))
        assert gone.status_code == 409 and "moved or deleted" in gone.text
    # A thread that has not read the file yet finds that it cannot open it.
    datasette.executor = ThreadPoolExecutor(1)
    gone = asyncio.run(datasette.client.get("/-/art/art"))
    assert gone.status_code == 409 and "moved or deleted" in gone.text


def test_a_question_that_takes_too_long_is_given_up(
    art: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Corpus(art) as corpus:
        corpus.add(Piece(f"( o.o )\n{n:>6}\n" + "_ " * 40) for n in range(400))
    datasette, _ = make_datasette(art)
    monkeypatch.setattr(limits, "QUESTION_SECONDS", 0.0)
    answer = asyncio.run(datasette.client.get("/-/art/art?q=a*&order=random"))
    assert answer.status_code == 400 and "takes too long" in answer.text


def test_a_corpus_that_cannot_be_written_is_only_read(
    art: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_, **__: False)
    datasette, token = make_datasette(art)
    assert token is None
    assert asyncio.run(datasette.client.get("/-/art/art/piece/1")).status_code == 200


def test_an_original_is_inflated_only_so_far(art: Path) -> None:
    whole = zlib.compress(bytes(100))
    with Corpus(art) as corpus:
        db = corpus.connection
        db.execute(
            "INSERT INTO original (id, hash, size, bytes) VALUES (1, ?, 0, x'')", ("0" * 32,)
        )
        db.execute("UPDATE origin SET original_id = 1")
        for stored, limit, trouble in (
            (whole, 99, "more than 99 bytes"),
            (whole[:-6], 0, "breaks off"),
            (b"no stream", 0, "is damaged"),
        ):
            db.execute("UPDATE original SET bytes = ?", (stored,))
            with pytest.raises(CorpusError, match=trouble):
                corpus.original(1, limit=limit)
        db.execute("UPDATE original SET bytes = ?", (whole,))
        assert corpus.original(1, limit=101) == corpus.original(1) == bytes(100)
