"""The cached batch engine: requests in, drawings out, every one inside its limits.

A chunk of requests is decoded together with one preallocated KV cache. Prompts are left-padded,
so all drawings write at the same place in the cache; finished drawings leave the batch when they
are half of it. Each drawing has random numbers of its own, from its seed and index alone, so
what it becomes does not depend on which others share its batch.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from asciiloom.generate.canvas import Canvas
from asciiloom.generate.constraint import Constraint
from asciiloom.generate.sampling import Sampling, sample
from asciiloom.model import GridInput, GridTransformer, KVCache
from asciiloom.piece import canonicalize

Ints = NDArray[np.int64]
LANES = 64


@dataclass(frozen=True, slots=True)
class Request:
    """One drawing: words and kind to prompt with, size hint, hard limits, and its own randomness."""

    words: str = ""
    kind: str | None = None
    width: int | None = None
    height: int | None = None
    constraint: Constraint = field(default_factory=Constraint)
    seed: int = 0
    index: int = 0


class Engine:
    """Decodes requests with one model. ``lanes``: drawings in flight at once."""

    def __init__(self, model: GridTransformer, lanes: int = LANES) -> None:
        self.model = model.eval()
        self.config = model.config
        self.tokenizer = model.config.tokenizer
        self.lanes = lanes
        self.device = next(model.parameters()).device
        self.tokens_drawn = 0

    def run(
        self,
        requests: Sequence[Request],
        sampling: Sampling | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Iterator[str]:
        """Texts in the order of ``requests``."""
        how = sampling or Sampling()
        for start in range(0, len(requests), self.lanes):
            texts = self._chunk(requests[start : start + self.lanes], how)
            if progress is not None:
                progress(len(texts))
            yield from texts

    @torch.inference_mode()
    def _chunk(self, requests: Sequence[Request], how: Sampling) -> list[str]:
        tokenizer, offsets = self.tokenizer, self.config.neighbours
        prompts = [tokenizer.prompt(r.words, r.width, r.height, r.kind) for r in requests]
        longest = max(map(len, prompts))
        most = self.config.context - longest - 1
        canvas = Canvas([r.constraint for r in requests], tokenizer, most)
        n = len(requests)
        ids = np.full((n, longest), tokenizer.pad, np.int64)
        column = np.zeros((n, longest), np.int64)
        real = np.zeros((n, longest), bool)
        for lane, prompt in enumerate(prompts):
            ids[lane, longest - len(prompt) :] = prompt
            column[lane, longest - len(prompt) :] = np.arange(len(prompt))
            real[lane, longest - len(prompt) :] = True
        cell = np.stack([np.zeros_like(column), column], axis=-1)
        following = np.stack([np.zeros_like(column), column + 1], axis=-1)
        following[:, -1] = np.stack(canvas.position, axis=-1)
        above = np.full((n, longest, len(offsets)), tokenizer.pad, np.int64)
        above[:, -1] = canvas.above(offsets)

        steps = min(most, max(_longest(r.constraint, most) for r in requests)) + 1
        capacity = longest + steps
        cache = KVCache(self.config, n, capacity, self.device)
        look = np.tril(np.ones((longest, longest), bool))[None] & real[:, None, :]
        look |= np.eye(longest, dtype=bool)  # a padding row must look somewhere
        logits = self.model(
            self._input(ids, cell, following, above), cache, self._tensor(look)[:, None]
        )
        visible = np.zeros((n, 1, 1, capacity), bool)
        visible[:, 0, 0, :longest] = real
        uniform = np.stack([_uniform(r, steps) for r in requests])
        drawn: list[list[int]] = [[] for _ in requests]
        lanes = np.arange(n)  # which request each row of the batch is
        scores = logits[:, -1]
        for step in range(steps):
            numbers = sample(
                scores.double().cpu().numpy(), canvas.mask(), how, uniform[lanes, step]
            )
            was = canvas.position
            canvas.step(numbers)
            self.tokens_drawn += int((~canvas.done).sum())
            for row in np.flatnonzero(~canvas.done).tolist():
                drawn[lanes[row]].append(int(numbers[row]))
            if canvas.done.all():
                break
            if canvas.done.sum() * 2 >= len(lanes):
                rows = np.flatnonzero(~canvas.done)
                canvas.keep(rows)
                lanes, visible, numbers = lanes[rows], visible[rows], numbers[rows]
                was = (was[0][rows], was[1][rows])
                cache.data = cache.data[:, :, torch.from_numpy(rows)].contiguous()
            visible[..., cache.length] = True
            scores = self.model(
                self._input(
                    numbers[:, None],
                    np.stack(was, axis=-1)[:, None],
                    np.stack(canvas.position, axis=-1)[:, None],
                    canvas.above(offsets)[:, None],
                ),
                cache,
                self._tensor(visible[..., : cache.length + 1]),
            )[:, -1]
        return [canonicalize(tokenizer.decode(numbers)).text for numbers in drawn]

    def _tensor(self, array: NDArray[np.bool_] | NDArray[np.int64]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)

    def _input(self, ids: Ints, cell: Ints, following: Ints, above: Ints) -> GridInput:
        # A finished drawing keeps being fed until the batch shrinks; any id will do.
        return GridInput(*map(self._tensor, (ids, cell, following, above)))


def _longest(constraint: Constraint, most: int) -> int:
    """Most characters a drawing under ``constraint`` can have."""
    full = constraint.max_height * (constraint.max_width + 1) - 1
    return min(most, full, constraint.max_chars or most)


def _uniform(request: Request, steps: int) -> NDArray[np.float64]:
    """The random numbers of one drawing: from its seed and index, nothing else."""
    return np.random.Generator(np.random.Philox(key=[request.seed, request.index])).random(steps)
