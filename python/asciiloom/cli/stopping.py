"""Ctrl-C and SIGTERM while a model is trained: one line that says what is kept, and exit 130 or 143."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click

from asciiloom.cli.output import say
from asciiloom.train import Trainer


class _TerminatedError(KeyboardInterrupt):
    """SIGTERM, handled as an interrupt is: what was begun is cleaned up."""


@contextmanager
def stoppable(trainer: Trainer) -> Iterator[None]:
    """A block of training and measuring that a person may stop."""
    in_main = threading.current_thread() is threading.main_thread()
    former = signal.signal(signal.SIGTERM, _terminate) if in_main else None
    try:
        yield
    except KeyboardInterrupt as error:
        terminated = isinstance(error, _TerminatedError)
        what = "terminated" if terminated else "interrupted"
        kept = trainer.saved
        say(
            f"{what} at step {trainer.step:,}; "
            + (f"the checkpoint {kept} is kept" if kept else "no checkpoint was written yet")
            + ": run the same command again to go on from there"
        )
        raise click.exceptions.Exit(143 if terminated else 130) from error
    finally:
        if in_main:
            signal.signal(signal.SIGTERM, former)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise _TerminatedError
