"""What a run computes with: device, precision, threads and memory, found out once and kept to.

The first three decide the last bits of every sum, so a run that is resumed goes on with those it began with; where this
machine cannot, or is another, that is said.
"""

import ctypes
import functools
import os
import time
from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any

import psutil
import torch

from asciiloom.errors import SettingsError
from asciiloom.model import pick_device
from asciiloom.train.settings import GuardSettings, RunSettings
from asciiloom.typed import Between, OneOf, check_fields

_PROBE_ROWS, _PROBE_REPEATS, _PROBE_WIDTH = 2048, 20, 256
# What must be gained to leave the plain choice: probes on a busy machine are off by some per cent.
_PAYS_PRECISION, _PAYS_THREADS = 0.9, 0.95


@dataclass(frozen=True, slots=True)
class Machine:
    """``processor``: the GPU's name, or the CPU's instruction set as torch uses it."""

    device: str
    precision: Annotated[str, OneOf(("bf16", "fp32"))]
    threads: Annotated[int, Between(1, 4096)]
    processor: str
    torch: str

    def __post_init__(self) -> None:
        check_fields(self, "machine")

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def differences(self, former: "Machine") -> str | None:
        """One line about what ``former`` began with and this one lacks, None where nothing differs."""
        pairs = [(f.name, getattr(former, f.name), getattr(self, f.name)) for f in fields(self)]
        changed = [f"{name} {before} -> {now}" for name, before, now in pairs if before != now]
        if not changed:
            return None
        return f"begun otherwise ({', '.join(changed)}): the run goes on, but not bit for bit"


def find_machine(run: RunSettings, width: int, former: Machine | None) -> Machine:
    """What to compute with: as the settings say, else as ``former`` did, else as a probe of this machine says.

    ``width`` is the model's, for the probe of threads. Their number is set.
    """
    device = _find_device(run.device, former)
    precision = run.precision
    if precision == "auto" and former is not None:
        precision = former.precision
    precision = pick_precision(precision, device)
    threads = run.threads or (former.threads if former is not None else 0)
    if not threads:
        threads = pick_threads(width) if device.type == "cpu" else torch.get_num_threads()
    torch.set_num_threads(threads)
    return Machine(str(device), precision, threads, _processor(device), torch.__version__)


def crowded(machine: Machine) -> str | None:
    """One line where a run has more threads than there are cores to run them."""
    cores = os.cpu_count() or 1
    if machine.threads <= cores:
        return None
    return f"{machine.threads} threads, as begun, on {cores} cores: exact, but slow (run.threads={cores} is not)"


def _find_device(wanted: str, former: Machine | None) -> torch.device:
    if wanted == "auto" and former is not None:
        try:
            return pick_device(former.device)
        except SettingsError:
            pass  # not here: the best there is, and ``differences`` says so
    return pick_device(wanted)


def _processor(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return torch.backends.cpu.get_cpu_capability() if device.type == "cpu" else device.type


def random_state(device: torch.device) -> torch.Tensor:
    """The state of the random numbers of a device."""
    if device.type == "cpu":
        return torch.get_rng_state()
    state: torch.Tensor = torch.get_device_module(device).get_rng_state()
    return state


def set_random_state(device: torch.device, state: torch.Tensor) -> None:
    if device.type == "cpu":
        torch.set_rng_state(state)
    else:
        torch.get_device_module(device).set_rng_state(state)


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
    if device.type != "cpu":
        return "fp32"
    short, full = _seconds(_PROBE_WIDTH, torch.bfloat16, torch.float32)
    return "bf16" if short < _PAYS_PRECISION * full else "fp32"


def pick_threads(width: int) -> int:
    """All threads, or one where a busy machine makes more of them slower at products ``width`` wide."""
    available = torch.get_num_threads()
    if available == 1:
        return 1
    torch.set_num_threads(1)
    (alone,) = _seconds(width, torch.float32)
    torch.set_num_threads(available)
    (together,) = _seconds(width, torch.float32)
    return available if together < _PAYS_THREADS * alone else 1


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


class MemoryGuard:
    """Says once that the process has grown by more than ``memory_growth_mb`` since it was warm.

    For the first ``memory_warmup`` steps of this process only the highest mark is taken: caches fill up first.
    """

    def __init__(self, settings: GuardSettings) -> None:
        self._settings = settings
        self._process = psutil.Process()
        self._looks_until: int | None = None
        self._mark = 0.0
        self._said = False

    def look(self, step: int) -> str | None:
        """The warning, where ``step`` is the first one that deserves it."""
        if self._said:
            return None
        if self._looks_until is None:
            self._looks_until = step + self._settings.memory_warmup
        now = self._process.memory_info().rss / 2**20
        if step <= self._looks_until:
            self._mark = max(self._mark, now)
            return None
        if now - self._mark <= self._settings.memory_growth_mb:
            return None
        self._said = True
        return (
            f"memory grew from {self._mark:,.0f} to {now:,.0f} MiB since step {self._looks_until:,}: if it goes"
            " on, stop and run the same command again (it resumes), or choose smaller run.tokens"
        )
