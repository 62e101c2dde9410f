#!/usr/bin/env python3
"""Samplers on the same weights: what each draws, in the figures of ``asciiloom eval --subjects``.

Rows: the sampler of every language model (temperature and top-p over all tokens at once), structure and ink
sampled apart (the default), guidance of several strengths, and best of several; the last row is held-out real
pieces. The judges and the figures of real pieces are made once.

Example: python scripts/bench/drawings.py art.db runs/first --each 2 --at 40x14
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import numpy as np
from _common import options, report
from numpy.typing import NDArray

from asciiloom.corpus import Corpus
from asciiloom.evaluate import COMMON, DrawingTest, attempts, read_subjects
from asciiloom.evaluate.drawings import SIZES
from asciiloom.generate import Constraint, Drawing, Generator, Sampling, engine
from asciiloom.store import Selection
from asciiloom.train import DEFAULT_SELECTION, find_checkpoint, read_selection

F64 = NDArray[np.float64]
FIGURES = (
    "class_score", "control_score", "ended", "closed", "blank", "run", "parts", "largest", "letters", "initials",
    "nearest_mean", "nearest_95", "nearer_than_real", "diversity",
)  # fmt: skip
ONE_CUT = "temperature 0.8, top-p 0.95 per token"


def sample_per_token(
    logits: F64, legal: NDArray[np.bool_], how: Sampling, uniform: F64, structure: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """What ``generate.sampling.sample`` is measured against: one cut over all tokens, blanks and ends too."""
    masked = np.where(legal, logits, -np.inf) / how.temperature
    order = np.argsort(-masked, axis=1, kind="stable")
    weight = np.exp(np.take_along_axis(masked, order, 1) - masked.max(1, keepdims=True))
    total = np.cumsum(weight, axis=1)
    weight[(total - weight) > how.top_p * total[:, -1:]] = 0
    total = np.cumsum(weight, axis=1)
    place = (total <= uniform[:, None] * total[:, -1:]).sum(axis=1)
    last = (weight > 0).sum(axis=1) - 1
    chosen = np.take_along_axis(order, np.minimum(place, last)[:, None], axis=1)
    return np.asarray(chosen[:, 0])


@contextmanager
def sampler(per_token: bool) -> Iterator[None]:
    """Within the block the engine draws per token, or as it is."""
    usual = engine.sample
    engine.sample = sample_per_token if per_token else usual
    try:
        yield
    finally:
        engine.sample = usual


def samplers(
    guidances: Sequence[float], bests: Sequence[int]
) -> list[tuple[str, Sampling, int, bool]]:
    """(name, sampling, best of, per token) of each row. Best of several is drawn with the middle guidance."""
    rows = [(ONE_CUT, Sampling(), 1, True), ("structure and ink apart", Sampling(), 1, False)]
    rows += [(f"guidance {g:g}", Sampling(guidance=g), 1, False) for g in guidances if g != 1]
    middle = sorted(guidances)[len(guidances) // 2] if guidances else 1.0
    rows += [
        (f"guidance {middle:g}, best of {n}", Sampling(guidance=middle), n, False)
        for n in bests
        if n > 1
    ]
    return rows


def drawing(
    generator: Generator, sampling: Sampling, best_of: int
) -> Callable[[str, Constraint, int, int], Sequence[Drawing]]:
    """Drawings of kind art with these settings."""

    def draw(words: str, limits: Constraint, count: int, seed: int) -> Sequence[Drawing]:
        return generator.draw(
            words, kind="art", constraint=limits, count=count, seed=seed, sampling=sampling, best_of=best_of
        )  # fmt: skip

    return draw


def trained_on(generator: Generator) -> Selection:
    kept = generator.card.training.get("settings", {}).get("selection")
    return DEFAULT_SELECTION if kept is None else read_selection(kept)


def row(name: str, figures: dict[str, Any], seconds: float | None) -> list[Any]:
    numbers = (figures.get(key) for key in FIGURES)
    return [name, *(round(n, 4) if isinstance(n, float) else n for n in numbers), seconds]


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(width), int(height)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("db")
    parser.add_argument("model", type=Path)
    parser.add_argument("--at", type=_size, action="append", help="Sizes; the usual three if none.")
    parser.add_argument("--each", type=int, default=2, help="Of each subject at each size.")
    parser.add_argument("--subjects", type=Path, help="A list, one a line; 40 common ones if none.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--guidance", type=float, nargs="*", default=(1.0, 2.0, 3.0, 4.0))
    parser.add_argument("--best-of", type=int, nargs="*", default=(1, 4, 8))
    parser.add_argument("--name", default="drawings", help="Of the JSON under results/.")
    parser.add_argument("--no-keep", action="store_true", help="Print only: a trial of the script.")
    told = parser.parse_args()
    subjects = read_subjects(told.subjects) if told.subjects else COMMON
    sizes = tuple(told.at or SIZES)
    generator = Generator.load(find_checkpoint(told.model))
    rows = []
    with Corpus(told.db) as corpus:
        test = DrawingTest.prepare(corpus, trained_on(generator), subjects, sizes)
        for name, sampling, best_of, per_token in samplers(told.guidance, told.best_of):
            start = time.perf_counter()
            with sampler(per_token):
                draw = drawing(generator, sampling, best_of)
                made = attempts(draw, subjects, sizes=sizes, each=told.each, seed=told.seed)
            seconds = round(time.perf_counter() - start, 1)
            rows.append(row(name, test.measure(made)["drawn"], seconds))
            print(f"{name}: {len(made)} drawings in {seconds} s", file=sys.stderr)
    if test.real:
        rows.append(row("held-out real pieces", test.real, None))
    report(told.name, ("sampler", *FIGURES, "seconds"), rows, keep=not told.no_keep)


if __name__ == "__main__":
    main()
