import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from asciiloom.corpus import Corpus
from asciiloom.evaluate import evaluate, score
from asciiloom.evaluate.baselines import (
    GRID,
    OFFSETS,
    ORDER_3,
    contexts,
    counting_bits,
    packer_bits,
    zpaq_bits,
)
from asciiloom.model import GridTransformer, ModelConfig, load_model
from asciiloom.store import Selection
from asciiloom.tokens import CorpusLoader, GridTokenizer

TOKENIZER = GridTokenizer()


def test_a_uniform_model_needs_log2_of_the_alphabet(corpus: Corpus) -> None:
    """With zero output weights every id is equally likely: (characters + ends) * log2(97) bits, exactly."""
    model = GridTransformer(ModelConfig(d_model=16, layers=1, heads=1, head=16, pair_dimensions=2))
    assert model.head is not None
    torch.nn.init.zeros_(model.head.weight)
    model.train()
    loader = CorpusLoader(corpus, Selection(split="train", charset="ascii"), TOKENIZER)
    scores = score(model, loader.epoch())
    assert model.training
    pieces, chars = len(loader), sum(map(len, loader.texts()))
    assert len(scores.pieces) == pieces and scores.characters.sum() == chars
    assert scores.bits_per_character == pytest.approx(
        (chars + pieces) * math.log2(97) / chars, rel=1e-5
    )
    ink = sum(not c.isspace() for t in loader.texts() for c in t)
    assert scores.bits_per_ink == pytest.approx(scores.bits_per_character * chars / ink, rel=1e-6)
    assert 0 < scores.standard_error < 0.2


def test_counts_by_hand(tmp_path: Path) -> None:
    """Witten-Bell worked out on a tiny case: training 'aab', held out 'ab', order 1."""
    a, b, end, art = 2, 3, 0, TOKENIZER.art

    def side(left: list[int], symbol: list[int]) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
        return {"left": np.array(left, np.int64), "symbol": np.array(symbol, np.int64)}

    train = side([art, a, a, b], [a, a, b, end])
    held = side([art, a, b], [a, b, end])
    base = [(2 + 3 / 97) / 7, (1 + 3 / 97) / 7, (1 + 3 / 97) / 7]  # a, b, end: 4 symbols, 3 kinds
    expected = [(1 + base[0]) / 2, (1 + 2 * base[1]) / 4, (1 + base[2]) / 2]
    bits = counting_bits(train, held, ("left",), TOKENIZER)
    assert bits == pytest.approx(-sum(map(math.log2, expected)))


def test_counts_are_a_probability_distribution() -> None:
    """Summed over every possible next symbol, the probabilities of a context are 1."""
    rng = np.random.default_rng(0)
    train = {name: rng.integers(0, 5, 500) for name in ("symbol", *ORDER_3)}
    one = {name: np.full(97, 3) for name in ORDER_3} | {"symbol": np.arange(97)}
    total = 0.0
    for n in range(97):
        single = {name: column[n : n + 1] for name, column in one.items()}
        total += 2 ** -counting_bits(train, single, ORDER_3, TOKENIZER)
    assert total == pytest.approx(1.0)


def test_two_dimensions_help_on_art(corpus: Corpus) -> None:
    def sides(split: str) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
        selection = Selection(
            split=split, charset="ascii", kinds=("shape", "maze", "face", "art", "scene", "tree")
        )
        return contexts(CorpusLoader(corpus, selection, TOKENIZER, offsets=OFFSETS).epoch())

    train, held = sides("train"), sides("validation")
    chars = (held["symbol"] > 0).sum()
    flat, grid = (counting_bits(train, held, c, TOKENIZER) / chars for c in (ORDER_3, GRID))
    assert grid < flat < math.log2(97)


def test_packers() -> None:
    text = ("/\\_/\\\n( o.o )\n > ^ <\n" * 60).encode()
    bits = packer_bits(text, text)
    alone, primed = bits["xz -9e"], bits["xz -9e, primed"]
    assert alone is not None and primed is not None
    assert 0 < primed < alone < 8 * len(text)


def test_zpaq_packs_too(program: Callable[..., str]) -> None:
    program("zpaq")
    text = ("/\\_/\\\n( o.o )\n > ^ <\n" * 60).encode()
    bits = packer_bits(text, text)
    alone, primed = bits["zpaq -m5"], bits["zpaq -m5, primed"]
    assert alone is not None and primed is not None
    assert 0 < primed < alone < 8 * len(text)


def test_missing_zpaq_is_a_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert zpaq_bits(b"x") is None


def test_report(corpus: Corpus, run_folder: Path) -> None:
    model, _ = load_model(run_folder / "latest")
    told: list[tuple[str, int, int]] = []
    report = evaluate(
        corpus,
        Selection(charset="ascii"),
        model,
        baselines=True,
        progress=lambda *a: told.append(a),
    )
    assert report["split"] == "validation"
    assert report["pieces"] == report["prompted"]["pieces"] > 10
    assert report["perplexity"] == pytest.approx(2 ** report["bits_per_character"])
    kinds = report["by_kind"].values()
    assert 0 < sum(k["pieces"] for k in kinds) <= report["pieces"]
    assert set(report["baselines"]) >= {"order-3 counts", "2D counts", "xz -9e", "zpaq -m5"}
    words = report["words"]
    assert words["pieces"] > 0 and 0 <= words["control_first"] <= 1
    assert words["classifier_first"] <= words["classifier_in_three"] <= 1
    assert {t[0] for t in told} >= {"unprompted", "prompted", "baseline counts"}
    limited = evaluate(corpus, Selection(charset="ascii", split="train"), model, limit=15)
    assert limited["pieces"] == 15 and "baselines" not in limited
