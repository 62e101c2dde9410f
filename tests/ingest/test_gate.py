from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asciiloom import synth
from asciiloom.corpus import Corpus
from asciiloom.curate.upkeep import check
from asciiloom.ingest.gate import MAX_ORIGINAL, RULES, admit, clean, unclean, unclean_texts
from asciiloom.piece import ColourPlane, Piece, PieceBatch, Rejection
from asciiloom.readers.base import MAX_CHARS, MAX_ROWS, MAX_WIDTH

CAT = "/\\_/\\\n(o.o)"
WILD = st.text(
    st.one_of(st.characters(), st.sampled_from(" \t\n\r\x1b\x00\u202e\u200b\ud800ſİ")), max_size=60
)
ANYTHING = st.one_of(WILD, st.none(), st.integers(), st.floats(), st.binary(), st.lists(WILD))


def _plane(rows: int, columns: int) -> bytes:
    fore = np.full((rows, columns), 7, np.int32)
    return ColourPlane(fore, fore).pack()


@given(
    text=WILD,
    lines=st.lists(ANYTHING, min_size=9, max_size=9),
    lists=st.lists(st.one_of(st.lists(ANYTHING, max_size=5), ANYTHING), min_size=3, max_size=3),
    kind=ANYTHING,
)
def test_what_went_through_once_goes_through_unchanged(text, lines, lists, kind) -> None:  # type: ignore[no-untyped-def]
    names = (
        "title",
        "description",
        "artist",
        "source",
        "licence",
        "path",
        "locator",
        "group",
        "made",
    )
    lists = [tuple(v) if isinstance(v, list) else v for v in lists]
    fields = dict(zip(names, lines, strict=True)) | dict(
        zip(("tags", "steps", "flags"), lists, strict=True)
    )
    item = clean(Piece(text, kind=kind, **fields))
    if isinstance(item, Piece):
        assert clean(item) == item
        batch = PieceBatch.of([item])
        assert admit(batch, []) == (batch, [])
    else:
        assert clean(replace(Piece(text), path=item.path)) == replace(
            item, source="unknown", locator=""
        )
    batch = PieceBatch.of([Piece(CAT), Piece(text, kind=kind, **fields), Piece("x/x")])
    pieces, rejections = admit(batch, [])
    assert len(pieces) + len(rejections) == 3
    assert pieces.text[0] == CAT and pieces.text[-1] == "x/x"
    assert pieces.text[1:-1] == ([item.text] if isinstance(item, Piece) else [])


@pytest.mark.parametrize(
    ("dirty", "field", "stored", "step"),
    [
        (Piece("\x1b[31m/\\_/\\\x1b[0m\r\n(o.o)\r\n"), "text", CAT, "escapes"),
        (Piece("/\\_/\\\x00\n(o.o)\u202e"), "text", CAT, "controls"),
        (Piece("\t/\\_/\\\n\t(o.o)"), "text", CAT, "tabs"),
        (Piece(CAT, title="a\x1b[31m\n cat\u202e "), "title", "a[31m cat", "clean-title"),
        (Piece(CAT, title="x" * 900), "title", "x" * 500, "clean-title"),
        (Piece(CAT, title=7), "title", "7", "clean-title"),  # type: ignore[arg-type]
        (Piece(CAT, title=10**5000), "title", None, "clean-title"),  # type: ignore[arg-type]
        (Piece(CAT, title={"a": 1}), "title", None, "clean-title"),  # type: ignore[arg-type]
        (Piece(CAT, description="a\nb"), "description", "a b", "clean-description"),
        (Piece(CAT, artist="\ud800"), "artist", None, "clean-artist"),
        (Piece(CAT, kind="masterpiece"), "kind", "art", "clean-kind"),
        (Piece(CAT, kind=["art"]), "kind", "art", "clean-kind"),  # type: ignore[arg-type]
        (Piece(CAT, tags=("A  b", "a b", 3, "")), "tags", ("a b", "3"), "clean-tags"),  # type: ignore[arg-type]
        (Piece(CAT, tags="cat"), "tags", (), "clean-tags"),  # type: ignore[arg-type]
        (Piece(CAT, tags=tuple(map(str, range(90)))), "tags", tuple(map(str, range(64))), "clean-tags"),
        (Piece(CAT, source=""), "source", "unknown", "clean-source"),
        (Piece(CAT, path="a\x00b\udcff.txt"), "path", "a\\x00b\\udcff.txt", "clean-path"),
        (Piece(CAT, locator=12), "locator", "12", "clean-locator"),  # type: ignore[arg-type]
        (Piece(CAT, original=b"x" * (MAX_ORIGINAL + 1)), "original", None, "original-dropped"),
        (Piece(CAT, original="x"), "original", None, "original-dropped"),  # type: ignore[arg-type]
        (Piece(CAT, colour=b"garbage"), "colour", None, "colour-dropped"),
        (Piece(CAT, colour=_plane(2, 4)), "colour", None, "colour-dropped"),
        (Piece(CAT, colour=_plane(3, 5)), "colour", None, "colour-dropped"),
        (Piece(CAT, made="19\x0799"), "made", "1999", "clean-made"),
        (Piece(CAT, sequence="a\tb"), "sequence", "a b", "clean-sequence"),
    ],
)  # fmt: skip
def test_what_is_unclean_is_cleaned_and_says_so(
    dirty: Piece, field: str, stored: object, step: str
) -> None:
    item = clean(dirty)
    assert isinstance(item, Piece)
    assert getattr(item, field) == stored and step in item.steps
    if field == "text":
        assert item.original == dirty.text.encode()


@given(st.lists(st.one_of(ANYTHING, st.lists(ANYTHING, max_size=4).map(tuple)), max_size=6))
@example([("a", "b"), ("a", "a"), ("b", "A"), ["a"], "ab", None, 7, ("a",) * 70])
@example([tuple(map(str, range(64))), tuple(map(str, range(65))), (1,), (True,), ("1",)])
def test_lists_of_tags_are_unclean_where_cleaning_changes_them(values: list[object]) -> None:
    changed = [k for k, value in enumerate(values) if RULES["tags"](value) != value]
    assert unclean("tags", values) == changed


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \n\u3000\x1b[0m", "empty"),
        ("\x00\x01" * 40 + "abc", "binary"),
        ("x" * (MAX_WIDTH + 1), "too-large"),
        ("x\n" * MAX_ROWS + "x", "too-large"),
        (("x" * 4000 + "\n") * (MAX_CHARS // 4000 + 1), "too-large"),
        ("x" * (4 * MAX_CHARS + 1), "too-large"),
        (None, "no-text"),
        (b"x", "no-text"),
    ],
)
def test_what_cannot_be_cleaned_is_refused_where_it_was(text: object, reason: str) -> None:
    item = clean(Piece(text, source="s", path="p", locator="3"))  # type: ignore[arg-type]
    assert isinstance(item, Rejection)
    assert (item.reason, item.source, item.path, item.locator) == (reason, "s", "p", "3")
    assert unclean_texts([CAT, text]) == [1]


def test_clean_pieces_are_handed_on_as_they_are() -> None:
    pieces = PieceBatch.of(
        [
            *synth.generate(200, seed=3),
            Piece(
                "日本\n|_|", title="日本", tags=("ä",), path="a b/\u202fc.txt", colour=_plane(2, 4)
            ),
            Piece("x" * MAX_WIDTH),
        ]
    )
    admitted, rejections = admit(pieces, [])
    assert admitted is pieces and rejections == []
    assert unclean("path", ["a\x1bb", "a"]) == [0]


def test_pieces_made_in_memory_pass_the_gate(tmp_path: Path) -> None:
    hostile = [
        Piece("\x1b[31mred\x1b[0m\r\nart\t!", title="a\nb", kind="nonsense", tags=("X", 3)),  # type: ignore[arg-type]
        Piece("fine\nart"),
        Piece(None),  # type: ignore[arg-type]
        Piece("\u200d"),
        Rejection("a\nb", "x\x1b", "s\n", "p\x00"),
    ]
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        assert corpus.add(hostile).row() == {"read": 5, "new": 2, "duplicate": 0, "rejected": 3}
        record = next(corpus.select())
        assert (record["text"], record["title"], record["kind"]) == ("red\nart     !", "a b", "art")
        assert record["tags"] == ["3", "x"]
        assert corpus.original(record["id"]) == b"\x1b[31mred\x1b[0m\r\nart\t!"
        assert check(corpus.connection, deep=True) == []
        kept = corpus.connection.execute("SELECT reason, path FROM rejection ORDER BY reason")
        assert kept.fetchall() == [("a b", "p\\x00"), ("empty", "-"), ("no-text", "-")]
