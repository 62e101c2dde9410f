"""Where a network computes, and in which type."""

from contextlib import AbstractContextManager, nullcontext

import torch

from asciiloom.errors import SettingsError


def pick_device(wanted: str) -> torch.device:
    """The device named, or with "auto" the first of CUDA, MPS (Apple) and CPU that is here."""
    if wanted == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise SettingsError(f"no device {ascii(wanted)[:60]}; try cpu, cuda or mps") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise SettingsError(f"{wanted} was asked for, but torch sees no GPU; try cpu")
    if device.type == "cuda" and (device.index or 0) >= (count := torch.cuda.device_count()):
        raise SettingsError(
            f"{wanted} was asked for, but torch sees {count} GPU; count from cuda:0"
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise SettingsError(f"{wanted} was asked for, but this is no Mac with Metal; try cpu")
    try:
        torch.zeros(1, device=device).item()
    except (RuntimeError, NotImplementedError, AssertionError) as error:
        raise SettingsError(
            f"the device {wanted} cannot compute here; try cpu, cuda or mps"
        ) from error
    return device


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """bf16 autocast on ``device`` where ``precision`` says so, else nothing."""
    if precision == "bf16":
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()
