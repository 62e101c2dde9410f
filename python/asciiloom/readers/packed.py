"""Compressed streams: gzip, xz, bzip2 and zstd are taken off, layer by layer, while they are read.

A small file may unpack to terabytes. What comes out is counted against what went in, and reading ends
where the ratio is no honest one.
"""

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from typing import IO, cast

# Unpacked bytes for each packed one beyond which compression is an attack, once past _FREE.
MAX_RATIO = 400
_FREE = 64 << 20
_MAX_LAYERS = 3


class TooLargeError(OSError):
    """A stream that unpacks to much more than its size."""


class _Bounded(io.RawIOBase):
    """The unpacked ``stream``, read until it gives ``MAX_RATIO`` times what ``packed`` has given."""

    def __init__(self, stream: IO[bytes], packed: IO[bytes]) -> None:
        self._stream, self._packed, self._given = stream, packed, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast(bytearray, buffer))
        data = self._stream.read(len(view))
        view[: len(data)] = data
        self._given += len(data)
        if self._given > _FREE and self._given > MAX_RATIO * max(1, self._packed.tell()):
            raise TooLargeError(f"unpacks to more than {MAX_RATIO} times its size")
        return len(data)


class _Counted(io.RawIOBase):
    """A stream that knows how far it was read, for those that cannot tell."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._at = stream, 0

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast(bytearray, buffer))
        data = self._stream.read(len(view))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


def _open_zstd(stream: IO[bytes]) -> object:
    import pyarrow as pa

    return pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "zstd")


_PACKED: tuple[tuple[bytes, str, Callable[[IO[bytes]], object]], ...] = (
    (b"\x1f\x8b", ".gz", gzip.open),
    (b"\xfd7zXZ\x00", ".xz", lzma.open),
    (b"BZh", ".bz2", bz2.open),
    (b"\x28\xb5\x2f\xfd", ".zst", _open_zstd),
)
PACKING = tuple(suffix for _, suffix, _ in _PACKED)
# What reading a damaged stream raises.
UNPACK_ERRORS = (OSError, EOFError, zlib.error, lzma.LZMAError)


def unpacked(stream: IO[bytes], path: str) -> tuple[IO[bytes], str]:
    """``stream`` (one that can peek) without its layers of compression, and the path without their suffixes."""
    for _ in range(_MAX_LAYERS):
        head = cast(io.BufferedReader, stream).peek(8)[:8]
        for magic, suffix, unpack in _PACKED:
            if head.startswith(magic):
                packed = cast(IO[bytes], io.BufferedReader(_Counted(stream)))
                bounded = _Bounded(cast(IO[bytes], unpack(packed)), packed)
                stream = cast(IO[bytes], io.BufferedReader(bounded))
                path = path.removesuffix(suffix)
                path = path[:-4] + ".tar" if path.endswith(".tgz") else path
                break
        else:
            break
    return stream, path
