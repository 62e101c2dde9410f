"""Drawings under random hard limits from an untrained model: none may break a limit, be empty or get stuck.

The peer of the speed column is the same model and engine with the least limits (a size only), so
the ratio is what exactness, budgets and forbidden glyphs cost.

Usage: python scripts/bench/limits.py [--count 10000]
"""

import time
from dataclasses import replace

import numpy as np
import torch
from _common import options, report

from asciiloom.generate import Constraint, Engine, Request, Sampling
from asciiloom.model import PRESETS, untrained_model
from asciiloom.tokens import Prompt

LANES = 250
SPREADS = (0.0, 0.1, 0.5)  # noise on the weights: flat, uneven and extreme predictions


def random_limits(rng: np.random.Generator) -> Constraint:
    """Width, height, exact size and budget in every combination, up to 60x20."""
    width, height = int(rng.integers(1, 61)), int(rng.integers(1, 21))
    kind = rng.integers(4)
    if kind == 0:
        return Constraint(width, height)
    exact = Constraint.exact(width, height)
    if kind == 1:
        return exact
    least = exact.least_chars()
    budget = least + int(rng.integers(0, 200))
    if kind == 2:
        return replace(exact, max_chars=budget)
    low = (int(rng.integers(1, width + 1)), int(rng.integers(1, height + 1)))
    loose = Constraint(width, height, *low, forbid="`~" if rng.random() < 0.5 else "")
    return replace(loose, max_chars=loose.least_chars() + int(rng.integers(0, 100)))


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    count = parser.parse_args().count
    rng = np.random.default_rng(0)
    rows = []
    for part, spread in enumerate(SPREADS):
        model = untrained_model(PRESETS["nano"], part)
        with torch.no_grad():
            for p in model.parameters():
                p.add_(spread * torch.randn_like(p))
        engine = Engine(model, lanes=LANES)
        share = count // len(SPREADS) + (count % len(SPREADS) if part == 0 else 0)
        limits = [random_limits(rng) for _ in range(share)]
        requests = [Request(Prompt("anything"), c, part, i) for i, c in enumerate(limits)]
        start = time.perf_counter()
        texts = list(engine.run(requests, Sampling(1.0, 0, 1.0)))
        constrained = engine.tokens_drawn / (time.perf_counter() - start)
        broken = [v for c, t in zip(limits, texts, strict=True) if (v := c.violations(t))]
        empty = sum(not t.strip() for t in texts)
        free = Engine(model, lanes=LANES)
        loose = [Request(Prompt("anything"), Constraint(60, 20), part, i) for i in range(LANES)]
        start = time.perf_counter()
        list(free.run(loose, Sampling(1.0, 0, 1.0)))
        peer = free.tokens_drawn / (time.perf_counter() - start)
        rows.append(
            (
                spread,
                share,
                len(broken),
                empty,
                share - len(texts),
                round(constrained),
                round(peer),
                constrained / peer,
            )
        )
    report(
        "limits",
        (
            "weight noise",
            "drawings",
            "violations",
            "empty",
            "dead ends",
            "tokens/s",
            "size-only tokens/s",
            "ratio",
        ),
        rows,
    )
    if any(r[2] or r[3] or r[4] for r in rows):
        raise SystemExit("a law was broken")


if __name__ == "__main__":
    main()
