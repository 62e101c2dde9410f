"""fortune files: entries with a ``%`` alone on the line between them, some of them in rot13."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from asciiloom.piece import Rejection, one_line
from asciiloom.readers.base import Input, Item, make_item, read_whole
from asciiloom.readers.decode import decode
from asciiloom.readers.pages.rows import is_prose

MAX_FILE = 64 << 20
_MARK = re.compile(rb"(?m)^%\r?$")
_ROTATED = 0x4


class FortuneReader:
    name = "fortune"
    rank = 310
    extensions = (".fortune",)
    summary = "fortune files, also in rot13"
    recognised = "% alone on a line"
    oracle = "strfile"

    def sniff(self, head: bytes, path: str) -> bool:
        return _MARK.search(head) is not None and not head.startswith((b"%!", b"%PDF"))

    def read(self, source: Input) -> Iterator[Item]:
        data = read_whole(source, MAX_FILE)
        if isinstance(data, Rejection):
            yield data
            return
        name = source.options.source_name()
        decoded = decode(data, source.options.encoding)
        rows = decoded.text.replace("\r\n", "\n").split("\n")
        rotated = is_rotated(decoded.text, source.path)
        number, start = 0, 1
        rows.append("%")
        entry: list[str] = []
        for line, row in enumerate(rows, 1):
            if row != "%":
                entry.append(row)
                continue
            text = "\n".join(entry)
            first, start = start, line + 1
            lines, entry = tuple(entry), []
            if not text.strip("\n"):
                continue
            number += 1
            where = f"entry {number}, lines {first}-{line - 1}"
            if rotated:
                text = codecs.decode(text, "rot13")
                lines = tuple(text.split("\n"))
            if is_prose(lines) and where not in source.options.accepted:
                yield Rejection("prose", one_line(text, 120) or "", name, source.path, where)
                continue
            yield make_item(
                text, options=source.options, path=source.path, locator=where, original=data,
                tags=("fortune",), encoding=decoded.encoding,
                steps=("rot13",) if rotated else (),
            )  # fmt: skip


_ENGLISH = re.compile(r"\b(?:the|and|that|with|you|for|this|have|not|are)\b", re.IGNORECASE)
_ENGLISH_13 = re.compile(r"\b(?:gur|naq|gung|jvgu|lbh|sbe|guvf|unir|abg|ner)\b", re.IGNORECASE)


def is_rotated(text: str, path: str) -> bool:
    """Whether the file is rot13: its index says so, or its words are English only that way."""
    index = Path(f"{path}.dat")
    try:
        head = index.read_bytes()[:24] if index.is_file() else b""
    except (OSError, ValueError):
        head = b""
    if len(head) >= 20:
        return bool(int.from_bytes(head[16:20], "big") & _ROTATED)
    plain, turned = len(_ENGLISH.findall(text)), len(_ENGLISH_13.findall(text))
    return turned > 3 and turned > 4 * plain
