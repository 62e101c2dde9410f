"""A model on disk: ``model.safetensors`` and ``config.json``, in a folder. Nothing is ever unpickled."""

import json
from pathlib import Path

from safetensors.torch import save_file

from asciiloom.errors import CheckpointError, SettingsError
from asciiloom.model.card import Card, former_name, read_config, to_json
from asciiloom.model.device import pick_device
from asciiloom.model.transformer import GridTransformer
from asciiloom.model.weights import read_weights

WEIGHTS, CONFIG = "model.safetensors", "config.json"
_REMEDY = "copy the model again, or take another checkpoint"


def save_model(folder: Path, model: GridTransformer, card: Card | None = None) -> None:
    """Write weights and config into ``folder`` (made if missing)."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {
        name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()
    }
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    config = json.dumps(to_json(model.config, card or Card()), indent=1)
    (folder / CONFIG).write_text(config + "\n", encoding="utf-8")


def load_model(folder: str | Path, device: str = "cpu") -> tuple[GridTransformer, Card]:
    """The model in ``folder``, in evaluation mode, and its card.

    The files may come from strangers: what they ask for is bounded and held against itself before
    memory is taken. Raises ``CheckpointError`` with the file, what is wrong with it, and what to do.
    """
    folder = Path(folder)
    target = pick_device(device)
    file = folder / CONFIG
    try:
        config, card, version = read_config(file)
        file = folder / WEIGHTS
        name_of = {
            former_name(name) if version == 1 else name: name for name in config.tensor_shapes()
        }
        shapes = config.tensor_shapes()
        weights = read_weights(file, {stored: shapes[name] for stored, name in name_of.items()})
        model = GridTransformer(config)
        model.load_state_dict({name_of[stored]: value for stored, value in weights.items()})
    except FileNotFoundError as error:
        raise CheckpointError(f"{folder} holds no model: {file.name} is missing") from error
    except (OSError, ValueError, RuntimeError, MemoryError, SettingsError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        reason = " ".join(why.split())[:300] or type(error).__name__
        raise CheckpointError(f"{file} cannot be read: {reason}; {_REMEDY}") from error
    return model.to(target).eval(), card
