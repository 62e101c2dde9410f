import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import width

from asciiloom.piece import CHARSETS, CP437_GLYPHS, canonicalize, measure, measure_batch

ART = st.text(
    alphabet=st.one_of(st.sampled_from(" \n/\\|_-oO█░é日🙂⠿a\u0301"), st.characters(codec="utf-8")),
    max_size=60,
)


@given(st.lists(ART, max_size=8))
def test_batch_equals_one_by_one_and_the_slow_way(raw: list[str]) -> None:
    texts = [canonicalize(t).text for t in raw]
    batch = measure_batch(texts)
    assert batch == [measure(t) for t in texts]
    for text, m in zip(texts, batch, strict=True):
        rows = text.split("\n")
        assert m.width == max(max(0, width(row)) for row in rows)
        assert m.height == (len(rows) if text else 0)
        assert m.chars == len(text)
        ink = [c for c in text if c not in " \n\u3000"]
        assert (m.ink, m.glyphs) == (len(ink), len(set(ink)))


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        ("/\\", "ascii"),
        ("é", "latin1"),
        ("█▄", "cp437"),
        ("⠿", "braille"),
        ("日", "unicode"),
        ("é█", "cp437"),
        ("🙂", "unicode"),
        ("é⠿", "unicode"),
    ],
)
def test_charset(text: str, charset: str) -> None:
    assert measure(text).charset == charset


def test_every_cp437_glyph_is_cp437() -> None:
    assert len(CP437_GLYPHS) == 159  # 32 + 128 less the no-break space
    assert {measure(g).charset for g in CP437_GLYPHS} <= {"cp437", "latin1"}
    assert measure(CP437_GLYPHS).charset == "cp437"
    assert set(CHARSETS) >= {"cp437"}


def test_proportional_art_is_no_grid() -> None:
    assert not measure("（　´∀｀）つ日本").is_grid
    assert measure("/\\_/\\").is_grid
