"""Batches for steps: groups of ``accumulate``, ended exactly where the last epoch ends."""

from dataclasses import dataclass, field

from asciiloom.tokens import CorpusLoader, LoaderState, PackedBatch


@dataclass
class Feed:
    """``state`` names the batch after the last one that was taken, which is what a checkpoint keeps.

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
        """Whether every piece was seen ``epochs`` times."""
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
