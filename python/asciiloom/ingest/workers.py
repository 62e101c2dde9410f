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


class Task(Generic[R]):
    """What was submitted.

    A signal that ends the program may come while one waits for it. Python's futures are locked by Python, so that
    an exception in the wrong place leaves them locked, and the pool then waits for ever. So they are
    touched with signals deferred, and what is waited for is a lock of the interpreter's own.
    """

    def __init__(self, future: "Future[R]") -> None:
        self._future = future
        self._under_way = threading.Lock()
        self._under_way.acquire()
        future.add_done_callback(lambda _: self._under_way.release())

    def wait(self, seconds: float = -1) -> bool:
        """Whether it is done; waits so long for it, below 0 until it is."""
        if done := self._under_way.acquire(timeout=seconds):
            self._under_way.release()
        return done

    def result(self) -> R:
        """What came out, when it is done; ``BrokenProcessPool`` where a process ended unbidden."""
        self.wait()
        with deferred():
            return self._future.result()

    @property
    def is_whole(self) -> bool:
        """Whether there is a result."""
        if not self.wait(0):
            return False
        with deferred():
            return self._future.exception() is None


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

    def submit(self, given: A) -> Task[R]:
        """Have ``given`` worked on; this is also where processes are started. Where one of them has ended
        unbidden, the result is a ``BrokenProcessPool``."""
        with deferred():
            future: Future[R] = Future()
            try:
                future = self._pool.submit(self._work, given)
                self._futures.add(future)
            except BrokenProcessPool as error:
                future.set_exception(error)
            future.add_done_callback(self._futures.discard)
            return Task(future)

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
