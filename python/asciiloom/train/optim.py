"""Optimizers: Muon for the blocks' matrices, AdamW for the rest, behind one ``step``."""

from typing import Any

import torch
from torch import nn

from asciiloom.train.settings import OptimSettings


class Optimizers:
    """The optimizers of a run, stepped and scheduled together."""

    def __init__(self, model: nn.Module, settings: OptimSettings) -> None:
        named = list(model.named_parameters())
        matrices = [p for n, p in named if n.startswith("blocks") and p.ndim == 2]
        chosen = set(map(id, matrices)) if settings.matrix == "muon" else set()
        rest = [p for _, p in named if id(p) not in chosen]
        decayed = [p for p in rest if p.ndim == 2]
        plain = [p for p in rest if p.ndim != 2]
        betas = (settings.beta1, settings.beta2)
        self._members: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(
                [
                    {"params": decayed, "weight_decay": settings.weight_decay},
                    {"params": plain, "weight_decay": 0.0},
                ],
                lr=settings.lr,
                betas=betas,
                fused=True,
            )
        ]
        if chosen:
            self._members.append(
                torch.optim.Muon(
                    matrices,
                    lr=settings.muon_lr,
                    weight_decay=settings.weight_decay,
                    momentum=settings.muon_momentum,
                )
            )
        self._peaks = [[g["lr"] for g in o.param_groups] for o in self._members]

    def set_rate(self, share: float) -> None:
        """Set every learning rate to ``share`` of its peak."""
        for optimizer, peaks in zip(self._members, self._peaks, strict=True):
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["lr"] = peak * share

    def step(self) -> None:
        for optimizer in self._members:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def forget(self) -> None:
        """Drop the gradients of a step that is not taken."""
        for optimizer in self._members:
            optimizer.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict[str, Any]]:
        return [optimizer.state_dict() for optimizer in self._members]

    def load_state_dict(self, states: Any) -> None:
        """Take the moments of ``state_dict`` back; ``ValueError`` where they are of another network."""
        if not isinstance(states, list) or len(states) != len(self._members):
            raise ValueError("the moments are not those of these optimizers")
        for optimizer, state in zip(self._members, states, strict=True):
            try:
                _check_moments(optimizer, state)
            except (KeyError, TypeError, AttributeError) as error:
                raise ValueError("the moments are not those of these optimizers") from error
            # The moments are the checkpoint's; rates and decay are the settings', which may have changed.
            chosen = [{k: v for k, v in g.items() if k != "params"} for g in optimizer.param_groups]
            optimizer.load_state_dict(state)
            for group, values in zip(optimizer.param_groups, chosen, strict=True):
                group.update(values)


def _check_moments(optimizer: torch.optim.Optimizer, state: Any) -> None:
    """Torch takes moments of any shape, and stumbles at the next step."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    fresh = optimizer.state_dict()["param_groups"]
    if [g["params"] for g in state["param_groups"]] != [g["params"] for g in fresh]:
        raise ValueError("the moments are grouped otherwise")
    for ours, theirs in zip(fresh, state["param_groups"], strict=True):
        if ours.keys() != theirs.keys():
            raise ValueError("the optimizer's settings are others")
    for number, moments in state["state"].items():
        for name, value in moments.items():
            if not isinstance(value, torch.Tensor):
                raise ValueError(f"the moment {name} is no tensor")
            if value.ndim and value.shape != parameters[number].shape:
                raise ValueError(f"the moment {name} has another shape than its weights")
            if not bool(torch.isfinite(value).all()):
                raise ValueError(f"the moment {name} is not finite")
