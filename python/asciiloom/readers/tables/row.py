"""What a row of a table says: which column plays which role, and the item that a row makes.

Column names are recognised by role; the names are those that public art data sets use. Where several
columns could hold the art, the row decides: the one of several lines is the drawing, and one of a single
line ("GM" beside the letters drawn) says what it shows.
"""

import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from asciiloom.piece import KINDS, PieceBatch, Rejection, are_canonical, clean_tags, one_line
from asciiloom.readers.base import MAX_WIDTH, Input, Item, make_item, storable

MAX_SHAPES = 1000

# Role -> column names, the most telling first. Matching ignores case and -, _ and spaces.
COLUMNS: dict[str, tuple[str, ...]] = {
    "text": (
        "ascii_art",
        "art_text",
        "asciiart",
        "ascii",
        "art",
        "drawing",
        "text",
        "content",
        "figure",
        "output",
    ),
    "title": ("title", "name", "caption", "subject", "prompt"),
    "description": ("description", "desc", "alt"),
    "artist": ("artist", "author", "creator", "credit"),
    "tags": ("tags", "tag", "labels", "label", "class", "category", "categories", "keywords"),
    "source": ("source", "dataset", "collection", "origin"),
    "path": ("path", "file", "filename", "url"),
    "licence": ("licence", "license"),
    "kind": ("kind", "style"),
}
_NUMBERED_CATEGORY = re.compile(r"(?:category|tag|label)\d+\Z")
_FENCE = re.compile(r"```[^\n]*\n(.*?)\n?```", re.DOTALL)
_FILM = re.compile(r"(?:movie|film|animation):(.+)\Z")

# A locator and what stands there: a mapping, or "reason: detail".
Row = tuple[str, Mapping[str, Any] | str]
# What rows must have in common to be read alike: their keys, and which of them hold the art and, where it
# is another of the art's usual columns, its caption.
Shape = tuple[tuple[str, ...], str | None, str | None]


def row_items(rows: Iterable[Row], source: Input) -> Iterator[Item]:
    """One item a row: ``rows`` are (locator, mapping or "reason: detail")."""
    roles: dict[Shape, dict[str, str]] = {}  # rows of one table may differ in keys
    for locator, row in rows:
        if isinstance(row, str):
            reason, _, detail = row.partition(": ")
            yield Rejection(reason, detail, source.options.source_name(), source.path, locator)
            continue
        shape = shape_of(row, source.options.columns)
        if shape not in roles:
            if len(roles) >= MAX_SHAPES:
                roles.clear()
            roles[shape] = shape_roles(shape, source.options.columns)
        yield row_item(row, roles[shape], source, locator)


def _plain(name: str) -> str:
    return re.sub(r"[-_ ]", "", name.lower())


def column_roles(row: Iterable[str], given: Mapping[str, str]) -> dict[str, str]:
    """Which column plays which role: what the curator says, then the known names."""
    roles = dict(given)
    names = {_plain(name): name for name in row}
    for role, known in COLUMNS.items():
        if role not in roles:
            hit = next((names[_plain(k)] for k in known if _plain(k) in names), None)
            if hit is not None and hit not in roles.values():
                roles[role] = hit
    return roles


@functools.lru_cache(MAX_SHAPES)
def art_columns(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of a row's columns that art is found in, the likeliest first."""
    by_plain = {_plain(name): name for name in names}
    return tuple(by_plain[_plain(k)] for k in COLUMNS["text"] if _plain(k) in by_plain)


def shape_of(row: Mapping[str, Any], given: Mapping[str, str]) -> Shape:
    """The shape of ``row``; what the curator says of the art's column holds."""
    keys = tuple(row)
    columns = art_columns(keys)
    if len(columns) < 2:
        return keys, None, None
    texts = {name: row[name] for name in columns if isinstance(row[name], str)}
    drawn = [name for name, text in texts.items() if "\n" in text.strip()]
    art = given.get("text") or next(iter((*drawn, *texts)), None)
    captions = (name for name in texts if name != art and name not in drawn)
    return keys, art, next(captions, None)


def shape_roles(shape: Shape, given: Mapping[str, str]) -> dict[str, str]:
    """Which column plays which role in rows of ``shape``."""
    keys, art, caption = shape
    roles = column_roles(keys, {**({"text": art} if art else {}), **given})
    if caption and caption not in roles.values():
        roles.setdefault("title", caption)
    return roles


@functools.lru_cache(MAX_SHAPES)
def numbered_columns(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of a row's columns that are category-1, tag_2 and the like."""
    return tuple(name for name in names if _NUMBERED_CATEGORY.match(_plain(name)))


def row_item(row: Mapping[str, Any], roles: Mapping[str, str], source: Input, locator: str) -> Item:
    options = source.options
    values = {role: row.get(column) for role, column in roles.items()}
    text, title = values.get("text"), values.get("title")
    if text is None and "conversations" in row:
        title, text = _conversation(row["conversations"])
    name = options.source_name(_line(values.get("source")))
    if not isinstance(text, str) and {"charset", "frames", "palette"} <= row.keys():
        detail = f"Playscii: glyphs by number in its own charset {row['charset']}"
        return Rejection("custom-charset", detail[:200], name, source.path, locator)
    if not isinstance(text, str):
        known = ", ".join(COLUMNS["text"])
        detail = f"no text column (looked for {known}); name it with --column text=NAME"
        return Rejection("no-text", detail, name, source.path, locator)
    tags, film, meant = _tag_facts(_row_tags(row, values.get("tags")), options.tags)
    return make_item(
        text,
        options=options,
        path=_row_path(source, values.get("path")),
        locator=locator,
        title=title,
        description=values.get("description"),
        artist=values.get("artist"),
        tags=tags,
        kind=_kind(values.get("kind"), meant, text),
        source=name,
        licence=values.get("licence"),
        sequence=f"{name}/{film}" if film else None,
    )


def table_columns(
    rows: Sequence[Mapping[str, Any]],
    locators: Sequence[str],
    roles: Mapping[str, str],
    source: Input,
) -> tuple[PieceBatch, list[int]]:
    """What ``row_item`` makes of ``rows`` of one shape, as columns: those whose art is canonical as it
    stands, and which rows those are. The others are for ``row_item``."""
    options = source.options
    texts = [
        text if type(text) is str and len(text) <= MAX_WIDTH else ""  # no side can be too long
        for text in _column(rows, roles, "text")
    ]
    kept = np.flatnonzero(are_canonical(texts)).tolist()
    if len(kept) < len(rows):
        rows, texts = [rows[k] for k in kept], [texts[k] for k in kept]
        locators = [locators[k] for k in kept]
    facts = [
        _tag_facts(_row_tags(row, value), options.tags)
        for row, value in zip(rows, _column(rows, roles, "tags"), strict=True)
    ]
    names = [options.source_name(_line(v)) for v in _column(rows, roles, "source")]
    count = len(rows)
    return PieceBatch(
        text=texts,
        title=list(map(one_line, _column(rows, roles, "title"))),
        description=[one_line(v, 5000) for v in _column(rows, roles, "description")],
        artist=[_line(v) or options.artist for v in _column(rows, roles, "artist")],
        tags=[f[0] for f in facts],
        kind=[
            _kind(v, f[2], text)
            for v, f, text in zip(_column(rows, roles, "kind"), facts, texts, strict=True)
        ],
        source=names,
        licence=[options.licence or _line(v) for v in _column(rows, roles, "licence")],
        path=[_row_path(source, v) for v in _column(rows, roles, "path")],
        locator=list(locators),
        encoding=["utf-8"] * count,
        original=[None] * count,
        sequence=[f"{n}/{f[1]}" if f[1] else None for n, f in zip(names, facts, strict=True)],
        steps=[()] * count,
        group=[None] * count,
        made=[None] * count,
        colour=[None] * count,
        flags=[()] * count,
    ), kept


def _row_path(source: Input, stated: object) -> str:
    """The table's own path and, as that of an archive's member, the one that the row states."""
    return f"{source.path}!{storable(stated)}" if stated else source.path


def _column(rows: Sequence[Mapping[str, Any]], roles: Mapping[str, str], role: str) -> list[Any]:
    name = roles.get(role)
    return [None] * len(rows) if name is None else [row.get(name) for row in rows]


@functools.lru_cache(1 << 12)
def _short(value: str) -> str | None:
    return one_line(value)


def _line(value: object) -> str | None:
    """``one_line`` where the same few values come again and again."""
    return _short(value) if type(value) is str else one_line(value)


def _kind(stated: object, meant: str | None, text: str) -> str:
    """What a row is drawn as: as stated, as its tags mean, or a line where it is a single row."""
    kind = str(stated or meant or ("art" if "\n" in text.strip("\r\n") else "line"))
    return kind if kind in KINDS else "art"


def _row_tags(row: Mapping[str, Any], value: object) -> tuple[str, ...]:
    tags = _tags(value)
    if numbered := numbered_columns(tuple(row)):
        tags += tuple(found for column in numbered if (found := row[column]))
    return tuple(map(str, tags))


@functools.lru_cache(1 << 14)
def _tag_facts(
    tags: tuple[str, ...], more: tuple[str, ...]
) -> tuple[tuple[str, ...], str | None, str | None]:
    """(tags as stored, film, kind) that a row's own tags and the curator's say; the same few
    combinations come again and again."""
    film, kind = _meaning(tags)
    return clean_tags((*tags, *more)), film, kind


_KIND_OF_TAG = {
    "figlet": "banner",
    "generated": "banner",
    "hbanner": "banner",
    "cow": "cow",
    "logo": "logo",
    "box": "box",
}


@functools.lru_cache(1 << 14)
def _is_telling(tag: str) -> bool:
    """Whether ``tag`` may say more than what is drawn."""
    return tag.lower() in _KIND_OF_TAG or _FILM.match(tag) is not None


def _meaning(tags: tuple[str, ...]) -> tuple[str | None, str | None]:
    """(film, kind) that a row's own tags state."""
    if not any(map(_is_telling, tags)):
        return None, None
    film = next((m[1] for tag in tags if (m := _FILM.match(tag))), None)
    names = {tag.lower() for tag in tags}
    kind = next((kind for tag, kind in _KIND_OF_TAG.items() if tag in names), None)
    return film, "frame" if film else kind


def _tags(value: object) -> tuple[object, ...]:
    if value is None:
        return ()
    if type(value) is list:
        return tuple(value)
    if isinstance(value, str):
        stripped = value.strip()
        if stripped.startswith("["):
            try:
                return tuple(json.loads(stripped))
            except (ValueError, TypeError):
                pass
        return tuple(re.split(r"[,;|]", stripped))
    if isinstance(value, Iterable) and not isinstance(value, Mapping):
        return tuple(value)
    return (value,)


def _conversation(turns: object) -> tuple[str | None, str | None]:
    """The first user turn and the last fenced block of a chat record."""
    asked: str | None = None
    drawn: str | None = None
    for turn in turns if isinstance(turns, list) else ():
        if not isinstance(turn, Mapping):
            continue
        said = turn.get("value", turn.get("content"))
        role = turn.get("from", turn.get("role"))
        if not isinstance(said, str):
            continue
        if role in ("human", "user"):
            asked = asked or said
        elif blocks := _FENCE.findall(said):
            drawn = blocks[-1]
    return asked, drawn
