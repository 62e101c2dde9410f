"""Files that commands write: whole or not at all, and never over something that is to be kept.

An output is written beside its target (a folder that exists: within it) under a hidden name, flushed to
disk, and only then given the target's name. Until that moment the former file is as it was, and an error,
an interrupt or SIGTERM removes what was begun. What a ``kill -9`` leaves is named ``.asciiloom-*`` with
the number of its process, and the next run for the same target removes it.

Never written over, not even with ``force``: a file that the command reads, and any SQLite file.
"""

import errno
import os
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from asciiloom.errors import OutputError
from asciiloom.signals import deferred, terminable

Place = str | Path
_MAGIC = b"SQLite format 3\x00"
# What SQLite keeps beside a database, by the end of its name.
_COMPANIONS = ("-wal", "-shm", "-journal")
_STDOUT = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")
_HIDDEN = ".asciiloom-"
# Failures of the disk while writing; any other error within is not the output's.
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}
# How far a folder has come, as the end of the hidden names beside it: still being written; former files
# being taken out of the folder; all of them taken out, and new ones being put in.
_PART, _TAKING, _TAKEN = "part", "taking", "taken"


def is_stdout(target: Place) -> bool:
    """Whether ``target`` means standard output: ``-``, or a name of it under /dev or /proc."""
    return str(target) in _STDOUT


def check_output_file(target: Place, *, force: bool = False, inputs: Iterable[Place] = ()) -> None:
    """Raise ``OutputError`` where writing the file ``target`` would destroy something or cannot work.

    Called before long work; the writers below ask the same again.
    """
    if is_stdout(target):
        _check_stdout(inputs)
    else:
        _resolve_file(target, force, inputs)


def check_output_folder(
    target: Place, *, names: Sequence[str], force: bool = False, inputs: Iterable[Place] = ()
) -> None:
    """The same for a folder into which files of ``names`` (patterns, relative to it) are to be written."""
    _resolve_folder(target, names, force, inputs)


@contextmanager
def output_stream(
    target: Place, *, force: bool = False, inputs: Iterable[Place] = ()
) -> Iterator[BinaryIO]:
    """Bytes that become the file ``target`` when the block ends without an error; ``-`` is stdout."""
    if is_stdout(target):
        _check_stdout(inputs)
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with output_file(target, force=force, inputs=inputs) as part, part.open("xb") as stream:
        yield stream


@contextmanager
def output_file(
    target: Place, *, force: bool = False, inputs: Iterable[Place] = ()
) -> Iterator[Path]:
    """A path to write to; what is there when the block ends without an error becomes ``target``."""
    if is_stdout(target):
        raise OutputError("this cannot be written to standard output; name a file")
    inputs = tuple(inputs)
    where = _resolve_file(target, force, inputs)
    part = _hidden(where, where.parent, _PART)
    with terminable():
        try:
            with _disk_errors(target):
                yield part
                flush(part)
                _resolve_file(target, force, inputs)  # somebody else may have written it meanwhile
                with deferred():
                    _give_name(part, where, force)
                flush(where.parent)
        finally:
            _remove(part)


@contextmanager
def output_folder(
    target: Place, *, names: Sequence[str], force: bool = False, inputs: Iterable[Place] = ()
) -> Iterator[Path]:
    """An empty folder to write into; its files become those of ``target`` when the block ends without
    an error. ``names`` are patterns of all files that the command may write, such as ``data/*.parquet``.

    A folder that holds something already needs ``force``. Then the files of ``names`` are replaced, all of
    them: one that is not written again is removed. Every other file stays. A folder cut off by ``kill -9``
    while its files are being exchanged (all are written by then) is put back by the next run.
    """
    inputs = tuple(inputs)
    where = _resolve_folder(target, names, force, inputs)
    with terminable():
        # Within a folder that is there: the one above it may be another disk, or not ours to write.
        part = _hidden(where, where if where.exists() else where.parent, _PART)
        try:
            with _disk_errors(target):
                part.mkdir(parents=True)
                yield part
                for path in (*part.rglob("*"), part):
                    flush(path)
                _resolve_folder(target, names, force, inputs)
                with deferred():
                    if where.exists():
                        _exchange(part, where, names)
                    else:
                        part.rename(where)
                        flush(where.parent)
        finally:
            _remove(part)


def flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise  # some file systems cannot flush a folder
    finally:
        os.close(handle)


# -- what must not be written over


def _resolve_file(target: Place, force: bool, inputs: Iterable[Place]) -> Path:
    """The file that ``target`` means, links followed; ``OutputError`` where it must not be written."""
    where, mode = _look(target)
    if mode is not None and stat.S_ISDIR(mode):
        raise OutputError(f"{target} is a folder; name a file")
    if mode is not None and not stat.S_ISREG(mode):
        raise OutputError(f"{target} is a device or pipe; name a file, or - for stdout")
    if not where.parent.is_dir():
        raise OutputError(f"cannot write {target}: there is no folder {where.parent}")
    _check_writable(where.parent, target)
    _remove_leftovers(where, where.parent)
    _check_kept(where, target, inputs)
    if mode is not None:
        if not force:
            raise OutputError(
                f"{target} is there already; name another, or replace it with --force"
            )
        if not os.access(where, os.W_OK):
            raise OutputError(f"{target} is write-protected; name another file")
    return where


def _resolve_folder(
    target: Place, names: Sequence[str], force: bool, inputs: Iterable[Place]
) -> Path:
    """The folder that ``target`` means, links followed; ``OutputError`` where it must not be written."""
    where, mode = _look(target)
    if mode is not None and not stat.S_ISDIR(mode):
        raise OutputError(f"{target} is a file; name a folder")
    if mode is None and (base := _database_beside(where)):
        # SQLite would find a folder where it keeps its journal, and no longer open the file.
        raise OutputError(f"{target} belongs to the SQLite file {base}; name another")
    nearest = where if mode is not None else where.parent
    while not nearest.exists():
        nearest = nearest.parent
    if not nearest.is_dir():
        raise OutputError(f"cannot write {target}: {nearest} is no folder")
    _check_writable(nearest, target)
    _remove_leftovers(where, where.parent, names)
    if mode is None:
        return where
    _remove_leftovers(where, where, names)
    if any(_same(where, given) for given in inputs):
        raise OutputError(f"{target} is what this command reads; name another folder")
    if not force and any(not path.name.startswith(_HIDDEN) for path in where.iterdir()):
        raise OutputError(
            f"{target} is a folder with files in it; name another, or replace what this command"
            " writes with --force"
        )
    for path in _matching(where, names):
        if path.is_dir():
            raise OutputError(f"{path} is a folder where a file is to be written; remove it first")
        _check_kept(path, path, inputs)
    return where


def _look(target: Place) -> tuple[Path, int | None]:
    """The place that ``target`` means, links followed, and its mode, None where nothing is there."""
    if not str(target):
        raise OutputError("an empty name cannot be written to; name a file")
    try:
        where = Path(target).resolve()
        return where, where.stat().st_mode
    except FileNotFoundError:
        return where, None
    except (OSError, RuntimeError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        raise OutputError(f"cannot write {target}: {said}") from error


def _check_writable(folder: Path, target: Place) -> None:
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write {target}: the folder {folder} is not writable")


def _check_kept(where: Path, target: Place, inputs: Iterable[Place]) -> None:
    """Neither an input nor a database, nor what SQLite keeps beside one."""
    if any(_same(where, given) for given in inputs):
        raise OutputError(f"{target} is what this command reads; name another file")
    try:
        if _is_database(where):
            raise OutputError(f"{target} is an SQLite file, never written over; name another file")
        if base := _database_beside(where):
            raise OutputError(f"{target} belongs to the SQLite file {base}; name another")
    except OSError as error:
        raise OutputError(
            f"{target} cannot be looked at ({error.strerror}), so it is left alone; name another file"
        ) from error


def _database_beside(where: Path) -> Path | None:
    """The database whose journal ``where`` is by its name."""
    for end in _COMPANIONS:
        base = where.with_name(where.name.removesuffix(end) or where.name)
        if where.name.endswith(end) and _is_database(base):
            return base
    return None


def _is_database(path: Path) -> bool:
    """Whether ``path`` is an SQLite file; one that is still empty shows by its journal."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        head = stream.read(len(_MAGIC))
    return head == _MAGIC or (
        not head and any(path.with_name(path.name + end).exists() for end in _COMPANIONS)
    )


def _check_stdout(inputs: Iterable[Place]) -> None:
    """What a shell appends to (``>> art.db``) must not be an input or a database."""
    try:
        open_file = os.fstat(sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):
        return  # not a file of the system
    for given in inputs:
        with suppress(OSError):
            if os.path.samestat(open_file, Path(given).stat()):
                raise OutputError(f"standard output goes into {given}, which this command reads")


def _same(path: Path, other: Place) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False


# -- taking the place of what was there


def _give_name(part: Path, where: Path, force: bool) -> None:
    """Rename ``part`` to ``where``; without ``force`` only where nothing has that name."""
    if force and where.exists():
        part.chmod(stat.S_IMODE(where.stat().st_mode))
    if force:
        part.replace(where)
        return
    try:
        os.link(part, where)  # unlike a rename, this fails where a file is
    except FileExistsError as error:
        raise OutputError(
            f"{where} is there since this command began; name another, or replace it with --force"
        ) from error
    except OSError:
        part.replace(where)  # a file system without hard links


def _exchange(part: Path, where: Path, names: Sequence[str]) -> None:
    """Put the files of ``part`` into the folder ``where``, in place of its files of ``names``.

    Former files are moved to a hidden folder first, whose name says how far this has come.
    """
    taking, taken, done = (_hidden(where, where, state) for state in (_TAKING, _TAKEN, _PART))
    taking.mkdir()
    try:
        _move([(path, taking / path.relative_to(where)) for path in _matching(where, names)])
        taking.rename(taken)
        new = [path for path in sorted(part.rglob("*")) if not path.is_dir()]
        _move([(path, where / path.relative_to(part)) for path in new])
        for folder in {where, *((where / path.relative_to(part)).parent for path in new)}:
            flush(folder)
    except BaseException:
        _put_back(taking, where, names)
        _put_back(taken, where, names)
        raise
    taken.rename(done)  # not needed any more, also where the next line is cut off
    _remove(done)


def _put_back(former: Path, where: Path, names: Sequence[str]) -> None:
    """Undo an exchange from the hidden folder ``former``, where there is one."""
    if not former.is_dir():
        return
    if former.name.endswith(_TAKEN):
        for path in _matching(where, names):
            path.unlink()  # one of the new files: all former ones had been taken out
    kept = [path for path in sorted(former.rglob("*")) if not path.is_dir()]
    _move([(path, where / path.relative_to(former)) for path in kept])
    shutil.rmtree(former)


def _move(moves: Iterable[tuple[Path, Path]]) -> None:
    for old, new in moves:
        new.parent.mkdir(parents=True, exist_ok=True)
        old.replace(new)


def _matching(folder: Path, names: Sequence[str]) -> list[Path]:
    return sorted({path for name in names for path in folder.glob(name)})


# -- hidden names


def _hidden(where: Path, folder: Path, state: str) -> Path:
    """A hidden name in ``folder``, of this process; short, however long the target's is."""
    return folder / f"{_stem(where)}-{os.getpid()}-{secrets.token_hex(4)}.{state}"


def _stem(where: Path) -> str:
    return _HIDDEN + blake2b(os.fsencode(where.name), digest_size=6).hexdigest()


def _remove_leftovers(where: Path, folder: Path, names: Sequence[str] = ()) -> None:
    """Remove what runs for ``where`` have left in ``folder`` whose process is gone."""
    pattern = re.compile(
        rf"{re.escape(_stem(where))}-(\d+)-[0-9a-f]+\.({_PART}|{_TAKING}|{_TAKEN})"
        rf"({'|'.join(_COMPANIONS)})?"
    )
    try:
        found = [match for path in folder.iterdir() if (match := pattern.fullmatch(path.name))]
    except OSError:
        return  # no such folder, or none that may be listed
    for match in found:
        path = folder / match[0]
        if _runs(int(match[1])):
            continue
        if match[2] == _PART:
            _remove(path)
        else:
            _put_back(path, where, names)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True  # somebody else's
    return True


def _remove(path: Path) -> None:
    """Remove a file with what SQLite keeps beside it, or a folder, where it is there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
        return
    for end in ("", *_COMPANIONS):
        with suppress(OSError):
            path.with_name(path.name + end).unlink()


# -- the disk


@contextmanager
def _disk_errors(target: Place) -> Iterator[None]:
    """A full or failing disk as one line."""
    try:
        yield
    except OSError as error:
        if error.errno not in _DISK:
            raise
        raise OutputError(
            f"cannot write {target}: {os.strerror(error.errno)}; what was there before is unchanged"
        ) from error
