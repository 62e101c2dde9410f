"""Which reader for which bytes, and how paths are walked.

Built-in readers come first, then plug-ins by entry point ``asciiloom.readers``; the first whose
``sniff`` says yes reads the input, and plain text is the last resort. Compression by gzip, xz and
bzip2 is taken off before anyone looks.
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
from asciiloom.piece import Rejection
from asciiloom.readers.base import Input, Item, Reader, ReadOptions
from asciiloom.readers.collection import CollectionReader
from asciiloom.readers.plain import PlainReader
from asciiloom.readers.table import TableReader

HEAD = 4096
_PACKED: tuple[tuple[bytes, str, Callable[[IO[bytes]], object]], ...] = (
    (b"\x1f\x8b", ".gz", gzip.open),
    (b"\xfd7zXZ\x00", ".xz", lzma.open),
    (b"BZh", ".bz2", bz2.open),
)
_UNPACK_ERRORS = (OSError, EOFError, zlib.error, lzma.LZMAError)


@functools.cache
def readers() -> tuple[Reader, ...]:
    """Every reader in the order in which it is asked; plain text last."""
    plugins = [point.load() for point in entry_points(group="asciiloom.readers")]
    made = [cast(Reader, plugin() if isinstance(plugin, type) else plugin) for plugin in plugins]
    return (CollectionReader(), TableReader(), *made, PlainReader())


def _unpacked(stream: IO[bytes], path: str) -> tuple[IO[bytes], str]:
    """``stream`` without one layer of compression, and the path without its suffix."""
    head = cast(io.BufferedReader, stream).peek(8)[:8]
    for magic, suffix, unpack in _PACKED:
        if head.startswith(magic):
            opened = io.BufferedReader(cast(io.RawIOBase, unpack(stream)))
            return cast(IO[bytes], opened), path.removesuffix(suffix)
    return stream, path


def _read_stream(stream: IO[bytes], path: str, options: ReadOptions) -> Iterator[Item]:
    name = options.source or "unknown"
    if not hasattr(stream, "peek"):
        stream = io.BufferedReader(cast(io.RawIOBase, stream))
    try:
        stream, inner = _unpacked(stream, path)
        buffered = cast(io.BufferedReader, stream)
        head = buffered.peek(HEAD)[:HEAD]
        chosen = next(r for r in readers() if r.sniff(head, inner))
        yield from chosen.read(Input(path, inner, stream, head, options))
    except _UNPACK_ERRORS as error:
        yield Rejection("truncated", f"{type(error).__name__}: {error}"[:200], name, path)


def read_path(path: str | Path, options: ReadOptions | None = None) -> Iterator[Item]:
    """Every item of a file, of a folder (walked in name order, links not followed), or of "-".

    A device, pipe or unreadable file below a folder is a rejection; named directly, a missing
    path raises ``ReaderError``.
    """
    options = options or ReadOptions()
    if str(path) == "-":
        yield from _read_stream(sys.stdin.buffer, "-", options)
        return
    root = Path(path)
    try:
        mode = root.stat().st_mode
    except OSError as error:
        raise ReaderError(f"cannot read {root}: {error.strerror or error}") from error
    if stat.S_ISDIR(mode):
        for folder, folders, files in os.walk(root):
            folders.sort()
            for name in sorted(files):
                yield from _read_file(Path(folder) / name, options)
    else:
        yield from _read_file(root, options)


def _read_file(path: Path, options: ReadOptions) -> Iterator[Item]:
    name = options.source or "unknown"
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            yield Rejection("not-a-file", "a device, pipe or socket is not read", name, str(path))
            return
        with path.open("rb") as stream:
            if os.fstat(stream.fileno()).st_size == 0:
                yield Rejection("empty", "an empty file", name, str(path))
                return
            yield from _read_stream(stream, str(path), options)
    except OSError as error:
        yield Rejection("unreadable", str(error.strerror or error), name, str(path))
