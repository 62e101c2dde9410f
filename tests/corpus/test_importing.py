"""Hostile imports: whatever a file holds, a record is a clean piece or one rejection, and costs no neighbour."""

import base64
import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from asciiloom.corpus import Corpus
from asciiloom.corpus.importing import MANY_BROKEN, MAX_ORIGINS, import_rows
from asciiloom.corpus.taking import take
from asciiloom.curate.upkeep import check
from asciiloom.errors import ReaderError

CAT = "/\\_/\\\n(o.o)"
GOOD = json.dumps({"text": "first\n|_|"}).encode()
LAST = json.dumps({"text": "last\n|_|"}).encode()


def _record(**values: Any) -> bytes:
    return json.dumps({"text": CAT, **values}).encode()


def _origin(**values: Any) -> bytes:
    return _record(origins=[{"source": "s", "path": "p", **values}])


REJECTED: dict[str, tuple[bytes, str]] = {
    "no JSON": (b"{", "bad-json"),
    "half a record": (_record()[:-5], "bad-json"),
    "Latin-1": (b'{"text": "\xe4\xf6\\nx"}', "bad-json"),
    "bytes": (bytes(range(128, 256)), "bad-json"),
    "a list": (b"[]", "bad-json"),
    "a number": (b"3", "bad-json"),
    "null": (b"null", "bad-json"),
    "nested": (b"[" * 100_000, "bad-json"),
    "nested objects": (b'{"a":' * 100_000, "bad-json"),
    "nested in a title": (b'{"text": "x", "title": ' + b"[" * 100_000, "bad-json"),
    "an integer of 5,000 digits": (b'{"text": "x", "id": ' + b"9" * 5000 + b"}", "bad-json"),
    "no text": (b'{"art": "x"}', "not-a-record"),
    "text a number": (b'{"text": 3}', "not-a-record"),
    "text null": (b'{"text": null}', "not-a-record"),
    "text a list": (b'{"text": ["x"]}', "not-a-record"),
    "text blank": (b'{"text": " \\n "}', "empty"),
    "text of joiners": (b'{"text": "\\u200d"}', "empty"),
    "text binary": (_record(text="\x00\x01\x02" * 99), "binary"),
    "text too wide": (_record(text="x" * 6000), "too-large"),
    "text too high": (_record(text="x\n" * 30_000), "too-large"),
    "text too long": (_record(text="x" * 5_000_000), "too-large"),
    "title a list": (_record(title=["cat"]), "not-a-record"),
    "artist an object": (_record(artist={"a": 1}), "not-a-record"),
    "tags a number": (_record(tags=3), "not-a-record"),
    "tags a text": (_record(tags="cat"), "not-a-record"),
    "tags of lists": (_record(tags=[["cat"]]), "not-a-record"),
    "flags an object": (_record(flags={}), "not-a-record"),
    "origins a number": (_record(origins=3), "not-a-record"),
    "origins no JSON": (_record(origins="[{"), "not-a-record"),
    "origins of numbers": (_record(origins=[3]), "not-a-record"),
    "path a list": (_origin(path=["x"]), "not-a-record"),
    "steps a number": (_origin(steps=3), "not-a-record"),
    "too many origins": (_record(origins=[{}] * (MAX_ORIGINS + 1)), "not-a-record"),
}
# What is written of each, a part of the record it becomes.
CLEANED: dict[str, tuple[bytes, dict[str, Any]]] = {
    "ESC": (_record(text="\x1b[31m/\\_/\\\x1b[0m\n(o.o)"), {"text": CAT}),
    "NUL": (_record(text="/\\_\x00/\\\n(o.o)"), {"text": CAT}),
    "tabs": (_record(text="a\tb"), {"text": "a       b"}),
    "CRLF": (_record(text="/\\_/\\\r\n(o.o)\r\n"), {"text": CAT}),
    "bidi": (_record(text="/\\_/\\\u202e\n(o.o)\u2066"), {"text": CAT}),
    "lone surrogates": (b'{"text": "\\ud800x\\n|"}', {"text": "\ufffdx\n|"}),
    "control characters in a title": (_record(title="a\x1b]0;x\x07b\u202e\n"), {"title": "a]0;xb"}),
    "a surrogate in a title": (b'{"text": "q|", "title": "a\\udfff"}', {"title": "a"}),
    "a title of a million": (_record(title="x " * 500_000), {"title": ("x " * 250).strip()}),
    "a title a number": (_record(title=12), {"title": "12"}),
    "NaN": (b'{"text": "q|", "quality": NaN, "width": -Infinity}', {"text": "q|"}),
    "twice the same key": (b'{"text": "a|", "text": "b|"}', {"text": "b|"}),
    "an invented kind": (_record(kind="masterpiece"), {"kind": "art"}),
    "a kind a number": (_record(kind=7), {"kind": "art"}),
    "tags of numbers": (_record(tags=[1, 2.5, None, "A  B"]), {"tags": ["1", "2.5", "a b"]}),
    "a hundred thousand tags": (_record(tags=list(range(100_000))), {"width": 5}),
    "measures that lie": (_record(width=999, ink=-1, charset="x", quality=9, hash="x"), {"width": 5}),
    "credits that lie": (_record(credits=[{"row": 99, "col": 9, "text": "jgs"}]), {"signed": None}),
    "a bad original": (_origin(original="no base64!"), {"text": CAT}),
    "an original a number": (_origin(original=3), {"text": CAT}),
    "a bad colour plane": (_record(colour="AAAA"), {"text": CAT}),
    "a colour plane that claims 4 billion cells": (
        _record(colour=base64.b64encode(b"CP1\0" + b"\xff" * 16 + b"x").decode()),
        {"text": CAT},
    ),
    "NUL in a path": (_origin(path="a\0b", locator="\x1b"), {"text": CAT}),
    "a surrogate in a source": (b'{"text": "q|", "source": "a\\ud800"}', {"source": "a"}),
    "an empty source": (_record(source="\x1b"), {"source": "unknown"}),
    "no origins": (_record(origins=[]), {"text": CAT}),
}  # fmt: skip


def _import(tmp_path: Path, data: bytes, name: str = "x.jsonl") -> Corpus:
    path = tmp_path / name
    path.write_bytes(data)
    corpus = Corpus(tmp_path / "a.db", create=True)
    take(corpus.connection, import_rows(path), "import")
    return corpus


def _rejections(corpus: Corpus) -> list[tuple[Any, ...]]:
    return corpus.connection.execute(
        "SELECT reason, path, locator FROM rejection ORDER BY id"
    ).fetchall()


@pytest.mark.parametrize("name", REJECTED)
def test_a_broken_record_is_one_rejection_at_its_row(tmp_path: Path, name: str) -> None:
    line, reason = REJECTED[name]
    with _import(tmp_path, b"\n".join((GOOD, b"", line, LAST, b"", b" \n"))) as corpus:
        assert [r["text"] for r in corpus.select()] == ["first\n|_|", "last\n|_|"]
        assert _rejections(corpus) == [(reason, str(tmp_path / "x.jsonl"), "row 3")]
        assert check(corpus.connection, deep=True) == []


@pytest.mark.parametrize("name", CLEANED)
def test_an_unclean_record_is_stored_as_ingest_would(tmp_path: Path, name: str) -> None:
    line, expected = CLEANED[name]
    with _import(tmp_path, b"\n".join((b"\xef\xbb\xbf" + GOOD, line, LAST))) as corpus:
        assert corpus.count() == 3 and _rejections(corpus) == []
        stored = list(corpus.select())[1]
        assert {key: stored[key] for key in expected} == expected
        assert check(corpus.connection, deep=True) == []


def test_a_record_keeps_what_its_origins_say(tmp_path: Path) -> None:
    data = base64.b64encode(b"\xff raw").decode()
    line = _record(title="edited", origins=[
        {"source": "a", "path": "p", "locator": "1", "title": "one", "steps": ["trim"], "original": data},
        {"source": "b", "path": "q", "original": "!"},
    ])  # fmt: skip
    with _import(tmp_path, line) as corpus:
        record = corpus.get(1)
        first, second = record["origins"]
        assert (record["title"], first["source"], first["locator"]) == ("edited", "a", "1")
        assert corpus.original(1) == b"\xff raw"
        assert (first["steps"], second["steps"]) == ('["trim"]', '["original-dropped"]')
        assert second["original_id"] is None


@pytest.mark.parametrize(
    "content", [b"{\n", b"[]", b'{"art": "x"}', b'{"text": 3}', b"\x1f\x8b\x08\xff", b"PK\n" * 5000]
)
def test_a_file_of_something_else_is_one_clear_error(tmp_path: Path, cli: Any, content: bytes) -> None:  # fmt: skip
    path, db = tmp_path / "x.jsonl", tmp_path / "a.db"
    path.write_bytes(content)
    said = cli("import", db, path, exits=1).output
    assert "asciiloom ingest" in said and said.count("\n") == 1
    assert not db.exists()


def test_an_empty_file_brings_nothing(tmp_path: Path, cli: Any) -> None:
    (tmp_path / "x.jsonl").write_bytes(b"\n \n")
    assert "read 0" in cli("import", tmp_path / "a.db", tmp_path / "x.jsonl").output
    with pytest.raises(ReaderError, match="no data"):
        import_rows(tmp_path)


def test_broken_records_after_a_good_one_leave_few_rejections(tmp_path: Path) -> None:
    lines = [GOOD, *(b'{"art": %d}' % n for n in range(3 * MANY_BROKEN)), LAST]
    with _import(tmp_path, b"\n".join(lines)) as corpus:
        assert corpus.count() == 2 and len(_rejections(corpus)) <= 101
        rejected = corpus.connection.execute("SELECT rejected FROM ingest").fetchone()
        assert rejected == (3 * MANY_BROKEN,)


# -- Parquet


def _parquet(tmp_path: Path, columns: dict[str, Any]) -> Path:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=3)
    return path


def test_a_parquet_file_of_other_types_is_rejected_row_by_row(tmp_path: Path) -> None:
    columns = {
        "text": [CAT, "a|", "b|", "c|"],
        "title": [["list"], None, None, None],
        "artist": pa.array([None, {"name": "x"}, None, None]),
        "origins": [None, None, "[", None],
        "tags": pa.array([[1], [2], [3], [4]]),
        "kind": [1, 2, 3, 4],
        "width": ["x", "y", "z", "q"],
    }
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        take(corpus.connection, import_rows(_parquet(tmp_path, columns)), "import")
        assert [(r["text"], r["tags"], r["kind"]) for r in corpus.select()] == [
            ("c|", ["4"], "art")
        ]
        assert [r[2] for r in _rejections(corpus)] == ["row 1", "row 2", "row 3"]
        assert check(corpus.connection, deep=True) == []


@pytest.mark.parametrize(
    "columns",
    [
        {"art": ["x"]},
        {"text": [3]},
        {"text": [["x"]]},
        {"text": [{"a": "x"}]},
        {"text": [b"x"]},
        {"text": pa.array([None], pa.null())},
    ],
)
def test_a_parquet_file_without_texts_is_one_clear_error(tmp_path: Path, columns: dict[str, Any]) -> None:  # fmt: skip
    with pytest.raises(ReaderError, match="asciiloom ingest"):
        import_rows(_parquet(tmp_path, columns))


def test_a_damaged_parquet_file_is_one_clear_error_or_rejection(tmp_path: Path) -> None:
    path = _parquet(tmp_path, {"text": [f"{n}|" for n in range(900)]})
    whole = path.read_bytes()
    for data in (b"", b"PAR1", whole[: len(whole) // 2], whole[:-8] + b"\xff" * 8, b"x" * 999):
        path.write_bytes(data)
        with pytest.raises(ReaderError, match="no sound Parquet file"):
            import_rows(path)
    at = len(whole) // 3
    path.write_bytes(whole[:at] + b"\xff" * 40 + whole[at + 40 :])
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        take(corpus.connection, import_rows(path), "import")
        assert 0 < corpus.count() < 900
        assert {r[0] for r in _rejections(corpus)} <= {"damaged", "bad-text", "binary", "empty"}
        assert _rejections(corpus)
        assert check(corpus.connection, deep=True) == []


def test_text_that_is_no_utf8_costs_no_neighbour(tmp_path: Path) -> None:
    data = pa.array([b"first|", b"\xff\xfe|", b"last|"])
    bad = pa.StringArray.from_buffers(3, *data.buffers()[1:])
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        take(corpus.connection, import_rows(_parquet(tmp_path, {"text": bad})), "import")
        assert [r["text"] for r in corpus.select()] == ["first|", "last|"]
        assert [(r[0], r[2]) for r in _rejections(corpus)] == [("bad-text", "row 2")]


# -- memory

_MEASURE = """
import resource, sys
from asciiloom.cli import main
try:
    main(["import", sys.argv[1], sys.argv[2], "--json"], standalone_mode=False)
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)
"""


def _peak_mb(db: Path, path: Path) -> tuple[dict[str, Any], int]:
    command = [sys.executable, "-c", _MEASURE, str(db), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
    return json.loads(done.stdout), int(done.stderr.split()[-1])


def test_a_line_of_500_mb_needs_no_memory(tmp_path: Path) -> None:
    path, small = tmp_path / "x.jsonl", tmp_path / "y.jsonl"
    small.write_bytes(GOOD + b"\n")
    _, least = _peak_mb(tmp_path / "b.db", small)
    with path.open("wb") as stream:
        stream.write(GOOD + b'\n{"text": "')
        for _ in range(500):
            stream.write(b"x" * (1 << 20))
        stream.write(b'"}\n' + LAST)
    counts, most = _peak_mb(tmp_path / "a.db", path)
    path.unlink()
    assert (counts["new"], counts["rejected"]) == (2, 1) and counts["reasons"] == {"too-large": 1}
    assert most - least < 150, (least, most)


def test_a_plane_that_unpacks_without_end_needs_no_memory(tmp_path: Path) -> None:
    bomb = zlib.compress(bytes(400 << 20), 9)
    plane = struct.pack("<4sIIII", b"CP1\0", 4000, 4000, 1 << 30, 4) + bomb
    path, small = tmp_path / "x.jsonl", tmp_path / "y.jsonl"
    small.write_bytes(GOOD + b"\n")
    _, least = _peak_mb(tmp_path / "b.db", small)
    data = base64.b64encode(bomb).decode()
    path.write_bytes(
        _record(colour=base64.b64encode(plane).decode(), origins=[{"original": data}])
        + b"\n"
        + LAST
    )
    counts, most = _peak_mb(tmp_path / "a.db", path)
    assert counts["new"] == 2 and most - least < 200, (least, most)
    with Corpus(tmp_path / "a.db") as corpus:
        assert corpus.colour(1) is None and corpus.original(1) == bomb
        assert check(corpus.connection, deep=True) == []
