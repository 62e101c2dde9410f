"""boxes: the samples of its configuration, with tags and designer, and the boxes of its test cases."""

import contextlib
import re
from collections.abc import Iterator

from asciiloom.piece import Rejection, states_public_domain
from asciiloom.readers.base import Input, Item, file_stem, make_item, read_whole
from asciiloom.readers.decode import decode
from asciiloom.readers.screens.emulator.dialect import Dialect, render_ansi
from asciiloom.readers.screens.reader import ScreenError
from asciiloom.readers.screens.screen import MAX_COLUMNS, screen_item

MAX_FILE = 16 << 20
_BOX = re.compile(r"^\s*box\s+(?P<names>[^\s,#][^\n#]*?)\s*(?:#.*)?$", re.IGNORECASE)
_FIELD = re.compile(r'^\s*(?P<key>\w+)\s+"(?P<value>(?:[^"\\]|\\.)*)"')
_LIST = re.compile(r"^\s*tags\s*\((?P<value>[^)]*)\)", re.IGNORECASE)
_CASE = re.compile(rb"(?m)^:ARGS\r?$")


class BoxesReader:
    name = "boxes"
    rank = 240
    extensions = (".cfg",)
    summary = "boxes: samples of its configuration, boxes of its test cases"
    recognised = "BOX and SAMPLE blocks, or :ARGS :INPUT :EXPECTED"
    oracle = "boxes -l"

    def sniff(self, head: bytes, path: str) -> bool:
        if _CASE.match(head) or (_CASE.search(head) and b":INPUT" in head):
            return True
        name = path.replace("\\", "/").rsplit("/", 1)[-1].lower()
        return "boxes-config" in name or (
            re.search(rb"(?mi)^\s*box\s+\S", head) is not None
            and re.search(rb"(?mi)^\s*(?:sample|shapes|elastic)\b", head) is not None
        )

    def read(self, source: Input) -> Iterator[Item]:
        data = read_whole(source, MAX_FILE)
        if isinstance(data, Rejection):
            yield data
            return
        decoded = decode(data, source.options.encoding)
        rows = decoded.text.replace("\r\n", "\n").split("\n")
        if _CASE.search(data):
            yield _case(rows, data, source, decoded.encoding)
            return
        yield from _config(rows, data, source, decoded.encoding)


def _config(rows: list[str], data: bytes, source: Input, encoding: str) -> Iterator[Item]:
    name = source.options.source_name()
    title: str | None = None
    fields: dict[str, str] = {}
    found = 0
    number = 0
    while number < len(rows):
        row = rows[number]
        number += 1
        if match := _BOX.match(row):
            title, fields = match["names"], {}
        elif title is None:
            continue
        elif row.strip().lower() == "sample":
            start = number
            while number < len(rows) and rows[number].strip().lower() not in ("ends", "end sample"):
                number += 1
            where = f"lines {start + 1}-{number}"
            if number == len(rows):
                yield Rejection("truncated", "a sample without ENDS", name, source.path, where)
                return
            designer = fields.get("designer", "")
            free = states_public_domain(designer)
            found += 1
            yield make_item(
                "\n".join(rows[start:number]), options=source.options, path=source.path,
                locator=where, original=data, title=title.split(",")[0].strip(),
                artist=None if free else designer or fields.get("author"),
                licence="public domain" if free else None, kind="box",
                tags=("box", *re.split(r"[,;]", fields.get("tags", "")), *title.split(",")[1:]),
                encoding=encoding,
            )  # fmt: skip
        elif match := _LIST.match(row):
            fields["tags"] = match["value"].replace('"', "")
        elif match := _FIELD.match(row):
            fields[match["key"].lower()] = re.sub(r"\\(.)", r"\1", match["value"])
    if not found:
        yield Rejection("empty", "no box has a sample", name, source.path)


def _case(rows: list[str], data: bytes, source: Input, encoding: str) -> Item:
    """The output that a test case of boxes expects."""
    name = source.options.source_name()
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for row in rows:
        if re.fullmatch(r":[A-Z-]+", row):
            current = sections.setdefault(row[1:].lower(), [])
        else:
            current.append(row)
    stem = file_stem(source.name)
    title = re.sub(r"^\d+_", "", stem).replace("_", " ")
    drawn = "\n".join(sections.get("expected", []))
    if not drawn.strip():
        return Rejection("empty", "the test case expects no output", name, source.path)
    if "\x1b" in drawn:
        with contextlib.suppress(ScreenError):
            screen = render_ansi(drawn.encode(), Dialect("utf-8", MAX_COLUMNS))
            return screen_item(
                screen, source, data, encoding=encoding, title=title, kind="box", tags=("box",),
                locator="expected",
            )  # fmt: skip
    return make_item(
        drawn, options=source.options, path=source.path, locator="expected", original=data,
        title=title, tags=("box",), kind="box", encoding=encoding,
    )  # fmt: skip
