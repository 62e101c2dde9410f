"""One loop, one settings tree, checkpoints."""

from asciiloom.train.checkpoint import find_checkpoint
from asciiloom.train.settings import (
    DEFAULT_SELECTION,
    OptimSettings,
    RunSettings,
    Settings,
    load_settings,
    read_selection,
)
from asciiloom.train.trainer import Event, Trainer

__all__ = [
    "DEFAULT_SELECTION",
    "Event",
    "OptimSettings",
    "RunSettings",
    "Settings",
    "Trainer",
    "find_checkpoint",
    "load_settings",
    "read_selection",
]
