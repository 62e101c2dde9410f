"""Markdown: fenced and indented blocks, ``<pre>`` between them, front matter for what they are."""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from asciiloom.piece import Rejection, one_line
from asciiloom.readers.base import Input, Item, read_whole
from asciiloom.readers.decode import decode
from asciiloom.readers.pages.html import depth, html_items
from asciiloom.readers.pages.page import page_items
from asciiloom.readers.pages.rows import is_code
from asciiloom.readers.safe_yaml import YamlError, load_yaml

MAX_FILE = 32 << 20
_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_LIQUID = re.compile(
    r"\{%-?\s*(?:raw|endraw|include[^%]{0,200}|highlight[^%]{0,200}|endhighlight)\s*-?%\}"
)
_FENCE = re.compile(r"^ {0,3}(?P<mark>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*)$")
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(?P<title>.+?)[ \t]*#*$")
_DATED = re.compile(r"\A\d{4}-\d{2}-\d{2}-")
# Fence labels under which art is found; others are programs.
_ART = frozenset(
    [
        "",
        "text",
        "txt",
        "ascii",
        "art",
        "ascii-art",
        "asciiart",
        "plain",
        "plaintext",
        "none",
        "nohighlight",
    ]
)
# Words of "art-and-design-borders" that say nothing of what is drawn.
_JOINING = frozenset(
    "and or of the in on at with for to from by an other misc art ascii text".split()
)
_LIST_ITEM = re.compile(r"^ {0,3}(?:[-*+]|\d+[.)])\s+\w")


def front_matter(text: str) -> tuple[dict[str, object], str]:
    """The front matter as a mapping (empty where there is none or it is no YAML) and the rest."""
    match = _FRONT.match(text)
    if match is None:
        return {}, text
    try:
        facts = load_yaml(match[1])
    except YamlError:
        facts = {}
        for row in match[1].split("\n"):
            key, colon, value = row.partition(":")
            if colon and key.strip():
                facts[key.strip()] = value.strip()
    if not isinstance(facts, Mapping):
        facts = {}
    # The rest keeps its line numbers.
    return {str(k).lower(): v for k, v in facts.items()}, "\n" * match[0].count("\n") + text[
        match.end() :
    ]


def _words(value: object) -> list[object]:
    if isinstance(value, str):
        return [part for part in re.split(r"[,;]", value) if part.strip()]
    return list(value) if isinstance(value, list) else []


def page_tags(facts: Mapping[str, object], path: str) -> tuple[object, ...]:
    """Tags of a page: its categories and tags, and a dated file name with its words, but for those that
    are in it to join others or say that it is art."""
    tags: list[object] = []
    for key in ("category", "categories", "tags", "tag"):
        tags += _words(facts.get(key))
    stem = PurePosixPath(path.replace("\\", "/")).stem
    if _DATED.match(stem):
        slug = _DATED.sub("", stem)
        tags += [slug, *(w for w in re.findall(r"[^\W_]{2,}", slug) if w.lower() not in _JOINING)]
    return tuple(tags)


class MarkdownReader:
    name = "markdown"
    rank = 220
    extensions = (".md", ".markdown", ".mkd")
    summary = "Markdown: fenced and indented blocks, <pre>, front matter"
    recognised = ".md"
    oracle = "a public collection of the same pages"

    def sniff(self, head: bytes, path: str) -> bool:
        return path.lower().endswith(self.extensions)

    def read(self, source: Input) -> Iterator[Item]:
        data = read_whole(source, MAX_FILE)
        if isinstance(data, Rejection):
            yield data
            return
        name = source.options.source_name()
        decoded = decode(data, source.options.encoding)
        text = decoded.text.replace("\r\n", "\n").replace("\r", "\n")
        facts, text = front_matter(text)
        tags = page_tags(facts, source.name)
        text = _LIQUID.sub("", text)
        found = 0
        title = one_line(facts.get("title"))
        for kind, first, rows, heading in _blocks(text.split("\n")):
            where = f"line {first}, "
            if kind == "code":
                found += 1
                said = one_line(" ".join(rows), 120) or ""
                yield Rejection("code", said, name, source.path, where.rstrip(", "))
                continue
            if kind == "html":
                page = "\n".join(rows)
                if depth(page) > 2000:
                    yield Rejection("too-deep", "nested tags", name, source.path, where[:-2])
                    continue
                for item in html_items(page, source, data, decoded.encoding, tags):
                    found += 1
                    yield item
                continue
            for item in page_items(
                "\n".join(rows), source, data, encoding=decoded.encoding, prefix=where,
                title=heading or title, tags=tags,
            ):  # fmt: skip
                found += 1
                yield item
        if not found:
            yield Rejection("no-art", "no fenced, indented or <pre> block", name, source.path)


Found = tuple[str, int, list[str], str | None]


def _blocks(rows: list[str]) -> Iterator[Found]:
    """(kind, first line, rows, heading above) of each block: fence, indented, html, code."""
    heading: str | None = None
    number = 0
    while number < len(rows):
        row = rows[number]
        number += 1
        if match := _HEADING.match(row):
            heading = match["title"]
        elif match := _FENCE.match(row):
            start = number
            while number < len(rows) and not _closes(rows[number], match["mark"]):
                number += 1
            label = match["info"].strip().split(" ")[0].lower().strip("{.}")
            body = rows[start:number]
            number += 1
            kind = (
                "fence" if label in _ART and not (is_code(tuple(body)) and label == "") else "code"
            )
            yield kind, start + 1, body, heading
        elif re.match(r"\s*<pre\b", row, re.IGNORECASE):
            start = number - 1
            number = _pre_end(rows, start)
            yield "html", start + 1, rows[start:number], heading
        elif _is_indented(row) and (number == 1 or not rows[number - 2].strip()):
            start = number - 1
            while number < len(rows) and (_is_indented(rows[number]) or not rows[number].strip()):
                number += 1
            body = [r[1:] if r.startswith("\t") else r[4:] for r in rows[start:number]]
            listed = any(_LIST_ITEM.match(r) for r in rows[max(0, start - 3) : start])
            if listed or is_code(tuple(body)):
                yield "code", start + 1, body, heading
            else:
                yield "indented", start + 1, body, heading


def _is_indented(row: str) -> bool:
    return bool(row.strip()) and (row.startswith(("    ", "\t")))


def _closes(row: str, mark: str) -> bool:
    stripped = row.strip()
    return (
        len(stripped) >= len(mark)
        and set(stripped) == {mark[0]}
        and len(row) - len(row.lstrip()) < 4
    )


def _pre_end(rows: list[str], start: int) -> int:
    """One past the row that closes the ``<pre>`` opened on ``start``; the end where none does."""
    for number in range(start, len(rows)):
        if re.search(r"</pre\s*>", rows[number], re.IGNORECASE):
            return number + 1
    return len(rows)
