"""What a model draws, in figures: the test that bits per character are no substitute for.

Some drawings of each of some subjects are made at several sizes and measured beside held-out real pieces that
fit the largest: whether a judge from outside tells their subjects, whether they end by themselves and are
closed, their form, how near they come to a training piece, and how they differ among each other. No figure
means much alone: each stands beside the same figure of real pieces.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from asciiloom.corpus import Corpus
from asciiloom.evaluate.subject_classifier import Judges
from asciiloom.evaluate.subjects import COMMON, shown
from asciiloom.generate import Constraint, Drawing
from asciiloom.piece import blank_credits, find_credits, form
from asciiloom.similarity.alignment import align_pairs
from asciiloom.similarity.grids import GridBatch
from asciiloom.store import Selection
from asciiloom.store.selection import Range
from asciiloom.twins.likeness import nearest

I64 = NDArray[np.int64]
Sizes = tuple[tuple[int, int], ...]
Progress = Callable[[str, int, int], None]

SIZES: Sizes = ((24, 10), (40, 14), (60, 20))
EACH = 2
# Held-out pieces beside the drawings; more change the figures less than their error.
MAX_REAL = 400
# Pairs of one subject that are compared with each other.
MAX_PAIRS = 200
# Drawings that come nearest to training pieces, and are named.
NAMED = 5


class Draw(Protocol):
    """Makes ``count`` drawings of ``words`` within ``limits``."""

    def __call__(
        self, words: str, limits: Constraint, count: int, seed: int
    ) -> Sequence[Drawing]: ...


@dataclass(frozen=True, slots=True)
class Attempt:
    """One drawing of the subject at this place, asked to be at most ``size`` (columns, rows)."""

    subject: int
    size: tuple[int, int]
    drawing: Drawing


def attempts(
    draw: Draw,
    subjects: Sequence[str],
    *,
    sizes: Sizes = SIZES,
    each: int = EACH,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[Attempt]:
    """``each`` drawings of each subject at each size."""
    made: list[Attempt] = []
    total = len(subjects) * len(sizes) * each
    for size in sizes:
        limits = Constraint(*size)
        for place, word in enumerate(subjects):
            made += [Attempt(place, size, d) for d in draw(word, limits, each, seed)]
            if progress:
                progress("drawing", len(made), total)
    return made


@dataclass(frozen=True, slots=True)
class DrawingTest:
    """What drawings are measured by: made once for a corpus, whatever draws.

    ``training``: ids of the pieces that the model was trained on; ``real``: figures of the held-out pieces that
    show one of ``subjects``, None where there are none; ``near``: the 95th percentile of how near those come to
    a training piece.
    """

    corpus: Corpus
    subjects: tuple[str, ...]
    judges: Judges
    training: I64
    real: dict[str, Any] | None
    real_by_subject: dict[int, float]
    near: float | None

    @classmethod
    def prepare(
        cls,
        corpus: Corpus,
        selection: Selection,
        subjects: tuple[str, ...] = COMMON,
        sizes: Sizes = SIZES,
        progress: Progress | None = None,
    ) -> "DrawingTest":
        """Judges from the train split of ``selection``; real pieces from its own split ("validation" if none)."""
        tell = progress or (lambda stage, done, total: None)
        tell("classifier", 0, 1)
        judges = Judges.learn(corpus, selection, subjects)
        statement, params = selection.replace(split="train", order="id").sql("piece.id")
        rows = corpus.connection.execute(statement, params).fetchall()
        training = np.array([row[0] for row in rows], np.int64)
        held_out = selection.replace(
            split=selection.split or "validation",
            width=_at_most(selection.width, max(width for width, _ in sizes)),
            height=_at_most(selection.height, max(height for _, height in sizes)),
        )
        pieces = list(shown(corpus, held_out, subjects, MAX_REAL))
        bare = cls(corpus, subjects, judges, training, None, {}, None)
        if not pieces:
            return bare
        tell("held-out pieces", 0, 1)
        texts, places = [p.text for p in pieces], np.array([p.subject for p in pieces], np.int64)
        figures, right, near, _ = bare._figures(texts, places)
        return cls(
            corpus, subjects, judges, training, figures, _by_subject(right, places),
            float(np.percentile(near, 95)) if len(near) else None,
        )  # fmt: skip

    def measure(self, made: Sequence[Attempt]) -> dict[str, Any]:
        """Every figure of the drawings ``made``, those of the real pieces, and each drawing with its own."""
        texts = [a.drawing.text for a in made]
        places = np.array([a.subject for a in made], np.int64)
        figures, right, near, pieces = self._figures(texts, places)
        ended = np.array([a.drawing.ended for a in made], bool)
        closed = np.array([form(text).closed for text in texts], bool)
        figures["ended"] = _mean(ended)
        figures["ended_and_closed"] = _mean(ended & closed)
        if self.near is not None and len(near):
            figures["nearer_than_real"] = int((near > self.near).sum())
        drawn_by, real = _by_subject(right, places), self.real
        drawings = [
            {
                "subject": self.subjects[a.subject], "size": "{}x{}".format(*a.size), "seed": a.drawing.seed,
                "index": a.drawing.index, "ended": a.drawing.ended, "closed": bool(closed[k]),
                "right": bool(right[k]), "nearest": int(pieces[k]) if len(pieces) else None,
                "agreement": round(float(near[k]), 4) if len(near) else None, "text": a.drawing.text,
            }
            for k, a in enumerate(made)
        ]  # fmt: skip
        return {
            "subjects": len(self.subjects),
            "chance": 1 / len(self.subjects),
            "training_pieces": len(self.training),
            "labelled_pieces": self.judges.pieces,
            "drawn": figures,
            "real": real,
            "share_of_real": figures["class_score"] / real["class_score"]
            if real and real["class_score"] and figures["class_score"] is not None
            else None,
            "by_subject": [
                {
                    "subject": word,
                    "drawn": drawn_by.get(place),
                    "real": self.real_by_subject.get(place),
                }
                for place, word in enumerate(self.subjects)
            ],
            "drawings": drawings,
        }

    def _figures(
        self, texts: Sequence[str], places: I64
    ) -> tuple[dict[str, Any], NDArray[np.bool_], NDArray[np.float64], I64]:
        """(figures, whether the classifier is right, agreement with the nearest training piece, its id)."""
        ranks, control = self.judges.ranks(texts, places, balanced=True)
        likes = nearest(self.corpus.connection, texts, self.training)
        near = np.array([like.agreement for like in likes if like is not None])
        pieces = np.array([like.id for like in likes if like is not None], np.int64)
        forms = [form(text) for text in texts]
        figures: dict[str, Any] = {
            "pieces": len(texts),
            "class_score": _evenly(ranks < 1, places),
            "class_in_three": _evenly(ranks < 3, places),
            "control_score": _evenly(control < 1, places),
            **{
                name: _mean(np.array([getattr(f, name) for f in forms], float))
                for name in ("blank", "run", "parts", "largest", "letters", "initials", "closed")
            },
            "nearest_mean": _mean(near),
            "nearest_95": float(np.percentile(near, 95)) if len(near) else None,
            "nearest_most": float(near.max()) if len(near) else None,
            "diversity": diversity(texts, places),
        }
        return figures, ranks < 1, near, pieces


def diversity(texts: Sequence[str], places: I64) -> float | None:
    """1 less the mean agreement of two texts of one subject, evenly over subjects; None where none has two."""
    bare = [blank_credits(text, find_credits(text)) for text in texts]
    batch = GridBatch.from_texts(bare).tight()
    rng = np.random.default_rng(0)
    apart = []
    for place in np.unique(places):
        own = np.flatnonzero(places == place)
        one, two = np.triu_indices(len(own), 1)
        if not len(one):
            continue
        some = rng.permutation(len(one))[:MAX_PAIRS]
        apart.append(1 - float(align_pairs(batch, own[one[some]], own[two[some]])[:, 0].mean()))
    return float(np.mean(apart)) if apart else None


def _at_most(given: Range, most: int) -> Range:
    low, high = given
    return low, most if high is None else min(high, most)


def _mean(values: NDArray[Any]) -> float | None:
    return float(values.mean()) if len(values) else None


def _by_subject(right: NDArray[np.bool_], places: I64) -> dict[int, float]:
    return {int(place): float(right[places == place].mean()) for place in np.unique(places)}


def _evenly(right: NDArray[np.bool_], places: I64) -> float | None:
    """The share that is right, every subject counting alike: real pieces are mostly birds and cats."""
    shares = list(_by_subject(right, places).values())
    return float(np.mean(shares)) if shares else None
