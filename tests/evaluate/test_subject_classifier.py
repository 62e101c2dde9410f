"""The judge of subjects: it tells shapes apart that it has not seen, its control does not, and both are exact."""

import numpy as np
import pytest
from scipy.optimize import minimize

from asciiloom.corpus import Corpus
from asciiloom.errors import AsciiloomError
from asciiloom.evaluate.subject_classifier import (
    Judges,
    SubjectClassifier,
    _gram,
    _log_shares,
    _solve,
    drawn_part,
    shapes,
    sizes,
)
from asciiloom.store import Selection

BOTH = ("roof", "wave")


def _pieces(count: int, seed: int) -> tuple[list[str], list[int]]:
    """Roofs and waves of the same sizes and ink: only the strokes tell them apart."""
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for k in range(count):
        stroke = ("/\\", "~(")[k % 2]
        width, height = int(rng.integers(2, 6)), int(rng.integers(2, 6))
        texts.append(
            "\n".join(" " * int(rng.integers(0, 2)) + stroke * width for _ in range(height))
        )
        labels.append(k % 2)
    return texts, labels


def test_strokes_are_told_and_sizes_are_not() -> None:
    texts, labels = _pieces(60, 0)
    new, right = _pieces(200, 1)
    by_shape = SubjectClassifier.fit(texts, labels, BOTH)
    by_size = SubjectClassifier.fit(texts, labels, BOTH, sizes)
    told = by_shape.scores(new).argmax(axis=1) == right
    guessed = by_size.scores(new).argmax(axis=1) == right
    assert told.mean() > 0.98 and 0.3 < guessed.mean() < 0.7


def test_scores_are_log_shares_and_balance_takes_the_prior_out() -> None:
    texts, labels = _pieces(40, 0)
    many = texts + texts[::2] * 4  # roofs are five times as frequent
    classifier = SubjectClassifier.fit(many, [*labels, *[0] * 80], ("roof", "wave", "unseen"))
    plain, even = (classifier.scores(["xyz"], balanced=b) for b in (False, True))
    for scores in (plain, even):
        assert np.exp(scores).sum(axis=1) == pytest.approx(1)
        assert scores[0, 2] == -np.inf  # of what it never saw it says nothing
    shift = (plain[0, 0] - plain[0, 1]) - (even[0, 0] - even[0, 1])
    assert shift == pytest.approx(np.log(5))
    assert classifier.scores([]).shape == (0, 3)


def test_the_span_of_the_pieces_holds_the_best_weights() -> None:
    """Solved among the features themselves by plain descent, the shares are the same."""
    texts, labels = _pieces(12, 3)
    table, right = shapes(texts), np.array(labels)
    weights, bias = _solve(table, right, np.log([0.5, 0.5]), 0.1)
    used = np.unique(table.indices)
    dense = table.toarray()[:, used].astype(np.float64)
    assert _gram(table) == pytest.approx(dense @ dense.T, abs=1e-5)

    def loss(flat: np.ndarray) -> float:  # type: ignore[type-arg]
        w, b = flat[:-2].reshape(len(used), 2), flat[-2:]
        shares = _log_shares(dense @ w + b)
        return float(0.05 * (w**2).sum() - shares[np.arange(12), right].sum())

    def slope(flat: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
        w, b = flat[:-2].reshape(len(used), 2), flat[-2:]
        error = np.exp(_log_shares(dense @ w + b)) - np.eye(2)[right]
        return np.concatenate([(dense.T @ error + 0.1 * w).ravel(), error.sum(0)])

    best = minimize(loss, np.zeros(2 * len(used) + 2), jac=slope, method="L-BFGS-B")
    expected = _log_shares(dense @ best.x[:-2].reshape(-1, 2) + best.x[-2:])
    assert _log_shares(table @ weights + bias) == pytest.approx(expected, abs=0.02)


def test_one_subject_alone_cannot_be_learned() -> None:
    with pytest.raises(AsciiloomError, match="other subjects"):
        SubjectClassifier.fit(["a", "b"], [1, 1], BOTH)


@pytest.mark.parametrize("text", ["", "x", "|", "o\no\no", "═╗\n ║", "a cat", "日本\n語"])
def test_any_text_has_features(text: str) -> None:
    assert np.isfinite(shapes([text]).toarray()).all() and np.isfinite(sizes([text])).all()


def test_words_and_signatures_are_not_looked_at() -> None:
    assert drawn_part("/\\_/\\  jgs\n( o.o ) cat") == "/\\_/\\     \n( o.o )    "
    assert drawn_part("dMMMMb oOoOo") == "dMMMMb oOoOo"


def test_judges_learn_from_the_train_split(corpus: Corpus) -> None:
    subjects = ("tree", "star", "house", "heart")
    judges = Judges.learn(corpus, Selection(charset="ascii", split="validation"), subjects)
    assert judges.pieces > 60
    assert judges.shapes.subjects == subjects
    ranks, control = judges.ranks(["*", "/"], np.array([1, 2]))
    assert ranks.shape == control.shape == (2,) and 0 <= ranks.min() <= ranks.max() <= 3
