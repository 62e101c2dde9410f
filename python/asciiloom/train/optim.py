"""Optimizers: Muon for the blocks' matrices, AdamW for the rest, behind one ``step``."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from asciiloom.train.settings import OptimSettings


class Muon(torch.optim.Muon):
    """torch's Muon, with the same state, but cheap on a CPU, where torch emulates bf16 on most machines."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        if any(p.is_cuda for group in self.param_groups for p in group["params"]):
            return super().step(closure)  # type: ignore[no-untyped-call]
        loss = closure() if closure is not None else None
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self._update(p, p.grad, group)
        return loss

    def _update(self, p: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        state = self.state[p]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(grad)
        momentum = state["momentum_buffer"].lerp_(grad, 1 - group["momentum"])
        update = grad.lerp(momentum, group["momentum"]) if group["nesterov"] else momentum
        # A tall matrix is as good as a wide one: its columns are orthogonalised in place of its rows.
        tall = p.shape[0] > p.shape[1]
        update = orthogonalised(
            update.T if tall else update, group["ns_coefficients"], group["ns_steps"], group["eps"]
        )
        scale = group["lr"] * math.sqrt(max(1.0, p.shape[0] / p.shape[1]))
        p.mul_(1 - group["lr"] * group["weight_decay"])
        p.add_(update.T if tall else update, alpha=-scale)


def orthogonalised(
    x: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float
) -> Tensor:
    """``x`` (m, n), m <= n, with its singular values driven to about one, in the type of ``x``.

    Newton-Schulz takes x to (a + b A + c A^2) x with A = x x^T in each of ``steps``. Only m by m products are
    needed: each step multiplies x by a polynomial P of A from the left, and A becomes P A P; the product of
    the Ps meets the wide x once, at the end. Where x is nearly square the plain form is cheaper.
    Source of the iteration: Jordan et al. 2024.
    """
    a, b, c = coefficients
    x = x / x.norm().clamp(min=eps)
    if x.shape[1] < 2 * x.shape[0]:
        for _ in range(steps):
            gram = x @ x.T
            x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
        return x
    gram = x @ x.T
    product = None
    for step in range(steps):
        polynomial = torch.addmm(gram, gram, gram, beta=b, alpha=c)
        polynomial.diagonal().add_(a)
        product = polynomial if product is None else polynomial @ product
        if step < steps - 1:
            gram = polynomial @ gram @ polynomial
    return x if product is None else product @ x


class Optimizers:
    """The optimizers of a run, stepped and scheduled together."""

    def __init__(self, model: nn.Module, settings: OptimSettings) -> None:
        named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
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
                Muon(
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
