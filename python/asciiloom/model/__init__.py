"""The network, its config, and its files."""

from asciiloom.model.card import Card
from asciiloom.model.config import PRESETS, ModelConfig
from asciiloom.model.device import autocast, pick_device
from asciiloom.model.files import load_model, save_model
from asciiloom.model.sizes import Sizes, natural_kind, natural_size, sizes_of
from asciiloom.model.transformer import GridInput, GridTransformer, KVCache, untrained_model

__all__ = [
    "PRESETS",
    "Card",
    "GridInput",
    "GridTransformer",
    "KVCache",
    "ModelConfig",
    "Sizes",
    "autocast",
    "load_model",
    "natural_kind",
    "natural_size",
    "pick_device",
    "save_model",
    "sizes_of",
    "untrained_model",
]
