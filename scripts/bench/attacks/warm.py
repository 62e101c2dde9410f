"""A process that has imported the command line and does nothing but fork: each trial is a process of its own
that starts in milliseconds.

A fork leaves the loop and calls the console script's own entry point with its own arguments, folder, files,
limits and power, then ends as a Python program does. Nothing ran before it but imports.

Usage: python warm.py SOCKET light|torch
"""

import atexit
import contextlib
import ctypes
import gc
import json
import os
import resource
import select
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import Any

LIGHT = (
    "asciiloom.cli.corpus", "asciiloom.cli.search", "asciiloom.cli.names", "asciiloom.cli.curate",
    "asciiloom.cli.keep", "asciiloom.cli.options", "asciiloom.twins.dedup", "numpy", "sqlite3",
    "pyarrow", "pyarrow.parquet", "asciiloom.readers", "asciiloom.curate.charts",
    "concurrent.futures.process", "matplotlib.pyplot",
)  # fmt: skip
TORCH = (
    *LIGHT, "torch", "asciiloom.cli.training", "asciiloom.cli.drawing", "asciiloom.train",
    "asciiloom.export", "asciiloom.generate", "asciiloom.evaluate",
)  # fmt: skip


def become(asked: dict[str, Any]) -> None:
    """Take on the files, folder, limits and power that a trial asks for."""
    os.setsid()
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for fd, path, how in (
        (0, asked["stdin"], os.O_RDONLY),
        (1, asked["stdout"], flags),
        (2, asked["stderr"], flags),
    ):
        opened = os.open(path, how, 0o666)
        os.dup2(opened, fd)
        os.close(opened)
    os.chdir(os.fsencode(asked["cwd"]))
    os.environ.update(asked["environment"])
    if asked["file_bytes"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (asked["file_bytes"], asked["file_bytes"]))
    if asked["ordinary"] and os.getuid() == 0:
        give_up_override()


def give_up_override() -> None:
    """Root that files and folders may refuse to be written, as they refuse anybody (CAP_DAC_OVERRIDE).

    Another user's number would not do: the interpreter may lie where only root can read it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable, and their upper halves
    if libc.capget(header, sets):
        raise OSError(ctypes.get_errno(), "capget")
    for k in range(3):
        sets[k] &= ~(1 << 1)
    if libc.capset(header, sets):
        raise OSError(ctypes.get_errno(), "capset")


def await_trial(path: str) -> dict[str, Any]:
    """Answer requests until this is the process of one of them; its request."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        print("ready", flush=True)
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:  # whoever started this is gone
                os._exit(0)
            connection, _ = listener.accept()
            if os.fork() == 0:
                break
            connection.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with connection, connection.makefile("r", encoding="utf-8") as stream:
        asked: dict[str, Any] = json.loads(stream.readline())
        child = os.fork()
        if child == 0:
            return asked
        with contextlib.suppress(OSError):
            connection.sendall(f"{child}\n".encode())
        _, status, used = os.wait4(child, 0)
        with contextlib.suppress(OSError):
            connection.sendall(f"{os.waitstatus_to_exitcode(status)} {used.ru_maxrss}\n".encode())
    os._exit(0)


def end(command_line: Callable[[], object]) -> None:
    """Run the command line, then end as an interpreter does, but for tearing down hundreds of modules."""
    status: object = 1
    try:
        status = command_line()
    except SystemExit as error:
        status = error.code
    except BaseException:
        traceback.print_exc()
    if isinstance(status, str):
        print(status, file=sys.stderr)
    number = status if isinstance(status, int) else int(status is not None)
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        os.write(2, f"Exception ignored in: {sys.stdout!r}\n{error}\n".encode())
        number = 120
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.flush()
    os._exit(number & 0xFF)


def main() -> None:
    for name in TORCH if sys.argv[2] == "torch" else LIGHT:
        with contextlib.suppress(ImportError):
            import_module(name)
    with contextlib.suppress(ImportError):
        # What the first compiled function of a process would load.
        from numba.core.registry import cpu_target

        cpu_target.typing_context.refresh()
        cpu_target.target_context.refresh()
    gc.freeze()
    asked = await_trial(sys.argv[1])
    try:
        become(asked)
    except Exception:
        os.write(2, f"the trial could not be prepared: {traceback.format_exc()}".encode())
        os._exit(99)
    sys.argv = ["asciiloom", *asked["arguments"]]
    from asciiloom.cli import main as command_line

    end(command_line)


if __name__ == "__main__":
    main()
