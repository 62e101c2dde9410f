from pathlib import Path

import numpy as np
import pytest

from asciiloom.corpus import Corpus
from asciiloom.errors import SettingsError
from asciiloom.piece import KINDS, LETTERING, Piece
from asciiloom.store import Selection
from asciiloom.tokens import MAX_WORDS, CorpusLoader, GridTokenizer, Prompt, PromptDropout

ASCII, BYTES = GridTokenizer(), GridTokenizer("bytes")

# What models were trained with, those of formats 1 and 2 with every word spelled: these ids must never change.
GOLDEN = [
    (Prompt(), [98, 99], [258, 259], []),
    (
        Prompt("A  Cat", 40, 12, "shape"),
        [98, 139, 271, 373, 35, 2, 37, 67, 86, 99],
        [258, 299, 431, 533, 35, 2, 37, 67, 86, 259],
        [2728, 2603],
    ),
    (
        Prompt("cat, font:x", None, 12, None),
        [98, 271, 69, 67, 86, 14, 2, 72, 81, 80, 86, 28, 90, 99],
        [258, 431, 69, 67, 86, 14, 2, 72, 81, 80, 86, 28, 90, 259],
        [2603, 740, 1234],
    ),
    (
        Prompt("Üb ☃", 7, None, "banner"),
        [98, 106, 361, 475, 436, 68, 2, 506, 432, 411, 99],
        [258, 266, 521, 196, 157, 68, 2, 227, 153, 132, 259],
        [1940],
    ),
    (
        Prompt("x" * 48, 999, 999, "art"),
        [98, 259, 359, 360, *[90] * 48, 99],
        [258, 419, 519, 520, *[90] * 48, 259],
        [2455],
    ),
    (
        Prompt(" cat, ", 1, 1, "nonsense"),
        [98, 100, 260, 69, 67, 86, 14, 99],
        [258, 260, 420, 69, 67, 86, 14, 259],
        [2603],
    ),
]


@pytest.mark.parametrize(("prompt", "in_ascii", "in_bytes", "topics"), GOLDEN)
def test_ids_and_topics_are_as_they_ever_were(
    prompt: Prompt, in_ascii: list[int], in_bytes: list[int], topics: list[int]
) -> None:
    for charset, ids in (("ascii", in_ascii), ("bytes", in_bytes)):
        former = GridTokenizer(charset, relatives=False, spells_all=True)
        assert former.encode_prompt(prompt).tolist() == ids
        assert former.topics(prompt).tolist() == [*topics, *[0] * (12 - len(topics))]


def test_what_is_lettered_is_spelled_and_the_rest_told_by_topics() -> None:
    for kind in (None, *KINDS):
        spelled, lettered = ASCII.encode_prompt(Prompt("cat", kind=kind)), kind in LETTERING
        assert (ASCII.decode(spelled) == "cat") == (lettered or kind is None)
        assert ASCII.topics(Prompt("cat", kind=kind)).any() != lettered


def test_words_end_after_48_characters() -> None:
    assert Prompt("word " * 1000).words == ("word " * 10)[:48]
    assert Prompt("a" * 47 + ", b").words == "a" * 47  # no empty phrase at the end
    assert Prompt("a\t b\n\nc").words == "a b c"
    assert len(ASCII.encode_prompt(Prompt("☃" * 5000))) == 2 + 3 * MAX_WORDS


def test_topics_are_distinct_words_whatever_the_case() -> None:
    assert Prompt("Cat, cat CAT").topics().tolist() == Prompt("cat").topics().tolist()
    assert Prompt("cat").topics().tolist() != Prompt("dog").topics().tolist()
    many = Prompt(" ".join(map(chr, range(ord("a"), ord("z")))))
    assert (many.topics(relatives=False) > 0).sum() == 12
    assert (many.topics() > 0).sum() == 24


def test_relatives_share_topics_and_words_stand_first() -> None:
    """A kitten is a cat, but not the word; a dog is an animal as well."""
    kitten, cat, dog = (Prompt(w).topics() for w in ("kitten", "cat", "dog"))
    assert kitten.shape == (24,) and kitten[0] != cat[0]
    assert set(kitten[1:]) == set(cat[1:])
    assert set(dog[dog > 0]) & set(cat[cat > 0])
    assert Prompt("cats").topics().tolist() == cat.tolist()
    two = Prompt("cat, tree").topics()
    assert two[0] == cat[0] and two[1] == Prompt("tree").topics()[0]


def test_a_tokenizer_knows_whether_words_have_relatives() -> None:
    prompt = Prompt("kitten")
    assert GridTokenizer().topics(prompt).tolist() == prompt.topics().tolist()
    alone = GridTokenizer(relatives=False).topics(prompt)
    assert alone.tolist() == prompt.topics(relatives=False).tolist() and alone.shape == (12,)


def test_words_that_are_no_text_are_refused() -> None:
    with pytest.raises(SettingsError, match="no UTF-8"):
        Prompt(b"caf\xe9".decode("utf-8", "surrogateescape"))


def test_training_asks_with_what_drawing_asks_with(tmp_path: Path) -> None:
    """A piece with a long title is prompted in training exactly as a person who types that title."""
    title = "a very long title, " * 5
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece("+--+\n|  |\n+--+", title=title)], "me")
        corpus.connection.execute("UPDATE piece SET split = 'train'")
        loader = CorpusLoader(
            corpus, Selection(split="train"), ASCII, dropout=PromptDropout(0, 0, 0)
        )
        batch = next(loader.train())
        (kind,) = corpus.connection.execute("SELECT kind FROM piece").fetchone()
    asked = Prompt("a very long title " * 5, 4, 3, kind)
    ids = ASCII.encode_prompt(asked)
    assert len(asked.words) <= MAX_WORDS
    assert batch.ids[0, : len(ids)].tolist() == ids.tolist()
    assert (
        np.array_equal(batch.topics[0], ASCII.topics(asked)) and tuple(batch.size[0]) == asked.size
    )
