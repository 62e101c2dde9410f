"""``CorpusLoader``: batches straight from the corpus file, shuffled, bounded, resumable.

Of the selection only the pieces' ids are held in memory (8 bytes a piece, and what mixing or twins need). An
epoch lays out its pieces as often as their weights say, shuffles *blocks* of neighbouring rows, reads a pool
of blocks at a time, and shuffles inside the pool: the disk is read in runs, and memory holds one pool. Order,
looks and prompts follow from (seed, epoch, pool) and from how far the run was when the epoch began,
so the state is four numbers, and resuming is exact with any number of workers.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Annotated

import numpy as np

from asciiloom.corpus import Corpus
from asciiloom.errors import AsciiloomError
from asciiloom.store import Selection
from asciiloom.tokens.augment import Augmentation, Share
from asciiloom.tokens.layout import NEIGHBOURS
from asciiloom.tokens.mixing import Mixing, Weights, appearances, in_passes
from asciiloom.tokens.pack import PackedBatch, batches_by_length
from asciiloom.tokens.prefetch import Here, Pool, PoolOrder, PoolSource, Prefetch
from asciiloom.tokens.prompt import MAX_WORDS
from asciiloom.tokens.redraws import Redraws
from asciiloom.tokens.tokenizer import GridTokenizer
from asciiloom.tokens.view import I64, PoolKey, PromptDropout, View
from asciiloom.typed import Between, check_fields

BLOCK = 64
POOL_BLOCKS = 64
Count = Annotated[int, Between(0, 2**62)]


@dataclass(frozen=True, slots=True)
class LoaderState:
    """The next batch to come: ``batch`` of ``pool`` of ``epoch``; beyond a pool's end it is one of the next.

    ``progress``: the share of the run that was done when the epoch began, where the mixing moves with it.
    """

    epoch: Count = 0
    pool: Count = 0
    batch: Count = 0
    progress: Share = 0.0

    def __post_init__(self) -> None:
        check_fields(self, "the loader's state")

    def to_dict(self) -> dict[str, int | float]:
        return asdict(self)


class CorpusLoader:
    """Iterate over ``PackedBatch``es of a selection, for ever (``train``) or once (``epoch``).

    ``tokens``: the most ids a batch's rectangle holds; ``context``: longest sequence, longer
    pieces are left out; ``rank``/``world``: of every ``world`` batches this process takes one.
    ``mixing`` and ``augmentation`` say what ``train`` shows how often, and how; ``progress``, the share of the
    run that is done (the same on every rank), is what a mixing that moves asks at the start of an epoch.
    ``workers`` processes make batches ahead of time; with two or more, training never waits for a pool.
    ``epoch`` and ``texts`` give the pieces as they are, but for located signatures if ``blank_credit``.
    """

    def __init__(
        self,
        corpus: Corpus,
        selection: Selection,
        tokenizer: GridTokenizer,
        *,
        tokens: int = 8192,
        context: int = 2048,
        seed: int = 0,
        dropout: PromptDropout | None = None,
        mixing: Mixing | None = None,
        augmentation: Augmentation | None = None,
        offsets: tuple[tuple[int, int], ...] = NEIGHBOURS,
        rank: int = 0,
        world: int = 1,
        workers: int = 0,
        progress: Callable[[], float] | None = None,
        blank_credit: bool = False,
    ) -> None:
        self._corpus = corpus
        self._seed = seed
        self._view = View(
            tokenizer,
            tokens,
            context,
            dropout or PromptDropout(),
            augmentation or Augmentation(),
            offsets,
        )
        self._rank, self._world, self._workers = rank, world, workers
        self._blank_credit = blank_credit
        low, high = selection.chars
        room = max(0, context - MAX_WORDS - 8)
        self.selection = selection.replace(
            order="id", chars=(low, room if high is None else min(high, room))
        )
        self._ids = np.array(corpus.ids(self.selection), np.int64)
        if not len(self._ids):
            raise AsciiloomError(
                f"{corpus.path} has no piece that fits {self.selection.to_dict()};"
                " ingest more, or widen the selection"
            )
        mixing = mixing or Mixing()
        self._weights = None if mixing.is_plain else Weights.of(corpus, self.selection, mixing)
        self._progress = progress if mixing.moves else None
        twins = self._view.augmentation.twins
        self._redraws = Redraws.of(corpus, self.selection, self._ids, twins) if twins else None
        self._laid_out: dict[tuple[int, float], I64] = {}
        self.state = LoaderState()

    def __len__(self) -> int:
        """Pieces, and so places in an epoch."""
        return len(self._ids)

    @property
    def pools(self) -> int:
        """Pools in an epoch."""
        return -(-len(self._ids) // (BLOCK * POOL_BLOCKS))

    @property
    def shown(self) -> Selection:
        """All that ``train`` may show: the selection, and with twins the others of its clusters."""
        return self.selection.replace(canonical_only=False) if self._redraws else self.selection

    # -- training

    def train(self) -> Generator[PackedBatch, None, None]:
        """Batches for ever, from ``state`` on; ``state`` always names the batch after the last yielded.

        With several ranks it names the first batch of the next round, and is the same on each of them.
        """
        source = self._source()
        try:
            yield from self._rounds(source)
        finally:
            source.close()

    def _source(self) -> PoolSource:
        if self._workers:
            return Prefetch(self._view, self._corpus.path, self._workers, self._world)
        return Here(self._view, self._corpus.connection)

    def _rounds(self, source: PoolSource) -> Iterator[PackedBatch]:
        # Every rank walks through all batches alike, so that all agree on where a round ends.
        if self.state == LoaderState() and self._progress:
            self.state = LoaderState(progress=self._progress())
        here, at = replace(self.state, batch=0), self.state.batch
        pool = self._open(source, here)
        while True:
            mine = (pool, 0)
            for turn in range(self._world):
                empty = 0  # pools in a row
                while at >= len(pool):
                    at -= len(pool)
                    empty = 0 if len(pool) else empty + 1
                    if empty > self.pools:
                        raise AsciiloomError(
                            f"no piece of {self._corpus.path} fits into a context of"
                            f" {self._view.context} ids; choose smaller pieces, or a larger model.context"
                        )
                    here = self._after(here)
                    pool = self._open(source, here)
                if turn == self._rank:
                    mine = (pool, at)
                at += 1
            self.state = replace(here, batch=at)
            yield mine[0].batch(mine[1])

    def _after(self, here: LoaderState) -> LoaderState:
        """The start of the pool after ``here``."""
        if here.pool + 1 < self.pools:
            return replace(here, pool=here.pool + 1)
        return LoaderState(here.epoch + 1, progress=self._progress() if self._progress else 0.0)

    def _open(self, source: PoolSource, here: LoaderState) -> Pool:
        ahead: list[PoolOrder] = []
        following = here
        while len(ahead) < self._workers - 1:
            if self._progress and following.pool + 1 >= self.pools:
                break  # nobody knows yet how far the run will be
            following = self._after(following)
            ahead.append(self._order(following))
        return source.pool(self._order(here), ahead)

    def _order(self, here: LoaderState) -> PoolOrder:
        """Which pieces the pool ``here`` has, and what is random about it."""
        key = PoolKey(self._seed, here.epoch, here.pool)
        places = self._places(here.epoch, here.progress)
        blocks = -(-len(places) // BLOCK)
        order = np.random.default_rng([self._seed, here.epoch]).permutation(blocks)
        chosen = order[here.pool * POOL_BLOCKS : (here.pool + 1) * POOL_BLOCKS]
        numbers = np.concatenate([places[b * BLOCK : (b + 1) * BLOCK] for b in np.sort(chosen)])
        if self._redraws:
            numbers = self._redraws.choose(numbers, key.rng(3))
        return PoolOrder(key, numbers)

    def _places(self, epoch: int, progress: float) -> I64:
        """The pieces of an epoch, each as often as it appears, before they are shuffled: int64 (pieces,)."""
        if self._weights is None:
            return self._ids
        key = (epoch, progress)
        if key not in self._laid_out:
            rng = PoolKey(self._seed, epoch, 0).rng(4)
            counts = appearances(self._weights.at(progress), rng)
            # Of two epochs at most: workers may be in the next one already.
            self._laid_out = dict([*self._laid_out.items()][-1:])
            self._laid_out[key] = in_passes(self._ids, counts)
        return self._laid_out[key]

    # -- evaluation

    def _some(self, limit: int | None) -> I64:
        """All ids, or the first ``limit`` of a fixed shuffle, ascending."""
        if limit is None or limit >= len(self._ids):
            return self._ids
        return np.sort(np.random.default_rng(0).permutation(self._ids)[:limit])

    def epoch(self, *, prompted: bool = False, limit: int | None = None) -> Iterator[PackedBatch]:
        """Every piece once (or ``limit`` of a fixed shuffle), for evaluation: no control is dropped."""
        numbers = self._some(limit)
        step = BLOCK * POOL_BLOCKS
        for start in range(0, len(numbers), step):
            examples = self._view.originals(
                self._corpus.connection,
                numbers[start : start + step],
                prompted=prompted,
                blank_credit=self._blank_credit,
            )
            lengths = np.array([len(e) for e in examples], np.int64)
            for group in batches_by_length(lengths, self._view.tokens):
                yield self._view.pack([examples[i] for i in group])

    def texts(self, *, limit: int | None = None) -> Iterator[str]:
        """The texts of the pieces that ``epoch`` yields, in id order."""
        for record in self._view.records(
            self._corpus.connection, self._some(limit), self._blank_credit
        ):
            yield record.text
