"""One loop, one settings tree, checkpoints."""

from asciiloom.train.checkpoint import find_checkpoint
from asciiloom.train.journal import Event
from asciiloom.train.recipes import RECIPES, load_settings, to_yaml
from asciiloom.train.resume import Begin
from asciiloom.train.settings import (
    DEFAULT_SELECTION,
    GuardSettings,
    OptimSettings,
    RunSettings,
    Settings,
    read_selection,
)
from asciiloom.train.trainer import Trainer

__all__ = [
    "DEFAULT_SELECTION",
    "RECIPES",
    "Begin",
    "Event",
    "GuardSettings",
    "OptimSettings",
    "RunSettings",
    "Settings",
    "Trainer",
    "find_checkpoint",
    "load_settings",
    "read_selection",
    "to_yaml",
]
