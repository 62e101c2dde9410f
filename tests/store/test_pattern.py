from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asciiloom import synth
from asciiloom.corpus import Corpus
from asciiloom.errors import CorpusError
from asciiloom.piece import Piece, mirror_text
from asciiloom.store import Selection
from asciiloom.store.pattern import has_pattern

CAT = "   /\\_/\\\n  ( o.o )\n   > ^ <"


@pytest.mark.parametrize(
    ("pattern", "there"),
    [
        (" /\\_/\\\n( o.o )", True),
        ("/\\_/\\\n( o.o )", False),  # not at one column
        ("( o.o )\n > ^ <", True),
        ("/\\_/\\\n\n> ^ <", True),  # an empty row asks for nothing
        ("\n\n ( o.o )\n\n", True),
        ("^ <\n", True),
        ("", False),
        ("o.o )\n ^ <\n   ", True),
        ("> ^ <\nx", False),
    ],
)
def test_patterns_of_rows(pattern: str, there: bool) -> None:
    assert has_pattern(CAT, pattern) is there


ROWS = st.lists(st.text(st.sampled_from("ab. "), min_size=1, max_size=8), min_size=1, max_size=6)


@given(ROWS, st.data())
def test_whatever_is_cut_out_is_found(rows: list[str], data: st.DataObject) -> None:
    wide = max(map(len, rows))
    grid = [row.ljust(wide) for row in rows]
    top = data.draw(st.integers(0, len(grid) - 1))
    bottom = data.draw(st.integers(top + 1, len(grid)))
    left = data.draw(st.integers(0, wide - 1))
    right = data.draw(st.integers(left + 1, wide))
    cut = "\n".join(row[left:right] for row in grid[top:bottom])
    if cut.strip():
        assert has_pattern("\n".join(row.rstrip() for row in rows), cut)


def test_search_by_rows(tmp_path: Path) -> None:
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece(CAT), Piece("( o.o )\n\n /\\_/\\"), Piece("x")])
        assert corpus.ids(Selection(glyphs=" /\\_/\\\n( o.o )")) == [1]
        assert corpus.ids(Selection(glyphs="( o.o )")) == [1, 2]
        assert corpus.ids(Selection(ids=(3, 1))) == [1, 3]


def test_the_nearest_in_shape_come_first(tmp_path: Path) -> None:
    pieces = [p for p in synth.generate(200, seed=3, kinds=("art", "scene")) if len(p.text) > 150]
    art = pieces[0].text
    wide = max(map(len, art.split("\n")))
    mirrored = mirror_text("\n".join(row.ljust(wide) for row in art.split("\n")))
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add(pieces)
        corpus.add([Piece(art.replace("o", "O") + "\n\n  my cat"), Piece(mirrored)])
        with pytest.raises(CorpusError, match="dedup"):
            corpus.alike(1)
        corpus.dedup()
        found = corpus.alike(1, 5)
        last = len(pieces)
        assert {found[0].id, found[1].id} == {last + 1, last + 2}
        assert found[0].agreement >= found[-1].agreement
        assert next(f for f in found if f.id == last + 2).mirrored
        with pytest.raises(CorpusError, match="no piece"):
            corpus.alike(9999)
