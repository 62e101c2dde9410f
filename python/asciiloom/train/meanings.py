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

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

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
    """Of drawings: sums of surprises (n, before * after) and topics (n, topics)."""

    surprises: Tensor
    topics: Tensor


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
    seen = _look(model, _positions(model, batches), settings.drawings)
    model.train(was_training)
    count = len(seen.topics)
    if count < 2:
        return count
    buckets, design = _design(seen.topics, model.topic_embed.num_embeddings)
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
    head.words.weight.zero_()
    head.words.weight[:, : len(directions)] = directions.T.to(head.words.weight)
    return count


@dataclass(slots=True)
class _Positions:
    """A batch's hidden states (n, d), surprises (n, outputs) and rows (n,) of positions that are predicted."""

    hidden: Tensor
    surprise: Tensor
    row: Tensor
    topics: Tensor
    loud: Tensor


def _positions(model: GridTransformer, batches: Iterable[PackedBatch]) -> Iterator[_Positions]:
    device = model.topic_embed.weight.device
    for batch in batches:
        given = GridInput.from_batch(batch, device)
        targets = torch.from_numpy(batch.targets).to(device)
        there = (targets != IGNORE) & (given.topics[:, :1] > 0)
        if not bool(there.any()):
            continue
        hidden = model.hidden(given)
        expected = model.wordless(hidden)[there].float().softmax(-1)
        surprise = F.one_hot(targets[there], expected.shape[-1]) - expected
        row = there.nonzero()[:, 0]
        yield _Positions(hidden[there].float(), surprise, row, given.topics, loudness(given.size))


def _look(model: GridTransformer, positions: Iterator[_Positions], most: int) -> _Seen:
    """The sums of surprises of at most ``most`` drawings, in the directions in which hidden states and surprises
    vary most; the head takes these directions."""
    head = model.word_head
    assert head is not None
    first: list[_Positions] = []
    while sum(len(p.row) for p in first) < _POSITIONS and (one := next(positions, None)):
        first.append(one)
    sums: list[Tensor] = []
    topics: list[Tensor] = []
    if first:
        head.drawn.weight.copy_(_main(torch.cat([p.hidden for p in first]), head.rank[0]).T)
        head.out.weight.copy_(_main(torch.cat([p.surprise for p in first]), head.rank[1]))
    found = 0
    for part in (*first, *positions):
        before, after = part.hidden @ head.drawn.weight.T, part.surprise @ head.out.weight
        rows = sorted(set(part.row.tolist()))
        for row in rows[: most - found]:
            mine = part.row == row
            sums.append(part.loud[row] * (before[mine].T @ after[mine]).flatten())
            topics.append(part.topics[row])
        found = len(sums)
        if found >= most:
            break
    width = head.rank[0] * head.rank[1]
    if not sums:
        return _Seen(torch.empty(0, width), torch.empty(0, 1, dtype=torch.long))
    return _Seen(torch.stack(sums).cpu().double(), torch.stack(topics).cpu())


def _main(values: Tensor, rank: int) -> Tensor:
    """The ``rank`` directions (width, rank) in which ``values`` (n, width) vary most, to unit variance."""
    variance, directions = torch.linalg.eigh((values.T @ values).double() / len(values))
    scaled = directions[:, -rank:] / variance[-rank:].clamp(min=1e-6).sqrt()
    return F.pad(scaled, (0, rank - scaled.shape[1])).to(values.dtype)


def _design(topics: Tensor, buckets: int) -> tuple[Tensor, Tensor]:
    """The buckets that occur (k,), and which of them each drawing has (n, k), 0 or 1."""
    whole = torch.zeros(len(topics), buckets, dtype=torch.double)
    whole.scatter_(1, topics, 1.0)
    whole[:, 0] = 0
    there = whole.any(0).nonzero().flatten()
    return there, whole[:, there]


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
