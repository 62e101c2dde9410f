"""Where a network computes, and in which type."""

from contextlib import AbstractContextManager, nullcontext

import torch

from asciiloom.errors import SettingsError


def pick_device(wanted: str) -> torch.device:
    """The device named, or with "auto" the first GPU, or the CPU."""
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise SettingsError(f"no device {ascii(wanted)[:60]}; try cpu or cuda") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise SettingsError(f"{wanted} was asked for, but torch sees no GPU")
    try:
        torch.zeros(1, device=device).item()
    except (RuntimeError, NotImplementedError, AssertionError) as error:
        raise SettingsError(f"the device {wanted} cannot compute here; try cpu or cuda") from error
    return device


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """bf16 autocast on ``device`` where ``precision`` says so, else nothing."""
    if precision == "bf16":
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()
