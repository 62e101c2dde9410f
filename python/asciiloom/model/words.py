"""``WordHead``: what the words of a prompt have to say about the next cell, and what a drawing says of its words.

The blocks never see the words. What says in a drawing what it shows are its small details, an ear, a wheel, an eye:
a *gram* is a glyph together with some of the glyphs about it. Each gram has a vector and each word has one; their
product, added up over the grams of a drawing, is how much it says the word. Read so, the head names drawings;
asked of the grams that each next glyph would make, it tells the blocks which glyphs say what was asked for
(Yang & Klein 2021, FUDGE: by Bayes' rule p(next | words) is p(next) times how much each next says the words). One
pass of the blocks answers for any number of words.

A detail says its word once: a gram that stands in the drawing already is worth nothing more. So words ask for
new details and never for the same one over and over. What a drawing tells does not grow with its cells, so each
cell of a large one counts less.
"""

import torch
from torch import Tensor, nn

from asciiloom.model.config import GRAMS

# Which cells about the next one make a gram with it, as (rows up, columns right).
_LEFT = (0, -1)
CONTEXTS: tuple[tuple[tuple[int, int], ...], ...] = (
    (),
    (_LEFT,),
    (_LEFT, (0, -2)),
    ((1, 0),),
    ((1, -1), (1, 0), _LEFT),
    ((2, 0), (1, 0)),
    ((1, -1), (1, 0), (1, 1)),
    ((1, 1),),
    ((1, -1),),
)
# Cells of a drawing whose size is left open, and the fewest that count.
_USUAL_CELLS, _FEWEST_CELLS = 200.0, 20.0
# 2^64 over the golden ratio, signed: spreads neighbouring numbers evenly (Knuth 1973, multiplicative hashing).
_GOLDEN = -7046029254386353131
_KEY_BITS = 64
# The first ids are no cells: the end and a new row.
_ENDS = 2
# What is drawn first counts most: by one over the root of the share that is drawn, and a little.
_FALL, _LITTLE = 0.5, 0.05


class WordHead(nn.Module):
    """(what stands about the next cell, words) -> what is added to the logits; nothing without words.

    ``neighbours``: the cells that the network sees about the next one, beside the one to its left; grams are made of
    these alone. A word is ``dimensions`` numbers; all zero, it adds nothing.
    """

    def __init__(
        self, neighbours: tuple[tuple[int, int], ...], dimensions: int, outputs: int
    ) -> None:
        super().__init__()
        self.outputs = outputs
        seen = (*neighbours, _LEFT)
        self.contexts = [
            [seen.index(cell) for cell in cells] for cells in CONTEXTS if set(cells) <= set(seen)
        ]
        self.grams = nn.Embedding(GRAMS, dimensions)
        nn.init.normal_(self.grams.weight, std=dimensions**-0.5)

    def says(self, vectors: Tensor) -> Tensor:
        """How much each gram says of ``vectors`` (..., dimensions): (..., GRAMS)."""
        return vectors @ self.grams.weight.T

    def grams_of(self, ids: Tensor, above: Tensor, glyphs: Tensor) -> Tensor:
        """The grams (B, T, contexts, n) that ``glyphs``, (n,) for all cells or (B, T, 1, n), make where ``ids`` (B, T)
        stand to the left and ``above`` (B, T, neighbours) about."""
        seen = torch.cat((above, ids.unsqueeze(-1)), -1).clamp(max=self.outputs)
        symbols = self.outputs + 1
        keys = []
        for number, places in enumerate(self.contexts):
            key = torch.full_like(ids, number + 1)
            for place in places:
                key = key * symbols + seen[..., place]
            keys.append(key)
        key = torch.stack(keys, -1).unsqueeze(-1) * self.outputs + glyphs
        return (key * _GOLDEN >> (_KEY_BITS - GRAMS.bit_length())) & (GRAMS - 1)

    def candidates(self, ids: Tensor, above: Tensor) -> Tensor:
        """The grams that each next glyph would make, (B, T, contexts, outputs)."""
        return self.grams_of(ids, above, torch.arange(self.outputs, device=ids.device))

    def standing(self, ids: Tensor, above: Tensor, targets: Tensor) -> list[Tensor]:
        """The grams of each row's drawing, each once; ``targets`` (B, T) are negative where no glyph was drawn."""
        made = self.grams_of(ids, above, targets.clamp(min=0)[..., None, None]).squeeze(-1)
        return [grams[drawn >= 0].unique() for grams, drawn in zip(made, targets, strict=True)]

    def shows(self, ids: Tensor, above: Tensor, targets: Tensor, size: Tensor) -> Tensor:
        """What each row's drawing says, (B, dimensions): its product with a word's numbers is how much that word."""
        sums = [self.grams(grams).sum(0) for grams in self.standing(ids, above, targets)]
        return torch.stack(sums) * loudness(size).unsqueeze(1)

    def forward(
        self, logits: Tensor, says: Tensor, grams: Tensor, fresh: Tensor, size: Tensor, cell: Tensor
    ) -> Tensor:
        """``logits`` (B, T, outputs) as changed by ``says`` (B, GRAMS), the ``grams`` (B, T, contexts, outputs) that would
        be made and which of them are ``fresh``, in a drawing of ``size`` (B, 2) whose next cells are ``cell`` (B, T, 2).

        Words choose what stands in a cell. Whether a row or the drawing ends stays as likely as it was: an end that will
        come anyway must not come at once because of what it says.
        """
        said = says.gather(1, grams.flatten(1)).view(grams.shape)
        loud = (loudness(size).unsqueeze(1) * earliness(cell, size)).unsqueeze(2)
        added = ((said * fresh).sum(2) * loud)[..., _ENDS:]
        cells = logits[..., _ENDS:]
        chosen = cells + added
        kept = cells.logsumexp(-1, keepdim=True) - chosen.logsumexp(-1, keepdim=True)
        return torch.cat((logits[..., :_ENDS], chosen + kept), -1)


def made_grams(grams: Tensor, ids: Tensor) -> Tensor:
    """Those of ``grams`` (B, T, contexts, outputs) that the glyph after each place of ``ids`` (B, T) but the last made:
    (B, T - 1, contexts)."""
    glyph = ids[:, 1:].clamp(max=grams.shape[3] - 1)[:, :, None, None]
    return grams[:, :-1].gather(3, glyph.expand(-1, -1, grams.shape[2], 1)).squeeze(3)


def fresh_grams(grams: Tensor, ids: Tensor, drawn: Tensor) -> Tensor:
    """Which of ``grams`` (B, T, contexts, outputs) do not stand in the drawing yet, (same shape, bool).

    ``ids`` (B, T): the sequence; ``drawn`` (B, T): where the next cell is one of the drawing.
    """
    batch, time, contexts, _ = grams.shape
    place = torch.arange(time, device=grams.device)
    made = made_grams(grams, ids)
    when = torch.where(drawn, place, time)[:, :-1, None].expand(-1, -1, contexts)
    first = torch.full((batch, GRAMS), time, device=grams.device)
    first.scatter_reduce_(1, made.flatten(1), when.flatten(1), "amin")
    return first.gather(1, grams.flatten(1)).view(grams.shape) >= place[:, None, None]


def loudness(size: Tensor) -> Tensor:
    """How loud words are at one cell of a drawing of ``size`` (B, 2), 0 where it is left open: (B,)."""
    return (_USUAL_CELLS / _cells(size).clamp(min=_FEWEST_CELLS)).sqrt()


def earliness(cell: Tensor, size: Tensor) -> Tensor:
    """How much more the next ``cell`` (B, T, 2), as (row from 1, column), counts than the last of a drawing of ``size``
    (B, 2), as (height, width): (B, T), 4.5 at the first.

    Details agree with one another, so that the first tell most of what all of them tell.
    """
    cells = _cells(size).unsqueeze(1)
    width = torch.where(size[:, 1:] > 0, size[:, 1:].float(), cells.sqrt())
    drawn = ((cell[..., 0] - 1) * width + cell[..., 1]).clamp(min=0) / cells
    return (_LITTLE + drawn) ** -_FALL


def _cells(size: Tensor) -> Tensor:
    cells = size.prod(-1).float()
    return torch.where(cells > 0, cells, _USUAL_CELLS)
