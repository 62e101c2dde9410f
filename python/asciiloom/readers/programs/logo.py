"""Logos of system-information tools: text with colour tokens, a file each or many in a script.

fastfetch writes ``$1`` to ``$9`` for colours and ``$$`` for a dollar; neofetch ``${c1}``, in
here-documents of its script; onefetch ``{0}``, in YAML.
"""

import re
from collections.abc import Iterator, Mapping

from asciiloom.piece import Rejection, one_line
from asciiloom.readers.base import Input, Item, file_stem, make_item, read_whole
from asciiloom.readers.decode import decode
from asciiloom.readers.safe_yaml import YamlError, load_yaml

MAX_FILE = 16 << 20
_FAST = re.compile(r"\$([1-9$])")
_NEO = re.compile(r"\$\{c[1-9]\}")
_ONE = re.compile(r"\{\d\}")
_SCRIPT = re.compile(
    r"^[ \t]*(?:(?P<label>[^\n]*)\)[ \t]*\n(?:(?![^\n]*read -rd)[^\n]*\n){0,3})?"
    r"[ \t]*read -rd '' ascii_data <<'EOF'\n(?P<art>.*?)\nEOF$",
    re.MULTILINE | re.DOTALL,
)


def strip_tokens(text: str) -> str:
    """``text`` without fastfetch's and neofetch's colour tokens."""
    return _FAST.sub(lambda m: "$" if m[1] == "$" else "", _NEO.sub("", text))


class LogoReader:
    name = "logo"
    rank = 300
    extensions = (".txt",)
    summary = "logos with colour tokens: fastfetch, neofetch, onefetch"
    recognised = "$1 or ${c1} tokens in a logo folder or on many rows; ascii: blocks in YAML"
    oracle = "public collections of the same logos"

    def sniff(self, head: bytes, path: str) -> bool:
        if _is_onefetch(head) or b"ascii_data <<'EOF'" in head:
            return True
        lowered = path.replace("\\", "/").lower()
        name = lowered.rsplit("/", 1)[-1]
        if name == "neofetch":
            return True
        if not name.endswith(".txt") and "." in name:
            return False
        if "/logo/" in lowered:
            return True
        rows = [row for row in head.split(b"\n") if row.strip()]
        marked = sum(bool(re.search(rb"\$[1-9](?!\d)|\$\{c[1-9]\}", row)) for row in rows)
        return len(rows) > 3 and marked * 2 >= len(rows)

    def read(self, source: Input) -> Iterator[Item]:
        data = read_whole(source, MAX_FILE)
        if isinstance(data, Rejection):
            yield data
            return
        decoded = decode(data, source.options.encoding)
        text = decoded.text.replace("\r\n", "\n")

        def item(art: str, title: str, locator: str, *tags: str) -> Item:
            return make_item(
                art, options=source.options, path=source.path, locator=locator, original=data,
                title=title, tags=("logo", *tags), kind="logo", encoding=decoded.encoding,
                steps=("colour-tokens",),
            )  # fmt: skip

        if _is_onefetch(data):
            yield from _onefetch(text, source, item)
        elif "ascii_data <<'EOF'" in text:
            line, counted = 1, 0
            for match in _SCRIPT.finditer(text):
                label = re.sub(r"[\"'*|]+", " ", match["label"] or "").strip()
                line += text.count("\n", counted, match.start("art"))
                counted = match.start("art")
                yield item(
                    strip_tokens(match["art"].replace("\\\\", "\\")), label, f"line {line}", "os"
                )
        else:
            stem = file_stem(source.name)
            yield item(strip_tokens(text), stem, "", "os")


def _is_onefetch(head: bytes) -> bool:
    return re.search(rb"(?m)^  ascii: \|", head) is not None and b"{0}" in head


def _onefetch(text: str, source: Input, item: object) -> Iterator[Item]:
    assert callable(item)
    name = source.options.source_name()
    try:
        entries = load_yaml(text)
    except YamlError as error:
        yield Rejection("bad-yaml", str(error), name, source.path)
        return
    if not isinstance(entries, Mapping):
        yield Rejection("bad-yaml", "not a mapping of names to logos", name, source.path)
        return
    for title, entry in entries.items():
        art = entry.get("ascii") if isinstance(entry, Mapping) else None
        if not isinstance(art, str):
            detail = "an entry without an ascii block"
            yield Rejection("no-text", detail, name, source.path, one_line(title, 80) or "")
            continue
        kind = str(entry.get("type") or "language")
        yield item(_ONE.sub("", art), str(title), one_line(title, 80) or "", kind)
