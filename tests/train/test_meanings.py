"""What words mean, learned after training: drawings of two kinds, and the words that go with them."""

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from asciiloom.corpus import Corpus
from asciiloom.evaluate.words import word_test
from asciiloom.model import PRESETS, GridTransformer, ModelConfig
from asciiloom.piece import Piece
from asciiloom.store import Selection
from asciiloom.tokens import Example, PackedBatch, Prompt, pack
from asciiloom.train import OptimSettings
from asciiloom.train.learner import Learner
from asciiloom.train.machine import Machine
from asciiloom.train.meanings import learn_words
from asciiloom.train.settings import WordSettings

NANO = PRESETS["nano"]
TINY = ModelConfig(d_model=32, layers=1, heads=2, head=16, context=256, pair_dimensions=4)
CPU = Machine("cpu", "fp32", 1, "cpu", torch.__version__)
WORDS = ("box", "hill")
SETTINGS = WordSettings()
Drawn = list[tuple[str, str]]


def _box(width: int, height: int) -> str:
    edge = "+" + "-" * (width - 2) + "+"
    return "\n".join([edge, *["|" + " " * (width - 2) + "|"] * (height - 2), edge])


def _hill(height: int, top: int) -> str:
    rows = [" " * height + "_" * top]
    rows += [" " * (height - 1 - k) + "/" + " " * (top + 2 * k) + "\\" for k in range(height)]
    return "\n".join(rows)


def _drawn(remainder: int) -> Drawn:
    """(word, drawing) of many sizes, mixed; every fourth is held out, at ``remainder`` 0."""
    boxes = [_box(w, h) for w in range(3, 19) for h in range(3, 9)]
    hills = [_hill(h, t) for t in range(1, 17) for h in range(2, 8)]
    kept = [k for k in range(len(boxes)) if (k % 4 > 0) == (remainder > 0)]
    drawn = [
        (word, all_[k]) for word, all_ in zip(WORDS, (boxes, hills), strict=True) for k in kept
    ]
    return [drawn[k] for k in np.random.default_rng(0).permutation(len(drawn))]


def _batches(drawn: Drawn, config: ModelConfig, rows: int = 16) -> list[PackedBatch]:
    t = config.tokenizer
    examples = [
        Example.encode(
            Prompt(word, max(map(len, text.split("\n"))), text.count("\n") + 1, "art"),
            text,
            t,
            number,
        )
        for number, (word, text) in enumerate(drawn)
    ]
    return [
        pack(examples[k : k + rows], t, config.neighbours) for k in range(0, len(examples), rows)
    ]


def _learn(
    model: GridTransformer,
    drawn: Drawn,
    settings: WordSettings = SETTINGS,
    batches: Iterable[PackedBatch] | None = None,
) -> int:
    things = {number: [word] if word else [] for number, (word, _) in enumerate(drawn)}
    return learn_words(model, batches or _batches(drawn, model.config), things, settings)


@pytest.fixture(scope="module")
def trained() -> GridTransformer:
    """A network that draws boxes and hills, and knows no words."""
    torch.manual_seed(0)
    learner = Learner(GridTransformer(NANO), OptimSettings(), CPU)
    batches = _batches(_drawn(1), NANO)
    for step in range(40):
        learner.step([batches[step % len(batches)]], min(1.0, (step + 1) / 10))
    return learner.model


@pytest.fixture
def model(trained: GridTransformer) -> GridTransformer:
    copy = GridTransformer(trained.config)
    copy.load_state_dict(trained.state_dict())
    return copy


@pytest.fixture
def held_out(tmp_path: Path) -> Iterator[Corpus]:
    with Corpus(tmp_path / "held-out.db", create=True) as corpus:
        corpus.add([Piece(text, title=word, kind="art") for word, text in _drawn(0)])
        yield corpus


def _state(model: GridTransformer) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def _same(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, two[name]) for name, value in one.items())


def test_words_that_meant_nothing_tell_drawings_apart(
    model: GridTransformer, held_out: Corpus
) -> None:
    before = word_test(held_out, Selection(), model, subjects=WORDS)
    assert len(before.pieces) >= 40
    assert before.bits_saved == 0.0 and before.to_dict()["right_first"] == 0.0
    assert before.to_dict()["named_right_first"] == 0.0
    assert _learn(model, _drawn(1)) == len(_drawn(1))
    after = word_test(held_out, Selection(), model, subjects=WORDS)
    assert after.to_dict()["right_first"] > 0.95
    assert after.bits_saved > 0.5
    figures = after.to_dict()
    assert figures["named_right_first"] > 0.95 and figures["named_bits_saved"] > 0.8
    # Told the other word of each, it is wrong: words are what decides.
    crossed = [(WORDS[1 - WORDS.index(word)], text) for word, text in _drawn(1)]
    _learn(model, crossed)
    assert word_test(held_out, Selection(), model, subjects=WORDS).bits_saved < -0.5


def test_only_what_is_of_words_changes_and_the_same_input_gives_the_same(
    model: GridTransformer,
) -> None:
    begun = _state(model)
    _learn(model, _drawn(1))
    once = _state(model)
    changed = {name for name in begun if not torch.equal(begun[name], once[name])}
    assert changed == {
        "topic_embed.weight",
        "word_head.grams.weight",
    }
    # What it knew before plays no part.
    with torch.no_grad():
        model.topic_embed.weight.normal_()
    _learn(model, _drawn(1))
    assert _same(once, _state(model))


def test_drawings_that_show_nothing_known_are_passed_over(model: GridTransformer) -> None:
    drawn = _drawn(0)
    rare = [("owl", _box(9, 9))] * (SETTINGS.least - 1)
    mixed = [("", _box(9, 9)), *drawn[:5], ("", _hill(8, 8)), *drawn[5:], *[("", "x")] * 20, *rare]
    learned = []
    for shown in (drawn, mixed):
        assert _learn(model, shown) == len(drawn)
        learned.append(_state(model))
    assert _same(*learned)
    assert bool(learned[0]["topic_embed.weight"].any())


@torch.no_grad()
def test_of_words_that_no_drawing_shows_nothing_is_said(model: GridTransformer) -> None:
    _learn(model, _drawn(1))
    tokenizer = model.config.tokenizer
    topics = torch.from_numpy(np.stack([tokenizer.topics(Prompt(w)) for w in (*WORDS, "owl")]))
    said = model.say(topics.long()).norm(dim=1)
    assert bool((said[:2] > 0.1).all()) and said[2] == 0


@pytest.mark.parametrize(
    "drawn", [[], [("box", _box(5, 4))] * 20, [("", _box(5, 4))] * 3, [("box", "x"), ("hill", "y")]]
)
def test_fewer_than_two_things_leave_a_network_as_it_is(
    model: GridTransformer, drawn: Drawn
) -> None:
    _learn(model, _drawn(0))
    before = _state(model)
    assert _learn(model, drawn) == 0
    assert _same(before, _state(model))


def test_a_network_whose_words_are_an_input_is_left_alone() -> None:
    torch.manual_seed(0)
    model = GridTransformer(dataclasses.replace(TINY, word_rank=0))
    before = _state(model)
    assert _learn(model, _drawn(0)) == 0
    assert _same(before, _state(model))


def test_no_more_drawings_are_looked_at_than_asked_for(model: GridTransformer) -> None:
    read: list[int] = []

    def batches() -> Iterator[PackedBatch]:
        for batch in _batches(_drawn(1), NANO, rows=4):
            read.append(len(batch.pieces))
            yield batch

    before = _state(model)
    assert _learn(model, _drawn(1), WordSettings(drawings=0), batches()) == 0
    assert _same(before, _state(model))
    assert _learn(model, _drawn(1), WordSettings(drawings=40), batches()) == 40
    assert sum(read) <= 44


@pytest.mark.parametrize("training", [True, False])
def test_training_goes_on_as_it_was(model: GridTransformer, training: bool) -> None:
    model.train(training)
    _learn(model, _drawn(0))
    assert model.training is training

    def broken() -> Iterator[PackedBatch]:
        yield from _batches(_drawn(0), NANO)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="gone"):
        _learn(model, _drawn(0), SETTINGS, broken())
    assert model.training is training


@pytest.mark.parametrize(
    "drawn",
    [
        [("box", "x"), ("hill", "x")] * 8,
        [("box", _box(5, 4)), ("hill", _hill(3, 2))] * 4,
        [("box", _box(5, 4)), ("hill", _box(5, 4))] * 10,  # words of the same
    ],
)
@pytest.mark.parametrize("settings", [SETTINGS, WordSettings(penalty=0, epochs=100)])
def test_degenerate_drawings_give_numbers(drawn: Drawn, settings: WordSettings) -> None:
    torch.manual_seed(0)
    model = GridTransformer(TINY)
    assert _learn(model, drawn, settings) == len(drawn)
    assert all(bool(value.isfinite().all()) for value in model.state_dict().values())
    assert float(model.state_dict()["word_head.grams.weight"].abs().max()) < 100


def test_what_words_mean_does_not_depend_on_the_blocks(model: GridTransformer) -> None:
    _learn(model, _drawn(0))
    before = _state(model)
    with torch.no_grad():
        model.embed.weight.fill_(float("inf"))
    _learn(model, _drawn(0))
    assert torch.equal(before["word_head.grams.weight"], model.word_head.grams.weight)  # type: ignore[union-attr]
