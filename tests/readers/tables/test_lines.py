"""JSON lines as columns: the same pieces and rejections as row by row."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asciiloom.piece import Piece, PieceBatch, Rejection
from asciiloom.readers import Input, ReadOptions
from asciiloom.readers.tables import lines
from asciiloom.readers.tables.lines import read_chunk, split_lines
from asciiloom.readers.tables.table import TableReader

TEXTS = st.one_of(
    st.sampled_from(
        ["/\\_/\\\n(o.o)", " a\n b", "x  \ny", "a\tb\n#", "", " ", "|" * 6000, "█\n▀", "#\r\n#"]
    ),
    st.text(st.sampled_from("/\\|_ \n#.o\t█\u0301\x1b"), max_size=30),
    st.none(),
    st.integers(),
)
WORDS = st.one_of(
    st.none(), st.sampled_from(["cat", "a  cat ", "", "movie:x", "box", "\x1b[31m"]), st.integers()
)
TAGS = st.one_of(
    st.none(),
    st.lists(st.sampled_from(["cat", "Movie:x", "movie:x", "box", "", "A b"]), max_size=3),
    st.sampled_from(["cat, dog", '["a", "b"]', "["]),
    st.integers(),
)
FULL = st.fixed_dictionaries(
    {"text": TEXTS, "title": WORDS, "tags": TAGS},
    optional={"source": WORDS, "license": WORDS, "artist": WORDS, "kind": WORDS, "path": WORDS},
)
ROWS = st.one_of(
    FULL, st.fixed_dictionaries({"text": TEXTS}), st.just("{"), st.just(""), st.just([1])
)


def _joined(data: bytes, options: ReadOptions) -> tuple[PieceBatch, list[Rejection]]:
    pieces: list[Piece] = []
    parts, rejections = [], []
    for chunk in split_lines(Input.from_bytes(data, "a.jsonl", options)):
        batch, rejected = read_chunk(chunk)
        start = len(pieces)
        pieces += [None] * len(batch)  # type: ignore[list-item]
        parts.append((range(start, start + len(batch)), batch))
        rejections += rejected
    return PieceBatch.merged(parts) if parts else PieceBatch.of(()), rejections


@given(
    st.lists(ROWS, max_size=40),
    st.sampled_from([ReadOptions(), ReadOptions("s", "MIT", "me", ("more",), {"title": "artist"})]),
    st.sampled_from([1, 3, 8]),
)
def test_columns_say_what_the_rows_say(
    rows: list[object], options: ReadOptions, worth: int
) -> None:
    data = "\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows).encode()
    items = list(TableReader().read(Input.from_bytes(data, "a.jsonl", options)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "WORTH_COLUMNS", worth)
        patch.setattr(lines, "CHUNK", 300)
        pieces, rejections = _joined(data, options)
    assert pieces == PieceBatch.of(i for i in items if isinstance(i, Piece))
    assert rejections == [i for i in items if isinstance(i, Rejection)]


def test_an_overlong_line_is_one_rejection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "CHUNK", 64)
    monkeypatch.setattr(lines, "MAX_LINE", 400)
    rows = [json.dumps({"text": f"({n})\n/|", "tags": ["x"]}) for n in range(9)]
    rows[4] = '{"text": "' + "#" * 1500 + '"}'
    rows[6] = ""
    pieces, rejections = _joined("\n".join(rows).encode(), ReadOptions())
    assert pieces.locator == [f"row {n}" for n in (1, 2, 3, 4, 6, 8, 9)]
    assert [(r.reason, r.locator) for r in rejections] == [("too-large", "row 5")]


def test_stretches_choose_the_column_of_each_row_as_the_whole_file_does() -> None:
    rows = [{"text": f"G{n}", "art_text": f"/{n}\\\n\\{n}/"} for n in range(20)]
    rows += [{"text": f"<{n}>\n({n})", "art_text": "GM"} for n in range(20)]
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    (chunk,) = lines.split_lines(Input.from_bytes(data, "a.jsonl"))
    batch, rejected = lines.read_chunk(chunk)
    whole = [
        i for i in TableReader().read(Input.from_bytes(data, "a.jsonl")) if isinstance(i, Piece)
    ]
    assert not rejected and list(zip(batch.text, batch.title, batch.path, strict=True)) == [
        (p.text, p.title, p.path) for p in whole
    ]
    assert batch.title[0] == "G0" and batch.title[-1] == "GM"
