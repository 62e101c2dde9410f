"""A piece as text that is safe where it is pasted: one small pure function per target.

Each target has one rule, that its own parser gives the art back unchanged: a Markdown fence
longer than any in the art, a string literal that the language reads back, escaped markup. No
target relies on the art being harmless.
"""

import html
import json
import re
from collections.abc import Callable, Mapping

from asciiloom.emit.paint import paint_html
from asciiloom.piece import ColourPlane

Meta = Mapping[str, object]


def plain(text: str, meta: Meta | None = None) -> str:
    """The art itself."""
    return text


def markdown(text: str, meta: Meta | None = None) -> str:
    """A fenced code block; the fence is longer than any run of backticks in the art."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def as_json(text: str, meta: Meta | None = None) -> str:
    """One JSON object on one line: ``text`` and whatever else is known."""
    return json.dumps({**(meta or {}), "text": text}, ensure_ascii=False)


def _title(meta: Meta | None) -> str:
    """The title as part of a name: lower-case ASCII letters, digits and underscores, or nothing."""
    title = re.sub(r"\W+", "_", str((meta or {}).get("title") or ""), flags=re.ASCII)
    return title.strip("_").lower()[:40]


def _constant(meta: Meta | None) -> str:
    """A name in capitals: no language has such keywords."""
    title = _title(meta) or "art"
    return (f"art_{title}" if title[0].isdigit() else title).upper()


def python(text: str, meta: Meta | None = None) -> str:
    """A Python assignment with one string literal a row, so that the source shows the picture."""
    rows = "".join(f"    {row!a},\n" for row in text.split("\n"))
    return f'{_constant(meta)} = "\\n".join((\n{rows}))'


def javascript(text: str, meta: Meta | None = None) -> str:
    """An ES module export; JSON strings are valid JavaScript literals."""
    rows = "".join(f"  {json.dumps(row)},\n" for row in text.split("\n"))
    return f'export const {_constant(meta)} = [\n{rows}].join("\\n");'


def c(text: str, meta: Meta | None = None) -> str:
    """A C string constant in UTF-8; octal escapes end after three digits, "?" cannot start a trigraph.

    Its name always begins with ``art``: a title may be a keyword (``int``), a function (``main``), or a
    macro that only some compilers have (``linux``).
    """
    rows = text.split("\n")
    name = f"art_{_title(meta)}".rstrip("_")
    lines = [
        '    "' + _c_bytes(row) + ("\\n" if number < len(rows) - 1 else "") + '"'
        for number, row in enumerate(rows)
    ]
    return f"static const char {name}[] =\n" + "\n".join(lines) + ";"


def _c_bytes(row: str) -> str:
    return "".join(
        chr(b) if 32 <= b < 127 and b not in b'"\\?' else f"\\{b:03o}" for b in row.encode()
    )


def shell(text: str, meta: Meta | None = None) -> str:
    """A POSIX here-document that expands nothing; its end word occurs on no row of the art."""
    word = "ART"
    while word in text.split("\n"):
        word += "_"
    return f"cat <<'{word}'\n{text}\n{word}"


def as_html(text: str, meta: Meta | None = None) -> str:
    """A ``<pre>`` with a label for screen readers; a leading newline would be dropped, so one is added."""
    meta = meta or {}
    label = html.escape(str(meta.get("title") or "text art"), quote=True)
    plane = meta.get("colour")
    body = (
        paint_html(text, plane)
        if isinstance(plane, ColourPlane)
        else html.escape(text, quote=False)
    )
    return (
        f'<pre role="img" aria-label="{label}" style="line-height:1.15;font-family:monospace">\n'
        f"{body}</pre>"
    )


TARGETS: dict[str, Callable[[str, Meta | None], str]] = {
    "plain": plain,
    "markdown": markdown,
    "json": as_json,
    "python": python,
    "javascript": javascript,
    "c": c,
    "shell": shell,
    "html": as_html,
}


def emit(text: str, target: str = "plain", meta: Meta | None = None) -> str:
    """``text`` for ``target`` (a key of ``TARGETS``); ``meta`` may hold a ``title`` and, for
    html, a ``colour`` plane."""
    return TARGETS[target](text, meta)
