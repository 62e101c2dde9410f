import zlib
from pathlib import Path

import numpy as np
import pytest

from asciiloom import synth
from asciiloom.corpus import Corpus
from asciiloom.curate.deep_check import deep_check
from asciiloom.curate.edits import Change, apply, undo
from asciiloom.ingest.measured import MEASURED
from asciiloom.piece import ColourPlane, Piece

BOX = "+-----+\n| jgs |\n+-----+"


def _plane(rows: int, columns: int) -> bytes:
    fore = np.full((rows, columns), 7, np.int32)
    return ColourPlane(fore, fore).pack()


@pytest.fixture
def corpus(tmp_path: Path):  # type: ignore[no-untyped-def]
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add(
            [
                Piece(
                    BOX, title="box", tags=("b", "c"), colour=_plane(3, 7), original=b"\x1b[mbox"
                ),
                Piece("日本\n|_|", flags=("synthetic",), path="a b.txt", locator="row 1"),
                *synth.generate(60, seed=5),
            ]
        )
        yield corpus


def test_a_fresh_corpus_is_sound(corpus: Corpus) -> None:
    assert deep_check(corpus.connection) == []


def test_what_people_decide_is_no_damage(corpus: Corpus) -> None:
    changes = [
        Change(1, "title", "another\x1b title"),
        Change(1, "artist", "somebody"),
        Change(1, "kind", "logo"),
        Change(1, "tags", ["X y", "z"]),
        Change(2, "text", "\x1b[31m new\r\n|_| jgs"),
        Change(2, "description", "x" * 9000),
        Change(3, "withdrawn", "no"),
    ]
    apply(corpus.connection, "all", changes)
    assert deep_check(corpus.connection) == []
    undo(corpus.connection)
    assert deep_check(corpus.connection) == []


@pytest.mark.parametrize(
    ("damage", "value", "said"),
    [
        ("UPDATE piece SET text = ? WHERE id = 1", BOX + " ", "not in canonical form: 1 (1)"),
        ("UPDATE piece SET text = ? WHERE id = 1", BOX + "\x1b", "not in canonical form: 1 (1)"),
        ("UPDATE piece SET text = ? WHERE id = 1", BOX.replace("jgs", "jgt"), "what its hash says: 1 (1)"),
        ("UPDATE piece SET text = ? WHERE id = 1", BOX.replace("jgs", "jgt"), "credit that is not in its text: 1 (1)"),
        ("UPDATE piece SET text = CAST(? AS TEXT) WHERE id = 1", b"\xff\xfe", "not in canonical form: 1 (1)"),
        ("UPDATE piece SET hash = ? WHERE id = 1", "x", "what its hash says: 1 (1)"),
        ("UPDATE piece SET bare_hash = ? WHERE id = 1", "x", "hash without whitespace"),
        ("UPDATE piece SET mirror_hash = ? WHERE id = 1", "x", "mirror image"),
        ("UPDATE piece SET charset = ? WHERE id = 1", "cp437", "charset that is not"),
        ("UPDATE piece SET is_grid = ? WHERE id = 1", 0, "is_grid that is not"),
        ("UPDATE piece SET width = ? WHERE id = 1", 6, "width that is not that of its text: 1 (1)"),
        ("UPDATE piece SET height = ? WHERE id = 2", 6, "height that is not that of its text: 1 (2)"),
        ("UPDATE piece SET chars = ? WHERE id = 1", 6, "chars that is not"),
        ("UPDATE piece SET ink = ? WHERE id = 1", 6, "ink that is not"),
        ("UPDATE piece SET glyphs = ? WHERE id > 0", 99, "glyphs that is not that of its text: 62 (1, 2, 3,"),
        ("UPDATE piece SET quality = ? WHERE id = 1", 0.123, "quality that is not"),
        ("UPDATE piece SET flags = ? WHERE id = 2", "[]", "lint flags that are not"),
        ("UPDATE piece SET flags = ? WHERE id = 2", "[3]", "flags that are not clean"),
        ("UPDATE piece SET kind = ? WHERE id = 2", "masterpiece", "unknown kind: 1 (2)"),
        ("UPDATE piece SET title = ? WHERE id = 2", "a\nb", "title that is not one clean line"),
        ("UPDATE piece SET tags = ? WHERE id = 2", '["A"]', "tags that are not clean: 1 (2)"),
        ("UPDATE piece SET tags = ? WHERE id = 2", "[1]", "tags that are not clean: 1 (2)"),
        ("UPDATE credit SET row = ? WHERE piece_id = 1", 9, "credit that is not in its text: 1 (1)"),
        ("UPDATE credit SET length = ? WHERE piece_id = 1", 99, "credit that is not in its text: 1 (1)"),
        ("UPDATE colour SET plane = ?", b"garbage", "colours that do not fit their text: 1 (1)"),
        ("UPDATE colour SET plane = ?", _plane(2, 7), "colours that do not fit their text: 1 (1)"),
        ("UPDATE original SET bytes = ?", b"garbage", "original that does not unpack"),
        ("UPDATE original SET bytes = ?", zlib.compress(b"\x1b[mbux"), "original that does not unpack"),
        ("UPDATE original SET size = ?", 4, "original that does not unpack"),
        ("UPDATE origin SET path = ? WHERE id = 1", "a\x00", "path of an origin"),
        ("UPDATE origin SET steps = ? WHERE id = 1", '["a\\u001b"]', "steps of an origin"),
        ("UPDATE source SET name = ? WHERE id = 1", "a\x1b", "name of a source"),
    ],
)  # fmt: skip
def test_each_kind_of_damage_is_named_with_its_ids(
    corpus: Corpus, damage: str, value: object, said: str
) -> None:
    corpus.connection.execute(damage, (value,))
    assert any(said in line for line in deep_check(corpus.connection))


def _state(corpus: Corpus, number: int) -> list[object]:
    names = ", ".join(("text", *MEASURED))
    (row,) = corpus.connection.execute(f"SELECT {names} FROM piece WHERE id = ?", (number,))
    signed = "SELECT row, col, length, text, artist FROM credit WHERE piece_id = ?"
    size = "SELECT width, height FROM size WHERE piece_id = ?"
    return [
        *row,
        *(corpus.connection.execute(sql, (number,)).fetchall() for sql in (signed, size)),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "==========\n==========",
        "+-----+\n| x |\n+-----+",
        "the quick brown fox jumps over\nthe lazy dog and says hello",
        "Art by\n/\\_/\\  jgs",
        "x",
        "日本\n▓▓▓",
        BOX,
    ],
)
def test_an_edited_text_is_measured_as_a_fresh_one(tmp_path: Path, text: str) -> None:
    """Quality, flags, hashes, sizes, credits and both search indexes are those of an ingest of the same text."""
    with (
        Corpus(tmp_path / "a.db", create=True) as edited,
        Corpus(tmp_path / "b.db", create=True) as fresh,
    ):
        edited.add([Piece("----------\n----------", flags=("synthetic",)), Piece("other\n|")])
        before = _state(edited, 1)
        fresh.add([Piece(text, flags=("synthetic",))])
        apply(edited.connection, "edit", [Change(1, "text", text)])
        assert _state(edited, 1) == _state(fresh, 1)
        assert deep_check(edited.connection) == []
        for table in ("piece_fts", "piece_art"):
            edited.connection.execute(
                f"INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', 1)"
            )
        undo(edited.connection)
        assert _state(edited, 1) == before
