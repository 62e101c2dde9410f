"""One id per drawing from logits: temperature, top-k, nucleus, and a random number given from outside."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asciiloom.errors import SettingsError

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sampling:
    """``temperature`` 0 takes the likeliest; ``top_k`` 0 and ``top_p`` 1 leave the tail in.

    Source of top-p: Holtzman et al. 2019.
    """

    temperature: float = 0.8
    top_k: int = 0
    top_p: float = 0.95

    def __post_init__(self) -> None:
        if not 0 <= self.temperature <= 10:
            raise SettingsError(f"temperature {self.temperature} is not between 0 and 10")
        if self.top_k < 0:
            raise SettingsError(f"top-k {self.top_k} is negative")
        if not 0 < self.top_p <= 1:
            raise SettingsError(f"top-p {self.top_p} is not in (0, 1]")


def sample(logits: F64, legal: NDArray[np.bool_], how: Sampling, uniform: F64) -> NDArray[np.int64]:
    """Ids (batch,) by inverse CDF at ``uniform`` in [0, 1). Any logits are fine, also inf and NaN:
    only ``legal`` ids can come out."""
    safe = np.clip(np.nan_to_num(logits, nan=0.0, posinf=1e6, neginf=-1e6), -1e6, 1e6)
    masked = np.where(legal, safe, -np.inf)
    if how.temperature == 0:
        return np.asarray(masked.argmax(axis=1))
    # Sorted with the likeliest first, so that both cuts are prefixes.
    order = np.argsort(-masked, axis=1, kind="stable")
    best = np.take_along_axis(masked, order, axis=1)
    weight = np.exp((best - best[:, :1]) / how.temperature)
    if how.top_k:
        weight[:, how.top_k :] = 0
    total = np.cumsum(weight, axis=1)
    if how.top_p < 1:
        weight[(total - weight) > how.top_p * total[:, -1:]] = 0
        total = np.cumsum(weight, axis=1)
    place = (total <= uniform[:, None] * total[:, -1:]).sum(axis=1)
    # Rounding at the far end must not reach an id of weight zero.
    last = (weight > 0).sum(axis=1) - 1
    return np.asarray(order[np.arange(len(order)), np.minimum(place, last)])
