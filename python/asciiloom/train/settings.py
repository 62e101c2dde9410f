"""One settings tree for a run: a frozen section for each thing that is decided, with its ranges and defaults.

Every number that decides what a run learns stands here, in ``ModelConfig`` or in ``PromptDropout``, and nowhere
else (a test looks). A section is one field of ``Settings``: reading, checking and storing follow from its type.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Annotated, Any, get_type_hints

import msgspec

from asciiloom.errors import SettingsError
from asciiloom.model import PRESETS, ModelConfig
from asciiloom.store import Selection
from asciiloom.tokens import Augmentation, Mixing, PromptDropout
from asciiloom.tokens.prompt import MAX_WORDS
from asciiloom.typed import AtMost, Between, OneOf, check_fields, entries, from_plain

MAX_SEED = 2**63 - 1
_Share = Annotated[float, Between(0, 1)]
_Rate = Annotated[float, Between(0, 100)]
_Every = Annotated[int, Between(1, 10**9)]
_Count = Annotated[int, Between(0, 10**9)]
_Minutes = Annotated[float, Between(1e-4, 1e7)]
# A longer prompt would be cut, and a sample not be of what it says.
_Words = Annotated[str, msgspec.Meta(max_length=MAX_WORDS)]

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
    muon_momentum: Annotated[float, Between(0, 0.999999)] = 0.95
    beta1: Annotated[float, Between(0, 0.999999)] = 0.9
    beta2: Annotated[float, Between(0, 0.999999)] = 0.98
    weight_decay: _Rate = 0.01
    warmup: _Count = 40
    decay: _Share = 0.6
    floor: _Share = 0.02
    clip: Annotated[float, Between(1e-9, 1e9)] = 1.0

    def __post_init__(self) -> None:
        check_fields(self, "optim")


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How long and how: ``steps``, ``minutes`` of training time, or ``epochs``, in each of which every piece
    is seen exactly once unless ``mixing`` says otherwise (whichever ends first; the schedule follows it).
    ``tokens``: ids a step, in ``accumulate`` batches. ``threads`` 0: probe. ``precision``: "auto", "bf16" or
    "fp32". ``workers``: processes that make batches ahead of time.

    Every ``eval_every`` steps the same ``eval_pieces`` pieces of ``eval_split`` (of ``eval_sources``, or of all)
    are scored, and ``best`` is the checkpoint that does best on them. ``weights``: a run, checkpoint or export
    whose weights training begins with.
    """

    steps: _Every | None = None
    minutes: _Minutes | None = None
    epochs: _Every | None = None
    tokens: Annotated[int, Between(256, 10**7)] = 4096
    accumulate: Annotated[int, Between(1, 10**5)] = 1
    seed: Annotated[int, Between(0, MAX_SEED)] = 0
    precision: Annotated[str, OneOf(("auto", "bf16", "fp32"))] = "auto"
    device: str = "auto"
    threads: Annotated[int, Between(0, 4096)] = 0
    weights: str | None = None
    log_every: _Every = 20
    eval_every: _Every = 400
    eval_pieces: _Every = 400
    eval_split: Annotated[str, OneOf(("validation", "test"))] = "validation"
    eval_sources: Annotated[tuple[str, ...], AtMost(1000)] = ()
    save_every: _Every = 200
    keep: Annotated[int, Between(1, 10**6)] = 2
    workers: Annotated[int, Between(0, 64)] = 0
    samples: Annotated[tuple[_Words, ...], AtMost(100)] = ("cat", "tree", "house")

    def __post_init__(self) -> None:
        check_fields(self, "run")
        if self.steps is None and self.minutes is None and self.epochs is None:
            raise SettingsError("say how long to train: run.steps, run.minutes or run.epochs")


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """When a run helps itself, and when it gives up.

    A step whose loss or gradient is not finite is skipped; after ``skips`` of them in a row the run goes back
    to a checkpoint and on at half the rate, at most ``rollbacks`` times. Memory is watched after
    ``memory_warmup`` steps: growth by more than ``memory_growth_mb`` MiB is said once.
    """

    skips: Annotated[int, Between(1, 10**6)] = 3
    rollbacks: Annotated[int, Between(0, 100)] = 2
    memory_warmup: _Count = 500
    memory_growth_mb: Annotated[float, Between(1, 1e9)] = 1024.0

    def __post_init__(self) -> None:
        check_fields(self, "guard")


@dataclass(frozen=True, slots=True)
class WordSettings:
    """From which drawings of the train split words are learned, and how.

    ``drawings``: at most so many; ``chars``: of at most so many characters
    (a small drawing says its words in fewer). A thing is learned where at least ``least`` drawings show it.
    ``epochs`` over the drawings, ``batch`` of them a step, at rate ``lr``; ``penalty``: how much numbers cost (L2).
    """

    drawings: Annotated[int, Between(0, 10**6)] = 30_000
    chars: Annotated[int, Between(1, 10**9)] = 2000
    least: Annotated[int, Between(1, 10**6)] = 4
    epochs: Annotated[int, Between(1, 10_000)] = 8
    batch: Annotated[int, Between(1, 10**6)] = 256
    lr: Annotated[float, Between(1e-9, 10)] = 0.01
    penalty: Annotated[float, Between(0, 10)] = 2e-3

    def __post_init__(self) -> None:
        check_fields(self, "words")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides a run."""

    selection: Selection = DEFAULT_SELECTION
    model: ModelConfig = PRESETS["small"]
    optim: OptimSettings = field(default_factory=OptimSettings)
    dropout: PromptDropout = field(default_factory=PromptDropout)
    mixing: Mixing = field(default_factory=Mixing)
    augmentation: Augmentation = field(default_factory=Augmentation)
    words: WordSettings = field(default_factory=WordSettings)
    run: RunSettings = field(default_factory=RunSettings)
    guard: GuardSettings = field(default_factory=GuardSettings)

    def __post_init__(self) -> None:
        if self.selection.split not in (None, "train"):
            raise SettingsError("training data is the train split; the others are held out")

    def to_dict(self) -> dict[str, Any]:
        """Plain data, complete: what a checkpoint stores."""
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))
        return plain

    @classmethod
    def from_dict(cls, data: object) -> "Settings":
        """Settings from (part of) a tree; what is missing keeps its default, a selection's too.

        ``SettingsError`` names the section and setting that does not fit.
        """
        tree = entries(data, [f.name for f in fields(cls)], "the settings tree")
        kinds = get_type_hints(cls)
        read: dict[str, Callable[[object], Any]] = {
            "selection": partial(read_selection, base=DEFAULT_SELECTION),
            "model": _read_model,
        }
        parts = {
            name: read[name](part) if name in read else from_plain(kinds[name], part, name)
            for name, part in tree.items()
        }
        return cls(**parts)


def read_selection(data: object, base: Selection | None = None) -> Selection:
    """A selection from plain data, every value held against its type; what is missing is as in ``base``.

    One text where a list of texts is wanted is its only entry: ``--set selection.tags=cat``.
    """
    if isinstance(data, Mapping):
        kinds = get_type_hints(Selection)
        data = {
            name: [value]
            if isinstance(value, str) and kinds.get(name) == tuple[str, ...]
            else value
            for name, value in data.items()
        }
    return from_plain(Selection, data, "selection", base)


def _read_model(data: object) -> ModelConfig:
    """The preset that ``data`` names (or "small") with the rest of ``data`` in place of its own."""
    name: object = "small"
    if isinstance(data, Mapping):
        name = data.get("preset", name)
        data = {key: value for key, value in data.items() if key != "preset"}
    if not isinstance(name, str) or name not in PRESETS:
        raise SettingsError(f"no preset {ascii(name)[:60]}; one of {', '.join(PRESETS)}")
    return ModelConfig.from_dict(data, PRESETS[name])
