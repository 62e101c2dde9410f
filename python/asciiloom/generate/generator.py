"""``Generator``: words and limits in, drawings out. The consumer's one object."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from asciiloom.errors import SettingsError
from asciiloom.generate.constraint import Constraint
from asciiloom.generate.engine import Engine, Request, random_numbers
from asciiloom.generate.sampling import Sampling
from asciiloom.model import Card, GridTransformer, load_model, natural_size
from asciiloom.piece import KINDS
from asciiloom.tokens import Prompt
from asciiloom.typed import Between, check

MAX_COUNT = 100_000
MAX_SEED = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Drawing:
    """One generated text, and what it was asked with. ``ended``: by its own choice, not by a limit."""

    text: str
    words: str
    kind: str | None
    seed: int
    index: int
    ended: bool


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
        """``count`` drawings of ``words`` (of which the first 48 characters are read).

        Same arguments, same drawings; all satisfy ``constraint``. ``ConstraintError`` where none can, and
        ``SettingsError`` for a count, seed, kind or words that cannot be.
        """
        check(count, Annotated[int, Between(1, MAX_COUNT)], "count")
        if type(seed) is not int or not 0 <= seed <= MAX_SEED:
            raise SettingsError("seed must be a whole number from 0 to 2^64 - 1")
        if not isinstance(words, str):
            raise SettingsError(f"the prompt must be text, not {ascii(words)[:40]}")
        if kind is not None and kind not in KINDS:
            raise SettingsError(f"no kind {kind!r}; one of {', '.join(KINDS)}")
        limits = constraint or Constraint()
        limits.check()
        requests = []
        for index in range(count):
            size = self._size_to_ask(words, kind, limits, seed, index)
            width, height = size or (None, None)
            # What was planned for a size is over at its edge.
            room = replace(limits, max_width=size[0], max_height=size[1]) if size else limits
            requests.append(Request(Prompt(words, width, height, kind), room, seed, index))
        drawn = self.engine.draw(requests, sampling, progress)
        return [Drawing(d.text, words, kind, seed, i, d.ended) for i, d in enumerate(drawn)]

    def _size_to_ask(
        self, words: str, kind: str | None, limits: Constraint, seed: int, index: int
    ) -> tuple[int, int] | None:
        """The exact size that the limits ask for, or a natural one inside them; None where there is none."""
        if (limits.min_width, limits.min_height) == (limits.max_width, limits.max_height):
            return limits.max_width, limits.max_height
        rng = random_numbers(seed, (1 << 63) + index)
        return natural_size(self.card.sizes, words, kind, limits.admits, rng)
