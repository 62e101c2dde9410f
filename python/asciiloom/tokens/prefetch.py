"""Where a pool's batches are made: in this process, or ahead of time by workers of its own.

Both give the same batches. A worker is told which pieces a pool has, keeps the last pool it read, and sends a
few packed batches at a time, so that memory holds one pool a worker and two portions here.
"""

import sqlite3
from collections import deque
from collections.abc import Iterable
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from asciiloom.corpus import Corpus
from asciiloom.errors import AsciiloomError
from asciiloom.ingest.workers import Task, Workers
from asciiloom.tokens.pack import Example, PackedBatch
from asciiloom.tokens.view import I64, PoolKey, View

# Batches that a worker sends at a time.
PORTION = 16


@dataclass(frozen=True, slots=True)
class PoolOrder:
    """A pool to be made: ``numbers``, int64 (n,), of its pieces, and what is random about it."""

    key: PoolKey
    numbers: I64


class Pool(Protocol):
    """The batches of a pool. ``batch`` is asked for ascending numbers that are ``world`` apart."""

    def __len__(self) -> int: ...

    def batch(self, number: int) -> PackedBatch: ...


class PoolSource(Protocol):
    """Makes pools; ``ahead`` are those that will be wanted next."""

    def pool(self, order: PoolOrder, ahead: Iterable[PoolOrder]) -> Pool: ...

    def close(self) -> None: ...


class _MadeHere:
    def __init__(self, view: View, groups: list[list[Example]]) -> None:
        self._view, self._groups = view, groups

    def __len__(self) -> int:
        return len(self._groups)

    def batch(self, number: int) -> PackedBatch:
        return self._view.pack(self._groups[number])


class Here:
    """Pools made in this process when they are wanted."""

    def __init__(self, view: View, connection: sqlite3.Connection) -> None:
        self._view, self._connection = view, connection

    def pool(self, order: PoolOrder, ahead: Iterable[PoolOrder]) -> Pool:
        return _MadeHere(self._view, self._view.groups(self._connection, order.numbers, order.key))

    def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True, slots=True)
class _Job:
    """What a worker is asked for: batches ``wanted`` of a pool, and how many it has."""

    path: str
    view: View
    order: PoolOrder
    wanted: range


Portion = tuple[int, list[PackedBatch]]


class _MadeThere:
    def __init__(self, worker: "Workers[_Job, Portion]", job: _Job, world: int) -> None:
        self._worker, self._job, self._world = worker, job, world
        self._begun = worker.submit(job)
        self._coming: deque[tuple[range, Task[Portion]]] = deque()
        self._ready: dict[int, PackedBatch] = {}

    def __len__(self) -> int:
        return _result(self._begun)[0]

    def batch(self, number: int) -> PackedBatch:
        if number not in self._ready:
            if not self._coming:
                self._ask(number)
            wanted, coming = self._coming.popleft()
            self._ready = dict(zip(wanted, _result(coming)[1], strict=False))
            if wanted.stop < len(self):
                self._ask(wanted.stop)
        return self._ready.pop(number)

    def _ask(self, first: int) -> None:
        wanted = range(first, first + PORTION * self._world, self._world)
        self._coming.append((wanted, self._worker.submit(replace(self._job, wanted=wanted))))


class Prefetch:
    """Pools made by ``count`` worker processes, one after another in turn. ``close`` ends them; so does the end
    of this process, however it comes."""

    def __init__(self, view: View, path: Path, count: int, world: int) -> None:
        # A fresh tokenizer: without the tables that each side makes for itself.
        self._view = replace(view, tokenizer=replace(view.tokenizer))
        self._path, self._world = str(path), world
        self._workers = [Workers(_serve, 1) for _ in range(count)]
        self._pools: dict[PoolKey, _MadeThere] = {}
        self._begun = 0

    def pool(self, order: PoolOrder, ahead: Iterable[PoolOrder]) -> Pool:
        kept: dict[PoolKey, _MadeThere] = {}
        for each in (order, *ahead):
            kept[each.key] = self._pools.get(each.key) or self._begin(each)
        self._pools = kept
        return kept[order.key]

    def _begin(self, order: PoolOrder) -> _MadeThere:
        worker = self._workers[self._begun % len(self._workers)]
        self._begun += 1
        return _MadeThere(worker, _Job(self._path, self._view, order, range(0)), self._world)

    def close(self) -> None:
        for worker in self._workers:
            worker.close()


def _result(task: Task[Portion]) -> Portion:
    try:
        return task.result()
    except BrokenProcessPool as error:
        raise AsciiloomError(
            "a worker of the loader ended unbidden (out of memory?); run again to resume, with fewer workers"
        ) from error


# What a worker keeps: its corpus, and the pool that it read last.
_opened: dict[str, Corpus] = {}
_last: dict[PoolKey, list[list[Example]]] = {}


def _serve(job: _Job) -> Portion:
    """In a worker: how many batches the job's pool has, and those that are wanted of them."""
    key = job.order.key
    if key not in _last:
        if job.path not in _opened:
            _opened[job.path] = Corpus(job.path)
        groups = job.view.groups(_opened[job.path].connection, job.order.numbers, key)
        _last.clear()
        _last[key] = groups
    groups = _last[key]
    return len(groups), [job.view.pack(groups[n]) for n in job.wanted if n < len(groups)]
