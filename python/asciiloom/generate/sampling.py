"""One id per drawing from logits and a random number given from outside: structure first, then which ink.

A drawing is mostly blank: where a blank has 0.96, cutting the tail off the whole distribution leaves no
way to end the run, and a first row goes on to the wall. So the two questions are asked apart. Whether the
next token is the end, a newline, a blank or ink is drawn from the whole distribution; only *which* ink is
drawn from one that temperature, top-k, top-p and min-p have sharpened and cut.

Both questions take one random number together: the cut ink is given the share that all ink had.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asciiloom.errors import SettingsError

F64 = NDArray[np.float64]
Bools = NDArray[np.bool_]
_HUGE = 1e6


@dataclass(frozen=True, slots=True)
class Sampling:
    """How ink is chosen, and how strongly words count.

    ``temperature`` 0 takes the likeliest token; ``top_k`` 0, ``top_p`` 1 and ``min_p`` 0 leave the tail in.
    ``min_p`` drops ink below this share of the likeliest ink. ``guidance`` s follows ``u + s (c - u)``
    for log probabilities with words (c) and without (u): 1 is the model as it is, more makes words count
    more, at twice the work. ``structure`` is the temperature of the other question (end, newline, blank or
    ink), which nothing is cut off; below 1 it suits models that are sure of their shapes.

    Sources: Holtzman et al. 2019 (top-p), Nguyen et al. 2024 (min-p), Sanchez et al. 2023 (guidance).
    """

    temperature: float = 0.8
    top_k: int = 0
    top_p: float = 0.95
    min_p: float = 0.0
    guidance: float = 1.0
    structure: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.temperature <= 10:
            raise SettingsError(f"temperature {self.temperature} is not between 0 and 10")
        if self.top_k < 0:
            raise SettingsError(f"top-k {self.top_k} is negative")
        if not 0 < self.top_p <= 1:
            raise SettingsError(f"top-p {self.top_p} is not in (0, 1]")
        if not 0 <= self.min_p <= 1:
            raise SettingsError(f"min-p {self.min_p} is not in [0, 1]")
        if not 0.05 <= self.structure <= 10:
            raise SettingsError(f"structure {self.structure} is not between 0.05 and 10")
        if not 0 <= self.guidance <= 20:
            raise SettingsError(f"guidance {self.guidance} is not between 0 and 20")


def guide(told: F64, untold: F64, strength: float) -> F64:
    """Logits (batch, ids) with the difference that words make taken ``strength`` times."""
    told, untold = _log_share(told), _log_share(untold)
    return np.asarray(untold + strength * (told - untold))


def _finite(logits: F64) -> F64:
    return np.clip(np.nan_to_num(logits, nan=0.0, posinf=_HUGE, neginf=-_HUGE), -_HUGE, _HUGE)


def _log_share(logits: F64) -> F64:
    safe = _finite(logits)
    safe = safe - safe.max(axis=1, keepdims=True)
    return np.asarray(safe - np.log(np.exp(safe).sum(axis=1, keepdims=True)))


def barred_share(logits: F64, legal: Bools) -> F64:
    """How much of the probability (batch,) lies on ids that are not ``legal`` (batch, ids).

    A drawing that ends where most of it is barred would have gone on: its limits ended it.
    """
    return np.asarray(np.where(legal, 0.0, np.exp(_log_share(logits))).sum(axis=1))


def sample(
    logits: F64, legal: Bools, how: Sampling, uniform: F64, structure: Bools
) -> NDArray[np.int64]:
    """Ids (batch,) by inverse CDF at ``uniform`` in [0, 1), from ``logits`` and ``legal`` (batch, ids).

    ``structure`` (ids,) marks end, newline and blank; the rest is ink. Any logits are fine, also inf and
    NaN: only ``legal`` ids can come out.
    """
    masked = np.where(legal, _finite(logits), -np.inf)
    if how.temperature == 0:
        return np.asarray(masked.argmax(axis=1))
    weight = np.exp(masked - _best(masked))
    ink = ~structure
    share = weight[:, ink].sum(axis=1) ** (1 / how.structure)
    weight[:, structure] **= 1 / how.structure
    weight[:, ink] = _cut(masked[:, ink], how) * share[:, None]
    total = np.cumsum(weight, axis=1)
    place = (total <= uniform[:, None] * total[:, -1:]).sum(axis=1)
    # Rounding at the far end must not reach an id of weight zero.
    last = weight.shape[1] - 1 - (weight[:, ::-1] > 0).argmax(axis=1)
    return np.asarray(np.minimum(place, last))


def _best(masked: F64) -> F64:
    """The largest of each row (batch, 1); 0 in a row without a legal id, which has no shares at all."""
    best = masked.max(axis=1, keepdims=True)
    return np.where(np.isfinite(best), best, 0.0)


def _cut(masked: F64, how: Sampling) -> F64:
    """Shares (batch, inks) that add up to 1 in every row with a legal ink, and to 0 in the others."""
    best = _best(masked)
    # Sorted with the likeliest first, so that every cut is a prefix.
    order = np.argsort(-masked, axis=1, kind="stable")
    weight = np.exp((np.take_along_axis(masked, order, axis=1) - best) / how.temperature)
    if how.top_k:
        weight[:, how.top_k :] = 0
    if how.min_p:
        weight[weight < how.min_p] = 0  # the likeliest has weight 1
    if how.top_p < 1:
        total = np.cumsum(weight, axis=1)
        weight[(total - weight) > how.top_p * total[:, -1:]] = 0
    out = np.empty_like(weight)
    np.put_along_axis(out, order, weight, axis=1)
    return np.asarray(out / np.maximum(out.sum(axis=1, keepdims=True), 1e-300))
