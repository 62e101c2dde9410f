"""Web pages: art in ``<pre>``, and in the soup of ``<font>`` and ``<br>`` that came before style sheets.

Art is full of ``<``: whatever is no tag of HTML stays text, before a parser sees it. The page's
``<pre>`` blocks come in document order; each is a page of its own, and a block that holds only a
title belongs to the next.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asciiloom.piece import Rejection, artist_in_title, one_line
from asciiloom.readers.base import Input, Item, read_whole
from asciiloom.readers.decode import Decoded, decode
from asciiloom.readers.pages.page import page_items, segment
from asciiloom.readers.pages.rows import caption, is_caption, is_ruler, title_line

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

MAX_FILE = 32 << 20
# Deeper nesting than any page has; parsers and walkers would take time quadratic in it.
MAX_DEPTH = 2_000
_TAGS = (
    "a abbr acronym address applet area article aside audio b base basefont bdo bgsound big blink"
    " blockquote body br button canvas caption center cite code col colgroup dd del details dfn dir"
    " div dl dt em embed fieldset figcaption figure font footer form frame frameset h1 h2 h3 h4 h5 h6"
    " head header hr html i iframe ilayer img input ins isindex kbd label layer legend li link"
    " listing main map mark marquee menu meta multicol nav nobr noembed noframes nolayer noscript"
    " object ol optgroup option p param plaintext pre q rp rt ruby s samp script section select"
    " small spacer span strike strong style sub summary sup table tbody td textarea tfoot th thead"
    " time title tr tt u ul var video wbr xmp x-claris-window x-claris-tagview"
)
_STRAY = re.compile(
    rf"<(?!/?(?:{'|'.join(_TAGS.split())})(?:[\s>]|/>|/\s*>)|!--|!doctype\b)", re.IGNORECASE
)
# An attribute list without its end before the next tag: "<b" of a drawing, not of a page.
_UNCLOSED = re.compile(r"<(?=[a-zA-Z]{1,10}\s[^<>]{0,400}(?:<|\Z))")
_ENTITIES = {
    "&nsbp;": "&nbsp;", "&nbps;": "&nbsp;", "&bnsp;": "&nbsp;", "&nbs;": "&nbsp;", "&npsb;": "&nbsp;",
    "&qout;": "&quot;", "&quto;": "&quot;", "&quote;": "&quot;", "&lt:": "&lt;", "&gt:": "&gt;",
    "&nbsp:": "&nbsp;", "&amp;nbsp;": "&nbsp;", "&amp;lt;": "&lt;", "&amp;gt;": "&gt;",
    "&amp;quot;": "&quot;", "&bsol;": "\\",
}  # fmt: skip
_MISSPELT = re.compile("|".join(map(re.escape, sorted(_ENTITIES, key=len, reverse=True))), re.I)
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6", "caption", "legend")
_HIDDEN = ("script", "style", "head", "select", "button", "iframe", "object", "noscript")
_PRE = ("pre", "xmp", "listing", "plaintext", "textarea")
_BREAKS = ("p", "div", "dd", "dt", "td", "th", "li", "blockquote", "center", "hr", "table", "tr")
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]{2,30})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Block:
    """One stretch of a page: ``kind`` is pre, soup, heading or text."""

    kind: str
    text: str


def decode_page(data: bytes, forced: str | None = None) -> Decoded:
    """The page's text: by what it declares where its bytes fit, else by the evidence."""
    declared = _CHARSET.search(data[:4096])
    if declared is not None and forced is None:
        name = declared[1].decode("ascii").lower()
        name = {"shift_jis": "cp932", "x-sjis": "cp932", "iso-8859-1": "cp1252"}.get(name, name)
        try:
            return Decoded(data.decode(name, "strict"), name)
        except (LookupError, UnicodeDecodeError):
            pass
    found = decode(data, forced)
    # The old web wrote in Windows' Latin-1, box drawing or not.
    if found.encoding in ("latin-1", "cp437") and forced is None:
        return Decoded(data.decode("cp1252", "replace"), "cp1252")
    return found


def protect(text: str) -> str:
    """``text`` with every ``<`` that begins no tag of HTML escaped, and known misspellings put right."""
    text = _STRAY.sub("&lt;", text)
    text = _UNCLOSED.sub("&lt;", text)
    return _MISSPELT.sub(lambda m: _ENTITIES[m[0].lower()], text)


def page_blocks(text: str) -> tuple[list[Block], str | None]:
    """The blocks of a page in document order, and its title."""
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(protect(text))
    title_node = tree.css_first("title")
    title = one_line(title_node.text()) if title_node is not None else None
    root = tree.body or tree.root
    blocks: list[Block] = []
    if root is not None:
        _walk(root, blocks)
    return blocks, title


def _walk(root: "LexborNode", blocks: list[Block]) -> None:
    """Fill ``blocks`` by one walk, without recursion: pages nest as deep as they like."""
    said: list[str] = []
    breaks = 0

    def close() -> None:
        nonlocal breaks
        text = "".join(said)
        if text.strip():
            # Lines broken by hand, several of them, are laid out: soup rather than prose.
            blocks.append(Block("soup" if breaks >= 2 else "text", text))
        said.clear()
        breaks = 0

    stack: list[tuple[LexborNode, bool]] = [(root, False)]
    while stack:
        node, leaving = stack.pop()
        tag = node.tag or ""
        if leaving:
            if tag in _BREAKS:
                close()
            continue
        if tag == "-text":
            said.append(re.sub(r"[ \t\r\n]+", " ", node.text_content or ""))
            continue
        if tag == "br":
            said.append("\n")
            breaks += 1
            continue
        if tag in _HIDDEN or tag.startswith("-"):
            continue
        if tag in _PRE:
            close()
            blocks.append(Block("pre", _pre_text(node)))
            continue
        if tag in _HEADINGS:
            close()
            if heading := one_line(node.text(), 200):
                blocks.append(Block("heading", heading))
            continue
        if tag in _BREAKS:
            close()
        stack.append((node, True))
        children = []
        child = node.child
        while child is not None:
            children.append(child)
            child = child.next
        stack += [(c, False) for c in reversed(children)]
    close()


def _pre_text(node: "LexborNode") -> str:
    """What a ``<pre>`` shows: its text as it is, a row ended at ``<br>`` and around nested blocks."""
    out: list[str] = []
    stack: list[tuple[LexborNode, bool]] = [(node, False)]
    while stack:
        current, leaving = stack.pop()
        tag = current.tag or ""
        if leaving:
            if out and out[-1] and not out[-1].endswith("\n"):
                out.append("\n")
            continue
        if tag == "-text":
            out.append(current.text_content or "")
            continue
        if tag == "br":
            out.append("\n")
            continue
        if tag in _HIDDEN or (tag.startswith("-") and current is not node):
            continue
        if tag in _BREAKS or (tag in _PRE and current is not node) or tag in _HEADINGS:
            if out and out[-1] and not out[-1].endswith("\n"):
                out.append("\n")
            stack.append((current, True))
        children = []
        child = current.child
        while child is not None:
            children.append(child)
            child = child.next
        stack += [(c, False) for c in reversed(children)]
    return "".join(out).replace("\u00a0", " ")


def _is_laid_out(text: str) -> bool:
    """Whether broken lines outside ``<pre>`` are a drawing: runs of spaces, or few letters."""
    rows = [row for row in text.split("\n") if row.strip()]
    if len(rows) < 3:
        return False
    dense = [c for c in text if not c.isspace()]
    marks = sum(not c.isalnum() and c not in ",.'\"?!()" for c in dense)
    spaced = sum(bool(re.search(r"[\u00a0\u3000]{2}", row)) for row in rows)
    return marks * 3 >= len(dense) or spaced * 2 >= len(rows)


class HtmlReader:
    name = "html"
    rank = 210
    extensions = (".html", ".htm", ".xhtml")
    summary = "web pages: <pre> blocks and hand-broken lines"
    recognised = "<!doctype html>, <html> or <pre>; .html"
    oracle = "a public collection of the same pages"

    def sniff(self, head: bytes, path: str) -> bool:
        if path.lower().endswith(self.extensions):
            return True
        start = head.lstrip()[:512].lower()
        return start.startswith((b"<!doctype html", b"<html", b"<pre"))

    def read(self, source: Input) -> Iterator[Item]:
        data = read_whole(source, MAX_FILE)
        if isinstance(data, Rejection):
            yield data
            return
        decoded = decode_page(data, source.options.encoding)
        yield from html_items(decoded.text, source, data, decoded.encoding)


def _rejoin(blocks: list[Block]) -> list[Block]:
    """Drawings that were broken over several ``<pre>``, a row or two in each, made whole."""
    out: list[Block] = []
    run: list[Block] = []

    def close() -> None:
        if len(run) >= 3:
            out.append(Block("pre", "\n".join(b.text.strip("\n") for b in run)))
        else:
            out.extend(run)
        run.clear()

    for block in blocks:
        rows = [row for row in block.text.split("\n") if row.strip()]
        torn = block.kind == "pre" and 1 <= len(rows) <= 2
        if not torn or any(is_caption(r) or is_ruler(r) or title_line(r) for r in rows):
            close()
            out.append(block)
        else:
            run.append(block)
    close()
    return out


def html_items(
    text: str,
    source: Input,
    data: bytes,
    encoding: str,
    tags: tuple[object, ...] = (),
) -> Iterator[Item]:
    """The drawings of a page of HTML."""
    name = source.options.source_name()
    if depth(text) > MAX_DEPTH:
        detail = f"tags nested deeper than {MAX_DEPTH:,}"
        yield Rejection("too-deep", detail, name, source.path)
        return
    blocks, page_title = page_blocks(text)
    blocks = _rejoin(blocks)
    artist = artist_in_title(page_title or "", full_name=True)
    heading: str | None = None
    made: str | None = None
    artist_above: str | None = None
    found = 0
    number = 0
    for block in blocks:
        if block.kind == "heading":
            heading = block.text
            continue
        if block.kind == "text" or (block.kind == "soup" and not _is_laid_out(block.text)):
            if alone := title_line(one_line(block.text, 120) or ""):
                heading, made = alone[0], alone[1]
            continue
        number += 1
        drawn = block.text.replace("\u00a0", " ")
        if not drawn.strip():
            continue
        kept = segment(drawn)
        if len(kept) == 1 and len(kept[0].rows) == 1 and (alone := title_line(kept[0].rows[0])):
            heading, made = alone[0], alone[1]
            continue
        if len(kept) == 1 and len(kept[0].rows) == 1 and (words := caption(kept[0].rows[0])):
            heading, artist_above = words
            continue
        for item in page_items(
            drawn, source, data, encoding=encoding, prefix=f"{block.kind} {number}, ",
            title=heading, made=made, artist=artist_above or artist, tags=tags,
        ):  # fmt: skip
            found += 1
            yield item
        heading = made = artist_above = None
    if not found:
        said = page_title or "no <pre> and no laid-out lines"
        yield Rejection("no-art", one_line(said, 200) or "", name, source.path)


def depth(text: str) -> int:
    """An upper bound of how deep elements nest: the most start tags open at once, end tags counted."""
    open_now = deepest = 0
    for match in re.finditer(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)", text):
        if match[2].lower() in (
            "br",
            "hr",
            "img",
            "input",
            "meta",
            "link",
            "p",
            "li",
            "area",
            "wbr",
        ):
            continue
        open_now = max(0, open_now + (-1 if match[1] else 1))
        deepest = max(deepest, open_now)
    return deepest
