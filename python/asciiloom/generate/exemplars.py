"""Examples to draw after: the pieces of a corpus that come nearest to what is asked for, and whom to credit.

A small model knows the shapes of few subjects by heart. One that reads an example beside its prompt need
not: it only has to know how drawings vary. Examples are what training may see (the train split, or pieces
without one), one of each near-twin cluster. Whoever drew them is named with the drawing.
"""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from asciiloom.corpus import Corpus
from asciiloom.errors import ConstraintError, CorpusError, SelectionError
from asciiloom.generate.constraint import Constraint
from asciiloom.piece import (
    KINDS,
    LETTERING,
    blank_credits,
    canonicalize,
    find_credits,
    measure,
    one_line,
)
from asciiloom.store import Selection
from asciiloom.store.selection import Range

# A word of a title says twice as much as a tag.
_TITLE, _TAG = 2.0, 1.0
# Whoever follows several examples takes none that says less than this share of what the nearest says.
NEAR = 0.6
# Cells from which on a drawing can show something in detail; what has fewer stands behind.
_LEGIBLE = 60
# What is mostly words shows nothing, though its title names it.
_PROSE = "prose"
_WORD = re.compile(r"\w+")
_TELLING = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True)
class Credit:
    """Whose piece a drawing follows: its number in the corpus, title, artist, source and licence (as stated)."""

    id: int
    title: str | None
    artist: str | None
    source: str
    licence: str | None

    def line(self) -> str:
        """``after "Siamese cat" by Joan G. Stark (CC-BY-4.0, 17)``."""
        what = f'"{one_line(self.title)}"' if self.title else "an untitled piece"
        whose = f" by {one_line(self.artist)}" if self.artist else ""
        licence = one_line(self.licence) if self.licence else "no licence stated"
        return f"after {what}{whose} ({licence}, {self.id})"

    def to_dict(self) -> dict[str, int | str | None]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A text to draw after, canonical and without the signatures in it, and its credit."""

    text: str
    credit: Credit | None = None

    @classmethod
    def of(cls, text: str, credit: Credit | None = None) -> "Exemplar":
        """Of any ``text``: whom it credits stands in ``credit``, not in what is drawn after it."""
        plain = canonicalize(text).text
        artist = credit.artist if credit else None
        return cls(canonicalize(blank_credits(plain, find_credits(plain, artist))).text, credit)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in cells."""
        seen = measure(self.text)
        return seen.width, seen.height

    def check(self, limits: Constraint) -> None:
        """``ConstraintError`` where there is no text, or it is larger than a drawing may be."""
        size = measure(self.text)
        if not size.ink:
            raise ConstraintError("the example to draw after is empty; leave it out")
        if size.width > limits.max_width or size.height > limits.max_height:
            raise ConstraintError(
                f"the example to draw after is {size.width}x{size.height}: larger than the"
                f" {limits.max_width}x{limits.max_height} that is asked for"
            )


def exemplars(
    corpus: Corpus,
    words: str,
    *,
    kind: str | None = None,
    limits: Constraint | None = None,
    selection: Selection | None = None,
    count: int = 1,
    seed: int = 0,
    near: float = 0.0,
) -> list[Exemplar]:
    """Up to ``count`` pieces of ``selection`` for ``words``, the nearest first; more only extend the list.

    Nearest are those whose title and tags say most of the words, rare ones before common ones, and
    little else in the title; among equals ``seed`` decides. All fit into ``limits``. Without words, any
    that fit. What says less than ``near`` of what the nearest says (a share) is left out, and of no ``kind``
    lettering is. ``SelectionError`` for another split than train.
    """
    base = selection or Selection()
    if base.split not in (None, "train"):
        raise SelectionError(
            f"examples to draw after are what a model may train on, not of the {base.split} split"
        )
    kinds = (kind,) if kind else base.kinds or tuple(k for k in KINDS if k not in LETTERING)
    fitting = _within(base, limits or Constraint()).replace(
        kinds=kinds, charset="ascii", canonical_only=True, grid_only=True, limit=None, offset=0
    )
    asked = tuple(dict.fromkeys(_WORD.findall(words.lower())))
    out: list[Exemplar] = []
    for number in _nearest(corpus, fitting.replace(order="random", seed=seed), asked, near):
        if len(out) == count:
            break
        example = _read(corpus, number)
        if measure(example.text).ink:  # some pieces are nothing but a signature
            out.append(example)
    return out


def exemplar(corpus: Corpus, number: int) -> Exemplar:
    """Piece ``number``, whatever its split; ``CorpusError`` where it is none to draw after."""
    shown = Selection(ids=(number,), charset="ascii", grid_only=True)
    if not corpus.count(shown):
        corpus.get(number)  # says so where there is no such piece
        raise CorpusError(
            f"piece {number} of {corpus.path} is withdrawn or no ASCII art on a grid; draw after another"
        )
    return _read(corpus, number)


def _within(selection: Selection, limits: Constraint) -> Selection:
    """What of ``selection`` is no larger than ``limits``."""

    def at_most(given: Range, most: int) -> Range:
        low, high = given
        return low, most if high is None else min(high, most)

    width, height = (
        at_most(selection.width, limits.max_width),
        at_most(selection.height, limits.max_height),
    )
    chars = selection.chars
    if limits.max_chars is not None:
        chars = at_most(chars, limits.max_chars)
    return selection.replace(width=width, height=height, chars=chars)


def _nearest(corpus: Corpus, fitting: Selection, asked: Sequence[str], near: float) -> list[int]:
    """Ids of ``fitting`` that training may see and that say one of ``asked`` (any, where nothing is asked),
    the nearest first, then in the order of ``fitting``; what is prose is none."""

    def saying(query: str) -> Selection:
        return fitting.replace(text=f"{fitting.text or ''} {query}")

    query = " OR ".join(f"title:{word} OR tags:{word}" for word in asked)
    statement, params = saying(query).sql(
        "piece.id, piece.title, piece.split, piece.flags, piece.width * piece.height"
    )
    rows = [
        (number, title, cells)
        for number, title, split, flags, cells in corpus.connection.execute(statement, params)
        if split in (None, "train") and _PROSE not in json.loads(flags)
    ]
    if not asked:
        return [number for number, _, _ in rows]
    score = dict.fromkeys((number for number, _, _ in rows), 0.0)
    for word in asked:
        titled = score.keys() & corpus.ids(saying(f"title:{word}"))
        tagged = (score.keys() - titled) & set(corpus.ids(saying(f"tags:{word}")))
        # A word that few say is the more specific one (inverse document frequency, Sparck Jones 1972).
        weight = math.log(1 + len(rows) / max(1, len(titled) + len(tagged)))
        for number in titled:
            score[number] += _TITLE * weight
        for number in tagged:
            score[number] += _TAG * weight
    for number, title, cells in rows:
        # Of two that say the words, the one whose title says little else, and which is no emoticon.
        score[number] /= 1 + 0.1 * len(set(_TELLING.findall((title or "").lower())) - set(asked))
        score[number] *= 0.5 + 0.5 * min(1.0, cells / _LEGIBLE)
    least = near * max(score.values(), default=0.0)
    kept = (number for number, said in score.items() if said >= least)
    return sorted(kept, key=lambda number: -score[number])


def _read(corpus: Corpus, number: int) -> Exemplar:
    record = corpus.get(number)
    artist = record["artist"] or next((c["artist"] for c in record["credits"]), None)
    credit = Credit(number, record["title"], artist, record["source"], record["licence"])
    return Exemplar.of(record["text"], credit)
