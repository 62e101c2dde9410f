"""The seam between the world's files and the store: what a reader is given and what it yields."""

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import IO, Protocol

from asciiloom.piece import (
    Canonical,
    ColourPlane,
    Piece,
    Rejection,
    canonicalize,
    clean_tags,
    is_canonical,
    one_line,
)

MAX_CHARS = 1_000_000
MAX_ROWS = 20_000
MAX_WIDTH = 5_000
# Share of control characters beyond which bytes that decoded as text are binary all the same.
_BINARY_SHARE = 0.10
# The step of a piece that a reader had rejected and a person accepted.
ACCEPTED = "accepted"

Item = Piece | Rejection
# Names that many files have and that say nothing.
_NAMELESS = frozenset(["file id", "readme", "untitled", "index", "art", "text", "new", "noname"])


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What is known of an input beyond its bytes, mostly from the curator.

    ``columns`` maps a field of ``Piece`` to a column name of the table; ``source`` is the name of the
    collection, whatever the input says; ``licence`` and ``artist`` fill what the input itself leaves
    open; ``tags`` are added to every piece;
    ``whole`` takes each text file as one piece, never as a page of several; ``encoding`` is that of
    text files, where the curator knows better than their bytes. ``words`` are set in every font
    file met. ``columns_wide`` and ``palette`` say how images are drawn; ``frames`` keeps every frame
    of a film, however alike. ``place`` is the collection by where the input lies (``collections``):
    the source of what names none. ``accepted`` are locators of what a person says is a drawing, whatever it
    looks like.
    """

    source: str | None = None
    licence: str | None = None
    artist: str | None = None
    tags: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    whole: bool = False
    encoding: str | None = None
    words: tuple[str, ...] = ()
    columns_wide: int = 80
    palette: str = "ascii"
    frames: bool = False
    place: str | None = None
    accepted: frozenset[str] = frozenset()

    def source_name(self, stated: str | None = None) -> str:
        """The source of an item whose own input says ``stated``."""
        return self.source or stated or self.place or "unknown"


@dataclass(slots=True)
class Input:
    """One open input: ``path`` as recorded, its own ``name`` (that of an archive's member is no path
    through the archive) without packing suffixes, ``stream`` of its unpacked bytes and their ``head``."""

    path: str
    name: str
    stream: IO[bytes]
    head: bytes
    options: ReadOptions

    @classmethod
    def from_bytes(
        cls, data: bytes, path: str = "-", options: ReadOptions | None = None
    ) -> "Input":
        return cls(path, path, io.BytesIO(data), data[:4096], options or ReadOptions())


# Readers are asked in ascending order of their ``rank``, so the surest of a format goes first. Built-in ones:
#   100-199  bytes at the start that no other format has
#   200-299  a word or structure in the first bytes, or the extension alone
#   300-399  the look of the first lines
#   900      whatever is left
RANK_OF_PLUG_INS = 0


class Reader(Protocol):
    """Bytes of one format -> pieces. Plug-ins register an instance as entry point ``asciiloom.readers``.

    A reader may also have ``rank``, an ``int`` that says when it is asked (see above); without one it is
    asked before every built-in reader.
    """

    @property
    def name(self) -> str: ...

    @property
    def extensions(self) -> tuple[str, ...]: ...

    @property
    def summary(self) -> str: ...

    @property
    def recognised(self) -> str:
        """How ``sniff`` knows the format, in a few words."""

    @property
    def oracle(self) -> str:
        """The independent program or rule that the reader is held against."""

    def sniff(self, head: bytes, path: str) -> bool:
        """Whether the first 4096 bytes (or the name) are of this format."""

    def read(self, source: Input) -> Iterator[Item]:
        """Every piece and every rejection, in order; never raises for bad bytes."""


def rank_of(reader: Reader) -> int:
    """When ``reader`` is asked: the lower, the earlier."""
    return int(getattr(reader, "rank", RANK_OF_PLUG_INS))


def read_whole(source: Input, limit: int) -> bytes | Rejection:
    """The bytes of ``source``, or a rejection where there are more than ``limit``."""
    data = source.stream.read(limit + 1)
    if len(data) <= limit:
        return data
    name = source.options.source_name()
    detail = f"more than {limit >> 20} MiB; at most that for this format"
    return Rejection("too-large", detail, name, source.path)


def storable(name: object) -> str:
    """A path or name as text that can be kept: what is no Unicode in it (a file name may hold any bytes)
    is written as an escape."""
    return str(name).encode("utf-8", "backslashreplace").decode()


def file_stem(name: str) -> str:
    """The last part of a path or member name, without its extension."""
    last = re.split(r"[/\\]", name)[-1]
    return last.rsplit(".", 1)[0] if "." in last[1:] else last


def file_title(name: str) -> str | None:
    """What a file's name says it shows: its words, or None where it has none of its own."""
    stem = re.sub(r"\((?:utf-?8|\d+x\d+)[^)]*\)", "", file_stem(name), flags=re.IGNORECASE)
    words = re.sub(r"[_\s]+", " ", stem).strip(" -")
    if words.lower() in _NAMELESS or not re.search(r"[^\W\d_]{3}", words):
        return None
    return words


def make_item(
    raw: str,
    *,
    options: ReadOptions,
    path: str,
    locator: str = "",
    original: bytes | None = None,
    title: object = None,
    description: object = None,
    artist: object = None,
    tags: tuple[object, ...] = (),
    kind: str = "art",
    source: str | None = None,
    licence: object = None,
    encoding: str = "utf-8",
    sequence: str | None = None,
    group: object = None,
    made: str | None = None,
    colour: ColourPlane | None = None,
    steps: tuple[str, ...] = (),
    flags: tuple[str, ...] = (),
) -> Item:
    """Canonicalise ``raw`` and wrap it as a ``Piece``, or as a ``Rejection`` that says why not.

    The original is kept where it cannot be told from the canonical text.
    """
    name = options.source_name(source)
    accepted = locator in options.accepted
    canonical = canonical_text(raw, accepted=accepted)
    if isinstance(canonical, Rejection):
        return replace(canonical, source=name, path=path, locator=locator)
    text = canonical.text
    if colour is not None and not colour.fits(text):
        colour, steps = None, (*steps, "colour-dropped")
    if original is None and text != raw:
        original = raw.encode("utf-8", "surrogatepass")
    return Piece(
        text=text,
        title=one_line(title),
        description=one_line(description, 5000),
        artist=one_line(artist) or options.artist,
        tags=clean_tags((*tags, *options.tags)),
        kind=kind,
        source=name,
        licence=options.licence or one_line(licence),
        path=path,
        locator=locator,
        encoding=encoding,
        original=original,
        sequence=sequence,
        steps=(*steps, *canonical.steps, *((ACCEPTED,) if accepted else ())),
        group=one_line(group),
        made=made,
        colour=colour.pack() if colour is not None else None,
        flags=flags,
    )


def canonical_text(raw: str, *, accepted: bool = False) -> Canonical | Rejection:
    """The canonical form of ``raw``, or why it cannot be kept: a rejection whose place is to be filled in.

    That too many control codes are in it is a judgement, which a person may overrule: ``accepted``.
    """
    if len(raw) > MAX_CHARS * 4:
        return Rejection("too-large", f"{len(raw):,} characters; at most {MAX_CHARS * 4:,}")
    if is_canonical(raw):
        canonical = Canonical(raw)
    else:
        controls = 0 if _is_plain(raw) else sum(map(raw.count, _BINARY_CODES))
        if controls > _BINARY_SHARE * len(raw) and not accepted:
            detail = f"{controls:,} of {len(raw):,} characters are control codes"
            return Rejection("binary", detail)
        canonical = canonicalize(raw)
        if not canonical.text.strip(" \n\u3000"):
            return Rejection("empty", "nothing but whitespace and control codes")
    text = canonical.text
    if len(text) <= min(MAX_WIDTH, MAX_ROWS):
        return canonical  # no side can be too long
    rows, widest = text.count("\n") + 1, max(map(len, text.split("\n")))
    if len(text) > MAX_CHARS or rows > MAX_ROWS or widest > MAX_WIDTH:
        limits = f"at most {MAX_CHARS:,} characters, {MAX_WIDTH:,}x{MAX_ROWS:,}"
        return Rejection("too-large", f"{len(text):,} characters, {widest:,}x{rows:,}; {limits}")
    return canonical


def _is_plain(raw: str) -> bool:
    """Printable characters and newlines only: no control code to count."""
    return raw.replace("\n", "").isprintable()


_BINARY_CODES = tuple(chr(c) for c in range(32) if c not in (9, 10, 12, 13, 26, 27))
