"""``config.json``: what a model's file says of it, read with suspicion.

It names the shape of the network, and what the model was trained on. Every value is held against its
type and range, and names that are not known are refused, before anything is built from it.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypedDict

from asciiloom.json_file import read_object
from asciiloom.model.config import ModelConfig
from asciiloom.model.sizes import Sizes, read_sizes
from asciiloom.typed import Between, check, entries

# Format 1 called some tensors and one setting otherwise (see ``former_name``). From format 3 on the words of
# prompts have relatives and references can be shown; from 4 on words meet details of the drawing at the output.
FORMAT = 4
MAX_BYTES = 8 << 20
_TYPE, _ARCHITECTURES = "asciiloom", ["GridTransformer"]
_NAMES = (
    "model_type",
    "architectures",
    "format",
    "model",
    "vocab_size",
    "parameters",
    "sizes",
    "training",
)
_Count = Annotated[int, Between(0, 2**62)]
_Counts = dict[str, _Count]


class _Corpus(TypedDict, total=False):
    """What of a fingerprint is read again; all else is a note."""

    pieces: _Count
    digest: str
    licences: _Counts
    sources: _Counts


class _Training(TypedDict, total=False):
    """What of a run's figures is read again; all else is a note."""

    step: _Count
    seconds: Annotated[float, Between(0, 1e12)]
    characters: _Count
    settings: dict[str, Any]
    corpus: _Corpus


_FORMER_TENSORS = {
    "neighbour_embed": "near",
    "position_embed": "place",
    "topic_embed": "topics",
    "topic_projection": "say",
    "pair_embed": "pairs",
    "pair_projection": "widen",
}
# What settings that formats 1 and 2 did not know mean to them.
_FORMER = ModelConfig(relatives=False, word_rank=0, reference=False)


@dataclass(frozen=True, slots=True)
class Card:
    """What a model file says of itself: ``sizes`` of its training pieces, for natural sizes to ask for;
    ``training`` holds settings, corpus fingerprint and figures."""

    sizes: Sizes = field(default_factory=Sizes)
    training: dict[str, Any] = field(default_factory=dict)


def former_name(tensor: str) -> str:
    """What a tensor is called in files of format 1."""
    module, dot, rest = tensor.partition(".")
    return _FORMER_TENSORS.get(module, module) + dot + rest


def to_json(config: ModelConfig, card: Card) -> dict[str, Any]:
    """The content of ``config.json``."""
    return {
        "model_type": _TYPE,
        "architectures": _ARCHITECTURES,
        "format": FORMAT,
        "model": config.to_dict(),
        "vocab_size": config.tokenizer.size,
        "parameters": config.parameter_count,
        "sizes": card.sizes.to_plain(),
        "training": card.training,
    }


def read_config(path: Path) -> tuple[ModelConfig, Card, int]:
    """(shape, card, format) in a ``config.json``. ``OSError``, ``ValueError`` or ``SettingsError`` (one
    line) says what is wrong."""
    data = read_object(path, MAX_BYTES)
    version = data.get("format")
    if data.get("model_type") != _TYPE or type(version) is not int or not 1 <= version <= FORMAT:
        raise ValueError(f"it is not an asciiloom model of format 1 to {FORMAT}")
    data = entries(data, _NAMES, "it")
    if data.get("architectures", _ARCHITECTURES) != _ARCHITECTURES:
        raise ValueError(f"architectures must be {_ARCHITECTURES}")
    if "model" not in data:
        raise ValueError("it says nothing of the model's shape: 'model' is missing")
    config = ModelConfig.from_dict(data["model"], ModelConfig() if version > 2 else _FORMER)
    for name, right in (
        ("vocab_size", config.tokenizer.size),
        ("parameters", config.parameter_count),
    ):
        if name in data and (type(data[name]) is not int or data[name] != right):
            raise ValueError(f"{name} must be {right}, as its model settings say")
    training = data.get("training", {})
    check(training, _Training, "training")
    return config, Card(read_sizes(data.get("sizes", {})), training), version
