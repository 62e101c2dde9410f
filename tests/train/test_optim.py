"""Muon on a CPU is torch's Muon, only cheaper."""

import copy

import pytest
import torch

from asciiloom.train.optim import Muon, orthogonalised

JORDAN = (3.4445, -4.7750, 2.0315)


@pytest.mark.parametrize("shape", [(24, 96), (24, 40), (24, 24), (1, 7)])
def test_the_small_products_give_what_the_plain_iteration_gives(shape: tuple[int, int]) -> None:
    """In float64, where rounding cannot hide a wrong formula."""
    a, b, c = JORDAN
    given = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x = given / given.norm()
    for _ in range(5):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    torch.testing.assert_close(orthogonalised(given, JORDAN, 5, 1e-7), x, atol=1e-12, rtol=1e-9)


def test_a_matrix_of_badly_scaled_columns_stays_accurate_in_fp32() -> None:
    """Squaring the Gram matrix loses no more than bf16, in which Muon is usually run, does."""
    scale = torch.logspace(0, -5, 256)
    given = torch.randn(64, 256, generator=torch.Generator().manual_seed(0)) * scale
    exact = orthogonalised(given.double(), JORDAN, 5, 1e-7)
    error = (orthogonalised(given, JORDAN, 5, 1e-7) - exact).norm() / exact.norm()
    assert error < 1e-3


@pytest.mark.parametrize("shape", [(96, 24), (24, 96), (32, 24)])
def test_steps_are_those_of_torch(shape: tuple[int, int]) -> None:
    """Within the rounding of bf16, in which torch iterates; and the state is torch's."""
    torch.manual_seed(0)
    ours = torch.nn.Parameter(torch.randn(shape))
    theirs = copy.deepcopy(ours)
    begin = ours.detach().clone()
    mine, torchs = (
        kind([p], lr=0.02, weight_decay=0.1)
        for kind, p in ((Muon, ours), (torch.optim.Muon, theirs))
    )
    for _ in range(3):
        gradient = torch.randn(shape)
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        mine.step()
        torchs.step()
    difference = (ours - theirs).norm() / (theirs - begin).norm()
    assert difference < 0.02
    torchs.load_state_dict(mine.state_dict())
    for key, value in torchs.state[theirs].items():
        torch.testing.assert_close(value, mine.state[ours][key])
