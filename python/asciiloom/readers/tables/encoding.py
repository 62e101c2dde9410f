"""Tables in UTF-16 or UTF-32, or with a byte order mark, read as the UTF-8 that every other table is in.

Excel and PowerShell write UTF-16. A byte order mark says so; without one, the first characters do: a
table begins with ASCII (a bracket, a column's name), and no UTF-8 table has NULs between its letters.
The stream is recoded a block at a time, so a long table takes no more memory than a short one.
"""

import codecs
import io
import re
from dataclasses import replace
from typing import IO, cast

from asciiloom.readers.base import Input

_BLOCK = 1 << 18
# UTF-32's mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# How a table without a mark begins: four ASCII characters, or two or three and no more.
_UNMARKED = (
    (re.compile(rb"(?:[\t\n\r -~]\0){4}|(?:[\t\n\r -~]\0){2,3}\Z"), "utf-16-le"),
    (re.compile(rb"(?:\0[\t\n\r -~]){4}|(?:\0[\t\n\r -~]){2,3}\Z"), "utf-16-be"),
)


def encoding_of(head: bytes) -> tuple[str, int]:
    """The encoding of a table that begins with ``head``, and the bytes of its mark; UTF-8 where nothing
    says otherwise."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name, len(mark)
    return next((name for pattern, name in _UNMARKED if pattern.match(head)), "utf-8"), 0


def head_in_utf8(head: bytes) -> bytes:
    """``head`` as it is read: without its mark, in UTF-8."""
    name, skipped = encoding_of(head)
    if name == "utf-8":
        return head[skipped:]
    return head[skipped:].decode(name, "ignore").encode()


def in_utf8(source: Input) -> Input:
    """``source`` with a stream and head in UTF-8 without a mark; itself where it is so already.

    What is no text in its encoding (half a character at the end, half a pair) becomes U+FFFD.
    """
    name, skipped = encoding_of(source.head)
    if name == "utf-8" and not skipped:
        return source
    source.stream.read(skipped)
    stream = source.stream
    if name != "utf-8":
        stream = cast(IO[bytes], io.BufferedReader(_Recoded(stream, name), _BLOCK))
    return replace(source, stream=stream, head=head_in_utf8(source.head))


class _Recoded(io.RawIOBase):
    """The text of ``stream``, in ``encoding``, as a stream of UTF-8."""

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast(bytearray, buffer))
        while not self._ready:
            block = self._stream.read(_BLOCK)
            self._ready = self._decoder.decode(block, not block).encode()
            if not block:
                break
        part = self._ready[: len(view)]
        self._ready = self._ready[len(part) :]
        view[: len(part)] = part
        return len(part)
