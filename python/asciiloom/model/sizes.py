"""Natural sizes: how large the pieces are that a model was trained on, and which of them to ask for.

A model that is told how much room there is plans for it; one that is only cut off at the edge draws half a
picture. So a model carries, for each thing that its training pieces show, some sizes at which they show it,
and a request without an exact size takes one of them: a castle is larger than a cat.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np

from asciiloom.corpus import Corpus
from asciiloom.errors import SettingsError
from asciiloom.store import Selection
from asciiloom.tokens import kinds_of, phrases_of, thing_of
from asciiloom.tokens.words import clean, heads_of
from asciiloom.typed import Between, check

# Kinds whose words are spelled: how wide they are is a matter of how long the word is.
_SPELLED = "banner"
_DRAWN = "art"
# A thing has sizes of its own from so many pieces on, and so many of them: most of room for a terminal's
# half, since that is what is mostly asked for.
PIECES = 3
KEPT_SMALL, KEPT_LARGE, ROOM = 10, 4, (40, 20)
# What shows a thing: smaller ones are emoticons, and wider ones (cells are twice as high as wide) are rows
# of several, or prose about it.
LEGIBLE, WIDEST = (5, 3), 6
# What a table may take in config.json; things with fewer pieces are left out.
TABLE_BYTES = 60_000
# What a file may hold; more than is ever written.
MAX_ENTRIES = 10_000
_STEPS = 40
_Side = Annotated[int, Between(1, 100_000)]
Shape = tuple[int, int]
Fits = Callable[[int, int], bool]


@dataclass(frozen=True, slots=True)
class Sizes:
    """``table``: kind of piece -> what it shows -> (width, height)s by area. "" is all of a kind; of lettering
    "#5" are words of five letters."""

    table: Mapping[str, Mapping[str, tuple[Shape, ...]]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        pieces: Iterable[tuple[str, int, int, str | None, Sequence[str]]],
        least: int = PIECES,
    ) -> "Sizes":
        """From (kind, width, height, title, tags) of pieces; ``least``: pieces that a thing must have."""
        found: dict[tuple[str, str], list[Shape]] = defaultdict(list)
        for kind, width, height, title, tags in pieces:
            legible = width >= LEGIBLE[0] and LEGIBLE[1] <= height >= width / WIDEST
            if kind != _DRAWN or legible:
                found[kind, ""].append((width, height))
            if kind == _SPELLED:
                found[kind, f"#{len(title or '')}"].append((width, height))
            elif legible:
                for name in _shown(title, tags, kind):
                    found[kind, name].append((width, height))
        # All of a kind first, then the things of most pieces, as long as there is room.
        order = sorted(found, key=lambda key: (key[1] != "", -len(found[key]), key))
        out: dict[str, dict[str, tuple[Shape, ...]]] = defaultdict(dict)
        taken = 0
        for kind, name in order:
            shapes = _representatives(found[kind, name])
            taken += len(json.dumps({name: _text(shapes)})) + 4
            if name and (len(found[kind, name]) < least or taken > TABLE_BYTES):
                continue
            out[kind][name] = shapes
        return cls({kind: dict(sorted(out[kind].items())) for kind in sorted(out)})

    @property
    def things(self) -> set[str]:
        """All that is known to be shown, of any kind but lettering."""
        return {
            name
            for kind, things in self.table.items()
            if kind != _SPELLED
            for name in things
            if name
        }

    def to_plain(self) -> dict[str, dict[str, str]]:
        """As it stands in ``config.json``: each thing's sizes as one text, "7x3 12x6"."""
        return {
            kind: {name: _text(shapes) for name, shapes in things.items()}
            for kind, things in self.table.items()
        }


def sizes_of(corpus: Corpus, selection: Selection) -> Sizes:
    """The sizes of all pieces of ``selection``."""
    statement, params = selection.sql(
        "piece.kind, piece.width, piece.height, piece.title, piece.tags"
    )
    rows = corpus.connection.execute(statement, params)
    return Sizes.of((kind, w, h, title, json.loads(tags)) for kind, w, h, title, tags in rows)


def read_sizes(value: Any) -> Sizes:
    """The sizes in a model's ``config.json``; ``SettingsError`` says what is wrong with them.

    Formats 1 and 2 had a list of pieces: kind, width, height and title.
    """
    if isinstance(value, dict):
        return _read_table(value)
    if not isinstance(value, list) or len(value) > MAX_ENTRIES:
        raise SettingsError(f"sizes must be a table, or a list of at most {MAX_ENTRIES:,} entries")
    for number, entry in enumerate(value):
        where = f"sizes[{number}]"
        check(
            tuple(entry) if isinstance(entry, list) else entry, tuple[str, _Side, _Side, str], where
        )
        if len(entry[0]) > 40 or len(entry[3]) > 200:
            raise SettingsError(f"{where} has a kind above 40 or a title above 200 characters")
    return Sizes.of(((*entry, ()) for entry in value), least=1)


def _read_table(value: Mapping[str, Any]) -> Sizes:
    check(value, dict[str, dict[str, str]], "sizes")
    if sum(map(len, value.values())) > MAX_ENTRIES:
        raise SettingsError(f"sizes must have at most {MAX_ENTRIES:,} entries")
    out: dict[str, dict[str, tuple[Shape, ...]]] = {}
    for kind, things in value.items():
        for name, text in things.items():
            where = f"sizes of {ascii(kind)[:40]} {ascii(name)[:40]}"
            if max(len(kind), len(name), len(text) // 10) > 40:
                raise SettingsError(f"{where} are too long")
            shapes = []
            for size in text.split():
                sides = size.split("x")
                if len(sides) != 2 or not all(s.isascii() and s.isdigit() for s in sides):
                    raise SettingsError(f"{where} must be like 7x3, not {ascii(size)[:40]}")
                shape = (int(sides[0]), int(sides[1]))
                check(shape, tuple[_Side, _Side], where)
                shapes.append(shape)
            out.setdefault(kind, {})[name] = tuple(shapes)
    return Sizes(out)


def natural_size(
    sizes: Sizes, words: str, kind: str | None, fits: Fits, rng: np.random.Generator
) -> Shape | None:
    """(width, height) that ``fits``, at which training pieces of the kind show what the words name.

    What is named is asked first, then the kinds of thing that it is, then any piece of the kind, then pieces of
    other kinds. Of the sizes that fit one of the larger half: whoever grants room wants it used. Where none
    fits, the largest that does and has the shape of one of them; None where that could not be read.
    """
    for lists in _lists(sizes, words, kind):
        for shapes in lists:
            fitting = [shape for shape in shapes if fits(*shape)]
            if fitting:
                fitting = fitting[len(fitting) // 2 :]
                return fitting[int(rng.integers(len(fitting)))]
        for shapes in lists:
            scaled = [small for shape in shapes if (small := _scaled_down(shape, fits)) is not None]
            if scaled:
                return max(scaled, key=_area)
    return None


def natural_kind(sizes: Sizes, words: str) -> str | None:
    """The kind of piece that shows what ``words`` name, drawings before others; None without words, or where
    nothing was drawn. No model was trained on words without the kind of what they name."""
    if not words.strip():
        return None
    heads = [head for phrase in words.split(",") for head in heads_of(phrase)]
    names = set(map(thing_of, heads))
    showing = [kind for kind, things in sizes.table.items() if names & things.keys()]
    for kinds in (showing, [kind for kind in sizes.table if kind != _SPELLED]):
        if kinds:
            return _DRAWN if _DRAWN in kinds else kinds[0]
    return None


def _lists(sizes: Sizes, words: str, kind: str | None) -> Iterator[list[list[Shape]]]:
    """Lists of sizes by area: of what is named and the kinds of it, and of everything; first in ``kind``."""
    if kind == _SPELLED:
        # Letters take room: a word of this length, which stands first in the prompt.
        names = [f"#{len(words.partition(',')[0].strip())}"]
    else:
        heads = [head for phrase in words.split(",") for head in heads_of(phrase)]
        names = [*map(thing_of, heads), *(kind for head in heads for kind in kinds_of(head))]
    own = [sizes.table[kind]] if kind is not None and kind in sizes.table else []
    for tables in (own, list(sizes.table.values())):
        for asked in (dict.fromkeys(names), ("",)):
            found = [{s for things in tables for s in things.get(name, ())} for name in asked]
            yield [sorted(shapes, key=_area) for shapes in found if shapes]


def _shown(title: str | None, tags: Sequence[str], kind: str) -> set[str]:
    """What a piece shows, and the kinds of thing that it is."""
    phrases = [clean(title or ""), *phrases_of(None, tags, kind)]
    heads = {head for phrase in phrases for head in heads_of(phrase)}
    return {thing_of(head) for head in heads} | {k for head in heads for k in kinds_of(head)}


def _representatives(shapes: Sequence[Shape]) -> tuple[Shape, ...]:
    """Some of ``shapes`` at even steps by area, small ones more than large ones."""
    small = [s for s in shapes if s[0] <= ROOM[0] and s[1] <= ROOM[1]]
    large = [s for s in shapes if s[0] > ROOM[0] or s[1] > ROOM[1]]
    chosen: set[Shape] = set()
    for part, kept in ((small, KEPT_SMALL), (large, KEPT_LARGE)):
        ordered = sorted(part, key=_area)
        n, kept = len(ordered), min(len(ordered), kept)
        chosen |= {ordered[(2 * i + 1) * n // (2 * kept)] for i in range(kept)}
    return tuple(sorted(chosen, key=_area))


def _scaled_down(shape: Shape, fits: Fits) -> Shape | None:
    """The largest of ``shape``'s proportions that ``fits`` and can be read."""
    for step in range(_STEPS, 0, -1):
        width, height = (max(1, round(side * step / _STEPS)) for side in shape)
        if width < LEGIBLE[0] or height < LEGIBLE[1]:
            return None
        if fits(width, height):
            return width, height
    return None


def _area(shape: Shape) -> tuple[int, int]:
    return shape[0] * shape[1], shape[0]


def _text(shapes: Sequence[Shape]) -> str:
    return " ".join(f"{width}x{height}" for width, height in shapes)
