"""What stands between the matrix products, with backward passes written by hand.

On a CPU these cost by how often they walk through memory, not by what they compute: left to autograd, norms,
rotations and the squared ReLU take a third of a training step. Each function here is what its formula says,
with fewer walks; the gradients are tested against autograd's.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


class _Unit(torch.autograd.Function):
    """y = x / rms(x). Its gradient, g / rms(x) less the part along y, needs no more than y and 1 / rms(x)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        scale = _inverse_rms(x)
        y = x * scale
        ctx.save_for_backward(y, scale)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (g,) = gradients
        y, scale = ctx.saved_tensors
        along = torch.linalg.vecdot(g, y).div_(-y.shape[-1]).unsqueeze(-1)
        return torch.addcmul(g, y, along).mul_(scale)


class _Norm(torch.autograd.Function):
    """``_Unit`` with a gain: y = gain x / rms(x). One product, g times x / rms(x), serves both gradients."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gain: Tensor) -> Tensor:
        scale = _inverse_rms(x)
        y = x * scale
        ctx.save_for_backward(y, scale, gain)
        return y * gain

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        (g,) = gradients
        y, scale, gain = ctx.saved_tensors
        both = (g * y).flatten(0, -2)
        along = (both @ gain).div_(-y.shape[-1]).view(scale.shape)
        return (g * gain).addcmul_(y, along).mul_(scale), both.sum(0)


class _SquaredReLU(torch.autograd.Function):
    """y = max(x, 0)^2; max(x, 0) is kept, and nothing else."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        positive = F.relu(x)
        ctx.save_for_backward(positive)
        return positive * positive

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (g,), (positive,) = gradients, ctx.saved_tensors
        out: Tensor = (g * positive).mul_(2)
        return out


class _Turned(torch.autograd.Function):
    """A rotation of pairs; its gradient is turned back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(cos, sin)
        return _rotate(x, cos, sin, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (g,), (cos, sin) = gradients, ctx.saved_tensors
        return _rotate(g, cos, sin, -1), None, None


def _rotate(x: Tensor, cos: Tensor, sin: Tensor, sense: int) -> Tensor:
    out = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    (one, two), (first, second) = x.chunk(2, dim=-1), out.chunk(2, dim=-1)
    torch.mul(one, cos, out=first).addcmul_(two, sin, value=-sense)
    torch.mul(two, cos, out=second).addcmul_(one, sin, value=sense)
    return out


def _inverse_rms(x: Tensor) -> Tensor:
    wide = torch.promote_types(x.dtype, torch.float32)
    norm: Tensor = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=wide)
    square = norm.square_().div_(x.shape[-1])
    return square.add_(torch.finfo(x.dtype).eps).rsqrt_().to(x.dtype)


def unit(x: Tensor) -> Tensor:
    """``x`` over its root mean square along the last axis."""
    return _call(_Unit, x)


def rms_norm(x: Tensor, norm: nn.RMSNorm) -> Tensor:
    """What ``norm`` gives for ``x``. Source: Zhang and Sennrich 2019."""
    return _call(_Norm, x, norm.weight)


def squared_relu(x: Tensor) -> Tensor:
    """max(x, 0)^2. Source: So et al. 2021."""
    return _call(_SquaredReLU, x)


def turned(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Pairs of ``x`` (B, T, heads, head), one of each half, turned by the angles of ``cos`` and ``sin``
    (B, T, 1, head / 2). Source: Su et al. 2021."""
    return _call(_Turned, x, cos, sin)


def _call(function: type[torch.autograd.Function], *given: Tensor) -> Tensor:
    out: Tensor = function.apply(*given)  # type: ignore[no-untyped-call]
    return out
