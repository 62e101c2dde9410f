"""``WordHead``: what the words of a prompt have to say about the next cell, apart from all else.

The blocks never see the words. At the output, the prompt's words become a small matrix between what was drawn so
far and what comes next: which glyphs an ear of a cat makes likelier *here*. By Bayes' rule that is all that
words can do: p(next | words) is p(next) times how much each next cell says the words. What is won: one pass
of the blocks answers for any number of words, and what words mean can be solved for (see ``learn_words``).

What words can tell of a whole drawing does not grow with its cells, so each cell of a large one is told less.

Sources: Yang & Klein 2021 (FUDGE: a discriminator of what is to come, at the output), Tucker 1966 (the product
of three).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Cells of a drawing whose size is left open, and the fewest that count.
_USUAL_CELLS, _FEWEST_CELLS = 200.0, 20.0
_OUT_SCALE = 0.2


class WordHead(nn.Module):
    """(what was drawn, words) -> what is added to the logits; nothing without words.

    ``rank``: dimensions of what was drawn and of what comes next, between which words are a matrix. A word is
    ``dimensions`` numbers; all zero, it adds nothing.
    """

    def __init__(self, width: int, rank: tuple[int, ...], dimensions: int, outputs: int) -> None:
        super().__init__()
        self.rank = rank
        self.words = nn.Linear(dimensions, rank[0] * rank[1], bias=False)
        self.drawn = nn.Linear(width, rank[0], bias=False)
        self.out = nn.Linear(rank[1], outputs, bias=False)
        nn.init.normal_(self.words.weight, std=dimensions**-0.5)
        nn.init.normal_(self.drawn.weight, std=width**-0.5)
        nn.init.normal_(self.out.weight, std=_OUT_SCALE)

    def forward(self, hidden: Tensor, vectors: Tensor, size: Tensor) -> Tensor:
        """(B, T, outputs) of ``hidden`` (B, T, d_model), ``vectors`` (B, dimensions) and sizes (B, 2) asked for."""
        return self.each(hidden, vectors.unsqueeze(1), size).squeeze(1)

    def each(self, hidden: Tensor, vectors: Tensor, size: Tensor) -> Tensor:
        """(B, words, T, outputs), as ``forward`` for several ``vectors`` (B, words, dimensions) each."""
        matrix = self.words(vectors).unflatten(-1, self.rank) * loudness(size)[:, None, None, None]
        met = self.drawn(hidden).unsqueeze(1) @ matrix.to(hidden.dtype)
        return F.linear(met, self.out.weight)


def loudness(size: Tensor) -> Tensor:
    """How loud words are at one cell of a drawing of ``size`` (B, 2), 0 where it is left open: (B,)."""
    cells = size.prod(-1).float()
    cells = torch.where(cells > 0, cells, _USUAL_CELLS)
    return (_USUAL_CELLS / cells.clamp(min=_FEWEST_CELLS)).sqrt()
