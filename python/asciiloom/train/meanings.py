"""What words mean to a network, found in closed form from one pass over drawings that have words.

The network draws without words; its word head only has to know in which way drawings of cats surprise it. For
each drawing the surprises are added up: what stood there against what was expected, times what had been drawn
(the gradient of the head's matrix, Jaakkola & Haussler 1998). Its words explain a part of that sum: a ridge
regression gives each word, and each kind of thing, the part that is its own, so that a rare word has little
to say and its kind says it instead. Held against how drawings differ anyway (Fisher 1936), the parts are the
matrices by which the head tells drawings apart, and the likelihood of drawings left out says how loud.

Trained by gradients like the rest, words were found to stay noise: they save two or three bits of a
drawing's four hundred, and a word comes by once in a thousand drawings.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import torch
import torch.nn.functional as F
from torch import Tensor

from asciiloom.model import GridInput, GridTransformer
from asciiloom.model.words import loudness
from asciiloom.tokens import IGNORE, PackedBatch
from asciiloom.train.settings import WordSettings

# Positions that decide in which directions the network is looked at.
_POSITIONS = 60_000


@dataclass(slots=True)
class _Seen:
    """Of drawings: sums of surprises (n, before * after) and topics (n, topics); the directions ``before`` (d, before)
    and ``after`` (outputs, after) in which these were looked at."""

    surprises: Tensor
    topics: Tensor
    before: Tensor
    after: Tensor


@torch.no_grad()
def learn_words(
    model: GridTransformer, batches: Iterable[PackedBatch], settings: WordSettings
) -> int:
    """Set the word head of ``model`` from the drawings in ``batches`` that have words; how many those were.

    Rows without topics are passed over. Fewer than two drawings, or a model without a head, leave it as it is.
    """
    head = model.word_head
    if head is None or not settings.drawings:
        return 0
    was_training = model.training
    model.eval()
    try:
        seen = _look(_drawings(model, batches), head.rank, settings.drawings)
    finally:
        model.train(was_training)
    count = len(seen.topics)
    if count < 2:
        return count
    buckets, design = _design(seen.topics)
    surprises = seen.surprises - seen.surprises.mean(0)
    kept = torch.arange(count) % 8 > 0
    tried = _fit(design[kept], surprises[kept], settings)
    meant = design[~kept] @ tried
    told = (meant * surprises[~kept]).sum()
    spread = ((meant @ (surprises.T @ surprises / count)) * meant).sum()
    # What makes drawings that were left out likeliest, to second order.
    loud = float((told / spread.clamp(min=1e-12)).clamp(0, 1)) if len(meant) else 1.0
    matrices = loud * _fit(design, surprises, settings)
    # A word is as few numbers as the head has room for; those that many drawings say decide which.
    often = design.square().sum(0).sqrt().unsqueeze(1)
    directions = torch.linalg.svd(matrices * often, full_matrices=False).Vh[
        : head.words.in_features
    ]
    table = torch.zeros_like(model.topic_embed.weight)
    table[buckets, : len(directions)] = (matrices @ directions.T).to(table)
    model.topic_embed.weight.copy_(table)
    head.drawn.weight.copy_(seen.before.T)
    head.out.weight.copy_(seen.after)
    head.words.weight.zero_()
    head.words.weight[:, : len(directions)] = directions.T.to(head.words.weight)
    return count


@dataclass(slots=True)
class _Drawings:
    """A batch's drawings that have words: hidden states (n, T, d) and surprises (n, T, outputs), 0 where nothing is
    predicted; ``topics`` (n, topics), ``loud`` (n,); ``cells``: how many positions are predicted."""

    hidden: Tensor
    surprise: Tensor
    topics: Tensor
    loud: Tensor
    cells: int


def _drawings(model: GridTransformer, batches: Iterable[PackedBatch]) -> Iterator[_Drawings]:
    device = model.topic_embed.weight.device
    for batch in batches:
        given = GridInput.from_batch(batch, device)
        targets = torch.from_numpy(batch.targets).to(device)
        there = targets != IGNORE
        rows = (given.topics > 0).any(1) & there.any(1)
        if not bool(rows.any()):
            continue
        hidden = model.hidden(given)
        # Of a network that is beyond numbers nothing is learned.
        rows &= hidden.isfinite().all(-1).all(-1)
        hidden, targets, there = hidden[rows].float(), targets[rows], there[rows].unsqueeze(-1)
        surprise = -model.wordless(hidden).float().softmax(-1)
        own = targets.clamp(min=0).unsqueeze(-1)
        surprise.scatter_add_(-1, own, torch.ones_like(own, dtype=surprise.dtype))
        yield _Drawings(
            hidden * there,
            surprise * there,
            given.topics[rows],
            loudness(given.size[rows]),
            int(there.sum()),
        )


def _look(drawings: Iterator[_Drawings], rank: tuple[int, ...], most: int) -> _Seen:
    """The sums of surprises of at most ``most`` drawings, in the ``rank`` directions in which the hidden states and
    surprises of the first vary most."""
    first: list[_Drawings] = []
    while sum(d.cells for d in first) < _POSITIONS and (one := next(drawings, None)):
        first.append(one)
    if not first:
        nothing = torch.empty(0, 0)
        return _Seen(nothing, nothing, nothing, nothing)
    cells = sum(d.cells for d in first)
    before = _main([d.hidden for d in first], cells, rank[0])
    after = _main([d.surprise for d in first], cells, rank[1])
    sums: list[Tensor] = []
    topics: list[Tensor] = []
    found = 0
    for part in chain(first, drawings):
        met = (part.hidden @ before).mT @ (part.surprise @ after)
        sums.append((met * part.loud[:, None, None]).flatten(1).cpu())
        topics.append(part.topics.cpu())
        found += len(part.topics)
        if found >= most:
            break
    return _Seen(torch.cat(sums)[:most].double(), torch.cat(topics)[:most], before, after)


def _main(parts: Sequence[Tensor], count: int, rank: int) -> Tensor:
    """The ``rank`` directions (width, rank) in which the ``count`` values of ``parts`` (..., width) vary most, to unit
    variance."""
    squares = sum((p.flatten(0, 1).T @ p.flatten(0, 1)).double() for p in parts)
    variance, directions = torch.linalg.eigh(torch.as_tensor(squares) / count)
    scaled = directions[:, -rank:] / variance[-rank:].clamp(min=1e-6).sqrt()
    return F.pad(scaled, (0, rank - scaled.shape[1])).to(parts[0])


def _design(topics: Tensor) -> tuple[Tensor, Tensor]:
    """The buckets that occur (k,), and which of them each drawing has (n, k), 0 or 1."""
    buckets, places = torch.unique(topics, return_inverse=True)
    design = torch.zeros(len(topics), len(buckets), dtype=torch.double).scatter_(1, places, 1.0)
    start = int(buckets[0] == 0)  # "no word"
    return buckets[start:], design[:, start:]


def _fit(design: Tensor, surprises: Tensor, settings: WordSettings) -> Tensor:
    """The matrix of each bucket (k, before * after)."""
    doubt = settings.ridge * torch.eye(design.shape[1], dtype=design.dtype)
    parts = torch.linalg.solve(design.T @ design + doubt, design.T @ surprises)
    rest = surprises - design @ parts
    spread = rest.T @ rest / len(rest)
    alike = settings.shrinkage * spread.diagonal().mean().clamp(min=1e-12)
    spread.diagonal().add_(alike)
    matrices: Tensor = torch.linalg.solve(spread, parts.T).T
    return matrices
