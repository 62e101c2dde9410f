"""Pages: where one drawing ends and the next begins, and what is said around them.

A page is cut where its author cut it. Strong marks first: form feeds, lone rulers, title lines
such as ``-=[ puffin ]=- 2/97``, runs of two or more blank rows. Then what the blocks themselves
say: a block of a few dots within its neighbour's columns is part of that picture, two signed halves
with a gutter through their full height are two pictures, a signed block above another is done.
Captions, rulers and mail are lifted out into title, date and credit.

Every ``Cut`` knows its rows and columns in the page, so each can be undone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import takewhile

from asciiloom.piece import (
    Rejection,
    credit_line,
    ends_signed,
    find_credits,
    is_signer,
    name_row,
    one_line,
    plain_name,
)
from asciiloom.readers.base import Input, Item, make_item
from asciiloom.readers.pages.rows import (
    WORD,
    caption,
    is_caption,
    is_code,
    is_heading,
    is_prose,
    is_ruler,
    tells_a_tale,
    title_line,
)

_RULER = re.compile(r"\s*([-=_*~#+.])\1{9,}\s*\Z")
_LABELLED_RULER = re.compile(r"\s*[-=_*~]{2,}[<(\[{ ].{0,60}[>)\]} ][-=_*~]{2,}\s*\Z")
_HEADER = re.compile(r"(From|Subject|Date|Newsgroups|Organization|Message-ID|To|Lines|X-\w+): ")
# Two to four letters apart from the strokes: mb, kOs, dp/VK.
_INITIALS = re.compile(
    r"(?:(?<=\s\s)|(?<=[^\w\s])|(?<=[^\w\s,.;:!?]\s))(?:[a-z]{2,4}|[A-Z]{2,4}|[a-zA-Z]{2,4}/[a-zA-Z]{2,4})\s*\Z"
)
_SPECK = 12  # ink below which a block is no picture of its own
_GUTTER = 5
# A block of more rows is looked at as it is: what follows costs its square.
_LONGEST_GLUED = 600


@dataclass(frozen=True, slots=True)
class Cut:
    """Rows ``first`` to ``last`` (1-based, inclusive) of a page, columns from ``left`` (0-based) on
    where a block was cut side by side; with what was found around them."""

    first: int
    last: int
    rows: tuple[str, ...]
    title: str | None = None
    artist: str | None = None
    made: str | None = None
    left: int | None = None
    right: int | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def locator(self) -> str:
        where = f"lines {self.first}-{self.last}"
        if self.left is None:
            return where
        return f"{where} columns {self.left + 1}-{self.right}"


def _ink(rows: tuple[str, ...]) -> int:
    return sum(len(row) - row.count(" ") - row.count("\t") for row in rows)


def _box(rows: tuple[str, ...]) -> tuple[int, int]:
    """First and last inked column."""
    filled = [row for row in rows if row.strip()]
    return min(len(r) - len(r.lstrip()) for r in filled), max(len(r.rstrip()) for r in filled)


def split_page(text: str) -> list[Cut]:
    """Cut a page at form feeds, lone rulers, title lines and runs of two blank rows; join specks."""
    rows = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    cuts: list[Cut] = []
    start: int | None = None
    blanks = 0
    hard = True  # whether an explicit mark lies before the block that begins
    marks: list[bool] = []

    def close(end: int) -> None:
        nonlocal start, hard
        if start is not None:
            while end > start and not rows[end - 1].strip():
                end -= 1
            cuts.append(Cut(start + 1, end, tuple(rows[start:end])))
            marks.append(hard)
            start, hard = None, False

    for number, row in enumerate(rows):
        feed = "\f" in row
        above = number == 0 or not rows[number - 1].strip()
        alone = above and (number + 1 == len(rows) or not rows[number + 1].strip())
        if feed or (alone and (_RULER.match(row) or _LABELLED_RULER.match(row))):
            close(number)
            hard, blanks = True, 0
            if feed and row.strip():
                start = number
            continue
        if not row.strip():
            blanks += 1
            continue
        if blanks >= 2 or (above and title_line(row)):
            close(number - blanks)
            hard = hard or blanks < 2
        blanks = 0
        if start is None:
            start = number
    close(len(rows))
    return _join_specks(cuts, marks, rows)


def _join_specks(cuts: list[Cut], marks: list[bool], rows: list[str]) -> list[Cut]:
    """A few dots above or below a picture, within its columns, belong to it (stars, snow, smoke)."""
    out: list[Cut] = []
    pending = list(zip(cuts, marks, strict=True))
    while pending:
        cut, mark = pending.pop(0)
        if out and not mark and cut.first - out[-1].last <= 4:
            above = out[-1]
            small, big = sorted((above, cut), key=lambda c: _ink(c.rows))
            words = any(WORD.search(row) for row in small.rows)
            if _ink(small.rows) < min(_SPECK, _ink(big.rows) // 3) and not words:
                (a, b), (c, d) = _box(small.rows), _box(big.rows)
                if a >= c and b <= d:
                    joined = tuple(rows[above.first - 1 : cut.last])
                    out[-1] = Cut(above.first, cut.last, joined, notes=("specks",))
                    continue
        out.append(cut)
    return out


def _is_signed(rows: tuple[str, ...]) -> bool:
    """Whether a known signature is anywhere in the rows, or initials end one of the last."""
    return bool(find_credits("\n".join(rows))) or any(map(_INITIALS.search, rows[-4:]))


def _block(rows: tuple[str, ...]) -> tuple[str, ...]:
    """The rows before the first blank one."""
    return tuple(takewhile(str.strip, rows))


def _split_glued(cut: Cut) -> list[Cut]:
    """Cut at a single blank row between two drawings that are both signed, wherever in them, below a
    credit that ends one, or above the heading of one. A tale with pictures beside it stays whole, however
    often they are signed."""
    out: list[Cut] = []
    start = 0
    rows = cut.rows
    if len(rows) > _LONGEST_GLUED or tells_a_tale(rows):
        return [cut]
    for number, row in enumerate(rows):
        if row.strip() or number - start < 3:
            continue
        above, below = rows[start:number], rows[number + 1 :]
        if len([r for r in below if r.strip()]) < 3 or _ink(above) < _SPECK:
            continue
        ended = ends_signed(above[-1]) or bool(name_row(above[-1]))
        if ended or is_heading(_block(below)) or (_is_signed(above) and _is_signed(below)):
            out.append(
                replace(cut, first=cut.first + start, last=cut.first + number - 1, rows=above)
            )
            start = number + 1
    tail = replace(cut, first=cut.first + start, rows=rows[start:])
    return [*out, tail]


def _split_side_by_side(cut: Cut) -> list[Cut]:
    """Two or more drawings beside each other, with an empty gutter and a credit in each part."""
    filled = [row for row in cut.rows if row.strip()]
    if len(filled) < 3 or any("\t" in row for row in filled):
        return [cut]
    width = max(map(len, filled))
    inked = [any(len(row) > c and row[c] != " " for row in filled) for c in range(width)]
    edges: list[tuple[int, int]] = []
    start: int | None = None
    gap = 0
    for column, ink in enumerate([*inked, False, *[False] * _GUTTER]):
        if ink:
            start = column if start is None else start
            gap = 0
        elif start is not None:
            gap += 1
            if gap >= _GUTTER:
                edges.append((start, column - gap + 1))
                start = None
    if len(edges) < 2:
        return [cut]
    parts = []
    for left, right in edges:
        part = tuple(row[left:right] for row in cut.rows)
        if sum(bool(r.strip()) for r in part) < 3 or not find_credits("\n".join(part)):
            return [cut]
        parts.append(replace(cut, rows=part, left=left, right=right))
    return parts


def _lift(cut: Cut) -> Cut:
    """Take title lines, mail headers, captions and credits off a block's edges."""
    rows = list(cut.rows)
    first, last = cut.first, cut.last
    title, artist, made = cut.title, cut.artist, cut.made
    notes = list(cut.notes)

    def trim() -> None:
        nonlocal first, last
        while rows and not rows[0].strip():
            rows.pop(0)
            first += 1
        while rows and not rows[-1].strip():
            rows.pop()
            last -= 1

    # Mail: header lines at the top.
    while rows and (match := _HEADER.match(rows[0].strip())):
        value = rows[0].strip()[len(match[0]) :].strip()
        if match[1] == "Subject":
            title = title or value.removeprefix("Re: ").strip(" =*-~")
        elif match[1] == "From":
            said_by = re.sub(r"\s*[<(]?[\w.+-]+@[\w.-]+[>)]?\s*", " ", value).strip(' "()')
            artist = artist or plain_name(said_by)
        rows.pop(0)
        first += 1
        notes.append("mail")
    trim()
    if rows and len(rows) > 1 and (found := title_line(rows[0])):
        title = title or found[0]
        made, artist = made or found[1], artist or found[2]
        rows.pop(0)
        first += 1
        notes.append("title")
        trim()
    # Words above a drawing stand apart from it, end in a colon or are plainly a heading.
    apart = len(rows) >= 3 and (not rows[1].strip() or rows[0].rstrip().endswith(":"))
    if (apart or is_heading(rows)) and (said := caption(rows[0])):
        title, artist = title or said[0], artist or said[1]
        rows.pop(0)
        first += 1
        notes.append("caption")
        trim()
    credit = credit_line(rows[-1]) if len(rows) >= 2 else None
    if credit is None and len(rows) >= 3:
        credit = name_row(rows[-1])
    if credit is not None:
        artist = artist or credit or None
        rows.pop()
        last -= 1
        notes.append("credit")
        trim()
    elif len(rows) >= 3 and not rows[-2].strip() and title is None and (said := caption(rows[-1])):
        title, artist = said[0], artist or said[1]
        rows, last = rows[:-2], last - 2
        notes.append("caption")
        trim()
    if title and artist is None and is_signer(title, "\n".join(rows)):
        title, artist = None, title
    return replace(
        cut, first=first, last=last, rows=tuple(rows), title=title, artist=artist, made=made,
        notes=tuple(notes),
    )  # fmt: skip


def segment(text: str) -> list[Cut]:
    """The drawings (and the texts between them) of a page, in order."""
    out: list[Cut] = []
    for block in split_page(text):
        for glued in _split_glued(block):
            parts = [_lift(part) for part in _split_side_by_side(glued)]
            # One title over several drawings ("dogs") is that of each.
            above = out[-1] if out and glued.first > block.first else parts[0]
            for part in parts:
                titled = part.title or part.artist
                out.append(part if titled else replace(part, title=above.title, made=above.made))
    return [cut for cut in out if any(row.strip() for row in cut.rows)]


def page_items(
    text: str,
    source: Input,
    original: bytes,
    *,
    encoding: str,
    prefix: str = "",
    title: str | None = None,
    artist: str | None = None,
    made: str | None = None,
    tags: tuple[object, ...] = (),
) -> Iterator[Item]:
    """A page's drawings as pieces, and what is no drawing as rejections; ``title``, ``artist`` and
    ``made`` hold where the page states none nearer."""
    name = source.options.source_name()
    cuts = segment(text)
    turned = ("newlines",) if "\r" in text else ()
    pending: Cut | None = None
    said_before: str | None = None  # prose just above a drawing is about it
    for cut in cuts:
        where = prefix + cut.locator if len(cuts) > 1 or prefix else ""
        if where in source.options.accepted:
            yield make_item(
                "\n".join(cut.rows), options=source.options, path=source.path, locator=where,
                original=original, title=cut.title or title, artist=cut.artist or artist,
                made=cut.made or made, tags=tags, encoding=encoding, steps=turned,
            )  # fmt: skip
            continue
        said = one_line(" ".join(cut.rows), 120) or ""
        alone = len(cut.rows) == 1 and len(cuts) > 1
        if alone and (found := title_line(cut.rows[0])):
            pending = replace(cut, title=found[0], made=found[1], artist=found[2])
            yield Rejection("caption", said, name, source.path, where)
            continue
        if is_prose(cut.rows):
            said_before = one_line(" ".join(cut.rows), 1000)
            yield Rejection("prose", said, name, source.path, where)
            continue
        if is_code(cut.rows):
            yield Rejection("code", said, name, source.path, where)
            continue
        if alone and (stated := caption(cut.rows[0])):
            pending = replace(cut, title=stated[0], artist=stated[1])  # of the drawing below
            yield Rejection("caption", said, name, source.path, where)
            continue
        if len(cut.rows) == 1 and is_ruler(cut.rows[0]):
            yield Rejection("ruler", said, name, source.path, where)
            continue
        if _is_heading(cut):
            pending = replace(cut, title=said)
            yield Rejection("caption", said, name, source.path, where)
            continue
        above = pending or cut
        drawn = "\n".join(cut.rows)
        own_title, signer = cut.title or above.title, cut.artist or above.artist
        if own_title and not signer and is_signer(own_title, drawn):
            own_title, signer = None, own_title
        yield make_item(
            drawn,
            options=source.options,
            path=source.path,
            locator=where,
            original=original,
            title=own_title or title,
            artist=signer or artist,
            made=cut.made or above.made or made,
            description=said_before,
            tags=tags,
            source=name,
            encoding=encoding,
            steps=(*turned, *(f"lift-{note}" for note in cut.notes)),
        )
        pending = said_before = None


def _is_heading(cut: Cut) -> bool:
    """A few rows of nothing but words, as a heading over two lines."""
    filled = [row for row in cut.rows if row.strip()]
    return 1 < len(filled) <= 4 and all(is_caption(row) for row in filled)
