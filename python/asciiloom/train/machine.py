"""What the machine is good at: precision and threads, found out rather than assumed."""

import time

import torch

from asciiloom.model import GridTransformer

_PROBE_ROWS, _PROBE_REPEATS = 2048, 20


def _seconds(width: int, *dtypes: torch.dtype) -> list[float]:
    """Best time of a matrix product of a training step's shape in each type, measured in turn."""
    cases = [
        (torch.randn(_PROBE_ROWS, width, dtype=d), torch.randn(width, 4 * width, dtype=d))
        for d in dtypes
    ]
    best = [float("inf")] * len(cases)
    for _ in range(_PROBE_REPEATS):
        for number, (a, b) in enumerate(cases):
            start = time.perf_counter()
            a @ b
            best[number] = min(best[number], time.perf_counter() - start)
    return best


def pick_precision(wanted: str, device: torch.device) -> str:
    """``bf16`` where the hardware multiplies it faster than fp32, unless told."""
    if wanted != "auto":
        return wanted
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    short, full = _seconds(256, torch.bfloat16, torch.float32)
    return "bf16" if short < 0.9 * full else "fp32"


def pick_threads(model: GridTransformer) -> int:
    """All threads, or one where a busy machine makes more of them slower."""
    available = torch.get_num_threads()
    if available == 1:
        return 1
    width = model.config.d_model
    torch.set_num_threads(1)
    (alone,) = _seconds(width, torch.float32)
    torch.set_num_threads(available)
    (together,) = _seconds(width, torch.float32)
    return available if together < 0.95 * alone else 1
