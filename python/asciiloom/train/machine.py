"""What the machine is good at: device, precision and threads, found out rather than assumed."""

import time

import torch

from asciiloom.errors import SettingsError
from asciiloom.model import GridTransformer

_PROBE_ROWS, _PROBE_REPEATS = 2048, 12


def pick_device(wanted: str) -> torch.device:
    """The device named, or the first GPU, or the CPU."""
    if wanted != "auto":
        try:
            device = torch.device(wanted)
        except RuntimeError as error:
            raise SettingsError(f"no device {wanted!r}") from error
        if device.type == "cuda" and not torch.cuda.is_available():
            raise SettingsError(f"{wanted} was asked for, but torch sees no GPU")
        return device
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _seconds(dtype: torch.dtype, width: int) -> float:
    """Best time of a matrix product of a training step's shape."""
    a = torch.randn(_PROBE_ROWS, width, dtype=dtype)
    b = torch.randn(width, 4 * width, dtype=dtype)
    best = float("inf")
    for _ in range(_PROBE_REPEATS):
        start = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - start)
    return best


def pick_precision(wanted: str, device: torch.device) -> str:
    """``bf16`` where the hardware multiplies it faster than fp32, unless told."""
    if wanted != "auto":
        return wanted
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    return "bf16" if _seconds(torch.bfloat16, 256) < 0.8 * _seconds(torch.float32, 256) else "fp32"


def pick_threads(model: GridTransformer) -> int:
    """All threads, or one where a busy machine makes more of them slower."""
    most = torch.get_num_threads()
    if most == 1:
        return 1
    width = model.config.d_model
    torch.set_num_threads(1)
    alone = _seconds(torch.float32, width)
    torch.set_num_threads(most)
    return most if _seconds(torch.float32, width) < 0.95 * alone else 1
