"""``Piece``: what flows from a reader to the store. Text in canonical form plus what is known of it."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass

# Each charset holds printable ASCII. A piece belongs to the first that contains it.
CHARSETS = ("ascii", "latin1", "cp437", "braille", "unicode")
# Which pieces fit where only the key charset can be shown.
CHARSET_FITS: dict[str, tuple[str, ...]] = {
    "ascii": ("ascii",),
    "latin1": ("ascii", "latin1"),
    "cp437": ("ascii", "cp437"),
    "braille": ("ascii", "braille"),
    "unicode": CHARSETS,
}
# What a piece is drawn as. Also the style control that a model is prompted with.
# Kinds that spell words: a banner that says "cat" shows none.
LETTERING = frozenset(["banner", "card", "chart", "sheet"])
KINDS = (
    "art",
    "banner",
    "box",
    "card",
    "chart",
    "cow",
    "face",
    "frame",
    "line",
    "logo",
    "maze",
    "pattern",
    "scene",
    "shape",
    "sheet",
    "tree",
)
MAX_TAGS = 64  # of one piece


@dataclass(frozen=True, slots=True)
class Piece:
    """One picture in canonical form, with its provenance.

    ``path`` and ``locator`` say where it was found (file, and row or offset in it); ``original``
    holds the bytes it came from where they differ from the text; ``sequence`` names the film
    that a frame belongs to; ``steps`` lists what was changed on the way. ``group`` is whom the
    artist drew for, ``made`` the ISO date of drawing, ``colour`` a packed ``ColourPlane``, and
    ``flags`` what a curator should look at.
    """

    text: str
    title: str | None = None
    description: str | None = None
    artist: str | None = None
    tags: tuple[str, ...] = ()
    kind: str = "art"
    source: str = "unknown"
    licence: str | None = None
    path: str = "-"
    locator: str = ""
    encoding: str = "utf-8"
    original: bytes | None = None
    sequence: str | None = None
    steps: tuple[str, ...] = ()
    group: str | None = None
    made: str | None = None
    colour: bytes | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejection:
    """An input that did not become a piece: where it was and why; or ``count`` of them that failed for the
    same reason, with the place of the first."""

    reason: str
    detail: str = ""
    source: str = "unknown"
    path: str = "-"
    locator: str = ""
    count: int = 1


def clean_tags(tags: Iterable[object]) -> tuple[str, ...]:
    """Tags as stored: lower-case, inner whitespace single, no control characters, no repeats, at most ``MAX_TAGS``."""
    cleaned = dict.fromkeys(map(_clean_tag, map(str, tags)))
    cleaned.pop("", None)
    return tuple(cleaned)[:MAX_TAGS]


@functools.lru_cache(1 << 16)
def _clean_tag(tag: str) -> str:
    return _printable(tag.lower())[:80].rstrip()


def one_line(value: object, limit: int = 500) -> str | None:
    """``value`` as one printable line, or None where nothing is left."""
    if value is None:
        return None
    line = value if isinstance(value, str) and value.isalnum() else _printable(str(value))
    return line[:limit].rstrip() or None


def _printable(text: str) -> str:
    """Printable characters only, one space between words and none around them."""
    line = " ".join(text.split())
    if line.isprintable():
        return line
    words = ("".join(c for c in word if c.isprintable()) for word in line.split(" "))
    return " ".join(filter(None, words))
