"""What an epoch is made of: each piece has a weight, and appears that many times on average.

An epoch has as many places as there are pieces. The weights of all pieces add up to them, and one random
number decides how they are rounded (systematic sampling over a shuffle: a piece of weight 1.3 appears once
or twice, and every group of pieces has its share to within one place times the odds of its pieces).
So an epoch follows from its seed, as it does without weights.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from asciiloom.corpus import Corpus
from asciiloom.errors import AsciiloomError, SettingsError
from asciiloom.piece import KINDS
from asciiloom.store import Selection
from asciiloom.tokens.augment import Share, is_lettering
from asciiloom.tokens.words import phrases_of
from asciiloom.typed import Between, check_fields

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
Flags = NDArray[np.bool_]
Weight = Annotated[float, Between(0, 1000)]

# A small drawing: of kind "art", with words, and at most so many cells wide and rows high.
SMALL = (40, 20)
# The name of a source that may be missing ends in this.
OPTIONAL = "?"


@dataclass(frozen=True, slots=True)
class Mixing:
    """Of what training shows how much.

    ``sources``: the share of the examples that each named source gets (0.2 is a fifth); the others share what
    is left as before. A source is named whole, with ``*``, or by a part that only its name has; one that the
    selection has no piece of is an error unless its name ends in "?". ``kinds``: how often a piece of a kind
    appears beside the others' 1. ``small``: the same for small labelled drawings (kind "art", with words, at
    most 40x20); with ``small_at_end`` that weight moves from one to the other over the run. ``lettering``: the most
    that lettering is of the examples, beside what named sources bring of it.
    """

    sources: dict[str, Share] = field(default_factory=dict)
    kinds: dict[str, Weight] = field(default_factory=dict)
    small: Weight = 1.0
    small_at_end: Weight | None = None
    lettering: Share = 1.0

    def __post_init__(self) -> None:
        check_fields(self, "mixing")
        for kind in self.kinds:
            if kind not in KINDS:
                raise SettingsError(f"mixing.kinds has no {kind!r}; one of {', '.join(KINDS)}")
        if any(not name.rstrip(OPTIONAL) for name in self.sources):
            raise SettingsError("mixing.sources has a share without the name of a source")
        if sum(self.sources.values()) > 1 + 1e-9:
            raise SettingsError("the shares of mixing.sources are more than 1 together")

    @property
    def is_plain(self) -> bool:
        """Whether every piece appears once an epoch."""
        return self == Mixing()

    @property
    def moves(self) -> bool:
        """Whether the weights change over a run."""
        return self.small_at_end is not None and self.small_at_end != self.small

    def small_at(self, progress: float) -> float:
        """The weight of small labelled drawings when ``progress``, 0 to 1, of the run is done."""
        end = self.small if self.small_at_end is None else self.small_at_end
        return self.small + (end - self.small) * progress


def parse_mix(text: str) -> dict[str, float]:
    """``figlet=0.2,jgs?=0.1`` as ``Mixing.sources``; ``SettingsError`` where it is not of that form."""
    out: dict[str, float] = {}
    for part in text.split(","):
        name, equals, share = part.strip().rpartition("=")
        try:
            out[name.strip()] = float(share)
        except ValueError:
            equals = ""
        if not equals or not name.strip():
            raise SettingsError(f"{ascii(part)[:60]} is not of the form source=share")
    return out


@dataclass(frozen=True, slots=True)
class Weights:
    """What the mixing needs to know of every piece, in the order of the selection's ids.

    ``group``: int16 (n,), the place of its source among ``shares`` (of named sources that are there), -1 for the
    others; ``base``: float64 (n,), its kind's weight; ``small`` and ``lettering``: bool (n,).
    """

    mixing: Mixing
    shares: tuple[float, ...]
    group: NDArray[np.int16]
    base: F64
    small: Flags
    lettering: Flags

    @classmethod
    def of(cls, corpus: Corpus, selection: Selection, mixing: Mixing) -> "Weights":
        """The weights of the pieces of ``selection``, in its order. Raises ``AsciiloomError`` for a named source that
        it has no piece of, or whose name several have."""
        statement, params = selection.sql(
            "piece.source_id, piece.kind, piece.width, piece.height, piece.title, piece.tags"
        )
        source, base, small, lettering = [], [], [], []
        for row in corpus.connection.execute(statement, params):
            tags = json.loads(row[5])
            source.append(row[0])
            base.append(mixing.kinds.get(row[1], 1.0))
            fits = row[1] == "art" and row[2] <= SMALL[0] and row[3] <= SMALL[1]
            small.append(fits and bool(phrases_of(row[4], tags, row[1])))
            lettering.append(is_lettering(row[1], tags))
        numbers = np.array(source, np.int64)
        here = set(np.unique(numbers).tolist())
        names = {
            n: name
            for n, name in corpus.connection.execute("SELECT id, name FROM source")
            if n in here
        }
        group = np.full(len(numbers), -1, np.int16)
        shares: list[float] = []
        for wanted, share in mixing.sources.items():
            found = _named(wanted, names, corpus)
            if not found:
                continue
            taken = np.isin(numbers, found) & (group < 0)
            group[taken] = len(shares)
            shares.append(share)
        return cls(
            mixing,
            tuple(shares),
            group,
            np.array(base, np.float64),
            np.array(small, np.bool_),
            np.array(lettering, np.bool_),
        )

    def at(self, progress: float) -> F64:
        """How often each piece appears in an epoch, on average: float64 (n,), n together."""
        weight = self.base * np.where(self.small, self.mixing.small_at(progress), 1.0)
        rest = self.group < 0
        left = 1.0 - sum(self.shares) if weight[rest].any() else 0.0
        out = np.zeros_like(weight)
        for number, share in enumerate(self.shares):
            out += share * _shared(weight, self.group == number)
        if left > 0:
            allowed = max(0.0, self.mixing.lettering - float(out[self.lettering].sum()))
            out += left * _limited(weight, rest, self.lettering, allowed / left)
        total = float(out.sum())
        if total <= 0:
            raise AsciiloomError(
                "the mixing leaves no piece of the selection any weight; raise a share or a weight"
            )
        return out * (len(out) / total)


def _named(wanted: str, names: Mapping[int, str], corpus: Corpus) -> list[int]:
    """The ids of the sources that ``wanted`` names."""
    name = wanted.rstrip(OPTIONAL)
    exact = [n for n, full in names.items() if full == name]
    if "*" in name:
        found = [n for n, full in names.items() if fnmatchcase(full, name)]
    elif not (found := exact or [n for n, full in names.items() if full.endswith(f"/{name}")]):
        found = [n for n, full in names.items() if name.lower() in full.lower()]
    if len(found) > 1 and "*" not in name:
        several = ", ".join(sorted(names[n] for n in found))
        raise AsciiloomError(
            f"the mixing's {name!r} is part of several sources: {several}; name one whole, or use *"
        )
    if not found and not wanted.endswith(OPTIONAL):
        raise AsciiloomError(
            f"the selection has no piece of the source {name!r} that the mixing names; it has"
            f" {', '.join(sorted(names.values()))[:300]} (write {name + OPTIONAL!r} if it may be missing:"
            f" asciiloom stats {corpus.path})"
        )
    return found


def _shared(weight: F64, which: Flags) -> F64:
    """The weights of ``which`` scaled to 1 together, 0 elsewhere."""
    total = float(weight[which].sum())
    return np.where(which, weight / total, 0.0) if total > 0 else np.zeros_like(weight)


def _limited(weight: F64, which: Flags, lettering: Flags, most: float) -> F64:
    """``_shared``, but lettering is at most ``most`` of it where there is anything else."""
    even = _shared(weight, which)
    letters = float(even[lettering].sum())
    if letters <= most or letters >= 1:
        return even
    scale = np.where(lettering, most / letters, (1 - most) / (1 - letters))
    return np.asarray(even * scale)


def appearances(weights: F64, rng: np.random.Generator) -> I64:
    """How often each piece appears in one epoch: int64 (n,), n together, each its weight rounded up or down.

    Systematic sampling over a shuffle. Source: Madow 1949.
    """
    order = rng.permutation(len(weights))
    ends = np.cumsum(weights[order])
    ends[-1] = len(weights)  # whatever rounding made of it
    steps = np.floor(np.concatenate([[0.0], ends]) + rng.random())
    out = np.empty(len(weights), np.int64)
    out[order] = np.diff(steps).astype(np.int64)
    return out


def in_passes(ids: I64, counts: I64) -> I64:
    """Each id ``counts`` times: all first appearances in the order of ``ids``, then all second ones, and so on,
    so that the appearances of a piece are far apart when blocks of neighbours are shuffled."""
    places = np.repeat(np.arange(len(ids)), counts)
    before: Any = np.repeat(np.cumsum(counts) - counts, counts)
    turn = np.arange(len(places)) - before
    return np.asarray(ids[places[np.argsort(turn, kind="stable")]])
