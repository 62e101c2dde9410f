from hypothesis import given
from hypothesis import strategies as st

from asciiloom.piece import Grid, canonicalize, mirror_text

PLAIN = st.text(alphabet=" \n/\\|_-oO.'()<>", max_size=60).map(lambda t: canonicalize(t).text)


@given(PLAIN)
def test_round_trip(text: str) -> None:
    assert Grid.from_text(text).to_text() == text


def test_wide_glyphs_fill_two_cells() -> None:
    grid = Grid.from_text("日a\nxyz")
    assert (grid.height, grid.width) == (2, 3)
    assert grid.cells[0].tolist() == [ord("日"), 0, ord("a")]
    assert grid.ink().tolist() == [[True, False, True], [True, True, True]]
    assert grid.to_text() == "日a\nxyz"


def test_mirror() -> None:
    assert mirror_text("/o\n(<_") == "o\\\n_>)"


@given(PLAIN)
def test_mirroring_twice_changes_nothing(text: str) -> None:
    assert mirror_text(mirror_text(text)) == text
