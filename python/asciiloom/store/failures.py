"""What went wrong with the file or the machine, in one line: the cause, and what to do about it.

SQLite says ``disk I/O error`` for a full disk, a size limit and a dying disk alike, and ``unable to open
database file`` for half a dozen causes. What it leaves open is asked of the operating system.
"""

import errno
import os
import sqlite3
from pathlib import Path

# What to do about an error of the operating system.
_ADVICE = {
    errno.ENOSPC: "free some space and try again; what was committed is kept",
    errno.EDQUOT: "your share of the disk is used up: free some and try again",
    errno.EFBIG: "it would be over the size limit of files; see: ulimit -f",
    errno.EROFS: "write to another folder",
    errno.EACCES: "have its permissions changed, or name another place",
    errno.EPERM: "have its permissions changed, or name another place",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EISDIR: "name a file",
    errno.ENOTDIR: "a part of the path is a file; name a folder",
    errno.ENOENT: "see whether the path is spelt right",
    errno.EEXIST: "name another place",
    errno.EMFILE: "raise the limit of open files; see: ulimit -n",
    errno.ENFILE: "this machine has too many files open; close some programs",
    errno.ENOMEM: "close some programs and try again",
    errno.EIO: "the disk fails; save what you can to another",
    errno.ELOOP: "the links of the path go in a circle",
}
_NO_SPACE = "no space is left on its disk"
# Less than this left on a disk is a full disk.
_FULL_BYTES = 1 << 20
_OF_SQL = ("syntax error", "incomplete input", "unrecognized token")
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's result code without its extension; 0 of an error that Python's module raised itself."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is wrong: its pages, or text in it that is no text.

    A file that is locked, read-only or on a full disk is sound, whatever fails.
    """
    code = primary_code(error)
    return code in _DAMAGE or (code == 0 and "Could not decode" in str(error))


def in_short(error: sqlite3.Error) -> str:
    """What SQLite says, on one line, without the text that it could not read."""
    return " ".join(str(error).partition(" with text ")[0].split())[:200]


def explain(error: BaseException, path: str | Path | None = None) -> str | None:
    """One line on ``error``, of the corpus at ``path`` where it is SQLite's; None for what no file and no
    machine brings about: a defect of this program."""
    if isinstance(error, sqlite3.Error):
        return _explain_sqlite(error, path)
    if isinstance(error, OSError):
        return _explain_os(error)
    if isinstance(error, MemoryError):
        return "there is not enough memory; close some programs, or do it in smaller parts"
    if isinstance(error, RecursionError):
        return "the input is nested too deeply"
    if isinstance(error, OverflowError):
        return "a number is too large: at most 64 bits are held"
    if isinstance(error, UnicodeDecodeError) and error.object.startswith(
        b"malformed database schema"
    ):
        # SQLite names what it cannot read, in bytes that are no text.
        said = error.object.decode(errors="backslashreplace")
        return f"{path or 'the corpus'} is damaged ({said}); restore a backup"
    if isinstance(error, UnicodeEncodeError) and "surrogates" in error.reason:
        return f"text that is not UTF-8 was given: {error.object[:60]!a}"
    return None


def _explain_os(error: OSError) -> str:
    said = error.strerror or str(error) or type(error).__name__
    name = error.filename if error.filename is not None else error.filename2
    where = f"{os.fsdecode(name)}: " if isinstance(name, str | bytes | os.PathLike) else ""
    if name is None and error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
        where = "cannot write on: "
    advice = _ADVICE.get(error.errno or 0)
    return f"{where}{said[:1].lower()}{said[1:]}{f'; {advice}' if advice else ''}"


def _explain_sqlite(error: sqlite3.Error, path: str | Path | None) -> str | None:
    name = "the corpus" if path is None else str(path)
    code = primary_code(error)
    if is_damage(error):
        return f"{name} is damaged ({in_short(error)}); see: asciiloom check, then repair it or restore a backup"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"{name} is locked: another program is writing to it; wait until it is done, or close it"
    if code == sqlite3.SQLITE_FULL:
        return f"{name}: {_NO_SPACE}; {_ADVICE[errno.ENOSPC]}"
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        if path is None:
            return f"{name} cannot be written"
        if why := unwritable(path):
            return f"{name} cannot be written: {why}; copy it to a place of your own"
        # It was opened only to be read, for want of space to write.
        return f"{name} cannot be written: {_why_input_failed(error, path)}"
    if code == sqlite3.SQLITE_IOERR:
        return f"{name}: {_why_input_failed(error, path)}"
    if code == sqlite3.SQLITE_CANTOPEN:
        return f"{name} cannot be opened: {_why_not_opened(path)}"
    if code == sqlite3.SQLITE_NOMEM:
        return f"{name}: there is not enough memory; close some programs"
    if code == sqlite3.SQLITE_TOOBIG:
        return f"{name}: a text is longer than SQLite holds"
    said = in_short(error)
    if said.startswith(("no such table", "no such column", "no such index")):
        return f"{name} is not a whole corpus ({said}); restore a backup"
    if code == sqlite3.SQLITE_ERROR and not any(part in said for part in _OF_SQL):
        return f"{name}: {said}; see: asciiloom check"
    return None


def unwritable(path: str | Path) -> str | None:
    """Why the SQLite file ``path`` cannot be written, None where it can: beside it SQLite keeps a journal."""
    path = Path(path)
    folder = path.parent
    there = path.exists()
    if os.statvfs(path if there else folder).f_flag & os.ST_RDONLY:
        return "its disk is mounted read-only"
    if there and not _may_write(path):
        return "the file is read-only to you"
    if not _may_write(folder):
        return f"its folder {folder} is read-only to you, and a journal has to be kept beside it"
    return None


def _may_write(path: Path) -> bool:
    # The effective user is who SQLite writes as. Root is answered, too: by a file that is immutable.
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def has_journal(path: Path) -> bool:
    """Whether a write-ahead log lies beside ``path``: changes that are not in the file itself yet."""
    journal = Path(f"{path}-wal")
    return journal.exists() and journal.stat().st_size > 0


def _why_input_failed(error: sqlite3.Error, path: str | Path | None) -> str:
    kind = getattr(error, "sqlite_errorname", "SQLITE_IOERR")
    if path is not None:
        disk = os.statvfs(Path(path).parent)
        if disk.f_bavail * disk.f_frsize < _FULL_BYTES:
            return f"{_NO_SPACE}; {_ADVICE[errno.ENOSPC]}"
    if kind != "SQLITE_IOERR_READ" and (limit := _size_limit()) is not None:
        return (
            f"it would be over the size limit of files, {limit:,} bytes; see: ulimit -f;"
            " what was committed is kept"
        )
    return f"the disk could not be read or written ({kind}); see the log of the system"


def _size_limit() -> int | None:
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    return None if limit == resource.RLIM_INFINITY else limit


def _why_not_opened(path: str | Path | None) -> str:
    if path is None:
        return "see its permissions"
    path = Path(path)
    try:
        path.open("rb").close()
    except FileNotFoundError:
        pass
    except OSError as error:
        return _explain_os(error)
    if path.exists() and has_journal(path) and unwritable(path):
        return (
            f"changes are left in {path.name}-wal, and {unwritable(path)}; open it once where it may be"
            f" written, or copy {path.name} and {path.name}-wal to a place of your own"
        )
    return unwritable(path) or "see its permissions and those of its folder"
