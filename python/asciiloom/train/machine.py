"""What the machine is good at: precision, threads and memory, found out rather than assumed."""

import ctypes
import functools
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


_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # of malloc.h


@functools.cache
def keep_freed_memory() -> bool:
    """Have glibc keep what a step frees for the next one; whether it does (False: another C library).

    Else every tensor of some MB is given back to the kernel, fetched again and zeroed page by page: thousands
    of faults a step, some 8 % of a small model's time.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    large = 1 << 30
    return all([mallopt(_MMAP_THRESHOLD, large), mallopt(_TRIM_THRESHOLD, large), mallopt(_TOP_PAD, 1 << 26)])  # fmt: skip
