"""Other looks of the same drawing, free of charge: its mirror image, and without the artist's signature.

Pure functions on canonical texts; what they give is canonical again. A mirror image swaps glyphs as
artists do who turn a drawing by hand, and is only made where every glyph has a twin or looks the same from
both sides. Marks at the ends of a stroke need care: ``.--.`` is round on both sides as it stands, ``,--.`` is so
only with its ends swapped.
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
# Pairs that stand for each other wherever they are. Of the letters only strokes: turned into "s", the "z" of a
# sleeping cat says nothing.
_PAIRED = "/\\()[]{}<>bdpqJL"
# Who draws with an apostrophe alone, or with a point, draws both sides with it.
_MARKS = "'`.,"
_LEGAL = frozenset(_SYMMETRIC + _PAIRED + _MARKS)
_TWIN_OF = {ord(glyph): MIRROR[ord(glyph)] for glyph in _PAIRED}
# Two marks with a stroke between them; looked ahead for, so that the end of one may begin the next.
_POINTS = re.compile(r"""(?=([.,])[-_=~"^'`]+([.,]))""")
_QUOTES = re.compile(r"""(?=(['`])[-_=~"^.,]+(['`]))""")
_QUOTE = re.compile("['`]")
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


def mirrored(text: str) -> str | None:
    """The mirror image of canonical ``text``: canonical, of the same size, and its own mirror image is ``text``.

    None where a glyph has no twin in the mirror, or where a word stands in the drawing.
    """
    if not _is_legal(text):
        return None
    image = _turned(text)
    # A chain of strokes may have marks that two rules are about: what does not come back is left alone.
    return image if _is_legal(image) and _turned(image) == text else None


def _is_legal(text: str) -> bool:
    if not _LEGAL.issuperset(text) or ("`" in text and "'" not in text):
        return False
    return not any(len(set(run.lower()) - _STROKES) > 1 for run in _LETTERS.findall(text))


def _turned(text: str) -> str:
    """``text`` with its glyphs swapped and its rows reversed."""
    glyphs = list(text.translate(_TWIN_OF))
    for place in _swapped_marks(text):
        glyphs[place] = chr(MIRROR[ord(glyphs[place])])
    rows = "".join(glyphs).split("\n")
    width = max(map(len, rows))
    return "\n".join(row.ljust(width)[::-1].rstrip(" ") for row in rows)


def _swapped_marks(text: str) -> set[int]:
    """Which marks lean to a side: points and commas where a stroke ends in one of each; apostrophes and
    backticks but where a stroke ends in two of the same, if the drawing has both."""
    places = {
        place
        for found in _POINTS.finditer(text)
        if found[1] != found[2]
        for place in (found.start(1), found.start(2))
    }
    if "`" in text:
        upright = {
            place
            for found in _QUOTES.finditer(text)
            if found[1] == found[2]
            for place in (found.start(1), found.start(2))
        }
        places |= {found.start() for found in _QUOTE.finditer(text)} - upright
    return places


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
