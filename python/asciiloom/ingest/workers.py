"""Worker processes that read and measure, and how they begin and end.

Ctrl-C and SIGTERM are the parent's to answer: a terminal, or a program such as ``timeout``, sends them to
every process of a group, and a worker that answered, too, would print a traceback, or be gone in the
middle of a result. A worker ends when its parent closes the pipe between them, or is gone itself.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Generic, TypeVar

from asciiloom.signals import deferred, leave_to_parent

# Everyone waits for the one writer: it goes first where there are fewer cores than processes.
NICE = 10
# Seconds that a job under way is given when all is to end; a worker killed while it sends a result
# could leave the parent waiting for the rest of it.
LAST_WORDS = 3.0

A = TypeVar("A")
R = TypeVar("R")


class Workers(Generic[A, R]):
    """``count`` processes that apply ``work`` to what is submitted. Use as a context manager."""

    def __init__(self, work: Callable[[A], R], count: int) -> None:
        self._work = work
        self._futures: set[Future[R]] = set()
        # A fork would take the open database along.
        context = get_context("spawn")
        with deferred():
            ending, self._end = context.Pipe(duplex=False)
            self._pool = ProcessPoolExecutor(
                count, mp_context=context, initializer=_begin, initargs=(ending,)
            )

    def __enter__(self) -> "Workers[A, R]":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def submit(self, given: A) -> "Future[R]":
        """Have ``given`` worked on; this is also where processes are started. Where one of them has ended
        unbidden, the result is a ``BrokenProcessPool``."""
        future: Future[R] = Future()
        try:
            with deferred():
                future = self._pool.submit(self._work, given)
                self._futures.add(future)
        except BrokenProcessPool as error:
            future.set_exception(error)
        future.add_done_callback(self._futures.discard)
        return future

    def close(self) -> None:
        """End every process: what waits is dropped, what is under way gets ``LAST_WORDS`` seconds."""
        with deferred():
            self._pool.shutdown(wait=False, cancel_futures=True)
            running = [future for future in list(self._futures) if not future.cancel()]
            wait(running, timeout=LAST_WORDS)
            self._end.close()
            self._pool.shutdown(wait=True)


def _begin(ending: Connection) -> None:
    """At the start of a worker: signals are left to the parent, and its end is waited for."""
    leave_to_parent()
    if hasattr(os, "nice"):
        os.nice(NICE)

    def follow() -> None:
        ending.poll(None)  # nothing is ever sent: this returns when the other side is closed
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
