"""What words mean: which details of drawings say which things, learned by naming the training drawings.

A classifier over the things that enough drawings show, from the set of grams of each drawing (see ``WordHead``),
in few dimensions: a drawing and a thing are as many numbers as the head has, and their product decides. A
thing's numbers are the sum of those of its words and their relatives, so that what rare things are is learned
from their kin. A penalty on both factors keeps it simple (it is one on the nuclear norm of their product,
Srebro, Rennie & Jaakkola 2004). The blocks play no part.

Trained with the blocks by gradients, words were found to stay noise: they save two or three bits of a
drawing's four hundred, and a word comes by once in a thousand drawings.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from asciiloom.model import GridInput, GridTransformer
from asciiloom.model.config import GRAMS
from asciiloom.model.words import WordHead, loudness
from asciiloom.tokens import TOPIC_BUCKETS, GridTokenizer, PackedBatch, Prompt
from asciiloom.train.settings import WordSettings

# Spreads at the start, and of what a gram counts as: with these the default rate learns in some 200 steps.
_GRAM_SPREAD, _TOPIC_SPREAD, _GRAM_WEIGHT = 0.02, 0.1, 0.25
_WARMUP, _FEWEST_STEPS = 10, 60


@dataclass(frozen=True, slots=True)
class _Drawing:
    """``grams`` that stand in it, how ``loud`` each is, and the ``things`` that it shows."""

    grams: Tensor
    loud: float
    things: Sequence[str]


def learn_words(
    model: GridTransformer,
    batches: Iterable[PackedBatch],
    things: Mapping[int, Sequence[str]],
    settings: WordSettings,
) -> int:
    """Set the word head of ``model`` from the drawings in ``batches``, which show ``things`` (by the pieces' ids); from
    how many drawings.

    Drawings that show nothing are passed over. Fewer than two things, or a model without a head, leave it as it is.
    """
    head = model.word_head
    if head is None:
        return 0
    shown = _drawings(head, batches, things)
    drawings = list(islice(shown, settings.drawings))
    counts = Counter(thing for drawing in drawings for thing in drawing.things)
    known = [thing for thing, count in sorted(counts.items()) if count >= settings.least]
    drawings = [d for d in drawings if not set(known).isdisjoint(d.things)]
    if len(known) < 2:
        return 0
    grams, words = _Fit(drawings, known, model.config.tokenizer, settings, head).run()
    with torch.no_grad():
        head.grams.weight.copy_(grams)
        model.topic_embed.weight.copy_(words)
    return len(drawings)


def _drawings(
    head: WordHead, batches: Iterable[PackedBatch], things: Mapping[int, Sequence[str]]
) -> Iterable[_Drawing]:
    for batch in batches:
        given, targets = GridInput.from_batch(batch), torch.from_numpy(batch.targets)
        loud = loudness(given.size).tolist()
        standing = head.standing(given.ids, given.above, targets)
        for piece, grams, each in zip(batch.pieces.tolist(), standing, loud, strict=True):
            if len(grams) and things.get(piece):
                yield _Drawing(grams, each, things[piece])


class _Fit:
    """The grams' and the words' numbers for which ``drawings`` show what they show likeliest."""

    def __init__(
        self,
        drawings: Sequence[_Drawing],
        known: Sequence[str],
        tokenizer: GridTokenizer,
        settings: WordSettings,
        head: WordHead,
    ) -> None:
        self.drawings, self.settings = drawings, settings
        place = {thing: number for number, thing in enumerate(known)}
        self.shown = torch.zeros(len(drawings), len(known))
        for row, drawing in enumerate(drawings):
            named = [place[thing] for thing in drawing.things if thing in place]
            self.shown[row, named] = 1 / len(named)
        topics = np.stack([tokenizer.topics(Prompt(thing)) for thing in known])
        self.topics = torch.from_numpy(topics.astype(np.int64))
        self.said = (self.topics > 0).float().unsqueeze(2)
        # What few drawings have says more (inverse document frequency, Sparck Jones 1972).
        often = torch.bincount(torch.cat([d.grams for d in drawings]), minlength=GRAMS)
        rare = ((1 + len(drawings)) / (1 + often)).log() + 1
        self.weight = _GRAM_WEIGHT * rare / rare.mean()
        self.random = torch.Generator().manual_seed(0)
        width = head.grams.embedding_dim
        self.grams = self._parameter(_GRAM_SPREAD, GRAMS, width)
        self.words = self._parameter(_TOPIC_SPREAD, TOPIC_BUCKETS, width)
        self.bias = self._parameter(0.0, len(known))

    def _parameter(self, spread: float, *shape: int) -> Tensor:
        return (spread * torch.randn(shape, generator=self.random)).requires_grad_()

    def run(self) -> tuple[Tensor, Tensor]:
        """The numbers of grams (GRAMS, dimensions) and of words (TOPIC_BUCKETS, dimensions); words of which nothing is
        known are zero."""
        how, count = self.settings, len(self.drawings)
        batch = min(how.batch, count)
        steps = max(_FEWEST_STEPS, how.epochs * (count // batch))
        optimizer = torch.optim.Adam([self.grams, self.words, self.bias])
        order = torch.empty(0, dtype=torch.long)
        with torch.enable_grad():
            for step in range(steps):
                if len(order) < batch:
                    order = torch.randperm(count, generator=self.random)
                rows, order = order[:batch], order[batch:]
                for group in optimizer.param_groups:
                    group["lr"] = how.lr * min(1.0, (step + 1) / _WARMUP) * (1 - step / steps)
                optimizer.zero_grad()
                self._loss(rows).backward()  # type: ignore[no-untyped-call]
                optimizer.step()
        known = torch.zeros(len(self.words), 1)
        known[self.topics.flatten()] = 1.0
        known[0] = 0.0
        return self.grams.detach() * self.weight.unsqueeze(1), self.words.detach() * known

    def _loss(self, rows: Tensor) -> Tensor:
        chosen = [self.drawings[row] for row in rows.tolist()]
        grams = torch.cat([d.grams for d in chosen])
        lengths = torch.tensor([len(d.grams) for d in chosen])
        loud = torch.tensor([d.loud for d in chosen]).repeat_interleave(lengths)
        says = F.embedding_bag(
            grams,
            self.grams,
            lengths.cumsum(0) - lengths,
            mode="sum",
            per_sample_weights=self.weight[grams] * loud,
        )
        # Not by indexing, whose gradient adds up in any order.
        things = (F.embedding(self.topics, self.words) * self.said).sum(1)
        logits = says @ things.T + self.bias
        missed = -(self.shown[rows] * logits.log_softmax(1)).sum(1).mean()
        cost = self.grams.square().sum() + things.square().sum()
        return missed + self.settings.penalty / 2 * cost
