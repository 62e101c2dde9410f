"""Full batches of whole pieces, with no attention across pieces.

Pieces of similar length share a batch, one a row, right-padded to the longest. A causal model
never looks right, so padding is never seen and no mask is needed; sorting by length keeps
padding to a few per cent, and it is measured (``PackedBatch.fill``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asciiloom.tokens.layout import NEIGHBOURS, Layout, grid_layout
from asciiloom.tokens.prompt import Prompt
from asciiloom.tokens.reference import reference_grid, reference_window
from asciiloom.tokens.tokenizer import EOS, GridTokenizer, Ids

IGNORE = -100
# Lengths are rounded up to this, so that shapes (and compiled kernels) repeat.
ROUND = 16


@dataclass(frozen=True, slots=True)
class Example:
    """One training sequence: a prompt and its ids, then the art's ids (the end token is implied)."""

    prompt: Prompt
    prompt_ids: Ids
    art: Ids
    piece: int = 0

    @classmethod
    def encode(
        cls, prompt: Prompt, text: str, tokenizer: GridTokenizer, piece: int = 0
    ) -> "Example":
        """The example of ``text`` asked for with ``prompt``."""
        return cls(prompt, tokenizer.encode_prompt(prompt), tokenizer.encode(text), piece)

    def __len__(self) -> int:
        return len(self.prompt_ids) + len(self.art)


@dataclass(frozen=True, slots=True)
class PackedBatch:
    """``ids``, ``targets``: (batch, time); targets are ``IGNORE`` on prompts and padding.

    ``length`` counts a row's real ids; ``size`` (batch, 2) and ``topics`` (batch, topics) are those of the
    prompts; ``characters`` counts the art's characters in the batch. ``reference`` (batch, time, 12) is what the
    drawings to draw after show, and ``level`` (batch,) how freely, 0 for none; None where no row has one.
    """

    ids: Ids
    targets: NDArray[np.int64]
    layout: Layout
    length: NDArray[np.int16]
    size: NDArray[np.int16]
    topics: NDArray[np.int16]
    pieces: NDArray[np.int64]
    characters: int
    level: NDArray[np.int16]
    reference: Ids | None = None

    @property
    def fill(self) -> float:
        """Share of the rectangle that is not padding."""
        return float(self.length.sum()) / self.ids.size


def pack(
    examples: Sequence[Example],
    tokenizer: GridTokenizer,
    offsets: tuple[tuple[int, int], ...] = NEIGHBOURS,
) -> PackedBatch:
    """Put ``examples`` into one right-padded batch; each id predicts the one after it."""
    longest = max(map(len, examples))
    time = -(-longest // ROUND) * ROUND
    ids = np.full((len(examples), time), tokenizer.pad, np.uint16)
    targets = np.full((len(examples), time), IGNORE, np.int64)
    prompt = np.empty(len(examples), np.int16)
    length = np.empty(len(examples), np.int16)
    for row, example in enumerate(examples):
        p, n = len(example.prompt_ids), len(example)
        ids[row, :p] = example.prompt_ids
        ids[row, p:n] = example.art
        targets[row, p - 1 : n - 1] = example.art
        targets[row, n - 1] = EOS
        prompt[row], length[row] = p, n
    layout = grid_layout(ids, prompt, length, tokenizer, offsets)
    pieces = np.array([e.piece for e in examples], np.int64)
    characters = sum(len(e.art) for e in examples)
    size = np.array([e.prompt.size for e in examples], np.int16)
    topic = np.stack([tokenizer.topics(e.prompt) for e in examples])
    level, seen = see_references([e.prompt for e in examples], layout, prompt, tokenizer)
    return PackedBatch(ids, targets, layout, length, size, topic, pieces, characters, level, seen)


def see_references(
    prompts: Sequence[Prompt], layout: Layout, length: NDArray[np.int16], tokenizer: GridTokenizer
) -> tuple[NDArray[np.int16], Ids | None]:
    """What ``prompts`` of ``length`` ids give to draw after: levels (batch,) and windows (batch, time, 12), None
    where no prompt gives anything."""
    given = [prompt.reference for prompt in prompts]
    level = np.array([reference.level if reference else 0 for reference in given], np.int16)
    if not level.any():
        return level, None
    grids = [reference_grid(r.text, tokenizer) if r else None for r in given]
    none = tokenizer.outputs
    return level, reference_window(grids, layout.next_cell, length - np.int16(1), none)


def batches_by_length(lengths: NDArray[np.int64], tokens: int) -> list[NDArray[np.int64]]:
    """Group indices of similar length so that each group's rectangle holds at most ``tokens``."""
    order = np.argsort(lengths, kind="stable")
    groups: list[NDArray[np.int64]] = []
    end = len(order)
    while end > 0:
        longest = -(-int(lengths[order[end - 1]]) // ROUND) * ROUND
        start = max(0, end - max(1, tokens // longest))
        groups.append(order[start:end])
        end = start
    return groups
