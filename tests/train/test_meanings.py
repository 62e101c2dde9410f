"""What words mean, solved for after training: drawings of two kinds, and the words that go with them."""

import dataclasses
from collections.abc import Iterator
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
            Prompt(word, max(map(len, text.split("\n"))), text.count("\n") + 1, "art"), text, t
        )
        for word, text in drawn
    ]
    return [
        pack(examples[k : k + rows], t, config.neighbours) for k in range(0, len(examples), rows)
    ]


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
    assert learn_words(model, _batches(_drawn(1), NANO), SETTINGS) == len(_drawn(1))
    after = word_test(held_out, Selection(), model, subjects=WORDS)
    assert after.to_dict()["right_first"] > 0.95
    assert after.bits_saved > 0.5
    # Told the other word of each, it is wrong: words are what decides.
    crossed = [(WORDS[1 - WORDS.index(word)], text) for word, text in _drawn(1)]
    learn_words(model, _batches(crossed, NANO), SETTINGS)
    assert word_test(held_out, Selection(), model, subjects=WORDS).bits_saved < -0.5


def test_only_what_is_of_words_changes_and_the_same_input_gives_the_same(
    model: GridTransformer,
) -> None:
    begun = _state(model)
    learn_words(model, _batches(_drawn(1), NANO), SETTINGS)
    once = _state(model)
    changed = {name for name in begun if not torch.equal(begun[name], once[name])}
    assert changed == {
        "topic_embed.weight",
        "word_head.words.weight",
        "word_head.drawn.weight",
        "word_head.out.weight",
    }
    # What it knew before plays no part.
    with torch.no_grad():
        model.topic_embed.weight.normal_()
    learn_words(model, _batches(_drawn(1), NANO), SETTINGS)
    assert _same(once, _state(model))


@torch.no_grad()
def test_drawings_without_words_are_passed_over(model: GridTransformer) -> None:
    drawn = _drawn(0)
    mixed = [("", _box(9, 9)), *drawn[:5], ("", _hill(8, 8)), *drawn[5:], *[("", "x")] * 20]
    torch.manual_seed(0)
    head, hidden, size = model.word_head, torch.randn(2, 9, NANO.d_model), torch.zeros(2, 2)
    assert head is not None
    topics = torch.from_numpy(np.stack([NANO.tokenizer.topics(Prompt(w)) for w in WORDS])).long()
    added = []
    for shown in (drawn, mixed):
        assert learn_words(model, _batches(shown, NANO), SETTINGS) == len(drawn)
        added.append(head(hidden, model.say(topics), size))
    torch.testing.assert_close(*added, atol=1e-3, rtol=1e-2)
    assert float(added[0].abs().max()) > 0.05


@pytest.mark.parametrize("drawn", [[], [("box", _box(5, 4))], [("", _box(5, 4))] * 3])
def test_fewer_than_two_drawings_leave_a_network_as_it_is(
    model: GridTransformer, drawn: Drawn
) -> None:
    learn_words(model, _batches(_drawn(0), NANO), SETTINGS)
    before = _state(model)
    assert learn_words(model, _batches(drawn, NANO), SETTINGS) == sum(bool(w) for w, _ in drawn)
    assert _same(before, _state(model))


def test_a_network_whose_words_are_an_input_is_left_alone() -> None:
    config = dataclasses.replace(TINY, word_rank=())
    torch.manual_seed(0)
    model = GridTransformer(config)
    before = _state(model)
    assert learn_words(model, _batches(_drawn(0), config), SETTINGS) == 0
    assert _same(before, _state(model))


def test_no_more_drawings_are_looked_at_than_asked_for(model: GridTransformer) -> None:
    read: list[int] = []

    def batches() -> Iterator[PackedBatch]:
        for batch in _batches(_drawn(1), NANO, rows=4):
            read.append(len(batch.pieces))
            yield batch

    before = _state(model)
    assert learn_words(model, batches(), WordSettings(drawings=0)) == 0 and not read
    assert _same(before, _state(model))
    assert learn_words(model, batches(), WordSettings(drawings=10)) == 10


@pytest.mark.parametrize("training", [True, False])
def test_training_goes_on_as_it_was(model: GridTransformer, training: bool) -> None:
    model.train(training)
    learn_words(model, _batches(_drawn(0), NANO), SETTINGS)
    assert model.training is training

    def broken() -> Iterator[PackedBatch]:
        yield from _batches(_drawn(0), NANO)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="gone"):
        learn_words(model, broken(), SETTINGS)
    assert model.training is training


@pytest.mark.parametrize(
    "drawn",
    [
        [("box", _box(5, 4))] * 20,  # one drawing
        [("box", "x")] * 2,
        [("box", text) for _, text in _drawn(0)],  # one word
        [("box", _box(5, 4)), ("hill", _hill(3, 2))],
        [("box", _box(5, 4)), ("hill", _box(5, 4))] * 10,  # words of the same
    ],
)
@pytest.mark.parametrize("settings", [SETTINGS, WordSettings(ridge=1e-3, shrinkage=1e-3)])
def test_degenerate_drawings_give_numbers(drawn: Drawn, settings: WordSettings) -> None:
    torch.manual_seed(0)
    model = GridTransformer(TINY)
    assert learn_words(model, _batches(drawn, TINY), settings) == len(drawn)
    assert all(bool(value.isfinite().all()) for value in model.state_dict().values())
    matrices = model.word_head.words(model.topic_embed.weight)  # type: ignore[misc]
    assert bool((matrices.abs() < 100).all())


def test_of_a_network_beyond_numbers_nothing_is_learned() -> None:
    torch.manual_seed(0)
    model = GridTransformer(TINY)
    with torch.no_grad():
        model.embed.weight.fill_(float("inf"))
    assert learn_words(model, _batches(_drawn(0), TINY), SETTINGS) == 0
    assert not bool(model.topic_embed.weight.any())
