"""Batches for steps: what training reads, in groups of ``accumulate``, ended exactly where the last epoch ends."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from asciiloom.corpus import Corpus
from asciiloom.piece import KINDS, LETTERING
from asciiloom.tokens import CorpusLoader, LoaderState, PackedBatch
from asciiloom.tokens.words import things_of
from asciiloom.train.settings import Settings


def training_loader(
    corpus: Corpus, settings: Settings, progress: Callable[[], float]
) -> CorpusLoader:
    """The training pieces, shown as ``settings`` say; ``progress``: the share of the run that is done."""
    s, dropout = settings, settings.dropout
    return CorpusLoader(
        corpus,
        s.selection.replace(split="train"),
        s.model.tokenizer,
        tokens=s.run.tokens,
        context=s.model.context,
        seed=s.run.seed,
        dropout=dropout if s.model.reference else replace(dropout, references=0.0),
        mixing=s.mixing,
        augmentation=s.augmentation,
        offsets=s.model.neighbours,
        workers=s.run.workers,
        progress=progress,
    )


def word_loader(corpus: Corpus, settings: Settings) -> CorpusLoader | None:
    """The training drawings as they are, for what their words mean; None where nothing is drawn, or words are an
    input like others."""
    s = settings
    drawn = tuple(kind for kind in s.selection.kinds or KINDS if kind not in LETTERING)
    low, high = s.selection.chars
    few = max(low or 0, min(high or s.words.chars, s.words.chars))
    # Twins are redraws of the same thing: two ways to say it.
    selection = s.selection.replace(
        split="train", kinds=drawn, chars=(low, few), canonical_only=False
    )
    if not s.model.word_rank or not s.words.drawings or not drawn or not corpus.count(selection):
        return None
    return CorpusLoader(
        corpus,
        selection,
        s.model.tokenizer,
        tokens=s.run.tokens,
        context=s.model.context,
        offsets=s.model.neighbours,
        blank_credit=True,
    )


def things_shown(corpus: Corpus) -> dict[int, list[str]]:
    """The things that each piece of the corpus shows, by its id."""
    rows = corpus.connection.execute("SELECT id, title, tags FROM piece")
    return {number: things_of(title, json.loads(tags)) for number, title, tags in rows}


@dataclass
class Feed:
    """``state`` names the batch after the last one that was taken, which is what a checkpoint keeps. ``close`` ends
    the loader's workers.

    A loader knows that an epoch is over when the next one's first batch comes; so where ``epochs`` are counted
    this looks one batch ahead.
    """

    loader: CorpusLoader
    accumulate: int
    epochs: int | None
    state: LoaderState = field(init=False)

    def __post_init__(self) -> None:
        self.state = self.loader.state
        self._batches = self.loader.train()
        self._ahead: PackedBatch | None = None

    @property
    def over(self) -> bool:
        """Whether ``epochs`` are over."""
        if self.epochs is None:
            return False
        if self._ahead is None:
            self._ahead = next(self._batches)
        return self.loader.state.epoch >= self.epochs

    def take(self) -> list[PackedBatch]:
        """The batches of the next step: ``accumulate``, or fewer where the last epoch ends."""
        group: list[PackedBatch] = []
        while len(group) < self.accumulate and not self.over:
            group.append(self._ahead if self._ahead is not None else next(self._batches))
            self._ahead, self.state = None, self.loader.state
        return group

    def close(self) -> None:
        self._batches.close()
