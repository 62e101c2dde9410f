"""A model on disk: ``model.safetensors`` and ``config.json``, in a folder. Nothing is ever unpickled."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from asciiloom.errors import CheckpointError, SettingsError
from asciiloom.model.config import ModelConfig
from asciiloom.model.transformer import GridTransformer

WEIGHTS, CONFIG = "model.safetensors", "config.json"
FORMAT = 1
Size = tuple[str, int, int, str]


@dataclass(frozen=True, slots=True)
class Card:
    """What a model file says of itself: ``sizes`` are (kind, width, height, title) of some training pieces,
    for natural sizes to ask for; ``training`` holds settings, corpus fingerprint and figures."""

    sizes: tuple[Size, ...] = ()
    training: dict[str, Any] = field(default_factory=dict)


def save_model(folder: Path, model: GridTransformer, card: Card | None = None) -> None:
    """Write weights and config into ``folder`` (made if missing)."""
    folder.mkdir(parents=True, exist_ok=True)
    card = card or Card()
    weights = {
        name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()
    }
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    config = {
        "model_type": "asciiloom",
        "architectures": ["GridTransformer"],
        "format": FORMAT,
        "model": model.config.to_dict(),
        "vocab_size": model.vocabulary,
        "parameters": model.parameter_count(),
        "sizes": [list(size) for size in card.sizes],
        "training": card.training,
    }
    (folder / CONFIG).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")


def load_model(folder: str | Path, device: str = "cpu") -> tuple[GridTransformer, Card]:
    """The model in ``folder``, in evaluation mode, and its card."""
    folder = Path(folder)
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        if config.get("model_type") != "asciiloom" or config.get("format") != FORMAT:
            raise CheckpointError(f"{folder / CONFIG} is not an asciiloom model of format {FORMAT}")
        model = GridTransformer(ModelConfig.from_dict(config["model"]))
        model.load_state_dict(load_file(folder / WEIGHTS))
        sizes = tuple((str(k), int(w), int(h), str(t)) for k, w, h, t in config.get("sizes", ()))
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{folder} holds no model: {Path(str(error.filename)).name} is missing"
        ) from error
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError, SettingsError) as error:
        raise CheckpointError(f"the model in {folder} cannot be read: {error}") from error
    return model.to(torch.device(device)).eval(), Card(sizes, config.get("training", {}))
