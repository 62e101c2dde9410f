"""SAUCE, the record at the end of a file that says who drew it, when, and how wide.

128 bytes, "SAUCE" and version "00" first, with an optional comment block before it (Standard
Architecture for Universal Comment Extensions, ACiD Productions, revision 5). Real files bend every
rule: the 0x1A before it is missing, the file size is wrong, widths are 0, strings end at a NUL with
rubbish after it, a second record follows the first, the comment block is announced and not there.
What can be read is read, and nothing of it is taken for art.
"""

import re
import struct
from dataclasses import dataclass
from datetime import date

_RECORD = struct.Struct("<5s2s35s20s20s8sIBB4HBB22s")
SIZE = _RECORD.size
_COMMENT = 64
# How far before the end of the file a record may lie, with nothing but padding behind it.
_TAIL = 4096
_PADDING = b"\0\x1a \r\n"
_EOF = 0x1A
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")

CHARACTER, BITMAP, VECTOR, AUDIO, BINARY_TEXT, XBIN, ARCHIVE, EXECUTABLE = range(1, 9)


@dataclass(frozen=True, slots=True)
class Sauce:
    """One record. ``made`` is an ISO date or None, ``columns`` 0 where not stated, ``ice`` whether
    blinking stands for bright backgrounds, ``comments`` the comment block's lines."""

    title: str = ""
    artist: str = ""
    group: str = ""
    made: str | None = None
    datatype: int = 0
    filetype: int = 0
    columns: int = 0
    rows: int = 0
    ice: bool = False
    nine_pixels: bool = False
    font: str = ""
    comments: tuple[str, ...] = ()


def split_note(body: bytes) -> tuple[bytes, str]:
    """What stands before the mark 0x1A that ends a file of DOS, and the words behind it: nobody's screen
    showed them, so artists wrote there what it is and who drew it."""
    art, _, rest = body.partition(b"\x1a")
    note = rest.replace(b"\0", b"").strip(_PADDING)
    said = note.decode("cp437").replace("\r\n", "\n")
    is_text = len(note) <= _TAIL and b"SAUCE00" not in note and not _CONTROL.search(note)
    return art, said if is_text else ""


def _string(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("cp437").strip(" ")


def _date(field: bytes) -> str | None:
    try:
        return date(int(field[:4]), int(field[4:6]), int(field[6:8])).isoformat()
    except ValueError:
        return None


def _parse(record: bytes, comments: tuple[str, ...]) -> Sauce:
    fields = _RECORD.unpack(record)
    title, artist, group, made, _, datatype, filetype = fields[2:9]
    columns, rows = fields[9], fields[10]
    flags, font = fields[14], fields[15]
    if datatype == BINARY_TEXT:
        columns, rows = filetype * 2, 0
    elif datatype not in (CHARACTER, XBIN):
        columns = rows = 0
    return Sauce(
        title=_string(title),
        artist=_string(artist),
        group=_string(group),
        made=_date(made),
        datatype=datatype,
        filetype=filetype,
        columns=columns,
        rows=rows,
        ice=bool(flags & 1),
        nine_pixels=flags & 6 == 4,
        font=_string(font),
        comments=comments,
    )


def split_sauce(data: bytes) -> tuple[bytes, Sauce | None]:
    """The art without its records, and the first complete record; None where there is none.

    A record is one only at the end of the file or before another, padding aside; the bytes
    "SAUCE00" elsewhere are art.
    """
    end = len(data)
    found: Sauce | None = None
    floor = max(0, len(data) - _TAIL)
    while True:
        at = data.rfind(b"SAUCE00", floor, end)
        if at < 0 or len(data) - at < SIZE:
            break
        if data[at + SIZE : end].strip(_PADDING):
            break
        count = data[at + 104]
        start = at
        comments: tuple[str, ...] = ()
        block = at - count * _COMMENT - 5
        if count and block >= 0 and data[block : block + 5] == b"COMNT":
            lines = [data[block + 5 + i * _COMMENT :][:_COMMENT] for i in range(count)]
            comments = tuple(_string(line) for line in lines)
            start = block
        found = _parse(data[at : at + SIZE], comments)
        end = start
    if found is None:
        return data, None
    if end and data[end - 1] == _EOF:
        end -= 1
    return data[:end], found
