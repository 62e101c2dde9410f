"""The word test: which of some subjects was a held-out piece drawn for?

Bits per character hardly see whether words reach the drawing: most of a drawing is decided by what stands
around a cell. So each piece is asked two questions. *Drawn*: under which subject would the model draw it, cell by
cell, likeliest? All else is told alike, and the subjects are ranked by the likelihood of the whole piece. *Named*:
which subject does it show, in the eyes of the model's word head, which also chooses among candidates? A model to
which words mean nothing is right by chance.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from asciiloom.corpus import Corpus
from asciiloom.evaluate.likelihood import score
from asciiloom.model import GridInput, GridTransformer, autocast
from asciiloom.model.words import fresh_grams
from asciiloom.piece import LETTERING
from asciiloom.store import Selection
from asciiloom.tokens import (
    IGNORE,
    Example,
    PackedBatch,
    Prompt,
    batches_by_length,
    kinds_of,
    pack,
    phrases_of,
    thing_of,
)
from asciiloom.tokens.words import clean, heads_of

F64 = NDArray[np.float64]
# Common things that collections of text art name, and that look unlike one another.
SUBJECTS = tuple(
    "cat dog bird fish horse rabbit butterfly elephant dragon snake tree flower rose house castle car"
    " boat airplane heart star".split()
)
TOKENS = 16_384


@dataclass(frozen=True, slots=True)
class WordTest:
    """``nats`` (pieces, subjects): how unlikely each piece is under each subject; ``right`` (pieces,): the
    place of the subject that it was drawn for. ``unnamed`` (pieces, subjects): how little it shows each subject, in
    nats, where the model can tell."""

    subjects: tuple[str, ...]
    pieces: NDArray[np.int64]
    right: NDArray[np.int64]
    nats: F64
    unnamed: F64 | None = None

    @property
    def ranks(self) -> NDArray[np.int64]:
        """How many subjects make each piece likelier than the right one; ties count half of them, rounded up."""
        return self._ranks(self.nats)

    def _ranks(self, nats: F64) -> NDArray[np.int64]:
        own = nats[np.arange(len(self.right)), self.right][:, None]
        ahead = (nats < own).sum(1) + ((nats == own).sum(1) - 1) / 2
        return np.asarray(np.ceil(ahead), np.int64)

    @property
    def bits_saved(self) -> float:
        """Mean of log2 p(piece | right subject) - log2 mean p(piece | subject): at most log2 of their number."""
        return self._saved(self.nats)

    def _saved(self, nats: F64) -> float:
        own = nats[np.arange(len(self.right)), self.right]
        best = nats.min(axis=1)
        mean = best - np.log(np.exp(best[:, None] - nats).mean(axis=1))
        return float((mean - own).mean() / math.log(2)) if len(own) else math.nan

    def to_dict(self) -> dict[str, float | int]:
        """Every figure, and what chance would give."""
        out: dict[str, float | int] = {
            "pieces": len(self.right),
            "subjects": len(self.subjects),
            **self._figures(self.nats, ""),
            "chance": 1 / len(self.subjects),
            "bits_possible": math.log2(len(self.subjects)),
        }
        return out if self.unnamed is None else out | self._figures(self.unnamed, "named_")

    def _figures(self, nats: F64, prefix: str) -> dict[str, float]:
        ranks = self._ranks(nats)
        return {
            f"{prefix}right_first": float((ranks == 0).mean()) if len(ranks) else math.nan,
            f"{prefix}right_in_three": float((ranks < 3).mean()) if len(ranks) else math.nan,
            f"{prefix}bits_saved": self._saved(nats),
        }


def subject_of(title: str | None, tags: Sequence[str], subjects: Sequence[str]) -> int | None:
    """The place of the one subject that a piece shows, None for none or several.

    The title is asked first, then the tags. What a phrase shows is its last noun ("a dog house" is no dog), by
    whatever name ("two kittens" are cats), and two words that are one thing are that thing ("sea horse").
    """
    places = {thing_of(word): place for place, word in enumerate(subjects)}
    for phrases in ([clean(title or "")], phrases_of(None, tags)):
        heads = {head for phrase in phrases for head in heads_of(phrase)}
        named = {place for head in heads if (place := _place(head, places)) is not None}
        if named:
            return named.pop() if len(named) == 1 else None
    return None


def _place(head: str, places: Mapping[str, int]) -> int | None:
    """The subject that ``head`` names; a Christmas tree, two words with one meaning, is still a tree."""
    thing = thing_of(head)
    if " " in thing:
        last = thing_of(thing.rpartition(" ")[2])
        thing = last if last in kinds_of(thing) else thing
    return places.get(thing)


def word_test(
    corpus: Corpus,
    selection: Selection,
    model: GridTransformer,
    *,
    subjects: tuple[str, ...] = SUBJECTS,
    limit: int = 200,
    precision: str = "fp32",
    progress: Callable[[int], None] | None = None,
) -> WordTest:
    """Score up to ``limit`` drawings of ``selection`` that name one of ``subjects`` under each of them."""
    chosen = list(_drawings(corpus, selection, model, subjects, limit))
    count = len(subjects)
    if not chosen:
        empty = np.empty(0, np.int64)
        return WordTest(subjects, empty, empty, np.empty((0, count)))
    unnamed = None
    if model.word_head is None:
        nats = _in_turn(chosen, subjects, model, precision, progress)
    else:
        nats, unnamed = _at_once(chosen, subjects, model, precision, progress)
    return WordTest(
        subjects,
        np.array([row[0] for row in chosen], np.int64),
        np.array([row[1] for row in chosen], np.int64),
        nats,
        unnamed,
    )


_Chosen = Sequence[tuple[int, int, str, int, int, str]]


def _in_turn(
    chosen: _Chosen,
    subjects: Sequence[str],
    model: GridTransformer,
    precision: str,
    progress: Callable[[int], None] | None,
) -> F64:
    """Nats of each drawing under each subject (n, subjects), a pass of the network for each."""
    tokenizer, count = model.config.tokenizer, len(subjects)
    examples = [
        Example.encode(Prompt(word, width, height, kind), text, tokenizer, drawing * count + number)
        for drawing, (_, _, text, width, height, kind) in enumerate(chosen)
        for number, word in enumerate(subjects)
    ]
    scores = score(model, _batches(examples, model), precision=precision, progress=progress)
    nats = np.empty(len(examples))
    nats[scores.pieces] = scores.nats
    return nats.reshape(len(chosen), count)


@torch.inference_mode()
def _at_once(
    chosen: _Chosen,
    subjects: Sequence[str],
    model: GridTransformer,
    precision: str,
    progress: Callable[[int], None] | None,
) -> tuple[F64, F64]:
    """The same, where words meet the output only, in a pass for each drawing; and how little each shows each subject."""
    head = model.word_head
    assert head is not None
    tokenizer, device = model.config.tokenizer, model.topic_embed.weight.device
    topics = np.stack([tokenizer.topics(Prompt(word)) for word in subjects]).astype(np.int64)
    vectors = model.say(torch.from_numpy(topics).to(device))
    says = head.says(vectors).unsqueeze(1)
    examples = [
        Example.encode(Prompt("", width, height, kind), text, tokenizer, drawing)
        for drawing, (_, _, text, width, height, kind) in enumerate(chosen)
    ]
    nats, unnamed = np.empty((2, len(chosen), len(subjects)))
    was_training = model.training
    model.eval()
    for batch in _batches(examples, model):
        given = GridInput.from_batch(batch, device)
        targets = torch.from_numpy(batch.targets).to(device)
        with autocast(device, precision):
            wordless = model.wordless(model.hidden(given)).float()
        shown = head.shows(given.ids, given.above, targets, given.size) @ vectors.T
        unnamed[batch.pieces] = -shown.log_softmax(1).double().cpu().numpy()
        for row, drawing in enumerate(batch.pieces.tolist()):
            art, one = targets[row] != IGNORE, slice(row, row + 1)
            grams = head.candidates(given.ids[one], given.above[one])
            fresh = fresh_grams(grams, given.ids[one], art[None])[:, art]
            grams, logits = grams[:, art], wordless[one, art]
            size, cell = given.size[one], given.next_cell[one, art]
            told = torch.cat([head(logits, word, grams, fresh, size, cell) for word in says])
            shares = told.log_softmax(-1)
            own = targets[row, art].expand(len(subjects), -1)
            nats[drawing] = -shares.gather(-1, own[..., None]).sum((1, 2)).double().cpu().numpy()
        if progress is not None:
            progress(len(batch.pieces) * len(subjects))
    model.train(was_training)
    return nats, unnamed


def _drawings(
    corpus: Corpus,
    selection: Selection,
    model: GridTransformer,
    subjects: Sequence[str],
    limit: int,
) -> Iterator[tuple[int, int, str, int, int, str]]:
    """(id, place of the subject, text, width, height, kind) in id order, of pieces that the model can read."""
    statement, params = selection.replace(order="id").sql(
        "piece.id, piece.title, piece.tags, piece.text, piece.width, piece.height, piece.kind"
    )
    room = model.config.context - max(map(len, subjects)) - 8
    found = 0
    for number, title, tags, text, width, height, kind in corpus.connection.execute(
        statement, params
    ):
        subject = subject_of(title, json.loads(tags), subjects)
        if subject is None or kind in LETTERING or len(text.encode()) > room:
            continue
        yield number, subject, text, width, height, kind
        found += 1
        if found == limit:
            return


def _batches(examples: Sequence[Example], model: GridTransformer) -> Iterator[PackedBatch]:
    lengths = np.array([len(e) for e in examples], np.int64)
    for group in batches_by_length(lengths, TOKENS):
        yield pack([examples[i] for i in group], model.config.tokenizer, model.config.neighbours)
