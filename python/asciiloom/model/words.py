"""``WordHead``: what the words of a prompt have to say about the next cell, apart from all else.

The blocks never see the words. At the output, the prompt's words and what was drawn so far meet in a product of
two vectors: which glyphs an ear of a cat makes likelier *here*. By Bayes' rule that is all that words can
do - p(next | words) is p(next) times how much each next cell says the words - so nothing is lost but room for
words to be weighed against each other. What is won: one pass of the blocks answers for any number of words.
So training can hold a drawing's words against others (see ``train.contrast``), a drawing can be
named, and guidance costs no second pass.

Sources: Yang & Klein 2021 (FUDGE: the future's discriminator at the output), Krause et al. 2020 (GeDi).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Words start at zero, so that one that training never showed adds nothing; the scale makes up for it.
TOPIC_SCALE = 0.5


def word_vectors(topics: Tensor, table: nn.Embedding, scale: float = TOPIC_SCALE) -> Tensor:
    """The words of prompts (..., topics) as one vector each (..., dimensions): a sum over the root of their number."""
    count = (topics > 0).sum(-1, keepdim=True).clamp(min=1).sqrt()
    said: Tensor = scale * table(topics).sum(-2) / count
    return said


class WordHead(nn.Module):
    """(what was drawn, words) -> what is added to the logits; nothing without words."""

    def __init__(self, width: int, rank: int, dimensions: int, outputs: int) -> None:
        super().__init__()
        self.words = nn.Linear(dimensions, rank, bias=False)
        self.drawn = nn.Linear(width, rank, bias=False)
        self.out = nn.Linear(rank, outputs, bias=False)
        nn.init.normal_(self.words.weight, std=dimensions**-0.5)
        nn.init.normal_(self.drawn.weight, std=width**-0.5)
        nn.init.normal_(self.out.weight, std=0.5 * rank**-0.5)

    def forward(self, hidden: Tensor, vectors: Tensor) -> Tensor:
        """(B, T, outputs) of ``hidden`` (B, T, d_model) and ``vectors`` (B, dimensions)."""
        added: Tensor = self.out(self.drawn(hidden) * self.words(vectors).unsqueeze(-2))
        return added

    def each(self, hidden: Tensor, vectors: Tensor) -> Tensor:
        """(B, words, T, outputs) of ``hidden`` (B, T, d_model) and several ``vectors`` (B, words, dimensions)."""
        met = self.drawn(hidden).unsqueeze(1) * self.words(vectors).unsqueeze(2)
        return F.linear(met, self.out.weight)


def nats_under(logits: Tensor, targets: Tensor, ignored: int) -> Tensor:
    """Nats of each drawing under each set of words (B, words), from logits (B, words, T, outputs) and targets
    (B, T)."""
    each = targets.unsqueeze(1).expand(logits.shape[:3])
    nats = F.cross_entropy(
        logits.flatten(0, 2), each.flatten(), ignore_index=ignored, reduction="none"
    )
    return torch.sum(nats.view(each.shape), dim=-1)
