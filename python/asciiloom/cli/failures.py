"""The last stop of every error: one line on stderr that names the cause and the fix, and an exit code.

1 for what went wrong, 2 for usage, 130 after an interrupt, 143 after SIGTERM; a closed pipe ends the command
without a word. What is left over is a defect, and keeps its traceback.
"""

import contextlib
import errno
import os
import sqlite3
import sys
from pathlib import Path
from typing import Any

import click

from asciiloom.errors import AsciiloomError

# Where the commands note the corpora that they were given.
CORPORA = "asciiloom.corpora"
_EXTRA_OF = {
    "torch": "train",
    "safetensors": "train",
    "psutil": "train",
    "matplotlib": "plots",
    "PIL": "formats",
    "tokenizers": "export",
    "datasette": "web",
    "uvicorn": "web",
    "datasets": "hub",
    "ray": "ray",
}


def open_streams() -> None:
    """Give every standard stream that was closed a sink, and make stdout and stderr take any text: characters
    that an encoding lacks, or bytes of a file's name that are no text, are shown as ``\\xNN`` or ``\\uNNNN``."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream: Any = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
        elif mode == "w" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def note_corpus(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Callback of an argument or option that names a corpus: an error that names no file is about it."""
    if value is not None:
        ctx.meta.setdefault(CORPORA, []).append(str(value))
    return value


def in_one_line(error: BaseException, corpora: list[str]) -> str | None:
    """What to say about ``error`` in a command that was given ``corpora``; None for a defect."""
    if isinstance(error, AsciiloomError):
        return str(error)
    if isinstance(error, ModuleNotFoundError):
        extra = _EXTRA_OF.get(error.name or "")
        install = f"it comes with: pip install 'asciiloom[{extra}]'"
        return f"{error.name} is not installed; {install}" if extra else None
    from asciiloom.store.failures import explain, is_damage

    if isinstance(error, sqlite3.Error) and not (is_damage(error) and len(corpora) > 1):
        said = explain(error, corpora[0] if corpora else None)
    elif isinstance(error, sqlite3.Error):
        said = None  # whose damage it is remains to be seen
    else:
        said = explain(error)
    return said or _damage_behind(error, corpora) or _of_either(error, corpora)


def _damage_behind(error: BaseException, corpora: list[str]) -> str | None:
    """A damaged file can make any code stumble: whether one of ``corpora`` is what is behind ``error``."""
    from asciiloom.store.soundness import damage_of

    for path in corpora:
        with contextlib.suppress(OSError, sqlite3.Error, AsciiloomError):
            if found := damage_of(Path(path)):
                return f"{path} is damaged ({found}); see: asciiloom check, then repair it or restore a backup"
    return None


def _of_either(error: BaseException, corpora: list[str]) -> str | None:
    from asciiloom.store.failures import explain

    return explain(error, " or ".join(corpora)) if isinstance(error, sqlite3.Error) else None


def is_closed_pipe(error: BaseException) -> bool:
    """Whether whoever read stdout has stopped reading; click ends quietly then."""
    return isinstance(error, OSError) and error.errno == errno.EPIPE


def give_up_output() -> None:
    """What stdout could not take is thrown away, or Python would try, and fail, once more at its end."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            sink = os.open(os.devnull, os.O_WRONLY)
            os.dup2(sink, sys.stdout.fileno())
            os.close(sink)
