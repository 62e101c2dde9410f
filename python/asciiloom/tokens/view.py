"""``View``: how training looks at pieces. Numbers of pieces in, batches of examples out.

All of it is plain data, so that a worker process can be given one; what is random follows from the key that
comes with the numbers.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asciiloom.piece import LETTERING, CreditSpan, measure
from asciiloom.tokens.augment import (
    Augmentation,
    Share,
    may_turn,
    mirrored,
    without_credits,
)
from asciiloom.tokens.layout import NEIGHBOURS
from asciiloom.tokens.pack import Example, PackedBatch, batches_by_length, pack
from asciiloom.tokens.prompt import LEVELS, Prompt, Reference
from asciiloom.tokens.reference import spoil
from asciiloom.tokens.tokenizer import GridTokenizer
from asciiloom.tokens.words import words_of
from asciiloom.typed import check_fields

I64 = NDArray[np.int64]
# Pieces that one statement reads.
_READ = 500


@dataclass(frozen=True, slots=True)
class PromptDropout:
    """How often training leaves out the whole prompt, the words, or the sizes, and how often it shows a spoilt
    copy of the drawing as a reference (where the model reads one): each is learned both ways."""

    everything: Share = 0.3
    words: Share = 0.2
    sizes: Share = 0.2
    references: Share = 0.4

    def __post_init__(self) -> None:
        check_fields(self, "dropout")


class Record(NamedTuple):
    """What is read of a piece."""

    number: int
    text: str
    title: str | None
    kind: str
    width: int
    height: int
    tags: list[str]
    credits: tuple[CreditSpan, ...] = ()


class PoolKey(NamedTuple):
    """What everything random in a pool follows from."""

    seed: int
    epoch: int
    pool: int

    def rng(self, purpose: int) -> np.random.Generator:
        """The generator for ``purpose``: 1 prompts and order, 2 looks, 3 twins."""
        return np.random.default_rng([*self, purpose])


@dataclass(frozen=True, slots=True)
class View:
    """``tokens``: the most ids a batch's rectangle holds; ``context``: the longest sequence."""

    tokenizer: GridTokenizer
    tokens: int = 8192
    context: int = 2048
    dropout: PromptDropout = field(default_factory=PromptDropout)
    augmentation: Augmentation = field(default_factory=Augmentation)
    offsets: tuple[tuple[int, int], ...] = NEIGHBOURS

    def groups(
        self, connection: sqlite3.Connection, numbers: I64, key: PoolKey
    ) -> list[list[Example]]:
        """The batches of a pool of pieces as training shows them, in the order of training, yet to be packed."""
        rng = key.rng(1)
        examples = [self._example(record, rng) for record in self._looks(connection, numbers, key)]
        examples = [example for example in examples if len(example) <= self.context]
        examples = [examples[i] for i in rng.permutation(len(examples))]
        lengths = np.array([len(e) for e in examples], np.int64)
        groups = batches_by_length(lengths, self.tokens)
        return [[examples[i] for i in groups[g]] for g in rng.permutation(len(groups))]

    def originals(
        self, connection: sqlite3.Connection, numbers: I64, *, prompted: bool, blank_credit: bool
    ) -> list[Example]:
        """The pieces as they stand in the corpus, told everything or nothing."""
        examples = []
        for record in self.records(connection, numbers, blank_credit):
            asked = Prompt()
            if prompted:
                words = words_of(record.title, record.tags, kind=record.kind)
                asked = Prompt(words, record.width, record.height, record.kind)
            examples.append(Example.encode(asked, record.text, self.tokenizer, record.number))
        return [example for example in examples if len(example) <= self.context]

    def records(
        self, connection: sqlite3.Connection, numbers: I64, blank_credit: bool
    ) -> Iterator[Record]:
        """The pieces ``numbers``, without their located signatures if so asked."""
        for _, record in _read(connection, numbers, blank_credit):
            yield _unsigned(record) if record.credits else record

    def pack(self, examples: Sequence[Example]) -> PackedBatch:
        return pack(examples, self.tokenizer, self.offsets)

    def _example(self, record: Record, rng: np.random.Generator) -> Example:
        """The example of ``record``, with controls dropped at random."""
        show = rng.random(3)
        words, width, height, kind = "", None, None, None
        if show[0] >= self.dropout.everything:
            kind = record.kind
            if show[1] >= self.dropout.words:
                words = words_of(record.title, record.tags, rng, record.kind)
            if show[2] >= self.dropout.sizes:
                width, height = record.width, record.height
        reference = None
        if record.kind not in LETTERING and rng.random() < self.dropout.references:
            level = int(rng.integers(1, LEVELS + 1))
            reference = Reference(spoil(record.text, level, rng), level)
        prompt = Prompt(words, width, height, kind, reference)
        return Example.encode(prompt, record.text, self.tokenizer, record.number)

    def _looks(
        self, connection: sqlite3.Connection, numbers: I64, key: PoolKey
    ) -> Iterator[Record]:
        """The pieces ``numbers``, some of them turned or without signatures."""
        mirror, blank = self.augmentation.mirror, self.augmentation.blank_credit
        if not mirror and not blank:
            for _, record in _read(connection, numbers, credits=False):
                yield record
            return
        chances = key.rng(2).random((len(numbers), 2)).tolist()
        for place, record in _read(connection, numbers, credits=True):
            turn, hide = chances[place]
            if turn < mirror and may_turn(record.kind, record.title, record.tags):
                plain = _unsigned(record)
                if image := mirrored(plain.text):
                    yield plain._replace(text=image)
                    continue
            yield _unsigned(record) if hide < blank else record


def _unsigned(record: Record) -> Record:
    """``record`` without its located signatures, measured anew."""
    text = without_credits(record.text, record.credits) if record.credits else record.text
    if text == record.text:
        return record
    rows = text.split("\n")
    width = max(map(len, rows)) if text.isascii() else measure(text).width
    return record._replace(text=text, width=width, height=len(rows))


def _read(
    connection: sqlite3.Connection, numbers: I64, credits: bool
) -> Iterator[tuple[int, Record]]:
    """The pieces ``numbers``, each with its place among them, with or without located signatures; what has
    gone since is left out."""
    for start in range(0, len(numbers), _READ):
        part = numbers[start : start + _READ].tolist()
        marks = ",".join("?" * len(part))
        spans: dict[int, list[CreditSpan]] = defaultdict(list)
        if credits:
            for number, *span in connection.execute(
                "SELECT piece_id, row, col, length, text, artist FROM credit"
                f" WHERE piece_id IN ({marks}) ORDER BY piece_id, row, col",
                part,
            ):
                spans[number].append(CreditSpan(*span))
        found = {
            number: Record(
                number, text, title, kind, width, height, json.loads(tags), tuple(spans[number])
            )
            for number, text, title, kind, width, height, tags in connection.execute(
                "SELECT id, text, title, kind, width, height, tags FROM piece"
                f" WHERE id IN ({marks})",
                part,
            )
        }
        for place, number in enumerate(part, start):
            if number in found:
                yield place, found[number]
