from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asciiloom.corpus import Corpus
from asciiloom.errors import AsciiloomError, SettingsError
from asciiloom.piece import Piece
from asciiloom.store import Selection
from asciiloom.tokens import Mixing, parse_mix
from asciiloom.tokens.augment import is_lettering
from asciiloom.tokens.mixing import SMALL, Weights, appearances, in_passes
from asciiloom.tokens.words import words_of

TRAIN = Selection(split="train", charset="ascii", order="id")


def _weights(corpus: Corpus, mixing: Mixing) -> Weights:
    return Weights.of(corpus, TRAIN, mixing)


@given(st.lists(st.floats(0, 50), min_size=1, max_size=80), st.integers(0, 2**32))
def test_every_piece_appears_its_weight_rounded_up_or_down(raw: list[float], seed: int) -> None:
    weights = np.array(raw)
    if weights.sum() < 1e-9:
        weights += 1
    weights *= len(weights) / weights.sum()
    counts = appearances(weights, np.random.default_rng(seed))
    assert counts.sum() == len(weights)
    assert (np.abs(counts - weights) < 1 + 1e-6).all()
    assert np.array_equal(counts, appearances(weights, np.random.default_rng(seed)))
    ids = np.arange(7, 7 + len(weights))
    laid = in_passes(ids, counts)
    assert np.array_equal(np.bincount(laid - 7, minlength=len(ids)), counts)
    # No piece comes a second time before every other has come once.
    first = laid[: np.count_nonzero(counts)]
    assert (np.diff(first) > 0).all() and set(first) == set(laid)


def test_counts_follow_weights_on_average() -> None:
    weights = np.array([0.1, 0.4, 1.0, 2.5, 1.0])
    rng = np.random.default_rng(1)
    mean = np.mean([appearances(weights, rng) for _ in range(4000)], axis=0)
    assert np.abs(mean - weights).max() < 0.04


def test_sources_kinds_and_lettering_have_their_shares(corpus: Corpus) -> None:
    plain = _weights(corpus, Mixing(small=2))
    source = dict(corpus.connection.execute("SELECT id, name FROM source"))
    of = np.array([source[r["source_id"]] for r in corpus.select(TRAIN)])
    kind = np.array([r["kind"] for r in corpus.select(TRAIN)])
    drawn = next(name for name in sorted(set(of)) if "synth" in name)
    assert len(set(of)) > 1 and plain.lettering.any() and plain.small.any()

    mixing = Mixing(sources={drawn: 0.2, "nobody?": 0.3}, lettering=0.01)
    weights = _weights(corpus, mixing)
    at = weights.at(0)
    assert at.sum() == pytest.approx(len(of))
    assert at[of == drawn].sum() == pytest.approx(0.2 * len(of))
    others = at[of != drawn]
    brought = at[(of == drawn) & weights.lettering].sum() / len(of)
    expected = max(0.01, brought)
    assert at[weights.lettering].sum() / len(of) == pytest.approx(expected, abs=1e-9)
    assert others.sum() == pytest.approx(0.8 * len(of))

    one = str(kind[0])
    heavy = _weights(corpus, Mixing(kinds={one: 3})).at(0)
    assert heavy[kind == one].mean() == pytest.approx(3 * heavy[kind != one].mean())
    gone = _weights(corpus, Mixing(kinds={one: 0})).at(0)
    assert not gone[kind == one].any() and gone.sum() == pytest.approx(len(kind))


def test_small_labelled_drawings_move_over_a_run(corpus: Corpus) -> None:
    weights = _weights(corpus, Mixing(small=4, small_at_end=1))
    records = list(corpus.select(TRAIN))
    small = np.array(
        [
            r["kind"] == "art"
            and r["width"] <= SMALL[0]
            and r["height"] <= SMALL[1]
            and bool(words_of(r["title"], r["tags"]))
            for r in records
        ]
    )
    assert np.array_equal(weights.small, small) and 0 < small.sum() < len(small)
    letters = np.array([is_lettering(r["kind"], r["tags"]) for r in records])
    assert np.array_equal(weights.lettering, letters)
    for progress, ratio in ((0.0, 4.0), (0.5, 2.5), (1.0, 1.0)):
        at = weights.at(progress)
        assert at[small].mean() / at[~small].mean() == pytest.approx(ratio)


def test_a_source_is_named_whole_or_by_what_only_it_has(tmp_path: Path) -> None:
    with Corpus(tmp_path / "two.db", create=True) as corpus:
        for number, name in enumerate(("x/cats", "x/dogs", "y/cats-and-dogs")):
            corpus.add([Piece(f"{'o' * (number + 1)}\n/\\", source=name)])

        def groups(**shares: float) -> list[int]:
            mixing = Mixing(sources={k.replace("_", "/"): v for k, v in shares.items()})
            return Weights.of(corpus, Selection(order="id"), mixing).group.tolist()

        assert groups(x_cats=0.5) == groups(cats=0.5) == [0, -1, -1]
        assert groups(**{"cats-and": 0.5}) == [-1, -1, 0]
        assert groups(**{"x/*": 0.3, "y*": 0.1}) == [0, 0, 1]
        assert groups(**{"birds?": 0.5}) == [-1, -1, -1]
        with pytest.raises(AsciiloomError, match=r"no piece of the source 'birds'.*x/cats"):
            groups(birds=0.5)
        with pytest.raises(AsciiloomError, match=r"part of several sources: .*x/cats"):
            groups(at=0.5)
        with pytest.raises(AsciiloomError, match="part of several"):
            groups(ts=0.5)
        with pytest.raises(AsciiloomError, match="any weight"):
            Weights.of(corpus, Selection(order="id"), Mixing(kinds={"art": 0})).at(0)


def test_mix_as_typed() -> None:
    assert parse_mix("figlet=0.2, jgs?=0.1") == {"figlet": 0.2, "jgs?": 0.1}
    for wrong in ("figlet", "figlet=", "=0.2", "figlet=much", "a=0.1,,b=0.2"):
        with pytest.raises(SettingsError, match="not of the form source=share"):
            parse_mix(wrong)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"sources": {"a": 0.6, "b": 0.5}}, "more than 1 together"),
        ({"sources": {"?": 0.5}}, "without the name"),
        ({"sources": {"a": 2.0}}, "mixing.sources"),
        ({"kinds": {"poem": 1.0}}, "no 'poem'"),
        ({"small": -1.0}, "mixing.small"),
        ({"lettering": 1.5}, "mixing.lettering"),
    ],
)
def test_what_no_mixing_can_be(given: dict[str, object], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        Mixing(**given)  # type: ignore[arg-type]
