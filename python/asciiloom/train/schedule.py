"""The learning rate over a run: warm up, hold, fall."""

from asciiloom.train.settings import OptimSettings


def rate(step: int, progress: float, settings: OptimSettings) -> float:
    """Share of the peak rate at ``step``, when ``progress`` in [0, 1] of the run is done."""
    warm = min(1.0, (step + 1) / max(1, settings.warmup))
    left = max(0.0, 1.0 - progress)
    fall = min(1.0, left / settings.decay) if settings.decay > 0 else 1.0
    return warm * max(settings.floor, fall)
