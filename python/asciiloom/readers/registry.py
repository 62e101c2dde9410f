"""Which reader for which bytes, and how paths are walked.

Plug-ins (entry point ``asciiloom.readers``) are asked first, then the built-in readers from the most
to the least certain of their format; plain text is the last resort. Compression by gzip, xz, bzip2
and zstd is taken off before anyone looks. Whatever a reader stumbles on is one rejection.
"""

import bz2
import functools
import gzip
import io
import lzma
import os
import stat
import sys
import zlib
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import IO, cast

from asciiloom.errors import ReaderError
from asciiloom.piece import Rejection, one_line
from asciiloom.readers import datasets
from asciiloom.readers.archive import ArchiveReader
from asciiloom.readers.base import Input, Item, Reader, ReadOptions, storable
from asciiloom.readers.boxes import BoxesReader
from asciiloom.readers.collection import CollectionReader
from asciiloom.readers.cow import CowReader
from asciiloom.readers.eyedrops import EyeDropsReader
from asciiloom.readers.figlet import FigletReader
from asciiloom.readers.film import FilmReader
from asciiloom.readers.fortune import FortuneReader
from asciiloom.readers.html import HtmlReader
from asciiloom.readers.image import ImageReader
from asciiloom.readers.lines import LineChunk, split_lines
from asciiloom.readers.logo import LogoReader
from asciiloom.readers.markdown import MarkdownReader
from asciiloom.readers.plain import PlainReader
from asciiloom.readers.screens import SCREENS, DurdrawReader
from asciiloom.readers.table import TableReader

HEAD = 4096
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
_UNPACK_ERRORS = (OSError, EOFError, zlib.error, lzma.LZMAError)


@functools.cache
def readers() -> tuple[Reader, ...]:
    """Every reader in the order in which it is asked; plain text last."""
    plugins = [point.load() for point in entry_points(group="asciiloom.readers")]
    made = [cast(Reader, plugin() if isinstance(plugin, type) else plugin) for plugin in plugins]
    return (
        *made,
        CollectionReader(),
        ArchiveReader(lambda stream, path, options: _read_stream(stream, path, options)),
        *SCREENS[:4],
        DurdrawReader(),
        ImageReader(),
        FigletReader(),
        CowReader(),
        HtmlReader(),
        MarkdownReader(),
        TableReader(),
        BoxesReader(),
        *SCREENS[4:-1],
        EyeDropsReader(),
        LogoReader(),
        FortuneReader(),
        FilmReader(),
        SCREENS[-1],
        PlainReader(),
    )


def _unpacked(stream: IO[bytes], path: str) -> tuple[IO[bytes], str]:
    """``stream`` without its layers of compression, and the path without their suffixes."""
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


def _read_stream(stream: IO[bytes], path: str, options: ReadOptions) -> Iterator[Item]:
    name = options.source or "unknown"
    chosen: Reader | None = None
    try:
        source = open_unpacked(stream, path, options)
        chosen = reader_of(source)
        yield from chosen.read(source)
    except TooLargeError as error:
        yield Rejection("too-large", str(error), name, path)
    except _UNPACK_ERRORS as error:
        yield Rejection("truncated", f"{type(error).__name__}: {error}"[:200], name, path)
    except Exception as error:  # a reader's own mistake must not cost its neighbours
        said = one_line(f"{type(error).__name__}: {error}", 160)
        detail = f"{chosen.name if chosen else 'sniffing'}: {said}"
        yield Rejection("reader-failed", detail, name, path)


def read_bytes(data: bytes, path: str = "-", options: ReadOptions | None = None) -> Iterator[Item]:
    """Every item of ``data``, read as a file of the name ``path`` is."""
    yield from _read_stream(cast(IO[bytes], io.BytesIO(data)), path, options or ReadOptions())


def read_path(path: str | Path, options: ReadOptions | None = None) -> Iterator[Item]:
    """Every item of a file, of a folder (walked in name order, links not followed), of "-", or of a
    data set on the Hugging Face hub ("hf:owner/name" or "hf:owner/name:split").

    A device, pipe or unreadable file below a folder is a rejection; named directly, a missing
    path raises ``ReaderError``.
    """
    options = options or ReadOptions()
    if str(path) == "-":
        yield from _read_stream(sys.stdin.buffer, "-", options)
        return
    if str(path).startswith(datasets.PREFIX):
        yield from datasets.read_hub(str(path), options)
        return
    for file, told in walk(path, options):
        yield from read_file(file, told)


def is_walkable(path: str) -> bool:
    """Whether ``path`` names files, rather than stdin or a data set on the hub."""
    return path != "-" and not path.startswith(datasets.PREFIX)


def walk(path: str | Path, options: ReadOptions) -> Iterator[tuple[Path, ReadOptions]]:
    """The file, or the files of the folder in name order, each with what is known of it."""
    root = Path(path)
    try:
        mode = root.stat().st_mode
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        raise ReaderError(f"cannot read {root}: {said}") from error
    if not stat.S_ISDIR(mode):
        yield root, options
        return
    for folder, folders, files in os.walk(root):
        folders.sort()
        kept, told = datasets.data_files(Path(folder), sorted(files), options)
        for name in kept:
            yield Path(folder) / name, told


def open_unpacked(stream: IO[bytes], path: str, options: ReadOptions) -> Input:
    """``stream`` as an input, its layers of compression taken off."""
    if not hasattr(stream, "peek"):
        stream = cast(IO[bytes], io.BufferedReader(cast(io.RawIOBase, stream)))
    stream, inner = _unpacked(stream, path)
    head = cast(io.BufferedReader, stream).peek(HEAD)[:HEAD]
    return Input(path, inner, stream, head, options)


def reader_of(source: Input) -> Reader:
    """The first reader that knows the input."""
    return next(reader for reader in readers() if reader.sniff(source.head, source.name))


def line_chunks(path: Path, options: ReadOptions) -> Iterator[LineChunk | Rejection] | None:
    """A JSONL file in stretches that can be read apart, or None where the file is none."""
    try:
        with path.open("rb") as stream:
            source = open_unpacked(stream, storable(path), options)
            reader = reader_of(source)
            if not isinstance(reader, TableReader) or not reader.reads_lines(source):
                return None
    except _UNPACK_ERRORS:
        return None
    return _stretches(path, options)


def _stretches(path: Path, options: ReadOptions) -> Iterator[LineChunk | Rejection]:
    name = options.source or "unknown"
    try:
        with path.open("rb") as stream:
            yield from split_lines(open_unpacked(stream, storable(path), options))
    except TooLargeError as error:
        yield Rejection("too-large", str(error), name, storable(path))
    except _UNPACK_ERRORS as error:
        yield Rejection("truncated", f"{type(error).__name__}: {error}"[:200], name, storable(path))


def read_file(path: Path, options: ReadOptions) -> Iterator[Item]:
    """Every item of one file; whatever is wrong with it is a rejection."""
    name = options.source or "unknown"
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            yield Rejection(
                "not-a-file", "a device, pipe or socket is not read", name, storable(path)
            )
            return
        with path.open("rb") as stream:
            if os.fstat(stream.fileno()).st_size == 0:
                yield Rejection("empty", "an empty file", name, storable(path))
                return
            yield from _read_stream(stream, storable(path), options)
    except OSError as error:
        yield Rejection("unreadable", str(error.strerror or error), name, storable(path))
