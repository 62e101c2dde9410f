"""Plain text: one piece a file, or a page of several.

The file's bytes are kept once, and each piece's locator says which of its lines it is.
"""

from collections.abc import Iterator

from asciiloom.piece import Rejection, artist_in_note
from asciiloom.readers.base import MAX_CHARS, Input, Item, file_title, make_item, read_whole
from asciiloom.readers.decode import decode
from asciiloom.readers.pages.page import page_items, segment, split_page
from asciiloom.readers.screens.emulator.dialect import looks_ansi
from asciiloom.readers.screens.formats.ansi import ANSI
from asciiloom.readers.screens.sauce import CHARACTER, split_note, split_sauce

MAX_FILE = 16 << 20
# Laid out as one sheet whatever blank rows it has.
_SHEETS = (".nfo", ".diz", ".asc")


class PlainReader:
    name = "plain"
    rank = 900
    extensions = (".txt", ".ascii", ".text", ".art", *_SHEETS, "")
    summary = "plain text: one piece a file, or a page cut at rulers, titles and blank runs"
    recognised = "whatever nobody else reads and is not binary"
    oracle = "pages cut by hand, in the tests"

    def sniff(self, head: bytes, path: str) -> bool:
        return True  # the last resort

    def read(self, source: Input) -> Iterator[Item]:
        options = source.options
        name = options.source_name()
        data = read_whole(source, MAX_FILE)
        if isinstance(data, Rejection):
            yield data
            return
        if data[:4096].count(0) * 10 > len(data[:4096]) and not data.startswith(
            (b"\xff\xfe", b"\xfe\xff")
        ):
            yield Rejection("binary", "more than a tenth of the bytes are NUL", name, source.path)
            return
        if data.startswith(b"!|"):
            detail = "RIPscrip: commands that draw lines and areas, not text"
            yield Rejection("vector", detail, name, source.path)
            return
        body, sauce = split_sauce(data)
        if looks_ansi(body) or (sauce and sauce.datatype == CHARACTER and sauce.columns):
            yield ANSI.item(data, source)
            return
        note = ""
        if b"\x1a" in body[-4096:]:
            body, note = split_note(body)
        artist = (sauce and sauce.artist) or artist_in_note(note)
        decoded = decode(body, options.encoding)
        sheet = options.whole or source.name.lower().endswith(_SHEETS)
        if sheet or len(decoded.text) > MAX_CHARS or not split_page(decoded.text):
            yield make_item(
                decoded.text,
                options=options,
                path=source.path,
                original=data,
                title=(sauce.title if sauce else None) or file_title(source.name),
                artist=artist,
                description=note,
                group=sauce.group if sauce else None,
                made=sauce.made if sauce else None,
                source=name,
                encoding=decoded.encoding,
            )
            return
        yield from page_items(
            decoded.text,
            source,
            data,
            encoding=decoded.encoding,
            title=(sauce.title if sauce else None)
            or (file_title(source.name) if len(segment(decoded.text)) == 1 else None),
            artist=artist,
        )
