"""Which reader for which bytes, and how paths are walked.

Readers are asked by rank (``rank_of``): plug-ins (entry point ``asciiloom.readers``), then the
built-in ones from the most to the least certain of their format; plain text takes what is left.
Compression is taken off before anyone looks. Whatever a reader stumbles on is one rejection.
"""

import functools
import io
import os
import re
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import IO, cast

from asciiloom.errors import ReaderError
from asciiloom.piece import Rejection, one_line
from asciiloom.readers.archive import ArchiveReader
from asciiloom.readers.base import Input, Item, Reader, ReadOptions, file_stem, rank_of, storable
from asciiloom.readers.packed import PACKING, UNPACK_ERRORS, TooLargeError, unpacked
from asciiloom.readers.pages.film import FilmReader
from asciiloom.readers.pages.fortune import FortuneReader
from asciiloom.readers.pages.html import HtmlReader
from asciiloom.readers.pages.markdown import MarkdownReader
from asciiloom.readers.pages.plain import PlainReader
from asciiloom.readers.programs.boxes import BoxesReader
from asciiloom.readers.programs.cow import CowReader
from asciiloom.readers.programs.eyedrops import EyeDropsReader
from asciiloom.readers.programs.figlet import FigletReader
from asciiloom.readers.programs.logo import LogoReader
from asciiloom.readers.screens.formats.ansi import ANSI
from asciiloom.readers.screens.formats.artworx import ARTWORX
from asciiloom.readers.screens.formats.binary import BIN
from asciiloom.readers.screens.formats.durdraw import DurdrawReader
from asciiloom.readers.screens.formats.icedraw import ICEDRAW
from asciiloom.readers.screens.formats.pcboard import PCBOARD
from asciiloom.readers.screens.formats.rexpaint import REXPAINT
from asciiloom.readers.screens.formats.tundra import TUNDRA
from asciiloom.readers.screens.formats.xbin import XBIN
from asciiloom.readers.screens.image import ImageReader
from asciiloom.readers.tables import hub
from asciiloom.readers.tables.collection import CollectionReader
from asciiloom.readers.tables.lines import LineChunk, split_lines
from asciiloom.readers.tables.table import TableReader

HEAD = 4096
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
# Files that hold collections.
_HOLDS_MANY = (*ArchiveReader.extensions, *TableReader.extensions)


@functools.cache
def readers() -> tuple[Reader, ...]:
    """Every reader in the order in which it is asked; of equal ranks, plug-ins come first."""
    plugins = [point.load() for point in entry_points(group="asciiloom.readers")]
    made = [cast(Reader, plugin() if isinstance(plugin, type) else plugin) for plugin in plugins]
    return tuple(sorted((*made, *_built_in()), key=rank_of))


def _built_in() -> tuple[Reader, ...]:
    return (
        ANSI, ARTWORX, BIN, ICEDRAW, PCBOARD, REXPAINT, TUNDRA, XBIN,
        ArchiveReader(lambda *member: _read_stream(*member)),
        BoxesReader(), CollectionReader(), CowReader(), DurdrawReader(), EyeDropsReader(),
        FigletReader(), FilmReader(), FortuneReader(), HtmlReader(), ImageReader(), LogoReader(),
        MarkdownReader(), PlainReader(), TableReader(),
    )  # fmt: skip


def _read_stream(
    stream: IO[bytes], path: str, own_name: str, options: ReadOptions
) -> Iterator[Item]:
    name = options.source_name()
    chosen: Reader | None = None
    try:
        source = open_unpacked(stream, path, own_name, options)
        chosen = reader_of(source)
        yield from chosen.read(source)
    except TooLargeError as error:
        yield Rejection("too-large", str(error), name, path)
    except UNPACK_ERRORS as error:
        yield Rejection("truncated", f"{type(error).__name__}: {error}"[:200], name, path)
    except Exception as error:  # a reader's own mistake must not cost its neighbours
        said = one_line(f"{type(error).__name__}: {error}", 160)
        detail = f"{chosen.name if chosen else 'sniffing'}: {said}"
        yield Rejection("reader-failed", detail, name, path)


def read_bytes(data: bytes, path: str = "-", options: ReadOptions | None = None) -> Iterator[Item]:
    """Every item of ``data``, read as a file of the name ``path`` is."""
    stream = cast(IO[bytes], io.BytesIO(data))
    yield from _read_stream(stream, path, path, options or ReadOptions())


def read_path(path: str | Path, options: ReadOptions | None = None) -> Iterator[Item]:
    """Every item of a file, of a folder (walked in name order, links not followed), of "-", or of a
    data set on the Hugging Face hub ("hf:owner/name" or "hf:owner/name:split").

    A device, pipe or unreadable file below a folder is a rejection; named directly, a missing
    path raises ``ReaderError``.
    """
    options = options or ReadOptions()
    if str(path) == "-":
        yield from _read_stream(sys.stdin.buffer, "-", "-", options)
        return
    if str(path).startswith(hub.PREFIX):
        yield from hub.read_hub(str(path), options)
        return
    for file, file_options in walk(path, options):
        yield from read_file(file, file_options)


def is_walkable(path: str) -> bool:
    """Whether ``path`` names files, rather than stdin or a data set on the hub."""
    return path != "-" and not path.startswith(hub.PREFIX)


def looked_at(path: str | Path) -> os.stat_result:
    """What is known of the file or folder ``path``; ``ReaderError`` where there is none."""
    try:
        return Path(path).stat()
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        if _ADDRESS.match(str(path)):
            said = (
                f"it is an address, not a file; download it (curl -LO {path}), then ingest the file"
            )
        raise ReaderError(f"cannot read {path}: {said}") from error


def collections(paths: Sequence[str], options: ReadOptions) -> Iterator[tuple[str, ReadOptions]]:
    """Each of ``paths`` with the name of its collection, where several folders are given: then each is
    one. Of a single folder, ``walk`` takes the folders in it for the collections."""
    folders = [path for path in paths if is_walkable(path) and Path(path).is_dir()]
    for path in paths:
        several = len(folders) > 1 and path in folders
        place = _folder_name(Path(path)) if several else None
        yield path, replace(options, place=place) if place else options


def _folder_name(folder: Path) -> str | None:
    return one_line(storable(folder.resolve().name))


def _place(root: Path, file: Path, wrapped: bool) -> str | None:
    """The collection that ``file`` below (or at) ``root`` belongs to: the folder in ``root`` that holds it.

    Directly in ``root``, a table or archive is a collection of its own, and any other file belongs to
    that of the folder; so does everything where ``root`` is but a wrapper of one folder.
    """
    inside = file.relative_to(root).parts[:-1] if file != root else ()
    if inside and not wrapped:
        return one_line(storable(inside[0]))
    name = file.name
    while name.lower().endswith(PACKING):
        name = name.rpartition(".")[0]
    if not inside and name.lower().endswith(_HOLDS_MANY):
        return one_line(storable(file_stem(name)))
    return _folder_name(root if file != root else file.parent)


def walk(path: str | Path, options: ReadOptions) -> Iterator[tuple[Path, ReadOptions]]:
    """The file, or the files of the folder in name order, each with what is known of it."""
    root = Path(path)
    if not stat.S_ISDIR(looked_at(path).st_mode):
        yield root, replace(options, place=options.place or _place(root, root, False))
        return
    wrapped = False
    for folder, folders, files in os.walk(root):
        folders.sort()
        if Path(folder) == root:
            wrapped = len(folders) == 1 and not files
        kept, told = hub.data_files(Path(folder), sorted(files), options)
        for name in kept:
            file = Path(folder) / name
            yield file, replace(told, place=told.place or _place(root, file, wrapped))


def open_unpacked(stream: IO[bytes], path: str, name: str, options: ReadOptions) -> Input:
    """``stream`` as an input called ``name``, its layers of compression taken off."""
    if not hasattr(stream, "peek"):
        stream = cast(IO[bytes], io.BufferedReader(cast(io.RawIOBase, stream)))
    stream, inner = unpacked(stream, name)
    head = cast(io.BufferedReader, stream).peek(HEAD)[:HEAD]
    return Input(path, inner, stream, head, options)


def reader_of(source: Input) -> Reader:
    """The first reader that knows the input."""
    return next(reader for reader in readers() if reader.sniff(source.head, source.name))


def line_chunks(path: Path, options: ReadOptions) -> Iterator[LineChunk | Rejection] | None:
    """A JSONL file in stretches that can be read apart, or None where the file is none."""
    try:
        with path.open("rb") as stream:
            source = open_unpacked(stream, storable(path), storable(path), options)
            reader = reader_of(source)
            if not isinstance(reader, TableReader) or not reader.reads_lines(source):
                return None
    except UNPACK_ERRORS:
        return None
    return _stretches(path, options)


def _stretches(path: Path, options: ReadOptions) -> Iterator[LineChunk | Rejection]:
    name = options.source_name()
    try:
        with path.open("rb") as stream:
            name_as_stored = storable(path)
            yield from split_lines(open_unpacked(stream, name_as_stored, name_as_stored, options))
    except TooLargeError as error:
        yield Rejection("too-large", str(error), name, storable(path))
    except UNPACK_ERRORS as error:
        yield Rejection("truncated", f"{type(error).__name__}: {error}"[:200], name, storable(path))


def read_file(path: Path, options: ReadOptions) -> Iterator[Item]:
    """Every item of one file; whatever is wrong with it is a rejection."""
    name = options.source_name()
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
            yield from _read_stream(stream, storable(path), storable(path), options)
    except OSError as error:
        yield Rejection("unreadable", str(error.strerror or error), name, storable(path))
