"""How many bits a model needs for art it has not seen.

Bits per character: minus log2 of the probability of every character, newline and end of each
piece, summed and divided by the characters (newlines count, the end does not). Per ink
character: the same bits over the characters that show something, which spaces cannot flatter.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from asciiloom.errors import AsciiloomError
from asciiloom.model import GridInput, GridTransformer, autocast
from asciiloom.tokens import IGNORE, NEWLINE, PackedBatch

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Scores:
    """Per piece: its id, nats for all of it, characters, ink characters."""

    pieces: I64
    nats: F64
    characters: I64
    ink: I64

    @property
    def bits_per_character(self) -> float:
        return float(self.nats.sum() / math.log(2) / max(1, self.characters.sum()))

    @property
    def bits_per_ink(self) -> float:
        return float(self.nats.sum() / math.log(2) / max(1, self.ink.sum()))

    @property
    def standard_error(self) -> float:
        """Of bits per character, over pieces (a ratio estimator's linearised error)."""
        n = len(self.nats)
        if n < 2:
            return math.nan
        bits = self.nats / math.log(2)
        residual = bits - self.bits_per_character * self.characters
        return float(math.sqrt((residual**2).sum() * n / (n - 1)) / self.characters.sum())

    def where(self, chosen: NDArray[np.bool_]) -> "Scores":
        return Scores(
            self.pieces[chosen], self.nats[chosen], self.characters[chosen], self.ink[chosen]
        )

    def to_dict(self) -> dict[str, float | int]:
        """Every figure of the set."""
        bits = self.bits_per_character
        return {
            "pieces": len(self.pieces),
            "characters": int(self.characters.sum()),
            "ink": int(self.ink.sum()),
            "loss_nats": bits * math.log(2),
            "perplexity": 2**bits,
            "bits_per_character": bits,
            "standard_error": self.standard_error,
            "bits_per_ink": self.bits_per_ink,
        }


@torch.inference_mode()
def score(
    model: GridTransformer,
    batches: Iterable[PackedBatch],
    *,
    precision: str = "fp32",
    progress: Callable[[int], None] | None = None,
) -> Scores:
    """Score whole pieces in ``batches``; the model is left in the mode it was in."""
    device = next(model.parameters()).device
    space = model.config.tokenizer.ids[" "]
    was_training = model.training
    model.eval()
    parts: list[tuple[I64, F64, I64, I64]] = []
    for batch in batches:
        targets = torch.from_numpy(batch.targets).to(device)
        with autocast(device, precision):
            logits = model(GridInput.from_batch(batch, device))
        nats = F.cross_entropy(
            logits.float().flatten(0, 1), targets.flatten(), ignore_index=IGNORE, reduction="none"
        ).view(targets.shape)
        art = batch.targets != IGNORE
        ink = art & (batch.targets > NEWLINE) & (batch.targets != space)
        parts.append(
            (
                batch.pieces,
                nats.sum(1).double().cpu().numpy(),
                art.sum(1).astype(np.int64) - 1,  # the end is paid for, but is no character
                ink.sum(1).astype(np.int64),
            )
        )
        if progress is not None:
            progress(len(batch.pieces))
    model.train(was_training)
    if not parts:
        raise AsciiloomError("no piece of the selection fits into the model's context; widen it")
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return Scores(*columns)
