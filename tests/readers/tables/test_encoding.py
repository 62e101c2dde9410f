"""Tables in UTF-16 and with byte order marks come in like every other."""

import codecs
import gzip
import io
import json
import sqlite3
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from asciiloom.corpus import Corpus
from asciiloom.ingest import pipeline
from asciiloom.piece import Piece, Rejection
from asciiloom.readers import Input, ReadOptions, read_bytes, read_path
from asciiloom.readers.tables import lines
from asciiloom.readers.tables.encoding import encoding_of, in_utf8

ART = ["/\\_/\\\n( o.o )", "┌─┐\n│█│\n└─┘", "<°)))><\n ~~~~"]
ROWS = [{"text": art, "title": f"größe {n} 𝄞"} for n, art in enumerate(ART)]
TABLES = {
    "a.jsonl": "".join(json.dumps(row, ensure_ascii=False) + "\r\n" for row in ROWS),
    "a.json": json.dumps(ROWS, ensure_ascii=False, indent=1),
    "a.csv": "text,title\r\n" + "".join(f'"{r["text"]}",{r["title"]}\r\n' for r in ROWS),
    "a.tsv": "text\ttitle\n" + "".join(f'"{r["text"]}"\t{r["title"]}\n' for r in ROWS),
}
ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "utf-8": str.encode,
    "utf-8 with mark": lambda t: codecs.BOM_UTF8 + t.encode(),
    "utf-16-le with mark": lambda t: codecs.BOM_UTF16_LE + t.encode("utf-16-le"),
    "utf-16-be with mark": lambda t: codecs.BOM_UTF16_BE + t.encode("utf-16-be"),
    "utf-16-le": lambda t: t.encode("utf-16-le"),
    "utf-16-be": lambda t: t.encode("utf-16-be"),
    "utf-32 with mark": lambda t: t.encode("utf-32"),
}


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=list(ENCODINGS))
@pytest.mark.parametrize("name", TABLES)
def test_every_encoding_gives_the_same_pieces(
    tmp_path: Path, name: str, encode: Callable[[str], bytes]
) -> None:
    path = tmp_path / name
    path.write_bytes(encode(TABLES[name]))
    items = list(read_path(path))
    assert [(i.text, i.title) for i in items if isinstance(i, Piece)] == [
        (row["text"], row["title"]) for row in ROWS
    ]
    assert len(items) == len(ROWS)


def test_without_a_name_and_packed() -> None:
    data = TABLES["a.jsonl"].encode("utf-16")
    assert [i.text for i in read_bytes(data, "-") if isinstance(i, Piece)] == ART
    packed = gzip.compress(TABLES["a.csv"].encode("utf-16"))
    assert len([i for i in read_bytes(packed, "a.csv.gz") if isinstance(i, Piece)]) == 3


def test_only_what_is_certain_is_taken_for_utf_16() -> None:
    for head in (
        b"",
        b"{",
        b"text",
        b"\0\0\0\0\0\0",
        b"a\0bc",
        b"PAR1\x15\0",
        "äöüß".encode("utf-16-le"),
    ):
        assert encoding_of(head) == ("utf-8", 0)
    assert encoding_of("a,b".encode("utf-16-be")) == ("utf-16-be", 0)


def test_half_a_character_costs_its_row_only() -> None:
    data = '{"text": "x"}\n{"text": "y"}\n{"text": "z"}'.encode("utf-16-le")[:-1]
    found = list(read_bytes(data, "a.jsonl"))
    assert [i.text if isinstance(i, Piece) else i.reason for i in found] == ["x", "y", "bad-json"]
    assert isinstance(found[2], Rejection) and found[2].locator == "row 3"


class Endless(io.RawIOBase):
    """``size`` bytes of rows in UTF-16, never all there at a time."""

    def __init__(self, size: int) -> None:
        self.row = json.dumps({"text": "#" * 200 + "\n█"}).encode("utf-16-le") + b"\n\0"
        self.left = size // len(self.row) * len(self.row)
        self.at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        part = (self.row[self.at :] + self.row * (len(buffer) // len(self.row) + 1))[: len(buffer)]
        part = part[: self.left]
        buffer[: len(part)] = part
        self.at, self.left = (self.at + len(part)) % len(self.row), self.left - len(part)
        return len(part)


def test_a_long_table_is_streamed() -> None:
    stream = io.BufferedReader(Endless(32 << 20))
    source = Input("a.jsonl", "a.jsonl", stream, stream.peek(4096)[:4096], ReadOptions())
    tracemalloc.start()
    recoded = in_utf8(source).stream
    read = sum(len(block) for block in iter(lambda: recoded.read(1 << 16), b""))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert read > 15 << 20 and peak < 4 << 20


@pytest.mark.parametrize("workers", [1, 2])
def test_ingest_in_stretches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    monkeypatch.setattr(pipeline, "_LONG_FILE", 2_000)
    monkeypatch.setattr(lines, "CHUNK", 4_000)
    rows = "".join(
        json.dumps({"text": f"<{n}>\n█▀"}, ensure_ascii=False) + "\n" for n in range(500)
    )
    path = tmp_path / "a.jsonl"
    path.write_bytes(rows.encode("utf-16"))
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        tally = corpus.ingest([path], workers=workers)
        texts = [row[0] for row in corpus.connection.execute("SELECT text FROM piece ORDER BY id")]
    assert tally.row() == {"read": 500, "new": 500, "duplicate": 0, "rejected": 0}
    assert texts == [f"<{n}>\n█▀" for n in range(500)]


def test_the_command_reads_what_a_spreadsheet_saved(
    tmp_path: Path, cli: Callable[..., Result]
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(TABLES["a.csv"].encode("utf-16"))
    cli("ingest", tmp_path / "a.db", path)
    with sqlite3.connect(tmp_path / "a.db") as db:
        assert [row[0] for row in db.execute("SELECT text FROM piece ORDER BY id")] == ART
    db.close()
