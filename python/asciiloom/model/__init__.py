"""The network, its config, and its files."""

from asciiloom.model.config import PRESETS, ModelConfig
from asciiloom.model.files import Card, Size, load_model, save_model
from asciiloom.model.transformer import GridInput, GridTransformer, KVCache

__all__ = [
    "PRESETS",
    "Card",
    "GridInput",
    "GridTransformer",
    "KVCache",
    "ModelConfig",
    "Size",
    "load_model",
    "save_model",
]
