"""The word test: its figures by hand, and a model that has learned its words beside one that has not."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from asciiloom.corpus import Corpus
from asciiloom.evaluate.words import (
    SUBJECTS,
    WordTest,
    _at_once,
    _in_turn,
    subject_of,
    word_test,
)
from asciiloom.model import GridInput, GridTransformer, ModelConfig
from asciiloom.piece import Piece
from asciiloom.store import Selection
from asciiloom.tokens import IGNORE, Example, Prompt, pack

CAT, TREE = " /\\_/\\\n( o.o )\n > ^ <", "  *\n ***\n*****\n  |"
CONFIG = ModelConfig(d_model=32, layers=1, heads=2, head=16, context=256, pair_dimensions=4)


def _result(nats: list[list[float]], right: list[int]) -> WordTest:
    names = tuple("abcd"[: len(nats[0])])
    return WordTest(names, np.arange(len(right)), np.array(right), np.array(nats))


def test_figures_by_hand() -> None:
    test = _result([[1.0, 5.0, 5.0, 5.0], [9.0, 2.0, 1.0, 9.0], [9.0, 1.0, 2.0, 3.0]], [0, 1, 0])
    assert test.ranks.tolist() == [0, 1, 3]
    figures = test.to_dict()
    assert figures["right_first"] == pytest.approx(1 / 3)
    assert figures["right_in_three"] == pytest.approx(2 / 3)
    assert (figures["chance"], figures["bits_possible"]) == (0.25, 2.0)


def test_bits_saved_are_all_where_words_tell_all_and_none_where_they_tell_nothing() -> None:
    assert _result([[0.0, 500.0, 500.0, 500.0]], [0]).bits_saved == pytest.approx(2.0)
    blind = _result([[7.0, 7.0, 7.0, 7.0]], [2])
    assert blind.bits_saved == pytest.approx(0.0)
    assert blind.ranks.tolist() == [2]  # in the middle: a tie is no success
    assert _result([[7.0, 7.0]], [0]).ranks.tolist() == [1]
    assert _result([[500.0, 0.0, 0.0, 0.0]], [0]).bits_saved < -100


@pytest.mark.parametrize(
    ("title", "tags", "named"),
    [
        ("A sleeping Cat", [], 0),
        (None, ["animals", "cats"], 0),
        ("cat in a tree", [], None),
        ("category", ["catalogue"], None),
        (None, [], None),
        ("Trees", ["tree"], 1),
    ],
)
def test_subjects_are_whole_words(title: str | None, tags: list[str], named: int | None) -> None:
    assert subject_of(title, tags, ("cat", "tree")) == named


@pytest.mark.parametrize(
    ("title", "tags", "named"),
    [
        ("two kittens", [], "cat"),
        ("kitty_kitty_003", [], "cat"),
        ("horses", [], "horse"),
        (None, ["ponies"], "horse"),
        (None, ["jgs:petsdogs"], "dog"),
        (None, ["animals", "cjohnson:animals-horses"], "horse"),
        ("Bunny w/Easter Egg", [], "rabbit"),
        ("cat sleeping on a chair", [], "cat"),
        ("red rose", ["flowers"], "rose"),  # the title is asked first
        ("Christmas tree", [], "tree"),
        ("plane", [], "airplane"),
        ("sea horse", [], None),
        ("seahorses", [], None),
        ("catfish", [], None),
        ("Hot Dog", ["food"], None),
        ("hotdogs", [], None),
        ("dog house with cat and dog", [], None),
        ("horse radish", [], None),
        ("rocking horse", [], None),
        ("star wars", [], None),
        ("starfish", [], None),
        ("butterfly net", [], None),
        ("heart shaped balloon", [], None),
        (None, ["cjohnson:animals-birds-(water)", "water"], "bird"),
        ("fat cat", [], "cat"),
    ],
)
def test_subjects_by_any_name_but_nothing_else(
    title: str | None, tags: list[str], named: str | None
) -> None:
    place = subject_of(title, tags, SUBJECTS)
    assert (None if place is None else SUBJECTS[place]) == named


@pytest.fixture
def small(tmp_path: Path) -> Corpus:
    corpus = Corpus(tmp_path / "small.db", create=True)
    corpus.add(
        [
            Piece(CAT, title="cat", kind="art"),
            Piece(TREE, title="a tree", kind="art"),
            Piece("cat", title="cat", kind="banner"),
            Piece("x" * 300, title="cat", kind="art"),
        ]
    )
    return corpus


def _trained(steps: int) -> GridTransformer:
    torch.manual_seed(0)
    model = GridTransformer(CONFIG)
    t = CONFIG.tokenizer
    examples = [
        Example.encode(Prompt(w, width, height, "art"), art, t)
        for w, art, width, height in (("cat", CAT, 7, 3), ("tree", TREE, 5, 4))
    ]
    batch = pack(examples, t, CONFIG.neighbours)
    targets = torch.from_numpy(batch.targets)
    optim = torch.optim.AdamW(model.parameters(), 3e-3)
    for _ in range(steps):
        logits = model(GridInput.from_batch(batch))
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORE)
        optim.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optim.step()
    return model


def test_a_model_that_knows_its_words_is_told_from_one_that_does_not(small: Corpus) -> None:
    both = ("cat", "tree")
    learned = word_test(small, Selection(), _trained(60), subjects=both)
    # Lettering, which spells its word, and what does not fit the model are left out.
    assert learned.pieces.tolist() == [1, 2] and learned.right.tolist() == [0, 1]
    assert learned.to_dict()["right_first"] == 1.0
    assert learned.bits_saved > 0.9
    fresh = word_test(small, Selection(), _trained(0), subjects=both)
    assert abs(fresh.bits_saved) < 0.1
    assert word_test(small, Selection(), _trained(0), subjects=both, limit=1).pieces.tolist() == [1]
    none = word_test(small, Selection(), _trained(0), subjects=("dragon", "rose"))
    assert none.to_dict()["pieces"] == 0


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_pass_for_each_drawing_gives_what_a_pass_for_each_word_does(precision: str) -> None:
    torch.manual_seed(3)
    model = GridTransformer(CONFIG)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.1 * torch.randn_like(p))
        model.topic_embed.weight.normal_(std=0.1)
    # Of several lengths, so that batches are padded; one is as long as a network can read.
    texts = [CAT, TREE, "x", "\n".join(["#" * 20] * 9)]
    chosen = [
        (n, 0, text, max(map(len, text.split("\n"))), text.count("\n") + 1, "art")
        for n, text in enumerate(texts)
    ]
    told: list[int] = []
    once, unnamed = _at_once(chosen, SUBJECTS, model, precision, told.append)
    turn = _in_turn(chosen, SUBJECTS, model, precision, None)
    assert once.shape == (4, len(SUBJECTS)) and sum(told) == once.size
    assert np.ptp(once, axis=1).min() > 0.1  # words do make a difference
    np.testing.assert_allclose(once, turn, atol=1e-3 if precision == "fp32" else 2.0)
    np.testing.assert_allclose(np.exp(-unnamed).sum(1), 1)
    assert np.ptp(unnamed, axis=1).min() > 0.1
    assert model.training
