import json
from pathlib import Path

import numpy as np
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
from asciiloom.curate.upkeep import check, repair
from asciiloom.errors import CorpusError
from asciiloom.piece import ColourPlane, Piece, measure, quality
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


def test_a_dash_empties_tags_too(corpus: Corpus) -> None:
    apply(
        corpus.connection,
        "x",
        changes_from_rows([{"id": 1, "tags": "-"}, {"id": "2", "tags": " - "}]),
    )
    assert [record["tags"] for record in corpus.select()] == [[], [], []]


def test_a_piece_twice_in_a_table_is_two_edits_or_an_error(corpus: Corpus) -> None:
    rows = [{"id": 1, "title": "x"}, {"id": "1", "artist": "y"}, {"id": 1, "title": "x"}]
    assert apply(corpus.connection, "x", changes_from_rows(rows)).changes == 2
    with pytest.raises(CorpusError, match="piece 1 would have two values of title: 'a' and 'b'"):
        apply(corpus.connection, "x", changes_from_rows([{"id": 1, "title": n} for n in "ab"]))
    assert corpus.get(1)["title"] == "x"


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


def _marks(corpus: Corpus) -> list[tuple[int, int, int | None]]:
    rows = corpus.connection.execute("SELECT id, canonical, cluster_id FROM piece ORDER BY id")
    return rows.fetchall()


@pytest.fixture
def twins(tmp_path: Path):  # type: ignore[no-untyped-def]
    """Three twins, of which the first, the smallest number, is the canonical one; and another piece."""
    art = max((p.text for p in synth.generate(60, seed=3, kinds=("art",))), key=len)
    other = max((p.text for p in synth.generate(60, seed=4, kinds=("scene",))), key=len)
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add(
            [Piece(art + "\n\n  o my robot"), Piece(art + "\n\n x"), Piece(art), Piece(other)]
        )
        corpus.dedup()
        assert [mark for _, mark, _ in _marks(corpus)] == [1, 0, 0, 1]
        yield corpus


def test_the_twins_of_a_text_that_is_edited_are_looked_at_again(twins: Corpus) -> None:
    other = max((p.text for p in synth.generate(60, seed=9, kinds=("banner",))), key=len)
    apply(twins.connection, "x", [Change(1, "text", other)])
    # At once one of them stands for both, and the next dedup has no other opinion of them.
    assert [mark for _, mark, _ in _marks(twins)] == [1, 1, 0, 1] and check(twins.connection) == []
    twins.dedup()
    assert _marks(twins) == [(1, 1, 1), (2, 1, 2), (3, 0, 2), (4, 1, 4)]
    undo(twins.connection)
    twins.dedup()
    assert [mark for _, mark, _ in _marks(twins)] == [1, 0, 0, 1] and check(twins.connection) == []


@pytest.fixture
def bereft(twins: Corpus) -> Corpus:
    """A corpus whose canonical piece another program changed, with a dedup that had no eye for its twins."""
    with twins.connection as another_program:
        another_program.execute("UPDATE piece SET text = 'quite another drawing' WHERE id = 1")
    assert check(twins.connection) == ["cluster without exactly one canonical piece: 1 (1)"]
    with twins.connection as another_program:
        another_program.execute("UPDATE piece SET cluster_id = 1 WHERE id = 1")
    return twins


def test_twins_of_a_text_that_is_another_now_are_seen_and_put_right(bereft: Corpus) -> None:
    said = "twin whose canonical piece is not the same any more: 2 (2, 3)"
    assert check(bereft.connection) == [said]
    bereft.dedup()
    assert [mark for _, mark, _ in _marks(bereft)] == [1, 1, 0, 1]
    assert check(bereft.connection) == []


def test_repair_leaves_twins_of_a_changed_text_to_the_next_dedup(bereft: Corpus) -> None:
    assert "clusters left to the next dedup: 3" in repair(bereft.connection)
    assert check(bereft.connection) == []


def test_what_goes_with_a_text_comes_back_with_it(tmp_path: Path) -> None:
    plane = ColourPlane(np.full((2, 8), 0xFF0000, np.int32), np.full((2, 8), -1, np.int32))
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add(
            [Piece("/======\\\n\\======/", colour=plane, flags=("colour-only",)), Piece(CAT)]
        )
        db = corpus.connection
        everything = (
            "SELECT hash, quality, flags, plane FROM piece LEFT JOIN colour ON piece_id = id"
        )
        before = db.execute(everything).fetchall()
        done = apply(db, "x", [Change(1, "text", "/~~~~~~~~~~\\\n| drawing |\n\\~~~~~~~~~~/")])
        assert (done.pieces, done.changes) == (1, 1)
        # Not of the colours' shape any more: nothing of it is only to be seen in colours.
        record = corpus.get(1)
        assert corpus.colour(1) is None and record["flags"] == []
        assert record["quality"] == quality(record["text"]).score
        back = undo(db)
        assert (back.pieces, back.changes, back.left) == (1, 1, 0)
        assert db.execute(everything).fetchall() == before


def test_colours_do_not_come_back_to_another_text(tmp_path: Path) -> None:
    plane = ColourPlane(np.full((1, 8), 0xFF0000, np.int32), np.full((1, 8), -1, np.int32))
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece("/======\\", colour=plane)])
        first = apply(corpus.connection, "one", [Change(1, "text", "one text")])
        apply(corpus.connection, "two", [Change(1, "text", "another!")])
        back = undo(corpus.connection, first.id)
        assert (back.changes, back.left) == (0, 1) and corpus.colour(1) is None


def test_undo_gives_back_what_a_person_said_of_a_texts_twins(twins: Corpus) -> None:
    apply(twins.connection, "review", [Change(1, "twin 2", "apart")])
    row = "SELECT * FROM twin WHERE a = 1 AND b = 2"
    before = twins.connection.execute(row).fetchall()
    apply(twins.connection, "x", [Change(1, "text", CAT)])
    assert twins.connection.execute(row).fetchall() == []
    undo(twins.connection)
    assert twins.connection.execute(row).fetchall() == before
    twins.dedup()
    assert twins.connection.execute(row).fetchall() == before
    # Of a text that is not there any more nobody has said anything.
    edit = apply(twins.connection, "x", [Change(1, "text", CAT)])
    apply(twins.connection, "y", [Change(2, "text", CAT + "\n o")])
    undo(twins.connection, edit.id)
    assert twins.connection.execute(row).fetchall() == []
