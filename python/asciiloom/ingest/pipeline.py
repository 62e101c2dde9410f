"""Reading in parallel: files and stretches of long files go to worker processes, batches come back in
order, ready to be written by the one writer.

``None`` among the batches says that the next one has to be waited for: whoever holds a lock lets go of it.

What a worker returns is the same whoever reads it, and batches keep the order of the inputs, so a
corpus made by many workers is the one that a single process makes. A file that ends its worker (a
crash in some library) costs a rejection and no neighbour.
"""

import gc
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from asciiloom.cores import cores
from asciiloom.ingest.rows import Batch, prepare_batch
from asciiloom.ingest.workers import Task, Workers
from asciiloom.piece import Piece, Rejection
from asciiloom.readers import Item, ReadOptions, read_path
from asciiloom.readers.registry import collections, is_walkable, line_chunks, read_file, walk
from asciiloom.readers.tables.lines import LineChunk, read_chunk

BATCH_ITEMS = 5000
# A batch of huge pieces closes early, so that memory is bounded by text, not by count.
BATCH_CHARS = 8_000_000
# Below this many bytes of input in all, starting processes costs more than it saves.
WORTH_WORKERS = 8 << 20
_LONG_FILE = 2 << 20
# Seconds that the next batch may be waited for before the writer is told to let go of its lock.
PATIENCE = 0.2
# Batches waiting for the writer, which now and then is long in committing.
AHEAD = 8
_GROUP_FILES = 64
_GROUP_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class FilesJob:
    """Small files, read whole in one worker."""

    files: tuple[tuple[str, ReadOptions], ...]

    def run(self) -> Batch:
        items = [item for path, options in self.files for item in read_file(Path(path), options)]
        return prepare_batch(items)


@dataclass(frozen=True, slots=True)
class LinesJob:
    """A stretch of whole lines of a long JSONL file."""

    chunk: LineChunk

    def run(self) -> Batch:
        return Batch.of(*read_chunk(self.chunk))


@dataclass(frozen=True, slots=True)
class ItemsJob:
    """Items that had to be read in order, by this process; a worker measures and hashes them."""

    items: tuple[Item, ...]

    def run(self) -> Batch:
        return prepare_batch(self.items)


Job = FilesJob | LinesJob | ItemsJob


def batched(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Lists of at most ``BATCH_ITEMS`` items and about ``BATCH_CHARS`` characters."""
    batch: list[Item] = []
    chars = 0
    last: bytes | None = None
    for item in items:
        batch.append(item)
        if isinstance(item, Piece):
            chars += _length(item.text) + _length(item.colour)
            if item.original is not None and item.original is not last:
                last = item.original
                chars += _length(last)
        if len(batch) >= BATCH_ITEMS or chars >= BATCH_CHARS:
            yield batch
            batch, chars = [], 0
    if batch:
        yield batch


def _length(value: object) -> int:
    """Of a text or bytes; what is neither is for the gate to refuse."""
    return len(value) if isinstance(value, str | bytes) else 0


def usable_workers(paths: Sequence[str]) -> int:
    """One where the input is small or is a stream, else a process a core."""
    size = 0
    for path in paths:
        if not is_walkable(path):
            continue
        for file, _ in walk(path, ReadOptions()):
            try:
                size += file.stat().st_size
            except OSError:
                continue
            if size > WORTH_WORKERS:
                return cores()
    return 1


def prepared(items: Iterable[Item]) -> Iterator[Batch | None]:
    """``items`` in batches, each announced by a ``None``: they may be long in coming."""
    coming = batched(items)
    yield None
    for batch in coming:
        yield prepare_batch(batch)
        yield None


def read_batches(
    paths: Sequence[str], options: ReadOptions, workers: int = 1, limit: int | None = None
) -> Generator[Batch | None, None, None]:
    """Every item of ``paths`` in order, in batches ready to be written; ``None`` before a wait.

    ``limit`` counts items, which only one process can; it is read by one.
    """
    if workers <= 1 or limit is not None:
        placed = collections(paths, options)
        items = (item for path, told in placed for item in read_path(path, told))
        yield from prepared(islice(items, limit))
        return
    yield from _in_order(_jobs(paths, options), workers)


def _jobs(paths: Sequence[str], options: ReadOptions) -> Iterator[Job | None]:
    """What is to be read, a job after the other; ``None`` before what this process has to wait for."""
    for path, placed in collections(paths, options):
        if not is_walkable(path):
            yield None
            for batch in batched(read_path(path, placed)):
                yield ItemsJob(tuple(batch))
                yield None
            continue
        group: list[tuple[str, ReadOptions]] = []
        held = 0
        for file, told in walk(path, placed):
            try:
                size = file.stat().st_size
            except OSError:
                size = 0  # the reader says what is wrong with it
            if size > _LONG_FILE:
                if group:
                    yield FilesJob(tuple(group))
                    group, held = [], 0
                yield from _long_file(file, told)
                continue
            group.append((str(file), told))
            held += size
            if len(group) >= _GROUP_FILES or held >= _GROUP_BYTES:
                yield FilesJob(tuple(group))
                group, held = [], 0
        if group:
            yield FilesJob(tuple(group))


def _long_file(file: Path, options: ReadOptions) -> Iterator[Job]:
    found = line_chunks(file, options)
    if found is None:
        yield from (ItemsJob(tuple(batch)) for batch in batched(read_file(file, options)))
        return
    for chunk in found:
        yield ItemsJob((chunk,)) if isinstance(chunk, Rejection) else LinesJob(chunk)


def _run(job: Job) -> Batch:
    """In a worker: a batch makes many objects and hardly a cycle, so cycles are looked for between batches,
    when the last one is sent and gone."""
    gc.disable()
    gc.collect(1)
    return job.run()


def _in_order(jobs: Iterator[Job | None], count: int) -> Iterator[Batch | None]:
    """The results of ``jobs`` in their order, with a few more under way than there are workers."""
    pending: deque[tuple[Job, Task[Batch]]] = deque()
    workers = Workers(_run, count)
    try:
        while True:
            while len(pending) < 2 * count + AHEAD:
                try:
                    job = next(jobs)
                except StopIteration:
                    break
                if job is not None:
                    pending.append((job, workers.submit(job)))
                    continue
                # The next job may be long in coming: what is done already is written first.
                yield from _finished(pending)
                yield None
            if not pending:
                return
            job, task = pending.popleft()
            if not task.wait(PATIENCE):
                yield None
            try:
                yield task.result()
            except BrokenProcessPool:
                # Some job under way ended its process. Each is run again on its own to find out which.
                workers.close()
                suspects = [job, *(waiting for waiting, _ in pending)]
                pending.clear()
                for suspect in suspects:
                    yield None
                    yield from _alone(suspect)
                workers = Workers(_run, count)
    finally:
        workers.close()


def _finished(pending: "deque[tuple[Job, Task[Batch]]]") -> Iterator[Batch]:
    """The results that are there, in their order; a job that ended its process is left to the caller."""
    while pending and pending[0][1].is_whole:
        yield pending.popleft()[1].result()


def _alone(job: Job) -> Iterator[Batch]:
    """One job in a process of its own; where that ends, file by file, and a rejection for the culprit."""
    try:
        with Workers(_run, 1) as worker:
            batch = worker.submit(job).result()
    except BrokenProcessPool:
        if isinstance(job, FilesJob) and len(job.files) > 1:
            for file in job.files:
                yield from _alone(FilesJob((file,)))
            return
        path, name = "-", "unknown"
        if isinstance(job, FilesJob):
            path, name = job.files[0][0], job.files[0][1].source_name()
        elif isinstance(job, LinesJob):
            path, name = job.chunk.path, job.chunk.options.source_name()
        batch = prepare_batch([Rejection("crashed", "its reader's process ended", name, path)])
    yield batch
