"""Other looks of the same drawing, free of charge: its mirror image, and without the artist's signature.

Pure functions on canonical texts; what they give is canonical again. A mirror image swaps glyphs as
artists do who turn a drawing by hand (in the corpus' own mirror twins ``'`` became `````` ` `````` 169 times of 185,
``,`` became ``.`` 105 of 113), and is only made where every glyph has a twin or looks the same from both sides.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from asciiloom.piece import MIRROR, CreditSpan, canonicalize
from asciiloom.typed import Between, check_fields

Share = Annotated[float, Between(0, 1)]

# Glyphs that look the same from both sides, near enough: what artists leave as it is when they turn a drawing.
_SYMMETRIC = ' \n!"#*+-:;=@^_|~08AHIMOTUVWXYilmnouvwx'
# Pairs that stand for each other whatever else is in the drawing. Of the letters only strokes: turned
# into "s", the "z" of a sleeping cat says nothing.
_PAIRED = "/\\()[]{}<>bdpqJL"
# Who draws with one of these alone draws both sides with it; the second of a pair alone leans to a side.
_LOOSE_PAIRS = ("'`", ".,")
_LEGAL = frozenset(_SYMMETRIC + _PAIRED + "".join(_LOOSE_PAIRS))
_LETTERS = re.compile(r"[A-Za-z]{2,}")
# Letters that are strokes more often than words: dMMb is a roof.
_STROKES = frozenset("bdpq")
# What is read, or reads from left to right.
_READ_KINDS = frozenset(("banner", "card", "chart", "frame", "sheet"))
_LETTERED = ("text:", "font:")
_SIDES = re.compile(r"\b(?:left|right|east|west|mirror\w*|clockwise)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How often training shows a piece otherwise than it stands in the corpus.

    ``mirror``: its mirror image, where there is one; ``twins``: another piece of its near-twin cluster (a real
    redraw) in its place, where the selection keeps one of each cluster; ``blank_credit``: without the signatures
    that are located in it. A mirror image never shows them. 0 is never, 1 always.
    """

    mirror: Share = 0.0
    twins: Share = 0.0
    blank_credit: Share = 0.0

    def __post_init__(self) -> None:
        check_fields(self, "augmentation")


def is_lettering(kind: str, tags: Sequence[str]) -> bool:
    """Whether a piece is letters drawn large, by its kind and tags."""
    return kind == "banner" or any(tag.startswith(_LETTERED) for tag in tags)


def may_turn(kind: str, title: str | None, tags: Sequence[str]) -> bool:
    """Whether what is known of a piece lets it be turned: nothing to read, and no side named in its words."""
    if kind in _READ_KINDS or is_lettering(kind, tags):
        return False
    return not (title and _SIDES.search(title)) and not any(map(_SIDES.search, tags))


def can_mirror(text: str) -> bool:
    """Whether every glyph of ``text`` has its twin in the mirror, and no word stands in it."""
    if not _LEGAL.issuperset(text):
        return False
    if any(pair[1] in text and pair[0] not in text for pair in _LOOSE_PAIRS):
        return False
    runs = _LETTERS.findall(text)
    return not any(len(set(run.lower()) - _STROKES) > 1 for run in runs)


def mirrored(text: str) -> str:
    """The mirror image of canonical ``text`` for which ``can_mirror`` holds: canonical, of the same size, and
    its own mirror image is ``text``."""
    swapped = _PAIRED + "".join(p for p in _LOOSE_PAIRS if p[0] in text and p[1] in text)
    rows = text.translate({ord(c): MIRROR[ord(c)] for c in swapped}).split("\n")
    width = max(map(len, rows))
    return "\n".join(row.ljust(width)[::-1].rstrip(" ") for row in rows)


def without_credits(text: str, spans: Sequence[CreditSpan]) -> str:
    """Canonical ``text`` with every span blanked, and canonical again; a ground line that a signature
    interrupts runs through. A text that is nothing but signatures is left as it is.

    Spans that are not (any more) where they are said to be are left alone.
    """
    rows = text.split("\n")
    for span in spans:
        if span.row >= len(rows):
            continue
        row, end = rows[span.row], span.column + span.length
        if row[span.column : end] != span.text:
            continue
        before, after = row[: span.column], row[end:]
        through = before[-1:] if before and before[-1:] == after[:1] else " "
        rows[span.row] = before + through * span.length + after
    return canonicalize("\n".join(rows)).text or text
