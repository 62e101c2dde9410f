"""``CorpusLoader``: batches straight from the corpus file, shuffled, bounded, resumable.

Of the selection only the pieces' ids are held in memory (8 bytes a piece). An epoch shuffles
*blocks* of neighbouring rows, reads a pool of blocks at a time, and shuffles inside the pool:
the disk is read in runs, and memory holds one pool. The order and what each prompt shows follow
from (seed, epoch, pool) alone, so the state is three numbers and resuming is exact.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from asciiloom.corpus import Corpus
from asciiloom.errors import AsciiloomError
from asciiloom.store import Selection
from asciiloom.tokens.layout import NEIGHBOURS
from asciiloom.tokens.pack import Example, PackedBatch, batches_by_length, pack
from asciiloom.tokens.prompt import MAX_WORDS, Prompt
from asciiloom.tokens.tokenizer import GridTokenizer
from asciiloom.tokens.words import words_of
from asciiloom.typed import Between, check_fields

BLOCK = 64
POOL_BLOCKS = 64
Share = Annotated[float, Between(0, 1)]
Count = Annotated[int, Between(0, 2**62)]


@dataclass(frozen=True, slots=True)
class PromptDropout:
    """How often training leaves out the whole prompt, the words, or the sizes: each is learned both ways."""

    everything: Share = 0.3
    words: Share = 0.2
    sizes: Share = 0.2

    def __post_init__(self) -> None:
        check_fields(self, "dropout")


@dataclass(frozen=True, slots=True)
class LoaderState:
    """The next batch to come: ``batch`` of ``pool`` of ``epoch``."""

    epoch: Count = 0
    pool: Count = 0
    batch: Count = 0

    def __post_init__(self) -> None:
        check_fields(self, "the loader's state")

    def to_dict(self) -> dict[str, int]:
        return asdict(self)


class CorpusLoader:
    """Iterate over ``PackedBatch``es of a selection, for ever (``train``) or once (``epoch``).

    ``tokens``: the most ids a batch's rectangle holds; ``context``: longest sequence, longer
    pieces are left out; ``rank``/``world``: this process reads every ``world``-th batch.
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
        offsets: tuple[tuple[int, int], ...] = NEIGHBOURS,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self._corpus = corpus
        self._tokenizer = tokenizer
        self._tokens = tokens
        self._context = context
        self._seed = seed
        self._dropout = dropout or PromptDropout()
        self._offsets = offsets
        self._rank, self._world = rank, world
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
        self.state = LoaderState()

    def __len__(self) -> int:
        """Pieces."""
        return len(self._ids)

    @property
    def pools(self) -> int:
        return -(-len(self._ids) // (BLOCK * POOL_BLOCKS))

    def _pool_ids(self, epoch: int, pool: int) -> NDArray[np.int64]:
        blocks = -(-len(self._ids) // BLOCK)
        order = np.random.default_rng([self._seed, epoch]).permutation(blocks)
        chosen = order[pool * POOL_BLOCKS : (pool + 1) * POOL_BLOCKS]
        return np.concatenate([self._ids[b * BLOCK : (b + 1) * BLOCK] for b in np.sort(chosen)])

    def _examples(
        self, numbers: NDArray[np.int64], rng: np.random.Generator | None, *, prompted: bool
    ) -> list[Example]:
        """Read and encode pieces; with ``rng`` controls are dropped at random."""
        out = []
        for record in self._read(numbers):
            show = rng.random(3) if rng is not None else np.ones(3)
            words, width, height, kind = "", None, None, None
            if prompted and show[0] >= self._dropout.everything:
                kind = record[3]
                if show[1] >= self._dropout.words:
                    words = words_of(record[2], record[6], rng, record[3])
                if show[2] >= self._dropout.sizes:
                    width, height = record[4], record[5]
            prompt = Prompt(words, width, height, kind)
            example = Example.encode(prompt, record[1], self._tokenizer, record[0])
            if len(example) <= self._context:
                out.append(example)
        return out

    def _read(
        self, numbers: NDArray[np.int64]
    ) -> Iterator[tuple[int, str, str | None, str, int, int, list[str]]]:
        for start in range(0, len(numbers), 500):
            part = numbers[start : start + 500].tolist()
            marks = ",".join("?" * len(part))
            for row in self._corpus.connection.execute(
                "SELECT id, text, title, kind, width, height, tags FROM piece"
                f" WHERE id IN ({marks}) ORDER BY id",
                part,
            ):
                yield (*row[:6], json.loads(row[6]))

    def _pool_batches(self, epoch: int, pool: int) -> list[list[Example]]:
        rng = np.random.default_rng([self._seed, epoch, pool, 1])
        examples = self._examples(self._pool_ids(epoch, pool), rng, prompted=True)
        examples = [examples[i] for i in rng.permutation(len(examples))]
        lengths = np.array([len(e) for e in examples], np.int64)
        groups = batches_by_length(lengths, self._tokens)
        return [[examples[i] for i in groups[g]] for g in rng.permutation(len(groups))]

    def train(self) -> Iterator[PackedBatch]:
        """Batches for ever, from ``state`` on; ``state`` always names the batch after the last yielded."""
        empty = 0  # pools in a row
        while True:
            epoch, pool, skip = self.state.epoch, self.state.pool, self.state.batch
            batches = self._pool_batches(epoch, pool)
            empty = 0 if batches else empty + 1
            if empty > self.pools:
                raise AsciiloomError(
                    f"no piece of {self._corpus.path} fits into a context of {self._context} ids;"
                    " choose smaller pieces, or a larger model.context"
                )
            for number in range(skip, len(batches)):
                self.state = LoaderState(epoch, pool, number + 1)
                if number % self._world == self._rank:
                    yield pack(batches[number], self._tokenizer, self._offsets)
            last = pool + 1 >= self.pools
            self.state = LoaderState(epoch + 1, 0, 0) if last else LoaderState(epoch, pool + 1, 0)

    def _some(self, limit: int | None) -> NDArray[np.int64]:
        """All ids, or the first ``limit`` of a fixed shuffle, ascending."""
        if limit is None or limit >= len(self._ids):
            return self._ids
        return np.sort(np.random.default_rng(0).permutation(self._ids)[:limit])

    def epoch(self, *, prompted: bool = False, limit: int | None = None) -> Iterator[PackedBatch]:
        """Every piece once (or ``limit`` of a fixed shuffle), for evaluation: no control is dropped."""
        numbers = self._some(limit)
        step = BLOCK * POOL_BLOCKS
        for start in range(0, len(numbers), step):
            examples = self._examples(numbers[start : start + step], None, prompted=prompted)
            lengths = np.array([len(e) for e in examples], np.int64)
            for group in batches_by_length(lengths, self._tokens):
                yield pack([examples[i] for i in group], self._tokenizer, self._offsets)

    def texts(self, *, limit: int | None = None) -> Iterator[str]:
        """The texts of the pieces that ``epoch`` yields, in id order."""
        for record in self._read(self._some(limit)):
            yield record[1]
