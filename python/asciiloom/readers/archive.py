"""Archives, walked in memory: every member is read as a file of its own, within limits.

Nothing is written to disk, no member's name is used as a path, links are not followed. A member that
unpacks to more than its share is dropped with a rejection, and an archive that as a whole does ends
there.
"""

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from asciiloom.piece import Rejection, one_line
from asciiloom.readers.base import Input, Item, ReadOptions

MAX_MEMBER = 64 << 20
MAX_TOTAL = 512 << 20
MAX_MEMBERS = 20_000
MAX_DEPTH = 3
MAX_RATIO = 200
_FREE = 8 << 20  # below this any ratio is harmless
_MAX_FILE = 256 << 20

# (name, bytes it claims, reader of at most n bytes)
Member = tuple[str, int, Callable[[int], bytes]]
# (stream, path through the archive, own name, options)
Open = Callable[[IO[bytes], str, str, ReadOptions], Iterator[Item]]


@dataclass(slots=True)
class Budget:
    """What an archive and all archives within it may still unpack."""

    left: int = MAX_TOTAL
    members: int = MAX_MEMBERS


class ArchiveReader:
    """Opens zip, tar, 7z and lha; ``read_member`` is the registry's way back in."""

    name = "archive"
    rank = 110
    extensions = (".zip", ".tar", ".tgz", ".7z", ".lha", ".lzh", ".jar", ".cbz")
    summary = "zip, tar, 7z and lha (and gz, xz, bz2, zst), walked in memory"
    recognised = "their magic numbers"
    oracle = "archives that zipfile, tarfile, py7zr and jlha packed"

    def __init__(self, read_member: Open) -> None:
        self._read_member = read_member

    def sniff(self, head: bytes, path: str) -> bool:
        return archive_kind(head) is not None

    def read(self, source: Input, depth: int = 0, budget: Budget | None = None) -> Iterator[Item]:
        name = source.options.source_name()
        budget = budget or Budget()

        def reject(reason: str, detail: object, path: str = source.path) -> Rejection:
            return Rejection(reason, one_line(detail, 200) or "", name, path)

        if depth >= MAX_DEPTH:
            yield reject("too-deep", f"archives within archives, {MAX_DEPTH} deep already")
            return
        data = source.stream.read(_MAX_FILE + 1)
        if len(data) > _MAX_FILE:
            yield reject(
                "too-large", f"an archive of more than {_MAX_FILE >> 20} MiB; unpack it first"
            )
            return
        kind = archive_kind(data)
        try:
            for member, claimed, open_member in _MEMBERS[kind or "zip"](data):
                path = f"{source.path}!{member}"
                budget.members -= 1
                if budget.members < 0:
                    yield reject("too-many", f"more than {MAX_MEMBERS:,} members")
                    return
                limit = min(MAX_MEMBER, budget.left, max(_FREE, MAX_RATIO * len(data)))
                if claimed > limit:
                    yield reject(
                        "too-large", f"unpacks to {claimed:,} bytes; at most {limit:,}", path
                    )
                    continue
                try:
                    raw = open_member(limit + 1)
                except MemberError as error:
                    yield reject("unreadable", error, path)
                    continue
                if len(raw) > limit:
                    yield reject("too-large", f"unpacks to more than {limit:,} bytes", path)
                    budget.left -= limit
                    continue
                budget.left -= len(raw)
                if not raw:
                    yield reject("empty", "an empty file", path)
                    continue
                # Some packers name what came from a pipe "-".
                own = member if any(map(str.isalnum, member)) else source.name
                yield from self._read_nested(raw, path, own, source, depth, budget)
        except MemberError as error:
            yield reject("truncated", error)

    def _read_nested(
        self, raw: bytes, path: str, name: str, source: Input, depth: int, budget: Budget
    ) -> Iterator[Item]:
        if archive_kind(raw) is None:
            yield from self._read_member(io.BytesIO(raw), path, name, source.options)
            return
        inner = Input(path, name, io.BytesIO(raw), raw[:4096], source.options)
        yield from self.read(inner, depth + 1, budget)


class MemberError(Exception):
    """An archive, or one member of it, that cannot be unpacked: what its library said."""


def archive_kind(head: bytes) -> str | None:
    """zip, tar, 7z or lha, by magic number."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if head.startswith(b"7z\xbc\xaf\x27\x1c"):
        return "7z"
    if len(head) > 20 and head[2:5] in (b"-lh", b"-lz") and head[6:7] == b"-":
        return "lha"
    if len(head) > 262 and head[257:262] == b"ustar":
        return "tar"
    return None


def _zip(data: bytes) -> Iterator[Member]:
    errors = (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError,
              ValueError, KeyError, IndexError, struct.error, MemoryError)  # fmt: skip
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        listed = archive.infolist()
    except errors as error:
        raise MemberError(f"{type(error).__name__}: {error}") from error
    for info in listed:
        if info.filename.endswith("/"):  # is_dir() stumbles over an empty name
            continue

        def unpack(limit: int, info: zipfile.ZipInfo = info) -> bytes:
            try:
                with archive.open(info) as stream:
                    return stream.read(limit)
            except errors as error:
                raise MemberError(f"{type(error).__name__}: {error}") from error

        yield info.filename, info.file_size, unpack


def _tar(data: bytes) -> Iterator[Member]:
    errors = (tarfile.TarError, OSError, EOFError, ValueError, zlib.error)
    try:
        archive = tarfile.open(fileobj=io.BytesIO(data), mode="r:")  # noqa: SIM115
        for info in archive:
            if not info.isfile():
                continue

            def unpack(limit: int, info: tarfile.TarInfo = info) -> bytes:
                try:
                    stream = archive.extractfile(info)
                    return stream.read(limit) if stream is not None else b""
                except errors as error:
                    raise MemberError(f"{type(error).__name__}: {error}") from error

            yield info.name, info.size, unpack
    except errors as error:
        raise MemberError(f"{type(error).__name__}: {error}") from error


def _seven(data: bytes) -> Iterator[Member]:
    try:
        import py7zr
    except ModuleNotFoundError as error:
        raise MemberError("7z needs py7zr: pip install 'asciiloom[formats]'") from error
    try:
        with py7zr.SevenZipFile(io.BytesIO(data)) as archive:
            total = sum(info.uncompressed or 0 for info in archive.list())
            # Its folders are solid: one member cannot be unpacked without those before it.
            if total > min(MAX_TOTAL, max(_FREE, MAX_RATIO * len(data))):
                raise MemberError(f"unpacks to {total:,} bytes")
            factory = py7zr.io.BytesIOFactory(MAX_MEMBER)
            archive.extractall(factory=factory)
            members = {name: product.read() for name, product in factory.products.items()}
    except MemberError:
        raise
    except Exception as error:  # py7zr raises what a damaged file makes it stumble on
        raise MemberError(f"{type(error).__name__}: {error}") from error
    for name, raw in sorted(members.items()):

        def unpack(limit: int, raw: bytes = raw) -> bytes:
            return raw[:limit]

        yield name, len(raw), unpack


def _lha(data: bytes) -> Iterator[Member]:
    try:
        import lhafile
    except ModuleNotFoundError as error:
        raise MemberError("lha needs lhafile: pip install 'asciiloom[formats]'") from error
    try:
        archive = lhafile.LhaFile(io.BytesIO(data))
        listed = [(i.filename, int(i.file_size)) for i in archive.infolist()]
    except Exception as error:  # lhafile raises what a damaged file makes it stumble on
        raise MemberError(f"{type(error).__name__}: {error}") from error
    for name, size in listed:

        def unpack(limit: int, name: str = name) -> bytes:
            try:
                return bytes(archive.read(name))[:limit]
            except Exception as error:
                raise MemberError(f"{type(error).__name__}: {error}") from error

        yield name, size, unpack


_MEMBERS: dict[str, Callable[[bytes], Iterator[Member]]] = {
    "zip": _zip, "tar": _tar, "7z": _seven, "lha": _lha,
}  # fmt: skip
