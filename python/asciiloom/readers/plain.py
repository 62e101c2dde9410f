"""Plain text: one piece a file, or a page of several.

A page is cut where its author cut it: at rulers and form feeds, and at runs of two or more blank
rows. What stands around a drawing - a caption, a credit line, mail prose - becomes its title, its
artist, or a rejection; it is not art. Every cut is recorded in the piece's locator (first and last
line in the file), and the file's bytes are kept once, so each cut can be undone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from asciiloom.piece import Rejection, one_line
from asciiloom.readers.base import MAX_CHARS, Input, Item, make_item
from asciiloom.readers.decode import decode

MAX_FILE = 16 << 20
_RULER = re.compile(r"\s*([-=_*~#+.])\1{9,}\s*\Z")
_CREDIT = re.compile(
    r"\s*(?:--?\s*)?(?:art by|ascii by|drawn by|by|artist:|author:)\s+(.{2,60}?)\s*\Z",
    re.IGNORECASE,
)
_WORD = re.compile(r"[A-Za-z][A-Za-z']+")
_COMMON = frozenset(
    [
        "the",
        "a",
        "an",
        "and",
        "or",
        "of",
        "to",
        "in",
        "is",
        "it",
        "that",
        "was",
        "for",
        "on",
        "are",
        "with",
        "as",
        "at",
        "be",
        "this",
        "have",
        "from",
        "by",
        "not",
        "but",
        "they",
        "you",
        "his",
        "her",
        "she",
        "he",
        "we",
        "all",
        "can",
        "will",
        "your",
        "there",
        "their",
        "what",
        "so",
        "if",
        "about",
        "who",
        "which",
        "when",
    ]
)
_PROSE_WORDS = 0.15
_LETTERS = 0.72


@dataclass(frozen=True, slots=True)
class Block:
    """Rows ``first`` to ``last`` (1-based, inclusive) of a file."""

    first: int
    last: int
    rows: tuple[str, ...]


def is_prose(rows: tuple[str, ...]) -> bool:
    """Whether rows read as sentences: mostly letters, and common words among them."""
    text = " ".join(rows)
    dense = [c for c in text if not c.isspace()]
    words = [w.lower() for w in _WORD.findall(text)]
    if len(words) < 5 or not dense:
        return False
    letters = sum(c.isalpha() or c in ",.'\"?!" for c in dense) / len(dense)
    return letters >= _LETTERS and sum(w in _COMMON for w in words) >= _PROSE_WORDS * len(words)


def _is_caption(row: str) -> bool:
    """One short row of words: letters, digits and light punctuation only."""
    stripped = row.strip()
    words = _WORD.findall(stripped)
    bare = re.sub(r"[\w ,.'\"!?:;&()-]", "", stripped)
    return (
        bool(words)
        and not bare
        and len(stripped) <= 60
        and sum(map(len, words)) >= 0.6 * len(stripped.replace(" ", ""))
    )


def split_page(text: str) -> list[Block]:
    """Cut a page into blocks of rows at form feeds, lone rulers and runs of two blank rows."""
    rows = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    blocks: list[Block] = []
    start: int | None = None
    blanks = 0

    def close(end: int) -> None:
        nonlocal start
        if start is not None:
            while end > start and not rows[end - 1].strip():
                end -= 1
            blocks.append(Block(start + 1, end, tuple(rows[start:end])))
            start = None

    for number, row in enumerate(rows):
        feed = "\f" in row
        alone = (number == 0 or not rows[number - 1].strip()) and (
            number + 1 == len(rows) or not rows[number + 1].strip()
        )
        if feed or (_RULER.match(row) and alone):
            close(number)
            blanks = 0
            if feed and row.strip("\f \t"):
                start = number
            continue
        if not row.strip():
            blanks += 1
            continue
        if blanks >= 2:
            close(number - blanks)
        blanks = 0
        if start is None:
            start = number
    close(len(rows))
    return blocks


def _lift(block: Block) -> tuple[Block, str | None, str | None]:
    """Take caption and credit rows off a block's edges: (rest, title, artist)."""
    rows = list(block.rows)
    first, last = block.first, block.last
    title = artist = None
    if len(rows) >= 3 and not rows[1].strip() and _is_caption(rows[0]):
        title = rows[0].strip()
        rows, first = rows[2:], first + 2
    if len(rows) >= 2 and (match := _CREDIT.match(rows[-1])):
        artist = match[1]
        rows, last = rows[:-1], last - 1
    elif len(rows) >= 3 and not rows[-2].strip() and _is_caption(rows[-1]) and title is None:
        title = rows[-1].strip()
        rows, last = rows[:-2], last - 2
    return Block(first, last, tuple(rows)), title, artist


class PlainReader:
    name = "plain"
    extensions = (".txt", ".asc", ".ascii", ".text", ".art", "")
    summary = "plain text: one piece a file, or a page cut at rulers and blank runs"

    def sniff(self, head: bytes, path: str) -> bool:
        return True  # the last resort

    def read(self, source: Input) -> Iterator[Item]:
        options = source.options
        name = options.source or "unknown"
        data = source.stream.read(MAX_FILE + 1)
        if len(data) > MAX_FILE:
            detail = f"a text file of more than {MAX_FILE >> 20} MiB"
            yield Rejection("too-large", detail, name, source.path)
            return
        if data[:4096].count(0) * 10 > len(data[:4096]) and not data.startswith(
            (b"\xff\xfe", b"\xfe\xff")
        ):
            yield Rejection("binary", "more than a tenth of the bytes are NUL", name, source.path)
            return
        # 0x1A ends a DOS text file; what follows is a record about it, not art.
        decoded = decode(data.partition(b"\x1a")[0] if b"\x1a" in data[-4096:] else data)
        blocks = split_page(decoded.text)
        if options.whole or len(blocks) <= 1 or len(decoded.text) > MAX_CHARS:
            blocks = [Block(1, decoded.text.count("\n") + 1, (decoded.text,))]
        pending: str | None = None
        for block in blocks:
            lifted, title, artist = (block, None, None) if options.whole else _lift(block)
            where = f"lines {lifted.first}-{lifted.last}"
            if not options.whole and is_prose(lifted.rows):
                yield Rejection(
                    "prose", one_line(" ".join(lifted.rows), 120) or "", name, source.path, where
                )
                continue
            if len(blocks) > 1 and len(lifted.rows) == 1 and _is_caption(lifted.rows[0]):
                pending = lifted.rows[0].strip()  # a caption of the drawing below
                yield Rejection("caption", pending, name, source.path, where)
                continue
            yield make_item(
                "\n".join(lifted.rows),
                options=options,
                path=source.path,
                locator=where if len(blocks) > 1 else "",
                original=data,
                title=title or pending,
                artist=artist,
                source=name,
                encoding=decoded.encoding,
            )
            pending = None
