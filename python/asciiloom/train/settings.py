"""One settings tree for a run, readable from TOML or JSON, overridable by ``--set model.layers=6``."""

import dataclasses
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

from asciiloom.errors import SettingsError
from asciiloom.json_file import parse_json, parse_object, read_bounded
from asciiloom.model import PRESETS, ModelConfig
from asciiloom.store import Selection
from asciiloom.tokens import Augmentation, Mixing, PromptDropout
from asciiloom.typed import AtMost, Between, OneOf, check_fields, entries, from_plain

MAX_BYTES = 1 << 20
MAX_SEED = 2**63 - 1
_Share = Annotated[float, Between(0, 1)]
_Rate = Annotated[float, Between(0, 100)]
_Every = Annotated[int, Between(1, 10**9)]

# What a model of the ASCII grid can be trained on: pieces of ASCII that a monospace grid shows as meant,
# one of each near-twin cluster, up to 100x100.
DEFAULT_SELECTION = Selection(
    charset="ascii",
    grid_only=True,
    canonical_only=True,
    width=(None, 100),
    height=(None, 100),
)


@dataclass(frozen=True, slots=True)
class OptimSettings:
    """``matrix``: "muon" orthogonalises the updates of the blocks' matrices, "adamw" does not.

    ``lr`` is AdamW's peak rate, ``muon_lr`` Muon's; rates warm up over ``warmup`` steps, hold, and
    fall linearly to ``floor`` of the peak over the last ``decay`` of the run.
    Source of Muon: Jordan et al. 2024.
    """

    matrix: Annotated[str, OneOf(("muon", "adamw"))] = "muon"
    lr: _Rate = 3e-3
    muon_lr: _Rate = 0.02
    beta1: Annotated[float, Between(0, 0.999999)] = 0.9
    beta2: Annotated[float, Between(0, 0.999999)] = 0.98
    weight_decay: _Rate = 0.01
    warmup: Annotated[int, Between(0, 10**9)] = 40
    decay: _Share = 0.6
    floor: _Share = 0.02
    clip: Annotated[float, Between(1e-9, 1e9)] = 1.0

    def __post_init__(self) -> None:
        check_fields(self, "optim")


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How long and how: ``steps``, or ``minutes`` of training time (whichever ends first; the
    schedule follows it). ``tokens``: ids a step, in ``accumulate`` batches. ``threads`` 0: probe.
    ``precision``: "auto", "bf16" or "fp32"."""

    steps: _Every | None = None
    minutes: Annotated[float, Between(1e-4, 1e7)] | None = None
    tokens: Annotated[int, Between(256, 10**7)] = 4096
    accumulate: Annotated[int, Between(1, 10**5)] = 1
    seed: Annotated[int, Between(0, MAX_SEED)] = 0
    precision: Annotated[str, OneOf(("auto", "bf16", "fp32"))] = "auto"
    device: str = "auto"
    threads: Annotated[int, Between(0, 4096)] = 0
    log_every: _Every = 20
    eval_every: _Every = 400
    eval_pieces: _Every = 400
    save_every: _Every = 200
    keep: Annotated[int, Between(1, 10**6)] = 2
    workers: Annotated[int, Between(0, 64)] = 0
    samples: Annotated[tuple[str, ...], AtMost(100)] = ("cat", "tree", "house")

    def __post_init__(self) -> None:
        check_fields(self, "run")
        if self.steps is None and self.minutes is None:
            raise SettingsError("say how long to train: run.steps or run.minutes")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides a run."""

    selection: Selection = DEFAULT_SELECTION
    model: ModelConfig = PRESETS["small"]
    optim: OptimSettings = field(default_factory=OptimSettings)
    dropout: PromptDropout = field(default_factory=PromptDropout)
    mixing: Mixing = field(default_factory=Mixing)
    augmentation: Augmentation = field(default_factory=Augmentation)
    run: RunSettings = field(default_factory=RunSettings)

    def __post_init__(self) -> None:
        if self.selection.split not in (None, "train"):
            raise SettingsError("training data is the train split; the others are held out")

    def to_dict(self) -> dict[str, Any]:
        """Plain data, complete: what a checkpoint stores."""
        out = {
            f.name: asdict(getattr(self, f.name))
            for f in dataclasses.fields(self)
            if f.name != "selection"
        }
        return {"selection": self.selection.to_dict(), **json.loads(json.dumps(out))}

    @classmethod
    def from_dict(cls, data: object) -> "Settings":
        """Settings from (part of) a tree; what is missing keeps its default.

        ``SettingsError`` names the section and setting that does not fit.
        """
        tree = entries(data, [f.name for f in dataclasses.fields(cls)], "the settings tree")
        parts: dict[str, Any] = {}
        if "selection" in tree:
            parts["selection"] = read_selection(tree["selection"])
        if "model" in tree:
            model, base = tree["model"], PRESETS["small"]
            if isinstance(model, Mapping):
                base = preset(model.get("preset", "small"))
                model = {name: value for name, value in model.items() if name != "preset"}
            parts["model"] = ModelConfig.from_dict(model, base)
        for name, kind in (
            ("optim", OptimSettings),
            ("dropout", PromptDropout),
            ("mixing", Mixing),
            ("augmentation", Augmentation),
            ("run", RunSettings),
        ):
            if name in tree:
                parts[name] = from_plain(kind, tree[name], name)
        return cls(**parts)


def read_selection(data: object) -> Selection:
    """A selection from plain data, every value held against its type."""
    return from_plain(Selection, data, "selection")


def preset(name: object) -> ModelConfig:
    """The preset called ``name``."""
    if not isinstance(name, str) or name not in PRESETS:
        raise SettingsError(f"no preset {ascii(name)[:60]}; one of {', '.join(PRESETS)}")
    return PRESETS[name]


def load_settings(path: Path | None, overrides: Iterable[str] = ()) -> dict[str, Any]:
    """A settings tree from a TOML or JSON file with ``section.name=value`` overrides on top.

    Every section of it is a dict; ``Settings.from_dict`` looks at what is inside.
    """
    tree: dict[str, Any] = {}
    if path is not None:
        try:
            data = read_bounded(path, MAX_BYTES)
            toml = path.suffix == ".toml"
            tree = tomllib.loads(data.decode("utf-8")) if toml else parse_object(data)
        except RecursionError as error:
            raise SettingsError(f"settings file {path}: it is nested too deeply") from error
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise SettingsError(f"settings file {path}: {' '.join(why.split())[:300]}") from error
    for override in overrides:
        name, equals, value = override.partition("=")
        section, dot, key = name.partition(".")
        if not (equals and section and dot and key):
            raise SettingsError(f"{ascii(override)[:60]} is not of the form section.name=value")
        tree.setdefault(section, {})
        if isinstance(tree[section], dict):
            tree[section][key] = _value(value)
    for section, content in tree.items():
        if not isinstance(content, dict):
            raise SettingsError(f"the section {ascii(section)[:60]} must be a table, not a value")
    return tree


def _value(text: str) -> Any:
    """What ``text`` is as JSON, or itself."""
    try:
        return parse_json(text)
    except ValueError:
        return text
