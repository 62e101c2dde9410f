"""The gate: everything that enters a corpus passes here and leaves in the form that readers make.

Files, imported records, merged corpora and pieces made in memory meet the same rules: canonical text
within limits, known kinds, tags and lines of clean characters, bounded bytes. What is clean, which is
nearly all, is found so a whole column at a time; what is not is cleaned with the step recorded, or
refused with a reason. Cleaning is idempotent: what went through once goes through unchanged.
"""

import unicodedata
import zlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from asciiloom.piece import (
    KINDS,
    MAX_TAGS,
    ColourPlane,
    Piece,
    PieceBatch,
    Rejection,
    are_canonical,
    clean_tags,
    content_hash,
    one_line,
)
from asciiloom.readers.base import MAX_ROWS, MAX_WIDTH, canonical_text, storable

MAX_LINE = 500  # characters of a title, a name, a licence
MAX_DESCRIPTION = 5000
MAX_PATH = 4096
MAX_STEPS = 64
MAX_ENTRIES = 1000  # of a list of tags, before cleaning
LOOKED_AT = 16  # a line is cleaned of so many times its length: the rest is cut off unseen
MAX_ORIGINAL = 64 << 20  # bytes; no reader takes a larger file whole

Clean = Callable[[Any], Any]


def _line(value: Any, limit: int = MAX_LINE) -> str | None:
    """One clean line of a text or a number; anything else says nothing."""
    if not isinstance(value, str | int | float):
        return None
    if isinstance(value, str):
        value = value[: LOOKED_AT * limit]
    try:
        return one_line(value, limit)
    except ValueError:  # an integer of thousands of digits
        return None


def _name(value: Any, default: str = "unknown") -> str:
    return _line(value) or default


def _path(value: Any, default: str = "") -> str:
    """A path or locator as it was, but for control characters and what is no Unicode: those as escapes."""
    if not isinstance(value, str):
        return _line(value) or default
    value = value[:MAX_PATH]
    if not value.isprintable():
        value = escaped(value)
    return value[:MAX_PATH] or default


def escaped(text: str) -> str:
    """``text`` with control characters, and what is no Unicode, as escapes."""
    return storable("".join(map(_escaped, text)))


def _escaped(char: str) -> str:
    hidden = unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp")
    return char.encode("unicode_escape").decode() if hidden else char


def _kind(value: Any) -> str:
    return value if isinstance(value, str) and value in KINDS else "art"


def _tags(value: Any) -> tuple[str, ...]:
    return clean_tags(filter(None, map(_line, _entries(value))))


def _steps(value: Any) -> tuple[str, ...]:
    return tuple(filter(None, (_line(step, 100) for step in _entries(value))))[:MAX_STEPS]


def _entries(value: Any) -> Iterable[Any]:
    return value[:MAX_ENTRIES] if isinstance(value, list | tuple) else ()


# Field of a piece -> what cleans it. The text, and the bytes that must fit it, have rules of their own.
RULES: dict[str, Clean] = {
    "title": _line,
    "description": partial(_line, limit=MAX_DESCRIPTION),
    "artist": _line,
    "tags": _tags,
    "kind": _kind,
    "source": _name,
    "licence": _line,
    "path": partial(_path, default="-"),
    "locator": _path,
    "encoding": partial(_name, default="utf-8"),
    "sequence": _line,
    "steps": _steps,
    "group": _line,
    "made": _line,
    "flags": _tags,
}


def unclean(field: str, values: Sequence[Any]) -> list[int]:
    """Places in ``values``, a column of ``field``, of what cleaning would change."""
    rule = RULES[field]
    try:
        distinct = set(values)  # names come again and again
        if rule is _tags:
            distinct -= _clean_tag_lists(distinct)
    except TypeError:  # something in it is of no type that belongs there
        return [k for k, value in enumerate(values) if rule(value) != value]
    wrong = {value for value in distinct if rule(value) != value}
    return [k for k, value in enumerate(values) if value in wrong] if wrong else []


def _clean_tag_lists(lists: Collection[Any]) -> set[Any]:
    """Those of ``lists`` that hold clean tags only, each once: nearly every list is another one, of a few tags."""
    tags = set(chain.from_iterable(lists))
    clean = {tag for tag in tags if _tags((tag,)) == (tag,)}
    return {
        names
        for names in lists
        if type(names) is tuple
        and len(set(names)) == len(names) <= MAX_TAGS
        and clean.issuperset(names)
    }


def unclean_texts(texts: Sequence[Any]) -> list[int]:
    """Places of what is no canonical text within the limits."""
    if not all(type(text) is str for text in texts):
        return [k for k, text in enumerate(texts) if not _is_clean_text(text)]
    sure = are_canonical(texts)
    long = np.fromiter(map(len, texts), np.int64, len(texts)) > min(MAX_WIDTH, MAX_ROWS)
    return [k for k in np.flatnonzero(~sure | long).tolist() if not _is_clean_text(texts[k])]


def _is_clean_text(text: Any) -> bool:
    if not isinstance(text, str):
        return False
    canonical = canonical_text(text)
    return not isinstance(canonical, Rejection) and canonical.text == text


def colour_fits(plane: Any, text: str) -> bool:
    """Whether ``plane`` is a packed ``ColourPlane`` with a colour for everything in ``text``."""
    if not isinstance(plane, bytes):
        return False
    try:
        return ColourPlane.unpack(plane).fits(text)
    except ValueError:
        return False


def _original_fits(data: Any) -> bool:
    return isinstance(data, bytes) and len(data) <= MAX_ORIGINAL


def unpack_original(packed: Any, size: Any, name: Any) -> bytes | None:
    """The bytes that ``packed`` holds, None where they are not of ``size`` bytes and ``name`` their hash."""
    if not (isinstance(packed, bytes) and isinstance(size, int) and 0 <= size <= MAX_ORIGINAL):
        return None
    unpacking = zlib.decompressobj()
    try:
        data = unpacking.decompress(packed, size + 1)
    except zlib.error:
        return None
    whole = len(data) == size and unpacking.eof and content_hash(data) == name
    return data if whole else None


def clean(piece: Piece) -> Piece | Rejection:
    """``piece`` as it may be stored, what was changed in its steps; or why it may not."""
    fields: dict[str, Any] = {}
    changed: list[str] = []
    for field, rule in RULES.items():
        value = getattr(piece, field)
        fields[field] = rule(value)
        if fields[field] != value:
            changed.append(f"clean-{field}")
    if not isinstance(piece.text, str):
        refused = Rejection("no-text", f"the text is a {type(piece.text).__name__}")
        return _placed(refused, fields)
    canonical = canonical_text(piece.text)
    if isinstance(canonical, Rejection):
        return _placed(canonical, fields)
    original, colour = piece.original, piece.colour
    if original is not None and not _original_fits(original):
        original = None
        changed.append("original-dropped")
    if original is None and canonical.text != piece.text:
        original = piece.text.encode("utf-8", "surrogatepass")
    if colour is not None and not colour_fits(colour, canonical.text):
        colour = None
        changed.append("colour-dropped")
    fields["steps"] = (*fields["steps"], *canonical.steps, *changed)[:MAX_STEPS]
    return Piece(text=canonical.text, original=original, colour=colour, **fields)


def _placed(rejection: Rejection, fields: dict[str, Any]) -> Rejection:
    return replace(rejection, **{name: fields[name] for name in ("source", "path", "locator")})


def _clean_rejection(item: Rejection) -> Rejection:
    return replace(
        item,
        reason=_name(item.reason, "rejected"),
        detail=_line(item.detail) or "",
        source=_name(item.source),
        path=_path(item.path, "-"),
        locator=_path(item.locator),
    )


def admit(
    pieces: PieceBatch, rejections: Sequence[Rejection]
) -> tuple[PieceBatch, list[Rejection]]:
    """What may be stored of ``pieces``, in their order, and all rejections, clean themselves."""
    rejections = list(map(_clean_rejection, rejections))
    suspects = set(unclean_texts(pieces.text))
    for field in RULES:
        suspects.update(unclean(field, getattr(pieces, field)))
    for k, data in enumerate(pieces.original):
        if data is not None and not _original_fits(data):
            suspects.add(k)
    for k, plane in enumerate(pieces.colour):
        if plane is not None and k not in suspects and not colour_fits(plane, pieces.text[k]):
            suspects.add(k)
    if not suspects:
        return pieces, rejections
    others = [k for k in range(len(pieces)) if k not in suspects]
    cleaned: list[tuple[int, Piece]] = []
    for k in sorted(suspects):
        item = clean(pieces.piece(k))
        if isinstance(item, Piece):
            cleaned.append((k, item))
        else:
            rejections.append(item)
    parts = [
        (others, pieces.take(others)),
        ([k for k, _ in cleaned], PieceBatch.of(piece for _, piece in cleaned)),
    ]
    return PieceBatch.merged(parts), rejections
