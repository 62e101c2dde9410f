import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asciiloom.piece import canonicalize

WILD = st.text(
    alphabet=st.one_of(
        st.sampled_from(" \t\n\r\x0b\x0c\x1b[m0;31\x85\u2028\u00a0\u200bab/\\|_█日e\u0301\ud800"),
        st.characters(),
    ),
    max_size=80,
)


@given(WILD)
def test_laws(text: str) -> None:
    """Idempotent; NFC; LF only; no control characters; trimmed on all four sides."""
    done = canonicalize(text).text
    again = canonicalize(done)
    assert again.text == done and again.steps == ()
    assert unicodedata.normalize("NFC", done) == done
    assert not any(unicodedata.category(c) == "Cc" for c in done if c != "\n")
    assert not any("\ud800" <= c <= "\udfff" for c in done)
    rows = done.split("\n")
    assert not any(row.endswith(" ") for row in rows)
    if done:
        assert rows[0] and rows[-1]
        assert any(row and not row.startswith(" ") for row in rows)


@pytest.mark.parametrize(
    ("raw", "text", "steps"),
    [
        ("/\\\n\\/", "/\\\n\\/", ()),
        ("  a\r\n  b\r\n", "a\nb", ("newlines", "trim")),
        ("a\tb", "a       b", ("tabs",)),
        ("日\tb", "日      b", ("tabs",)),
        ("\x1b[31mred\x1b[0m", "red", ("escapes",)),
        ("\x1b]0;title\x07x", "x", ("escapes",)),
        ("a\x00b\x07", "ab", ("controls",)),
        ("a\u00a0b", "a b", ("spaces",)),
        ("e\u0301", "\u00e9", ("nfc",)),
        ("\n\n x\n\n  y  \n\n", "x\n\n y", ("trim",)),
        ("\ud800", "\ufffd", ("surrogates",)),
        ("", "", ()),
        (" \n \t", "", ("tabs", "trim")),
    ],
)
def test_examples(raw: str, text: str, steps: tuple[str, ...]) -> None:
    done = canonicalize(raw)
    assert (done.text, done.steps) == (text, steps)


def test_hostile_escapes_take_linear_time() -> None:
    """A million unfinished sequences: bounded repetition keeps the matcher from going quadratic."""
    assert canonicalize("\x1b[" * 500_000 + "\nx").text == "x"
    assert canonicalize("\x1b]" * 500_000).text == ""
