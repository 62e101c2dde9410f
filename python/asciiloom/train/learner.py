"""A network and its optimizers: how one step changes them, and how they come back from a checkpoint."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F

from asciiloom.model import GridInput, GridTransformer, autocast
from asciiloom.tokens import IGNORE, PackedBatch
from asciiloom.train.machine import (
    Machine,
    keep_freed_memory,
    random_state,
    set_random_state,
)
from asciiloom.train.optim import Optimizers
from asciiloom.train.settings import OptimSettings

# The tensors that say what words mean.
_OF_WORDS = ("word_head.", "topic_embed.")


class Learner:
    """``model`` is moved to the machine's device and trained there."""

    def __init__(
        self,
        model: GridTransformer,
        settings: OptimSettings,
        machine: Machine,
    ) -> None:
        self.device, self._precision = torch.device(machine.device), machine.precision
        self.model = model.to(self.device)
        self._clip = settings.clip
        self._words_last = model.word_head is not None
        if self._words_last:
            for name, weight in self.model.named_parameters():
                weight.requires_grad_(not name.startswith(_OF_WORDS))
        self._optim = Optimizers(self.model, settings)
        keep_freed_memory()

    def step(self, group: Sequence[PackedBatch], share: float) -> float:
        """One optimizer step over ``group`` at ``share`` of the peak rate; the mean loss in bits a token.

        Nothing is learned from a loss or a gradient that is not finite: then it is NaN.
        """
        self._optim.set_rate(share)
        tokens = sum(int((batch.targets != IGNORE).sum()) for batch in group)
        nats = sum(self._backward(batch, tokens) for batch in group)
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self._clip)
        if not (math.isfinite(nats) and math.isfinite(float(norm))):
            self._optim.forget()
            return math.nan
        self._optim.step()
        return nats / tokens / math.log(2)

    def _backward(self, batch: PackedBatch, tokens: int) -> float:
        """Add the gradients of a batch, one of a step with ``tokens`` targets; its loss in nats."""
        targets = torch.from_numpy(batch.targets).to(self.device)
        given = GridInput.from_batch(batch, self.device)
        with autocast(self.device, self._precision):
            # What words mean comes last, and from drawings as they are expected without (see ``learn_words``).
            logits = self.model(
                replace(given, topics=torch.zeros_like(given.topics)) if self._words_last else given
            )
        nats = F.cross_entropy(
            logits.float().flatten(0, 1),
            targets.flatten(),
            ignore_index=IGNORE,
            reduction="sum",
        )
        torch.autograd.backward(nats / tokens)
        return nats.item()

    @property
    def is_sound(self) -> bool:
        """Whether every weight is finite."""
        return all(bool(weight.isfinite().all()) for weight in self.model.parameters())

    def tensors(self) -> dict[str, Any]:
        """All that decides the next step beside the weights."""
        tensors: dict[str, Any] = {
            "optim": self._optim.state_dict(),
            "torch_rng": torch.get_rng_state(),
        }
        if self.device.type != "cpu":
            tensors["device_rng"] = random_state(self.device)
        return tensors

    def take(self, weights: Mapping[str, torch.Tensor], tensors: Mapping[str, Any]) -> None:
        """Go on from ``weights`` and what ``tensors()`` gave; what does not fit raises as torch does."""
        self.model.load_state_dict(weights)
        self._optim.load_state_dict(tensors["optim"])
        torch.set_rng_state(tensors["torch_rng"])
        if "device_rng" in tensors and self.device.type != "cpu":
            set_random_state(self.device, tensors["device_rng"])
