import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asciiloom.errors import AsciiloomError
from asciiloom.tokens import EOS, NEWLINE, GridTokenizer, Prompt
from asciiloom.tokens.tokenizer import CHARSETS

ALL = [GridTokenizer(charset) for charset in CHARSETS]
ANY = st.text(
    alphabet=st.one_of(st.sampled_from(" \n/\\|_█é日🙂<eos>"), st.characters()), max_size=50
)


@pytest.mark.parametrize("tokenizer", ALL, ids=lambda t: t.charset)
@given(text=ANY)
def test_any_text_round_trips(tokenizer: GridTokenizer, text: str) -> None:
    ids = tokenizer.encode(text)
    assert ids.dtype == np.uint16
    assert tokenizer.decode(ids) == text


@pytest.mark.parametrize("tokenizer", ALL, ids=lambda t: t.charset)
def test_vocabulary(tokenizer: GridTokenizer) -> None:
    assert len(set(tokenizer.tokens)) == tokenizer.size
    assert tokenizer.tokens[EOS] == "<eos>" and tokenizer.tokens[NEWLINE] == "\n"
    assert tokenizer.pad == tokenizer.outputs  # everything before <pad> can be predicted
    # One id a glyph, and none of the charset's glyphs needs bytes.
    assert len(tokenizer.encode(tokenizer.glyphs)) == len(tokenizer.glyphs)
    assert tokenizer.encode(tokenizer.glyphs).max() < tokenizer.outputs


def test_a_literal_special_token_stays_art() -> None:
    tokenizer = GridTokenizer()
    ids = tokenizer.encode("<eos><art>")
    assert len(ids) == 10 and EOS not in ids and tokenizer.art not in ids


def test_outputs_of_ascii_are_the_alphabet_alone() -> None:
    assert GridTokenizer("ascii").outputs == 97
    assert GridTokenizer("cp437").outputs == 97 + 159 + 160


def test_encode_prompt() -> None:
    t = GridTokenizer()
    ids = t.encode_prompt(Prompt("A  Cat", 40, 12, "banner"))
    assert [t.tokens[i] for i in ids] == [
        "<bos>",
        "<w40>",
        "<h12>",
        "<kind:banner>",
        *"A Cat",
        "<art>",
    ]
    assert [t.tokens[i] for i in t.encode_prompt(Prompt())] == ["<bos>", "<art>"]
    assert [t.tokens[i] for i in t.encode_prompt(Prompt(width=999, height=999))][1:3] == [
        "<w160>",
        "<h100>",
    ]
    assert t.decode(ids) == "A Cat"  # controls vanish


def test_cells() -> None:
    t = GridTokenizer("bytes")
    for text, cells in (("abc", 3), ("a\nb", 2), ("é", 1), ("日", 1)):
        assert t.cells[t.encode(text)].sum() == cells


def test_unknown_charset() -> None:
    with pytest.raises(AsciiloomError, match="ebcdic"):
        GridTokenizer("ebcdic")
