"""Words held against one another: a drawing should be likelier under its own words than under others'.

Bits per character hardly ask for that: words save two or three bits of a drawing's four hundred, and their
gradient drowns. So each drawing of a batch is scored under its own words and under those of some others of
the batch, and is to be told from them: InfoNCE over the log-likelihoods of whole drawings. The blocks are
passed once, since words meet their output only (see ``WordHead``).

Source: van den Oord et al. 2018 (InfoNCE).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from asciiloom.model import GridInput, GridTransformer
from asciiloom.model.words import nats_under
from asciiloom.tokens import IGNORE
from asciiloom.train.settings import ContrastSettings


def confusion(
    model: GridTransformer,
    given: GridInput,
    hidden: Tensor,
    logits: Tensor,
    targets: Tensor,
    settings: ContrastSettings,
) -> Tensor:
    """Nats, summed over the drawings that were held against others, by which their own words are not told apart.

    ``hidden`` (B, T, d_model) and ``logits`` (B, T, outputs) are the model's without words, ``targets`` (B, T).
    Which rows and words are taken follows from torch's random state.
    """
    topics = given.topics
    told = torch.nonzero(topics[:, 0] > 0).flatten()
    if model.word_head is None or len(told) < 2:
        return hidden.new_zeros(())
    order = torch.randperm(len(told), device=told.device)
    rows = told[order[: settings.drawings]]
    against = told[torch.randperm(len(told), device=told.device)[: settings.others]]
    # Where the first word of the others is among a drawing's own, they are not wrong.
    mine = topics[rows]
    same = (mine[:, :, None] == topics[against, 0][None, None, :]).any(1)
    words = torch.cat((mine[:, None], topics[against][None].expand(len(rows), -1, -1)), dim=1)
    added = model.word_head.each(hidden[rows], model.say(words), given.size[rows])
    nats = nats_under((logits[rows].unsqueeze(1) + added).float(), targets[rows], IGNORE)
    wrong = F.pad(same, (1, 0))
    scores = (-nats).masked_fill(wrong, -torch.inf)
    right = torch.zeros(len(rows), dtype=torch.long, device=scores.device)
    return F.cross_entropy(scores, right, reduction="sum")
