"""Worker processes: what comes out of them, and that a signal leaves nothing locked."""

import signal
import threading

import pytest

from asciiloom.ingest.workers import Task, Workers


def test_results_come_out_and_closing_ends_all() -> None:
    with Workers(abs, 2) as workers:
        tasks = [workers.submit(-n) for n in range(5)]
        assert [task.result() for task in tasks] == list(range(5))
        assert all(task.wait(0) and task.is_whole for task in tasks)
        wrong = workers.submit("no number")  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            wrong.result()
        assert not wrong.is_whole


def _interrupted(monkeypatch: pytest.MonkeyPatch, use: object) -> None:
    """Call ``use`` with an interrupt in the worst of places: a lock is taken, and not yet to be given back."""
    enter = threading.Condition.__enter__

    def taken(self: threading.Condition) -> bool:
        got = enter(self)
        if threading.current_thread() is threading.main_thread():
            signal.raise_signal(signal.SIGINT)
        return got

    with monkeypatch.context() as patched:
        patched.setattr(threading.Condition, "__enter__", taken)
        with pytest.raises(KeyboardInterrupt):
            use()  # type: ignore[operator]


def test_an_interrupt_leaves_no_result_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    with Workers(abs, 1) as workers:
        task: Task[int] = workers.submit(-3)
        assert task.wait(60)
        for use in (task.result, lambda: task.is_whole):
            _interrupted(monkeypatch, use)
            lock = task._future._condition
            assert lock.acquire(timeout=1), "whoever ends the pool would wait for this for ever"
            lock.release()
        assert task.result() == 3
