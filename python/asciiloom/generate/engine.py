"""The cached batch engine: requests in, drawings out, every one inside its limits.

A chunk of requests is decoded together with one preallocated KV cache. Prompts are left-padded,
so all drawings write at the same place in the cache; finished drawings leave the batch when they
are half of it. Each drawing has random numbers of its own, from its seed and index alone, so
what it becomes does not depend on which others share its batch.

With guidance every drawing has two rows in the network's batch: one whose prompt has the words, and one
without. Both are fed what was drawn.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from asciiloom.errors import CheckpointError, ConstraintError, SettingsError
from asciiloom.generate.canvas import Canvas
from asciiloom.generate.constraint import Constraint
from asciiloom.generate.sampling import Sampling, barred_share, guide, sample
from asciiloom.model import GridInput, GridTransformer, KVCache
from asciiloom.piece import canonicalize
from asciiloom.tokens import GridTokenizer, Prompt, grid_layout, reference_window
from asciiloom.tokens.reference import reference_grid

Ints = NDArray[np.int64]
Ids = NDArray[np.uint16]
LANES = 64
# What the KV cache of a batch may take; a model with a large one draws fewer at once.
CACHE_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Request:
    """One drawing: what is asked for, hard limits, and its own randomness (seed and index, 64 bits each)."""

    prompt: Prompt = field(default_factory=Prompt)
    constraint: Constraint = field(default_factory=Constraint)
    seed: int = 0
    index: int = 0


@dataclass(frozen=True, slots=True)
class _Told:
    """What every step of a drawing is told beside its ids: size (B, 2), topics (B, topics) and level (B,) of the
    prompts, and the grids of what they are to be drawn after."""

    size: Ints
    topics: Ints
    level: Ints
    grids: list[Ids | None]

    @classmethod
    def of(cls, requests: Sequence[Request], tokenizer: GridTokenizer) -> "_Told":
        prompts = [request.prompt for request in requests]
        given = [prompt.reference for prompt in prompts]
        return cls(
            np.array([prompt.size for prompt in prompts], np.int64),
            np.stack([tokenizer.topics(prompt) for prompt in prompts]).astype(np.int64),
            np.array([r.level if r else 0 for r in given], np.int64),
            [reference_grid(r.text, tokenizer) if r else None for r in given],
        )

    def keep(self, rows: Ints) -> "_Told":
        """Of these rows only."""
        grids = [self.grids[row] for row in rows]
        return _Told(self.size[rows], self.topics[rows], self.level[rows], grids)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What became of one request. ``ended``: by its own choice, and not because its limits left no other."""

    text: str
    ended: bool


@dataclass(frozen=True, slots=True)
class _Prompts:
    """Prompts of a batch, left-padded: ids (B, T), cells and next cells (B, T, 2), neighbours
    (B, T, K), and which ids are real (B, T)."""

    ids: Ints
    cell: Ints
    next_cell: Ints
    above: Ints
    real: NDArray[np.bool_]


class Engine:
    """Decodes requests with one model. ``lanes``: drawings in flight at once."""

    def __init__(self, model: GridTransformer, lanes: int = LANES) -> None:
        self.model = model.eval()
        self.config = model.config
        self.tokenizer = model.config.tokenizer
        self.lanes = lanes
        self.device = next(model.parameters()).device
        self.tokens_drawn = 0

    def must_take_reference(self) -> None:
        """``SettingsError`` where the model reads no example beside its prompt."""
        if not self.config.reference:
            raise SettingsError(
                "this model takes no example to draw after: leave it out, or train one that does"
            )

    def run(
        self,
        requests: Sequence[Request],
        sampling: Sampling | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Iterator[str]:
        """Texts in the order of ``requests``."""
        return (drawn.text for drawn in self.draw(requests, sampling, progress))

    def draw(
        self,
        requests: Sequence[Request],
        sampling: Sampling | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Iterator[Drawn]:
        """As ``run``, and how each drawing came to its end."""
        how = sampling or Sampling()
        c = self.config
        if any(request.prompt.reference is not None for request in requests):
            self.must_take_reference()
        cached = 4 * 2 * c.layers * c.kv_heads * c.head * c.context  # bytes a drawing, at most
        lanes = max(1, min(self.lanes, CACHE_BYTES // cached))
        for start in range(0, len(requests), lanes):
            done = self._chunk(requests[start : start + lanes], how)
            if progress is not None:
                progress(len(done))
            yield from done

    @torch.inference_mode()
    def _chunk(self, requests: Sequence[Request], how: Sampling) -> list[Drawn]:
        tokenizer, offsets = self.tokenizer, self.config.neighbours
        guided = how.guidance != 1
        asked = list(requests)
        if guided:
            asked += [replace(r, prompt=replace(r.prompt, words="")) for r in requests]
        prompts = [tokenizer.encode_prompt(request.prompt) for request in asked]
        longest = max(map(len, prompts))
        capacity = self.config.context - longest - 1
        if capacity < 1:
            raise ConstraintError(
                f"the prompt takes {longest} of the {self.config.context} ids that this model can"
                " look back on; ask in fewer words"
            )
        canvas = Canvas([r.constraint for r in requests], tokenizer, capacity)
        n = len(requests)
        start = self._prompts(prompts)
        real = start.real
        told = _Told.of(asked, tokenizer)
        steps = max(_longest(r.constraint, capacity) for r in requests) + 1
        cached = longest + steps
        cache = KVCache(self.config, len(asked), cached, self.device)
        look = np.tril(np.ones((longest, longest), bool))[None] & real[:, None, :]
        look |= np.eye(longest, dtype=bool)  # a padding row must look somewhere
        given = self._input(start.ids, start.cell, start.next_cell, start.above, told, longest - 1)
        logits = self.model(given, cache, self._tensor(look)[:, None])
        visible = np.zeros((len(asked), 1, 1, cached), bool)
        visible[:, 0, 0, :longest] = real
        uniform = np.stack([_uniform(r, steps) for r in requests])
        drawn: list[list[int]] = [[] for _ in requests]
        ended = np.zeros(n, bool)
        lanes = np.arange(n)  # which request each drawing is
        scores = logits[:, -1]
        for step in range(steps):
            if not bool(torch.isfinite(scores).all()):
                raise CheckpointError(
                    "the model's numbers overflow: its weights are damaged; take another checkpoint"
                )
            logged = scores.double().cpu().numpy()
            if guided:
                logged = guide(logged[: len(lanes)], logged[len(lanes) :], how.guidance)
            legal, open_before = canvas.mask(), ~canvas.done
            numbers = sample(logged, legal, how, uniform[lanes, step], canvas.structure)
            drawn_at = canvas.position
            canvas.step(numbers)
            over = np.flatnonzero(canvas.done & open_before)
            ended[lanes[over]] = barred_share(logged[over], legal[over]) < 0.5
            self.tokens_drawn += int((~canvas.done).sum())
            for row in np.flatnonzero(~canvas.done).tolist():
                drawn[lanes[row]].append(int(numbers[row]))
            if canvas.done.all():
                break
            if canvas.done.sum() * 2 >= len(lanes):
                alive = np.flatnonzero(~canvas.done)
                canvas.keep(alive)
                kept = np.concatenate([alive, alive + len(lanes)]) if guided else alive
                lanes, numbers = lanes[alive], numbers[alive]
                drawn_at = (drawn_at[0][alive], drawn_at[1][alive])
                told, visible = told.keep(kept), visible[kept]
                cache.keep(torch.from_numpy(kept).to(self.device))
            visible[..., cache.length] = True
            drawing = np.tile(np.arange(len(lanes)), 1 + guided)  # of each of those rows
            scores = self.model(
                self._input(
                    numbers[drawing, None],
                    np.stack(drawn_at, axis=-1)[drawing, None],
                    np.stack(canvas.position, axis=-1)[drawing, None],
                    canvas.above(offsets)[drawing, None],
                    told,
                ),
                cache,
                self._tensor(visible[..., : cache.length + 1]),
            )[:, -1]
        texts = (canonicalize(tokenizer.decode(numbers)).text for numbers in drawn)
        return [Drawn(*pair) for pair in zip(texts, ended.tolist(), strict=True)]

    def _prompts(self, prompts: Sequence[Ids]) -> _Prompts:
        """The prompts' layout as in training, moved to the right edge."""
        pad = self.tokenizer.pad
        length = np.array([len(p) for p in prompts], np.int16)
        longest = int(length.max())
        flush_left = np.full((len(prompts), longest), pad, np.uint16)
        for lane, prompt in enumerate(prompts):
            flush_left[lane, : len(prompt)] = prompt
        offsets = self.config.neighbours
        layout = grid_layout(flush_left, length, length, self.tokenizer, offsets)
        out = _Prompts(
            np.full((len(prompts), longest), pad, np.int64),
            np.zeros((len(prompts), longest, 2), np.int64),
            np.zeros((len(prompts), longest, 2), np.int64),
            np.full((len(prompts), longest, len(offsets)), pad, np.int64),
            np.arange(longest) >= longest - length[:, None],
        )
        for lane, n in enumerate(length.tolist()):
            out.ids[lane, longest - n :] = flush_left[lane, :n]
            out.cell[lane, longest - n :] = layout.cell[lane, :n]
            out.next_cell[lane, longest - n :] = layout.next_cell[lane, :n]
            out.above[lane, longest - n :] = layout.above[lane, :n]
        return out

    def _tensor(self, array: NDArray[np.bool_] | NDArray[np.int64]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)

    def _input(
        self,
        ids: Ints,
        cell: Ints,
        next_cell: Ints,
        above: Ints,
        told: _Told,
        first: int = 0,
    ) -> GridInput:
        """The network's input for ids (B, T), which are art from place ``first`` on."""
        # A finished drawing keeps being fed until the batch shrinks; any id will do.
        arrays = [ids, cell, next_cell, above, told.size, told.topics]
        if told.level.any():
            seen = reference_window(
                told.grids,
                next_cell.astype(np.int16),
                np.full(len(ids), first, np.int16),
                self.tokenizer.outputs,
            )
            arrays += [seen.astype(np.int64), told.level]
        return GridInput(*map(self._tensor, arrays))


def _longest(constraint: Constraint, capacity: int) -> int:
    """Most characters a drawing under ``constraint`` can have."""
    full = constraint.max_height * (constraint.max_width + 1) - 1
    return min(capacity, full, constraint.max_chars or capacity)


def _uniform(request: Request, steps: int) -> NDArray[np.float64]:
    """The random numbers of one drawing: from its seed and index, nothing else."""
    return random_numbers(request.seed, request.index).random(steps)


def random_numbers(seed: int, stream: int) -> np.random.Generator:
    """The numbers of ``seed``, in one of 2^64 independent streams."""
    # As an array: numpy would make floats of a list of small and large numbers, and lose their ends.
    return np.random.Generator(np.random.Philox(key=np.array([seed, stream], np.uint64)))
