"""Interrupts (Ctrl-C) and SIGTERM at moments that have to be finished or cleaned up."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM)


class Terminated(SystemExit):
    """SIGTERM came. Unless somebody says more, the program ends without a word and with code 143."""

    def __init__(self) -> None:
        super().__init__(128 + signal.SIGTERM)


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM within raises ``Terminated``, so that files and processes are cleaned up on the way out.

    A handler that somebody has set already stays, and threads other than the main one get no signals.
    """
    if not _in_main_thread() or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def end(number: int, _: FrameType | None) -> None:
        raise Terminated

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def deferred() -> Iterator[None]:
    """An interrupt or SIGTERM within is delivered at the end.

    Processes started within begin with both blocked: a terminal sends Ctrl-C to them, too, and Python
    answers with a traceback while it starts. They unblock them with ``leave_to_parent``.
    """
    came: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        came.append(number)

    handlers = {}
    if _in_main_thread():
        handlers = {number: signal.signal(number, note) for number in _ENDING}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in handlers.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        if came:
            signal.raise_signal(came[0])


def leave_to_parent() -> None:
    """In a worker process: signals that end a program are its parent's to answer, who then ends it."""
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
