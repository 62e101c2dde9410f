import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asciiloom import synth
from asciiloom.corpus import Corpus
from asciiloom.curate.edits import (
    Change,
    apply,
    changes_from_rows,
    history,
    rename_tags,
    undo,
)
from asciiloom.curate.review import reviews
from asciiloom.errors import CorpusError
from asciiloom.piece import Piece, measure
from asciiloom.store import Selection

CAT = " /\\_/\\\n( o.o )\n > ^ <"


@pytest.fixture
def corpus(tmp_path: Path):  # type: ignore[no-untyped-def]
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add(
            [
                Piece(CAT, title="cat", tags=("pet", "cat")),
                Piece("><(((o>", title="fish", tags=("pet",)),
                Piece("+--+\n|  |\n+--+", title="box"),
            ]
        )
        yield corpus


def _state(corpus: Corpus) -> list[tuple[object, ...]]:
    rows = corpus.connection.execute(
        "SELECT id, hash, text, title, description, artist, licence, kind, tags, width, ink FROM piece"
    ).fetchall()
    rows += corpus.connection.execute("SELECT * FROM tag").fetchall()
    rows += corpus.connection.execute("SELECT piece_id, reason FROM withdrawn").fetchall()
    return rows + corpus.connection.execute("SELECT piece_id, text FROM credit").fetchall()


def test_every_field_is_set_found_and_taken_back(corpus: Corpus) -> None:
    before = _state(corpus)
    done = apply(
        corpus.connection,
        "all",
        [
            Change(1, "title", "a sitting\x1b cat"),
            Change(1, "artist", "jgs"),
            Change(1, "licence", "CC0-1.0"),
            Change(1, "kind", "face"),
            Change(1, "tags", ["Sitting", "cat"]),
            Change(2, "withdrawn", "not ours"),
            Change(3, "text", "+---+\n| x |\n+---+ jgs"),
        ],
    )
    assert (done.pieces, done.changes) == (3, 7)
    assert corpus.ids(Selection(text="sitting")) == [1]
    assert corpus.ids(Selection(text="pet")) == []  # 1 lost the tag, 2 is withdrawn
    assert corpus.ids(Selection(withdrawn=True)) == [2]
    assert (
        corpus.ids(Selection(glyphs="| x |")) == [3] and corpus.ids(Selection(glyphs="|  |")) == []
    )
    record = corpus.get(3)
    assert record["width"] == 9 and record["credits"][0]["text"] == "jgs"
    assert corpus.get(1)["title"] == "a sitting cat" and corpus.get(1)["tags"] == ["cat", "sitting"]
    back = undo(corpus.connection)
    assert (back.id, back.changes, back.left) == (done.id, 7, 0)
    assert _state(corpus) == before
    assert corpus.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert corpus.ids(Selection(text="pet")) == [1, 2]
    with pytest.raises(CorpusError, match="no edit is left"):
        undo(corpus.connection)


def test_undo_leaves_what_was_changed_since(corpus: Corpus) -> None:
    first = apply(corpus.connection, "one", [Change(1, "title", "A"), Change(2, "title", "A")])
    apply(corpus.connection, "two", [Change(2, "title", "B")])
    back = undo(corpus.connection, first.id)
    assert (back.changes, back.left) == (1, 1)
    assert [r["title"] for r in corpus.select()] == ["cat", "B", "box"]
    assert [e["undone"] for e in history(corpus.connection)] == [0, 1]


def test_nothing_changes_where_one_change_is_impossible(corpus: Corpus) -> None:
    before = _state(corpus)
    for wrong in (
        Change(99, "title", "x"),
        Change(1, "nonsense", "x"),
        Change(1, "kind", "poem"),
        Change(1, "text", " \n"),
        Change(1, "text", "><(((o>"),  # piece 2 is that already
        Change(1, "twin 2", "same"),  # never compared
        Change(1, "twin 2", "maybe"),
    ):
        with pytest.raises(CorpusError):
            apply(corpus.connection, "x", [Change(3, "title", "changed"), wrong])
    assert _state(corpus) == before and history(corpus.connection) == []


def test_an_edit_without_effect_is_not_written_down(corpus: Corpus) -> None:
    assert apply(corpus.connection, "x", [Change(1, "title", "cat")]).id is None
    assert history(corpus.connection) == []


def test_tags_are_renamed_and_merged(corpus: Corpus) -> None:
    done = rename_tags(corpus.connection, ["pet", "cat"], "Animal")
    assert done.pieces == 2
    assert [r["tags"] for r in corpus.select()] == [["animal"], ["animal"], []]
    undo(corpus.connection)
    assert [sorted(r["tags"]) for r in corpus.select()] == [["cat", "pet"], ["pet"], []]


def test_rows_of_a_table_become_changes() -> None:
    rows = [{"id": "3", "title": "x", "artist": "", "tags": "a, b"}, {"id": 4, "title": "-"}]
    assert changes_from_rows(rows) == [
        Change(3, "title", "x"),
        Change(3, "tags", ["a", " b"]),
        Change(4, "title", None),
    ]
    for wrong in ({"title": "x"}, {"id": "x"}, {"id": 1, "hash": "x"}):
        with pytest.raises(CorpusError, match="row 1"):
            changes_from_rows([wrong])


def test_a_changed_text_is_signed_and_compared_again(tmp_path: Path) -> None:
    art = max((p.text for p in synth.generate(60, seed=3, kinds=("art",))), key=len)
    other = max((p.text for p in synth.generate(60, seed=4, kinds=("scene",))), key=len)
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece(art), Piece(other)])
        assert corpus.dedup().clusters == 2
        apply(corpus.connection, "x", [Change(2, "text", art + "\n\n my own robot")])
        report = corpus.dedup()
        assert report.signed == 1 and report.clusters == 1
        # A number that was free again is another piece, whatever was signed under it before.
        corpus.connection.execute("DELETE FROM piece WHERE id = 2")
        corpus.add([Piece(other)])
        assert corpus.dedup().clusters == 2


def test_a_rejected_piece_is_never_the_one_to_keep(tmp_path: Path) -> None:
    art = max((p.text for p in synth.generate(60, seed=3, kinds=("art",))), key=len)
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece(art, artist="jgs"), Piece(art + "\n\n my own robot"), Piece(CAT)])
        corpus.dedup()
        assert corpus.ids(Selection(canonical_only=True)) == [1, 3]
        apply(corpus.connection, "reject", [Change(1, "withdrawn", "x")])
        assert corpus.ids(Selection(canonical_only=True)) == [2, 3]
        undo(corpus.connection)
        assert corpus.ids(Selection(canonical_only=True)) == [1, 3]


def test_a_verdict_stays_and_can_be_taken_back(tmp_path: Path) -> None:
    art = max((p.text for p in synth.generate(60, seed=3, kinds=("art",))), key=len)
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece(art), Piece(art + "\n\n my own robot")])
        corpus.dedup()
        (pair,) = reviews(corpus.connection, "same")
        assert pair.keep == 2 and "more complete" in pair.because
        assert pair.side_by_side()[0].startswith(art.split("\n")[0])
        marks = pair.differences()
        assert not any(any(row) for row in marks[0]) and any(marks[1][-1])
        apply(corpus.connection, "review", [Change(1, "twin 2", "apart")])
        assert corpus.ids(Selection(canonical_only=True)) == [1, 2]
        assert reviews(corpus.connection, "apart") == []
        assert reviews(corpus.connection, "apart", everything=True)[0].reviewed
        corpus.dedup()  # a person's word stands
        assert corpus.ids(Selection(canonical_only=True)) == [1, 2]
        undo(corpus.connection)
        assert corpus.ids(Selection(canonical_only=True)) == [2]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 3),
            st.sampled_from(["title", "artist", "tags", "withdrawn", "licence"]),
            st.sampled_from([None, "x", "y", "z z"]),
        ),
        max_size=12,
    )
)
def test_undoing_everything_is_the_corpus_before(steps: list[tuple[int, str, str | None]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder, Corpus(f"{folder}/a.db", create=True) as corpus:
        corpus.add([Piece(CAT, tags=("a",)), Piece("><>", title="x"), Piece("#\n#")])
        before = _state(corpus)
        edits = 0
        for piece, field, value in steps:
            after = ([value] if value else []) if field == "tags" else value
            edits += apply(corpus.connection, "s", [Change(piece, field, after)]).id is not None
        for _ in range(edits):
            assert undo(corpus.connection).left == 0
        assert _state(corpus) == before


def test_measures_follow_the_text(corpus: Corpus) -> None:
    apply(corpus.connection, "x", [Change(1, "text", "日本\nab")])
    m, row = measure("日本\nab"), corpus.get(1)
    assert (row["width"], row["ink"], row["charset"]) == (m.width, m.ink, m.charset)
    assert json.loads(json.dumps(row["tags"])) == ["cat", "pet"]
