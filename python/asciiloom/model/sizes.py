"""Natural sizes: how large the pieces are that a model was trained on, and which of them to ask for.

A model that is told how much room there is plans for it; one that is only cut off at the edge draws
half a picture. So a model carries a sample of its training pieces' sizes, and a request without an
exact size takes one of them.
"""

import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple

import numpy as np

from asciiloom.corpus import Corpus
from asciiloom.errors import SettingsError
from asciiloom.store import Selection
from asciiloom.typed import Between, check

KEPT = 2000
MAX_TITLE = 24
# What a file may hold; more than is ever written.
MAX_ENTRIES = 10_000
_WORD = re.compile(r"\w+")
_Side = Annotated[int, Between(1, 100_000)]


class Size(NamedTuple):
    """Kind, width in cells, height in rows and title (lower case, cut) of one training piece."""

    kind: str
    width: int
    height: int
    title: str


def sizes_of(corpus: Corpus, selection: Selection) -> tuple[Size, ...]:
    """The sizes of at most 2,000 pieces of ``selection``, a seeded sample."""
    chosen = selection.replace(order="random", limit=KEPT)
    statement, params = chosen.sql(
        "piece.kind, piece.width, piece.height, coalesce(piece.title, '')"
    )
    rows = corpus.connection.execute(statement, params)
    return tuple(Size(kind, w, h, title[:MAX_TITLE].lower()) for kind, w, h, title in rows)


def read_sizes(value: Any) -> tuple[Size, ...]:
    """The table of sizes in a model's ``config.json``; ``SettingsError`` says what is wrong with it."""
    if not isinstance(value, list) or len(value) > MAX_ENTRIES:
        raise SettingsError(f"sizes must be a list of at most {MAX_ENTRIES:,} entries")
    for number, entry in enumerate(value):
        where = f"sizes[{number}]"
        check(
            tuple(entry) if isinstance(entry, list) else entry, tuple[str, _Side, _Side, str], where
        )
        if len(entry[0]) > 40 or len(entry[3]) > 200:
            raise SettingsError(f"{where} has a kind above 40 or a title above 200 characters")
    return tuple(Size(*entry) for entry in value)


def natural_size(
    sizes: Sequence[tuple[str, int, int, str]],
    words: str,
    kind: str | None,
    fits: Callable[[int, int], bool],
    rng: np.random.Generator,
) -> tuple[int, int] | None:
    """(width, height) of a training piece that ``fits``, of the kind and as like the words as there is.

    None where no piece fits.
    """
    fitting = [size for size in sizes if fits(size[1], size[2])]
    fitting = [size for size in fitting if size[0] == kind] or fitting
    if kind == "banner":
        # Letters take room: a word of this length, which stands first in the prompt.
        length = len(words.partition(",")[0].strip())
        fitting = [size for size in fitting if len(size[3]) == length] or fitting
    # Of those, the ones that show what is asked for: a house is larger than a cat.
    asked = set(_WORD.findall(words.lower()))
    shared = [len(asked & set(_WORD.findall(size[3]))) for size in fitting]
    best = max(shared, default=0)
    fitting = [size for size, n in zip(fitting, shared, strict=True) if n == best]
    if not fitting:
        return None
    # Whoever grants room wants it used: one of the larger half.
    fitting.sort(key=lambda size: size[1] * size[2])
    fitting = fitting[len(fitting) // 2 :]
    _, width, height, _ = fitting[int(rng.integers(len(fitting)))]
    return width, height
