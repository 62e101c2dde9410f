"""Examples to draw after: the nearest that training may see, in the limits, and credited."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asciiloom.corpus import Corpus
from asciiloom.curate.edits import Change
from asciiloom.errors import ConstraintError, CorpusError, SelectionError, SettingsError
from asciiloom.generate import (
    Constraint,
    Credit,
    Drawing,
    Engine,
    Exemplar,
    Generator,
    exemplar,
    exemplars,
)
from asciiloom.model import ModelConfig, untrained_model
from asciiloom.piece import Piece, find_credits
from asciiloom.store import Selection

CONFIG = ModelConfig(d_model=8, layers=1, heads=1, head=8, context=256, pairs=())
CAT = " /\\_/\\\n( o.o )\n > ^ <"


def _art(number: int, width: int = 6, height: int = 3) -> str:
    """A piece of its own, of exactly this size."""
    rows = [
        "#" * width,
        *["#" + f"{number:o}".rjust(width - 1) for _ in range(height - 2)],
        "#" * width,
    ]
    return "\n".join(rows[:height])


PIECES = [
    Piece(f"{CAT} jgs", "Cat", tags=("animal",), source="garden", licence="CC-BY-4.0"),  # 1
    Piece(_art(2), "siamese cat", artist="Ann", source="garden"),  # 2
    Piece(_art(3), "dogs", tags=("cats",)),  # 3: plural, in a tag
    Piece(_art(4), "the cat of an old sailor at the harbour"),  # 4
    Piece(_art(5), "cat"),  # 5: validation
    Piece(_art(6, 30), "cat"),  # 6: too wide for most
    Piece(_art(7), "cat", kind="banner"),  # 7
    Piece("░▒▓\n▓▒░", "cat"),  # 8: not ASCII
    Piece(_art(9), "cat"),  # 9: withdrawn
    Piece(_art(10), "cat"),  # 10: a twin of another
    Piece(_art(11), "dog"),  # 11
    Piece("jgs", "cat"),  # 12: nothing but a signature
    Piece(_art(13), None, description="a cat", source="garden"),  # 13: not in title or tags
    Piece("the cat of a friend\nwas drawn by nobody\nthat anyone knows", "cat"),  # 14: prose
]


@pytest.fixture(scope="module")
def cats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corpus]:
    path = tmp_path_factory.mktemp("exemplars") / "cats.db"
    with Corpus(path, create=True) as corpus:
        corpus.add(PIECES)
        corpus.edit([Change(9, "withdrawn", "ugly")])
        with corpus.connection:
            corpus.connection.execute("UPDATE piece SET split = 'validation' WHERE id = 5")
            corpus.connection.execute("UPDATE piece SET split = 'train' WHERE id < 5")
            corpus.connection.execute("UPDATE piece SET canonical = 0 WHERE id = 10")
        assert corpus.count() == len(PIECES) - 1
        yield corpus


def _ids(found: list[Exemplar]) -> list[int]:
    return [example.credit.id for example in found if example.credit is not None]


LIMITS = Constraint(20, 10)


def test_the_nearest_come_first(cats: Corpus) -> None:
    assert _ids(exemplars(cats, "cat", limits=LIMITS, count=9)) == [1, 2, 4, 3]
    assert _ids(exemplars(cats, "a Siamese cat, animal", limits=LIMITS, count=9))[:2] == [2, 1]
    assert _ids(exemplars(cats, "cat, sailor", limits=LIMITS, count=2)) == [4, 1]
    assert _ids(exemplars(cats, "kitten", limits=LIMITS)) == []


def test_prose_is_no_example(cats: Corpus) -> None:
    (flags,) = cats.connection.execute("SELECT flags FROM piece WHERE id = 14").fetchone()
    assert "prose" in flags
    assert 14 not in _ids(exemplars(cats, "cat", count=20))


def test_what_says_much_less_than_the_nearest_is_left_out(cats: Corpus) -> None:
    """Whoever asks for several of "siamese cat" follows no sailor's and no dogs."""
    asked = partial(exemplars, cats, "siamese cat", limits=LIMITS, count=9)
    assert _ids(asked()) == [2, 1, 4, 3]
    assert _ids(asked(near=0.6)) == [2]
    assert _ids(exemplars(cats, "cat", limits=LIMITS, count=9, near=0.6)) == [1, 2, 4]
    assert _ids(exemplars(cats, "kitten", limits=LIMITS, count=9, near=0.6)) == []


def test_limits_kind_and_selection_narrow(cats: Corpus) -> None:
    assert _ids(exemplars(cats, "cat", count=9))[:2] in ([1, 6], [6, 1])
    assert _ids(exemplars(cats, "cat", limits=Constraint(6, 9), count=9)) == [2, 4, 3]
    assert _ids(exemplars(cats, "cat", limits=Constraint(20, 2), count=9)) == []
    assert _ids(exemplars(cats, "cat", limits=Constraint(20, 9, max_chars=20), count=9)) == [
        2,
        4,
        3,
    ]
    assert _ids(exemplars(cats, "cat", kind="banner")) == [7]
    garden = Selection(sources=("garden",))
    assert _ids(exemplars(cats, "cat", limits=LIMITS, selection=garden, count=9)) == [1, 2]
    wide = Selection(width=(20, None))
    assert _ids(exemplars(cats, "cat", selection=wide, count=9)) == [6]
    both = Selection(text="siamese")
    assert _ids(exemplars(cats, "cat", selection=both, count=9)) == [2]
    for split in ("validation", "test"):
        with pytest.raises(SelectionError, match=split):
            exemplars(cats, "cat", selection=Selection(split=split))


def test_equals_are_chosen_by_seed_and_more_only_extend_the_list(corpus: Corpus) -> None:
    firsts = {_ids(exemplars(corpus, "filled star", kind="shape", seed=s))[0] for s in range(8)}
    assert len(firsts) > 3
    many = exemplars(corpus, "filled star", kind="shape", seed=4, count=12)
    assert exemplars(corpus, "filled star", kind="shape", seed=4, count=5) == many[:5]
    titles = [e.credit.title for e in many if e.credit]
    stars = corpus.count(
        Selection(text='title:"filled star"', kinds=("shape",), width=(1, 80), height=(1, 40))
    )
    assert titles[:3] == ["filled star"] * 3 and titles.count("filled star") <= stars
    assert all("star" in (title or "") for title in titles)
    free = [_ids(exemplars(corpus, "", seed=s, count=3)) for s in range(4)]
    assert len({tuple(ids) for ids in free}) == 4 and all(len(ids) == 3 for ids in free)


@given(
    width=st.integers(1, 60), height=st.integers(1, 25), chars=st.none() | st.integers(1, 300),
    words=st.sampled_from(["cat", "star", "a hollow ring", "", 'OR "x', "title:cat -dog", "☃ maze*"]),
    seed=st.integers(0, 2**32),
)  # fmt: skip
def test_all_fit_and_are_what_training_may_see(
    corpus_file: Path, width: int, height: int, chars: int | None, words: str, seed: int
) -> None:
    limits = Constraint(width, height, max_chars=chars)
    with Corpus(corpus_file) as corpus:
        for example in exemplars(corpus, words, limits=limits, count=4, seed=seed):
            assert limits.violations(example.text) == []
            assert find_credits(example.text) == () and example.text.isascii()
            example.check(limits)
            assert example.credit is not None
            record = corpus.get(example.credit.id)
            assert record["split"] in (None, "train") and record["canonical"] and record["is_grid"]


def test_credit_is_data_and_not_in_the_text(cats: Corpus) -> None:
    (cat,) = exemplars(cats, "cat", limits=LIMITS)
    assert cat.text == CAT
    assert cat.credit == Credit(1, "Cat", "Joan G. Stark", "garden", "CC-BY-4.0")
    assert cat.credit.line() == 'after "Cat" by Joan G. Stark (CC-BY-4.0, 1)'
    assert (
        Credit(4, None, None, "x", None).line() == "after an untitled piece (no licence stated, 4)"
    )
    assert Credit(4, "a\nb\x1b[0m", "c\td", "x", "e").line().isprintable()


def test_a_piece_by_number_may_be_of_any_split(cats: Corpus) -> None:
    assert exemplar(cats, 1) == exemplars(cats, "cat", limits=LIMITS)[0]
    assert _ids([exemplar(cats, 5)]) == [5]
    for number, says in ((9, "withdrawn"), (8, "no ASCII"), (99, "no piece 99")):
        with pytest.raises(CorpusError, match=says) as caught:
            exemplar(cats, number)
        assert "\n" not in str(caught.value)


# -- through the generator


def _generator(**config: Any) -> Generator:
    return Generator(untrained_model(replace(CONFIG, **config)))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The references that reached the engine."""
    seen: list[str | None] = []
    draw = Engine.draw

    def noting(self: Engine, requests: Any, *more: Any) -> Any:
        given = [request.prompt.reference for request in requests]
        seen.extend(reference.text if reference else None for reference in given)
        return draw(self, requests, *more)

    monkeypatch.setattr(Engine, "draw", noting)
    return seen


def test_a_model_that_takes_none_refuses_in_one_line() -> None:
    for reference in ("###", Exemplar("###"), [Exemplar("###")]):
        with pytest.raises(SettingsError, match="takes no example") as caught:
            _generator(reference=False).draw("cat", reference=reference, constraint=LIMITS)
        assert "\n" not in str(caught.value)
    assert _generator().draw("cat", constraint=Constraint(4, 2), reference=[])[0].credit is None


def test_examples_reach_the_engine_one_for_each_drawing_in_turn(
    cats: Corpus, asked: list[str | None]
) -> None:
    found = exemplars(cats, "cat", limits=LIMITS, count=2)
    drawings: list[Drawing] = _generator().draw(
        "cat", constraint=LIMITS, count=3, best_of=2, reference=found
    )
    # Each candidate sees an example in turn, spoilt by random numbers of its own.
    heights = [(text or "").count("\n") for text in asked]
    one, two = (example.text.count("\n") for example in found)
    assert heights == [one, two] * 3 and len(set(asked)) > 2
    of = [found[d.candidate].credit for d in drawings]
    assert [d.credit for d in drawings] == of
    again = list(asked)
    asked.clear()
    _generator().draw("cat", constraint=LIMITS, count=3, best_of=2, reference=found)
    assert asked == again
    asked.clear()
    assert _generator().draw(constraint=LIMITS, reference=f"{CAT} jgs")[0].credit is None
    assert [(text or "").count("\n") for text in asked] == [CAT.count("\n")]


def test_examples_that_cannot_be_are_refused(asked: list[str | None]) -> None:
    draw = _generator().draw
    for limits, text, says in (
        (Constraint(6, 9), CAT, "7x3: larger than the 6x9"),
        (Constraint(9, 2), CAT, "larger than"),
        (LIMITS, " \n ", "empty"),
        (LIMITS, "jgs", "empty"),
    ):
        with pytest.raises(ConstraintError, match=says):
            draw("cat", constraint=limits, reference=text)
    with pytest.raises(SettingsError, match="text or an Exemplar"):
        draw("cat", reference=[CAT])  # type: ignore[list-item]
    assert asked == []
