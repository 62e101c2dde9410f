"""Hand-written backward passes against autograd's, in float64, and the types that autocast brings."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asciiloom.model.passes import rms_norm, squared_relu, turned, unit


def _turned(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    one, two = x.chunk(2, dim=-1)
    return torch.cat((one * cos - two * sin, two * cos + one * sin), dim=-1)


def _normal(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(len(shape)))


ANGLES = _normal(2, 3, 1, 4)
NORM = nn.RMSNorm(8, dtype=torch.float64)
with torch.no_grad():
    NORM.weight.copy_(_normal(8))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (unit, lambda x: F.rms_norm(x, (8,))),
        (squared_relu, lambda x: F.relu(x).square()),
        (
            lambda x: turned(x, ANGLES.cos(), ANGLES.sin()),
            lambda x: _turned(x, ANGLES.cos(), ANGLES.sin()),
        ),
        (lambda x: rms_norm(x, NORM), NORM),
    ],
)
def test_values_and_gradients_are_those_of_autograd(
    ours: Callable[[Tensor], Tensor], theirs: Callable[[Tensor], Tensor]
) -> None:
    weight = _normal(2, 3, 5, 8)
    # A slice, as queries are one of a wider product: neither input nor gradient is contiguous.
    one, two = (_normal(2, 3, 7, 8).requires_grad_() for _ in range(2))
    y, expected = ours(one[:, :, 1:6]), theirs(two[:, :, 1:6])
    torch.testing.assert_close(y, expected)
    NORM.zero_grad()
    (y * weight).transpose(1, 2).sum().backward()
    gain = None if NORM.weight.grad is None else NORM.weight.grad.clone()
    NORM.zero_grad()
    (expected * weight).transpose(1, 2).sum().backward()
    torch.testing.assert_close(one.grad, two.grad)
    if gain is not None:
        torch.testing.assert_close(gain, NORM.weight.grad)


def test_a_row_of_nothing_has_finite_gradients() -> None:
    """The norm of zeros has no derivative; what is computed from it must not be NaN."""
    x = torch.zeros(2, 8, requires_grad=True)
    unit(x).sum().backward()
    assert x.grad is not None
    assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize("function", [unit, squared_relu])
def test_types_stay_what_they_are(function: Callable[[Tensor], Tensor]) -> None:
    x = _normal(4, 8, dtype=torch.float32).bfloat16().requires_grad_()
    y = function(x)
    y.float().sum().backward()
    assert y.dtype == torch.bfloat16
    assert x.grad is not None
    assert x.grad.dtype == torch.bfloat16
