"""``Generator``: words and limits in, drawings out. The consumer's one object."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from asciiloom.errors import SettingsError
from asciiloom.generate.constraint import Constraint
from asciiloom.generate.engine import Engine, Request
from asciiloom.generate.sampling import Sampling
from asciiloom.model import Card, GridTransformer, load_model
from asciiloom.piece import KINDS

MAX_COUNT = 100_000
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Drawing:
    """One generated text, and what it was asked with."""

    text: str
    words: str
    kind: str | None
    seed: int
    index: int


class Generator:
    """Draws with one model. ``card.sizes`` lets it ask for sizes that are natural for the kind."""

    def __init__(self, model: GridTransformer, card: Card | None = None) -> None:
        self.engine = Engine(model)
        self.card = card or Card()

    @classmethod
    def load(cls, folder: str | Path, device: str = "cpu") -> "Generator":
        """From a checkpoint or an export folder."""
        return cls(*load_model(folder, device))

    def draw(
        self,
        words: str = "",
        *,
        kind: str | None = None,
        constraint: Constraint | None = None,
        count: int = 1,
        seed: int = 0,
        sampling: Sampling | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> list[Drawing]:
        """``count`` drawings of ``words``. Same arguments, same drawings; all satisfy ``constraint``."""
        if not 1 <= count <= MAX_COUNT:
            raise SettingsError(f"count must be 1 to {MAX_COUNT:,}, not {count}")
        if kind is not None and kind not in KINDS:
            raise SettingsError(f"no kind {kind!r}; one of {', '.join(KINDS)}")
        limits = constraint or Constraint()
        limits.check()
        requests = []
        for index in range(count):
            width, height = self._natural_size(words, kind, limits, seed, index)
            room = limits
            if width is not None and height is not None:
                # What was planned for a size is over at its edge.
                room = replace(limits, max_width=width, max_height=height)
            requests.append(Request(words, kind, width, height, room, seed, index))
        texts = self.engine.run(requests, sampling, progress)
        return [Drawing(t, words, kind, seed, i) for i, t in enumerate(texts)]

    def _natural_size(
        self, words: str, kind: str | None, limits: Constraint, seed: int, index: int
    ) -> tuple[int | None, int | None]:
        """A size to prompt with: the exact one, or that of a fitting training piece of the kind and words.

        A model that is told how much room there is plans for it; one that is only cut off at the
        edge draws half a picture.
        """
        if (limits.min_width, limits.min_height) == (limits.max_width, limits.max_height):
            return limits.max_width, limits.max_height
        fitting = [
            size
            for size in self.card.sizes
            if limits.min_width <= size[1] <= limits.max_width
            and limits.min_height <= size[2] <= limits.max_height
            and (limits.max_chars is None or size[1] * size[2] <= limits.max_chars)
        ]
        fitting = [size for size in fitting if size[0] == kind] or fitting
        if kind == "banner":
            # Letters take room: a word of this length, which stands first in the prompt.
            length = len(words.partition(",")[0].strip())
            fitting = [size for size in fitting if len(size[3]) == length] or fitting
        # Of those, the ones that show what is asked for: a house is larger than a cat.
        asked = set(_WORD.findall(words.lower()))
        shared = [len(asked & set(_WORD.findall(size[3]))) for size in fitting]
        best = max(shared, default=0)
        fitting = [size for size, n in zip(fitting, shared, strict=True) if n == best]
        if not fitting:
            return None, None
        # Whoever grants room wants it used: one of the larger half.
        fitting.sort(key=lambda size: size[1] * size[2])
        fitting = fitting[len(fitting) // 2 :]
        rng = np.random.Generator(np.random.Philox(key=[seed, (1 << 63) + index]))
        _, width, height, _ = fitting[int(rng.integers(len(fitting)))]
        return width, height
