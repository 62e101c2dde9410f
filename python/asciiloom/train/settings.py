"""One settings tree for a run, readable from TOML or JSON, overridable by ``--set model.layers=6``."""

import dataclasses
import json
import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from asciiloom.errors import SettingsError
from asciiloom.model import PRESETS, ModelConfig
from asciiloom.store import Selection
from asciiloom.tokens import PromptDropout

# What a model of the ASCII grid can be trained on: one of each near-twin cluster, no films.
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

    matrix: str = "muon"
    lr: float = 3e-3
    muon_lr: float = 0.02
    beta1: float = 0.9
    beta2: float = 0.98
    weight_decay: float = 0.01
    warmup: int = 40
    decay: float = 0.6
    floor: float = 0.02
    clip: float = 1.0


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How long and how: ``steps``, or ``minutes`` of training time (whichever ends first; the
    schedule follows it). ``tokens``: ids a step, in ``accumulate`` batches. ``threads`` 0: probe.
    ``precision``: "auto", "bf16" or "fp32"."""

    steps: int | None = None
    minutes: float | None = None
    tokens: int = 4096
    accumulate: int = 1
    seed: int = 0
    precision: str = "auto"
    device: str = "auto"
    threads: int = 0
    log_every: int = 20
    eval_every: int = 400
    eval_pieces: int = 400
    save_every: int = 200
    keep: int = 2
    samples: tuple[str, ...] = ("cat", "tree", "house")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides a run."""

    selection: Selection = DEFAULT_SELECTION
    model: ModelConfig = PRESETS["small"]
    optim: OptimSettings = field(default_factory=OptimSettings)
    dropout: PromptDropout = field(default_factory=PromptDropout)
    run: RunSettings = field(default_factory=RunSettings)

    def __post_init__(self) -> None:
        run, optim = self.run, self.optim
        if run.steps is None and run.minutes is None:
            raise SettingsError("say how long to train: run.steps or run.minutes")
        if (run.steps is not None and run.steps < 1) or (
            run.minutes is not None and run.minutes <= 0
        ):
            raise SettingsError("run.steps and run.minutes must be above 0")
        if optim.matrix not in ("muon", "adamw"):
            raise SettingsError(f"optim.matrix is 'muon' or 'adamw', not {optim.matrix!r}")
        if run.precision not in ("auto", "bf16", "fp32"):
            raise SettingsError(f"run.precision is auto, bf16 or fp32, not {run.precision!r}")
        if run.tokens < 256 or run.accumulate < 1:
            raise SettingsError("run.tokens is at least 256 and run.accumulate at least 1")
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
    def from_dict(cls, data: dict[str, Any]) -> "Settings":
        """Settings from (part of) a tree; what is missing keeps its default."""
        tree = dict(data)
        unknown = tree.keys() - {f.name for f in dataclasses.fields(cls)}
        if unknown:
            raise SettingsError(f"no settings {', '.join(sorted(unknown))}")
        parts: dict[str, Any] = {}
        if "selection" in tree:
            parts["selection"] = Selection.from_dict(
                {k: tuple(v) if isinstance(v, list) else v for k, v in tree["selection"].items()}
            )
        if "model" in tree:
            model = dict(tree["model"])
            preset = model.pop("preset", "small")
            if preset not in PRESETS:
                raise SettingsError(f"no preset {preset!r}; one of {', '.join(PRESETS)}")
            base = PRESETS[preset]
            parts["model"] = ModelConfig.from_dict({**base.to_dict(), **model})
        for name, kind in (
            ("optim", OptimSettings),
            ("dropout", PromptDropout),
            ("run", RunSettings),
        ):
            if name in tree:
                values: dict[str, Any] = {
                    k: tuple(v) if isinstance(v, list) else v for k, v in tree[name].items()
                }
                try:
                    parts[name] = kind(**values)
                except TypeError as error:
                    raise SettingsError(f"{name}: {error}") from error
        return cls(**parts)


def load_settings(path: Path | None, overrides: Iterable[str] = ()) -> dict[str, Any]:
    """A settings tree from a TOML or JSON file with ``section.name=value`` overrides on top."""
    tree: dict[str, Any] = {}
    if path is not None:
        try:
            text = path.read_text(encoding="utf-8")
            tree = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
        except (OSError, ValueError) as error:
            raise SettingsError(f"settings file {path}: {error}") from error
    for override in overrides:
        name, equals, value = override.partition("=")
        section, dot, key = name.partition(".")
        if not (equals and dot and key):
            raise SettingsError(f"{override!r} is not of the form section.name=value")
        try:
            parsed = json.loads(value)
        except ValueError:
            parsed = value
        tree.setdefault(section, {})[key] = parsed
    return tree
