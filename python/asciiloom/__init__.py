"""asciiloom: curate text art in one SQLite file, train a tiny 2D transformer from it, generate art that fits.

The names below are the public API. They are imported when first used, so ``import asciiloom``
costs nothing and needs no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from asciiloom._version import __version__
from asciiloom.errors import AsciiloomError, MissingExtraError

if TYPE_CHECKING:
    from asciiloom.corpus import Corpus
    from asciiloom.export import export_model
    from asciiloom.generate import Constraint, Generator, Sampling
    from asciiloom.model import GridTransformer, ModelConfig, load_model
    from asciiloom.piece import Grid, Piece, canonicalize, measure
    from asciiloom.readers import ReadOptions, read_path
    from asciiloom.store import Selection
    from asciiloom.tokens import CorpusLoader, GridTokenizer
    from asciiloom.train import Settings, Trainer

_ROOM_OF = {
    "Constraint": "generate",
    "Corpus": "corpus",
    "CorpusLoader": "tokens",
    "Generator": "generate",
    "Grid": "piece",
    "GridTokenizer": "tokens",
    "GridTransformer": "model",
    "ModelConfig": "model",
    "Piece": "piece",
    "ReadOptions": "readers",
    "Sampling": "generate",
    "Selection": "store",
    "Settings": "train",
    "Trainer": "train",
    "canonicalize": "piece",
    "export_model": "export",
    "load_model": "model",
    "measure": "piece",
    "read_path": "readers",
}

__all__ = [
    "AsciiloomError",
    "Constraint",
    "Corpus",
    "CorpusLoader",
    "Generator",
    "Grid",
    "GridTokenizer",
    "GridTransformer",
    "ModelConfig",
    "Piece",
    "ReadOptions",
    "Sampling",
    "Selection",
    "Settings",
    "Trainer",
    "__version__",
    "canonicalize",
    "export_model",
    "load_model",
    "measure",
    "read_path",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'asciiloom' has no attribute {name!r}")
    try:
        value = getattr(import_module(f"asciiloom.{_ROOM_OF[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "safetensors"):
            raise
        raise MissingExtraError(error.name, "train") from error
    globals()[name] = value
    return value
