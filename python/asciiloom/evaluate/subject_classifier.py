"""Which subject a drawing shows, by what the real pieces of the train split look like: a judge from outside.

A model's own likelihoods flatter it, so its drawings are judged by something that never saw it: multinomial
logistic regression with L2 on character 1- to 4-grams of the text and on small blocks of the grid. Beside it
stands the control, the same regression on size and ink alone: what it gets right needs no drawing.

There are far fewer pieces than features, and with L2 the best weights lie in the span of the pieces. So the
regression is solved there: the Cholesky factor of the Gram matrix takes the features' place.

Sources: Joachims 1998 (n-grams and linear classifiers); Kimeldorf & Wahba 1971 (the span of the pieces);
Menon et al. 2021 (taking the prior out of the scores).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asciiloom.corpus import Corpus
from asciiloom.errors import AsciiloomError
from asciiloom.evaluate.subjects import shown
from asciiloom.piece import Grid, blank_credits, find_credits, measure_batch
from asciiloom.store import Selection

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]

GRAMS = (1, 2, 3, 4)
# Rows and columns of a block, of which at least two cells show ink.
BLOCKS = ((2, 2), (2, 3), (3, 2), (3, 1))
SLOTS = 1 << 17
# The weight of L2 where rows have length 1. Ten times less or more cost 0 to 4 points of held-out pieces.
PENALTY = 0.01
# Steps of L-BFGS; more change no held-out figure.
STEPS = 60
# More pieces would make the Gram matrix take more than a few seconds.
MAX_PIECES = 6_000
_WORD = re.compile(r"[A-Za-z]{3,}")

Features = Callable[[Sequence[str]], Any]


def drawn_part(text: str) -> str:
    """``text`` without signatures and words: what a drawing says is not what it shows."""
    bare = blank_credits(text, find_credits(text))
    return _WORD.sub(_blank_word, bare)


def _blank_word(match: re.Match[str]) -> str:
    # Where letters repeat they are strokes, as in dMMMb.
    letters = match[0].lower()
    differ = len(set(letters))
    return " " * len(letters) if differ >= 3 and differ * 3 >= len(letters) * 2 else match[0]


def _hashed(parts: Sequence[U64], salt: int) -> I64:
    """Slots (n,) of tuples given as columns ``parts``, each (n,); ``salt`` tells kinds of features apart."""
    with np.errstate(over="ignore"):
        h = np.full(parts[0].shape, np.uint64(0x9E3779B97F4A7C15 + 2 * salt), np.uint64)
        for part in parts:
            h = (h ^ part) * np.uint64(0xFF51AFD7ED558CCD)
            h ^= h >> np.uint64(32)
    return (h % np.uint64(SLOTS)).astype(np.int64)


def _slots(text: str) -> I64:
    """The slots of every gram and block of one text, with repeats."""
    flat = np.array([ord(c) for c in text], np.uint64)
    found = [
        _hashed([flat[k : len(flat) - n + 1 + k] for k in range(n)], n)
        for n in GRAMS
        if len(flat) >= n
    ]
    cells = Grid.from_text(text).cells.astype(np.uint64)
    ink = cells > 32
    height, width = cells.shape
    for salt, (rows, columns) in enumerate(BLOCKS, 10):
        if height < rows or width < columns:
            continue
        windows = [
            (slice(y, height - rows + 1 + y), slice(x, width - columns + 1 + x))
            for y in range(rows)
            for x in range(columns)
        ]
        enough = sum(ink[w].astype(np.int64) for w in windows) >= 2
        found.append(_hashed([cells[w][enough] for w in windows], salt))
    return np.concatenate(found) if found else np.empty(0, np.int64)


def shapes(texts: Sequence[str]) -> Any:
    """Grams and blocks, hashed: a sparse matrix (texts, ``SLOTS``) of log counts, rows of length 1."""
    from scipy.sparse import csr_array

    columns, values, ends = [], [], [0]
    for text in texts:
        slots, counts = np.unique(_slots(drawn_part(text)), return_counts=True)
        weight = np.log1p(counts)
        columns.append(slots)
        values.append(weight / max(1e-12, float(np.sqrt((weight**2).sum()))))
        ends.append(ends[-1] + len(slots))
    flat = (np.concatenate(values).astype(np.float32), np.concatenate(columns), np.array(ends))
    return csr_array(flat, shape=(len(texts), SLOTS))


def sizes(texts: Sequence[str]) -> Any:
    """Width, height, ink and how full the box is, with their squares: (texts, 8), each about 1."""
    found = measure_batch([drawn_part(text) for text in texts])
    logs = np.log1p([[m.width, m.height, m.ink] for m in found]) / 5
    full = [[m.ink / max(1, m.width * m.height)] for m in found]
    plain = np.hstack([logs, full])
    return np.hstack([plain, plain**2])


@dataclass(frozen=True, slots=True)
class SubjectClassifier:
    """A fitted regression: ``weights`` (features, subjects) and ``bias`` (subjects,). ``prior`` (subjects,) is
    the log share of each subject among the pieces it learned from, -inf where it has none."""

    subjects: tuple[str, ...]
    features: Features
    weights: F32
    bias: F64
    prior: F64

    @classmethod
    def fit(
        cls,
        texts: Sequence[str],
        labels: Sequence[int],
        subjects: tuple[str, ...],
        features: Features = shapes,
        penalty: float = PENALTY,
    ) -> "SubjectClassifier":
        """Learn from ``texts`` that show ``subjects[labels[k]]``; ``AsciiloomError`` below two subjects."""
        right = np.asarray(labels, np.int64)
        if len(np.unique(right)) < 2:
            raise AsciiloomError(
                "the train split has labelled pieces of fewer than two of the subjects: name other subjects,"
                " or widen the selection"
            )
        if len(texts) > MAX_PIECES:
            chosen = np.sort(np.random.default_rng(0).permutation(len(texts))[:MAX_PIECES])
            texts, right = [texts[k] for k in chosen], right[chosen]
        known, place, counts = np.unique(right, return_inverse=True, return_counts=True)
        prior = np.full(len(subjects), -np.inf)
        prior[known] = np.log(counts / counts.sum())
        table = features(texts)
        solved, intercepts = _solve(table, place, prior[known], penalty)
        weights = np.zeros((table.shape[1], len(subjects)), np.float32)
        weights[:, known] = solved
        bias = np.full(len(subjects), -np.inf)
        bias[known] = intercepts
        return cls(subjects, features, weights, bias, prior)

    def scores(self, texts: Sequence[str], *, balanced: bool = False) -> F64:
        """Log shares (texts, subjects), -inf for subjects it never saw. ``balanced``: as if all subjects were
        equally frequent, which they are where each is asked for as often."""
        if not len(texts):
            return np.empty((0, len(self.subjects)))
        raw = np.asarray(self.features(texts) @ self.weights, np.float64) + self.bias
        if balanced:
            raw -= np.where(np.isfinite(self.prior), self.prior, 0)
        return _log_shares(raw)


@dataclass(frozen=True, slots=True)
class Judges:
    """The classifier of shapes and its control, learned from the same ``pieces`` real ones."""

    shapes: SubjectClassifier
    sizes: SubjectClassifier
    pieces: int

    @classmethod
    def learn(cls, corpus: Corpus, selection: Selection, subjects: tuple[str, ...]) -> "Judges":
        """From the pieces of the train split of ``selection`` that show one of ``subjects``."""
        pieces = list(shown(corpus, selection.replace(split="train"), subjects))
        texts, labels = [p.text for p in pieces], [p.subject for p in pieces]
        return cls(
            SubjectClassifier.fit(texts, labels, subjects, shapes),
            SubjectClassifier.fit(texts, labels, subjects, sizes),
            len(pieces),
        )

    def ranks(self, texts: Sequence[str], right: I64, *, balanced: bool = False) -> tuple[I64, I64]:
        """How many subjects each of the two puts before the ``right`` one (texts,), or beside it."""
        one, two = (
            _ranks(judge.scores(texts, balanced=balanced), right)
            for judge in (self.shapes, self.sizes)
        )
        return one, two


def _ranks(scores: F64, right: I64) -> I64:
    own = scores[np.arange(len(right)), right][:, None]
    return np.asarray((scores >= own).sum(axis=1) - 1, np.int64)


def _solve(table: Any, right: I64, prior: F64, penalty: float) -> tuple[F32, F64]:
    """Weights (features, k) and bias (k,) of the regression of ``right`` (pieces,) in 0..k-1 on ``table``
    (pieces, features), sparse or not."""
    from scipy.linalg import cholesky, solve_triangular
    from scipy.optimize import minimize

    pieces, k = len(right), len(prior)
    in_span = table.shape[1] > pieces
    if in_span:
        gram = _gram(table) + 1e-4 * np.eye(pieces, dtype=np.float32)
        base = cholesky(gram, lower=True, overwrite_a=True)
    else:
        base = np.asarray(table, np.float32)
    n = base.shape[1]
    target = np.eye(k, dtype=np.float32)[right]

    def loss(flat: F64) -> tuple[float, F64]:
        w, bias = flat[: n * k].reshape(n, k), flat[n * k :]
        shares = _log_shares(base @ w.astype(np.float32) + bias)
        error = np.exp(shares) - target
        slope = base.T @ error.astype(np.float32) + penalty * w
        total = 0.5 * penalty * (w**2).sum() - shares[np.arange(pieces), right].sum()
        return float(total), np.concatenate([slope.ravel(), error.sum(0)]).astype(np.float64)

    begin = np.concatenate([np.zeros(n * k), prior])
    best = minimize(
        loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": STEPS, "ftol": 1e-6}
    ).x
    weights = best[: n * k].reshape(n, k).astype(np.float32)
    if in_span:
        weights = table.T @ solve_triangular(base, weights, lower=True, trans=1)
    return np.asarray(weights, np.float32), best[n * k :]


def _gram(table: Any) -> F32:
    """Inner products (rows, rows) of a sparse table; columns that many rows have are multiplied as a full one."""
    filled = np.bincount(table.indices, minlength=table.shape[1])
    common = filled > table.shape[0] / 20
    by_column = table.tocsc()
    full = by_column[:, np.flatnonzero(common)].toarray()
    rest = by_column[:, np.flatnonzero(~common & (filled > 0))].tocsr()
    return np.asarray(full @ full.T + (rest @ rest.T).toarray(), np.float32)


def _log_shares(scores: F64) -> F64:
    """Scores (n, k) less the log of the sum of their exponentials."""
    safe = scores - scores.max(axis=1, keepdims=True)
    return np.asarray(safe - np.log(np.exp(safe).sum(axis=1, keepdims=True)))
