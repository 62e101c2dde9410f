import csv
import gzip
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asciiloom.piece import Piece, Rejection
from asciiloom.readers import Input, ReadOptions, read_path
from asciiloom.readers.tables.row import column_roles
from asciiloom.readers.tables.table import TableReader

CAT = " /\\_/\\\n( o.o )"


def _read(data: bytes, path: str, options: ReadOptions | None = None) -> list[Piece | Rejection]:
    return list(TableReader().read(Input.from_bytes(data, path, options)))


@pytest.mark.parametrize(
    ("row", "text", "title", "tags"),
    [
        ({"text": "x", "title": "a", "tags": ["B", "b"]}, "x", "a", ("b",)),
        ({"ascii_art": "x", "labels": "cat, dog"}, "x", None, ("cat", "dog")),
        ({"asciiart": "x", "caption": "hi"}, "x", "hi", ()),
        ({"content": "x", "class": "fish"}, "x", None, ("fish",)),
        ({"content": "x", "category-1": "animal", "category-2": "cat"}, "x", None, ("animal", "cat")),
        ({"Text": "x", "Tags": '["a", "b"]'}, "x", None, ("a", "b")),
        (
            {"conversations": [{"from": "human", "value": "draw a cat"}, {"from": "gpt", "value": "Here:\n```\nx\n```"}]},
            "x", "draw a cat", (),
        ),
        (
            {"conversations": [{"role": "user", "content": "a dog"}, {"role": "assistant", "content": "```text\ny\n```"}]},
            "y", "a dog", (),
        ),
    ],
)  # fmt: skip
def test_columns_of_real_data_sets(
    row: dict[str, object], text: str, title: str | None, tags: tuple[str, ...]
) -> None:
    (piece,) = _read(json.dumps(row).encode(), "a.jsonl")
    assert isinstance(piece, Piece)
    assert (piece.text, piece.title, piece.tags) == (text, title, tags)


def test_every_row_is_one_item() -> None:
    data = b'{"text": "a"}\nnot json\n\n{"text": " "}\n{"other": 1}\n[1]\n{"text": "b"}'
    items = _read(data, "a.jsonl")
    assert [i.reason if isinstance(i, Rejection) else i.text for i in items] == [
        "a", "bad-json", "empty", "no-text", "bad-json", "b",
    ]  # fmt: skip
    assert [i.locator for i in items] == ["row 1", "row 2", "row 4", "row 5", "row 6", "row 7"]


def test_column_option_and_defaults() -> None:
    options = ReadOptions("mine", "CC0-1.0", "me", ("extra",), {"text": "pic"})
    (piece,) = _read(b'{"pic": "x", "text": "no"}', "a.jsonl", options)
    assert isinstance(piece, Piece)
    assert (piece.text, piece.source, piece.licence, piece.artist, piece.tags) == (
        "x",
        "mine",
        "CC0-1.0",
        "me",
        ("extra",),
    )


def test_roles_prefer_the_telling_name() -> None:
    assert column_roles(["content", "ascii_art", "Name"], {}) == {
        "text": "ascii_art",
        "title": "Name",
    }


def test_frames_of_a_film_are_one_sequence() -> None:
    row = {"text": "o\n|", "tags": ["movie:a.txt", "frame:3"], "source": "s"}
    (piece,) = _read(json.dumps(row).encode(), "a.jsonl")
    assert isinstance(piece, Piece)
    assert (piece.kind, piece.sequence) == ("frame", "s/a.txt")


def test_csv_and_tsv() -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerows([["ascii_art", "title"], [CAT, "cat, the"], ["", "nothing"]])
    items = _read(buffer.getvalue().encode(), "a.csv")
    assert isinstance(items[0], Piece) and items[0].text == "/\\_/\\\n( o.o )".replace(
        "/\\_", " /\\_", 1
    )
    assert items[0].title == "cat, the"
    assert isinstance(items[1], Rejection)
    tsv = _read(b"text\ttitle\nx\ty\n", "a.tsv")
    assert isinstance(tsv[0], Piece) and tsv[0].title == "y"


@pytest.mark.parametrize(
    "document",
    [
        [{"text": "x", "title": "cat"}],
        {"rows": [{"text": "x", "title": "cat"}]},
        {"cat": "x"},
        {"text": "x", "title": "cat"},
    ],
)
def test_json_documents(document: object) -> None:
    (piece,) = _read(json.dumps(document).encode(), "a.json")
    assert isinstance(piece, Piece) and (piece.text, piece.title) == ("x", "cat")


def test_json_lines_in_a_json_file_and_bad_documents() -> None:
    assert len(_read(b'{"text": "a"}\n{"text": "b"}\n', "a.json")) == 2
    (bad,) = _read(b"3", "a.json")
    assert isinstance(bad, Rejection) and bad.reason == "bad-json"
    assert [type(i) for i in _read(b'["x", 1]', "a.json")] == [Piece, Rejection]


def test_parquet(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"ascii_art": ["x", None, "y"], "tags": [["a"], [], ["b", "c"]]}), path)
    items = list(read_path(path))
    assert [type(i) for i in items] == [Piece, Rejection, Piece]
    assert isinstance(items[2], Piece) and items[2].tags == ("b", "c")
    broken = tmp_path / "b.parquet"
    broken.write_bytes(path.read_bytes()[:60])
    (bad,) = list(read_path(broken))
    assert isinstance(bad, Rejection) and bad.reason == "bad-parquet"


def test_original_is_kept_only_where_it_differs() -> None:
    same, other = _read(b'{"text": "x"}\n{"text": "  x\\t \\n"}', "a.jsonl")
    assert isinstance(same, Piece) and same.original is None
    assert isinstance(other, Piece) and other.original == b"  x\t \n" and other.text == "x"


@given(
    st.binary(max_size=300), st.sampled_from(["a.jsonl", "a.json", "a.csv", "a.parquet", "a.tsv"])
)
def test_any_bytes_are_read_without_an_error(data: bytes, path: str) -> None:
    for prefix in (b"", b'{"text": "', b"PAR1"):
        for item in _read(prefix + data, path):
            assert isinstance(item, Piece | Rejection)


def test_compressed_truncated_and_overlong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = gzip.compress(b'{"text": "x"}\n' * 2000)
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(packed)
    assert len(list(read_path(path))) == 2000
    path.write_bytes(packed[: len(packed) - 12])
    items = list(read_path(path))
    assert isinstance(items[-1], Rejection) and items[-1].reason == "truncated"
    monkeypatch.setattr("asciiloom.readers.tables.lines.MAX_LINE", 1000)
    items = _read(b'{"text": "' + b"x" * 5000 + b'"}\n{"text": "y"}\n', "a.jsonl")
    assert [getattr(i, "reason", "piece") for i in items] == ["too-large", "piece"]


def test_the_column_of_several_lines_is_the_art_and_the_other_its_title() -> None:
    rows = [
        {"text": "GM", "art_text": CAT},
        {"text": CAT, "art_text": "GM"},
        {"text": CAT, "content": "a cat"},
    ]
    data = "\n".join(map(json.dumps, rows)).encode()
    pieces = [i for i in _read(data, "a.jsonl") if isinstance(i, Piece)]
    assert [(p.text, p.title) for p in pieces] == [(CAT, "GM"), (CAT, "GM"), (CAT, "a cat")]


def test_a_title_column_and_what_the_curator_says_go_first() -> None:
    data = json.dumps({"text": "GM", "art_text": CAT, "title": "letters"}).encode()
    (piece,) = _read(data, "a.jsonl")
    assert isinstance(piece, Piece) and (piece.text, piece.title) == (CAT, "letters")
    (piece,) = _read(data, "a.jsonl", ReadOptions(columns={"text": "text"}))
    assert isinstance(piece, Piece) and piece.text == "GM"


def test_the_file_of_a_row_is_part_of_where_it_is_from() -> None:
    rows = [
        {"text": CAT, "path": "cats/one.txt"},
        {"text": CAT, "path": "page.html#3"},
        {"text": CAT},
    ]
    items = _read("\n".join(map(json.dumps, rows)).encode(), "art.jsonl")
    assert [(i.path, i.locator) for i in items] == [
        ("art.jsonl!cats/one.txt", "row 1"), ("art.jsonl!page.html#3", "row 2"), ("art.jsonl", "row 3"),
    ]  # fmt: skip
