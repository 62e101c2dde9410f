"""``Generator``: words and limits in, drawings out. The consumer's one object."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated
from zlib import crc32

from asciiloom.errors import SettingsError
from asciiloom.generate.constraint import Constraint
from asciiloom.generate.engine import Engine, Request, random_numbers
from asciiloom.generate.exemplars import Credit, Exemplar
from asciiloom.generate.ranking import MAX_BEST_OF, Named, Ranker, WordRatio, best, judge, lint
from asciiloom.generate.sampling import Sampling
from asciiloom.generate.signature import unsigned
from asciiloom.model import Card, GridTransformer, load_model, natural_kind, natural_size
from asciiloom.piece import KINDS
from asciiloom.tokens import Prompt, Reference, spoil
from asciiloom.typed import Between, check

MAX_COUNT = 100_000
# How freely an example is followed where nobody says.
VARIATION = 2
MAX_SEED = 2**64 - 1
# Where the candidates of a drawing have their random numbers: the k-th this many streams on. The 31 bits
# above are theirs; the last is that of sizes.
_NEXT_CANDIDATE = 1 << 32
_SIZES = 1 << 63
# And where what is seen of an example has them.
_LOOKS = 1 << 62
# 2^64 over the golden ratio spreads neighbouring numbers evenly.
_GOLDEN = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True)
class Drawing:
    """One generated text, and what it was asked with. ``ended``: by its own choice, not by a limit.

    ``score``: of the best of several, the named parts whose sum was the highest; ``candidate``: which of
    them it is. ``credit``: whose piece it was drawn after.
    """

    text: str
    words: str
    kind: str | None
    seed: int
    index: int
    ended: bool
    candidate: int = 0
    score: Mapping[str, float] | None = field(default=None, hash=False)
    credit: Credit | None = None


class Generator:
    """Draws with one model. ``card.sizes`` lets it ask for sizes that are natural for the kind."""

    def __init__(self, model: GridTransformer, card: Card | None = None) -> None:
        self.engine = Engine(model)
        self.card = card or Card()

    @classmethod
    def load(cls, folder: str | Path, device: str = "cpu") -> "Generator":
        """From a checkpoint or an export folder."""
        return cls(*load_model(folder, device))

    def must_take_reference(self) -> None:
        """``SettingsError`` where the model does not draw after an example."""
        self.engine.must_take_reference()

    def draw(
        self,
        words: str = "",
        *,
        kind: str | None = None,
        constraint: Constraint | None = None,
        count: int = 1,
        seed: int = 0,
        sampling: Sampling | None = None,
        best_of: int = 1,
        rankers: Sequence[Ranker] | None = None,
        signature: bool = False,
        reference: str | Exemplar | Sequence[Exemplar] | None = None,
        variation: int = VARIATION,
        progress: Callable[[int], None] | None = None,
    ) -> list[Drawing]:
        """``count`` drawings of ``words`` (of which the first 48 characters are read).

        Same arguments, same drawings; all satisfy ``constraint``. Each is the best of ``best_of`` candidates
        by the sum of what ``rankers`` give (by default ``Named`` or ``WordRatio``, and ``lint``); the first candidate is
        what is drawn without others. Unless ``signature``, credits that no one asked for are taken out where
        the limits allow it. ``reference``: what to draw after, one for all or one each in turn for every candidate;
        ``variation``: how freely, from 1 (nearly the same) to 4 (only the outline is kept).

        ``ConstraintError`` where none can satisfy the limits, and ``SettingsError`` for a count, seed, kind or
        words that cannot be, and for a reference where the model takes none.
        """
        check(count, Annotated[int, Between(1, MAX_COUNT)], "count")
        check(best_of, Annotated[int, Between(1, MAX_BEST_OF)], "best_of")
        if type(seed) is not int or not 0 <= seed <= MAX_SEED:
            raise SettingsError("seed must be a whole number from 0 to 2^64 - 1")
        if not isinstance(words, str):
            raise SettingsError(f"the prompt must be text, not {ascii(words)[:40]}")
        if kind is not None and kind not in KINDS:
            raise SettingsError(f"no kind {kind!r}; one of {', '.join(KINDS)}")
        limits = constraint or Constraint()
        limits.check()
        examples = _examples(reference)
        for example in examples:
            if example is not None:
                example.check(limits)
        if rankers is None:
            rankers = (self._by_words(), lint)
        drawings: list[Drawing] = []
        together = max(1, self.engine.lanes // best_of)
        for start in range(0, count, together):
            indices = range(start, min(count, start + together))
            # Candidates differ in their random numbers and in what they are drawn after; without that they are
            # compared at one size.
            places = [(index, k) for index in indices for k in range(best_of)]
            followed = [examples[(index * best_of + k) % len(examples)] for index, k in places]
            tried = [
                self._request(words, kind, limits, seed, index, example, variation, k)
                for (index, k), example in zip(places, followed, strict=True)
            ]
            drawn = list(self.engine.draw(tried, sampling))
            if not signature:
                drawn = [replace(d, text=unsigned(d.text, limits, words)) for d in drawn]
            for place, index in enumerate(indices):
                own = slice(place * best_of, (place + 1) * best_of)
                # Judged without the other drawings, so that what is kept does not hang on them.
                scores = judge(rankers, tried[own], drawn[own]) if best_of > 1 else None
                kept = best(scores) if scores else 0
                chosen, example = drawn[own][kept], followed[own][kept]
                drawings.append(
                    Drawing(
                        chosen.text,
                        words,
                        kind,
                        seed,
                        index,
                        chosen.ended,
                        kept,
                        scores[kept] if scores else None,
                        example.credit if example else None,
                    )
                )
            if progress is not None:
                progress(len(indices))
        return drawings

    def _by_words(self) -> Ranker:
        """How well candidates show the words: by name among the things that the model drew, where it names any."""
        model = self.engine.model
        if model.word_head is None:
            return WordRatio(model)
        return Named(model, sorted(self.card.sizes.things))

    def _request(
        self,
        words: str,
        kind: str | None,
        limits: Constraint,
        seed: int,
        index: int,
        example: Exemplar | None,
        variation: int,
        candidate: int,
    ) -> Request:
        kind = kind or natural_kind(self.card.sizes, words)
        size = self._size_to_ask(words, kind, limits, seed, index)
        if example is not None and limits.admits(*example.size):
            size = example.size
        width, height = size or (None, None)
        # What was planned for a size is over at its edge.
        room = replace(limits, max_width=size[0], max_height=size[1]) if size else limits
        stream = index + candidate * _NEXT_CANDIDATE
        reference = None
        if example:
            # Seen as in training: less of it, the more freely it is followed.
            rng = random_numbers(seed, _LOOKS + stream)
            reference = Reference(spoil(example.text, variation, rng), variation)
        prompt = Prompt(words, width, height, kind, reference)
        return Request(prompt, room, seed_of(seed, prompt.words), stream)

    def _size_to_ask(
        self, words: str, kind: str | None, limits: Constraint, seed: int, index: int
    ) -> tuple[int, int] | None:
        """The exact size that the limits ask for, or a natural one inside them; None where there is none."""
        if limits.is_exact:
            return limits.max_width, limits.max_height
        rng = random_numbers(seed, _SIZES + index)
        return natural_size(self.card.sizes, words, kind, limits.admits, rng)


def seed_of(seed: int, words: str) -> int:
    """What draws ``words`` under ``seed``: with the same random numbers all subjects would begin alike."""
    return seed ^ (crc32(words.encode()) * _GOLDEN & MAX_SEED)


def _examples(reference: str | Exemplar | Sequence[Exemplar] | None) -> list[Exemplar | None]:
    """What to draw after, one for each drawing in turn; ``SettingsError`` where it is something else."""
    if isinstance(reference, str):
        return [Exemplar.of(reference)]
    if reference is None or isinstance(reference, Exemplar):
        return [reference]
    for example in reference:
        if not isinstance(example, Exemplar):
            raise SettingsError(
                f"a reference must be text or an Exemplar, not {ascii(example)[:40]}"
            )
    return list(reference) or [None]
