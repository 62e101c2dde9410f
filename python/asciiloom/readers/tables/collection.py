"""A plain text file of titled pieces, made to be written and reviewed by hand.

Each piece follows a line ``%% title | kind | tag, tag``; a first line ``%! key: value`` states the
source, licence or artist of the file. The art runs to the next ``%%`` line.
"""

from collections.abc import Iterator

from asciiloom.piece import KINDS
from asciiloom.readers.base import Input, Item, make_item
from asciiloom.readers.decode import decode

MAX_FILE = 64 << 20


class CollectionReader:
    name = "collection"
    rank = 100
    extensions = (".pieces",)
    summary = "text files of titled pieces: %% title | kind | tags"
    recognised = "%% or %! on the first line"
    oracle = "this project's own collections"

    def sniff(self, head: bytes, path: str) -> bool:
        return head.startswith((b"%! ", b"%% "))

    def read(self, source: Input) -> Iterator[Item]:
        text = decode(source.stream.read(MAX_FILE)).text.replace("\r\n", "\n")
        facts: dict[str, str] = {}
        header: list[str] | None = None
        rows: list[str] = []
        started = 0

        def close() -> Iterator[Item]:
            if header is None:
                return
            title, kind, tags = (*header, "", "", "")[:3]
            yield make_item(
                "\n".join(rows),
                options=source.options,
                path=source.path,
                locator=f"line {started}",
                title=title,
                kind=kind if kind in KINDS else "art",
                tags=tuple(tags.split(",")),
                source=facts.get("source"),
                licence=facts.get("licence"),
                artist=facts.get("artist"),
            )

        for number, row in enumerate(text.split("\n"), 1):
            if row.startswith("%! "):
                key, _, value = row[3:].partition(":")
                facts[key.strip()] = value.strip()
            elif row.startswith("%% "):
                yield from close()
                header = [part.strip() for part in row[3:].split("|")]
                rows, started = [], number
            else:
                rows.append(row)
        yield from close()
