"""Dedup on this machine: batches in as many threads as there are cores, the store in one."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from asciiloom.cores import cores
from asciiloom.similarity.arrays import I64, spans
from asciiloom.similarity.candidates import propose
from asciiloom.similarity.columns import INK
from asciiloom.similarity.crops import measure_crops, propose_crops
from asciiloom.similarity.grids import GridBatch
from asciiloom.similarity.measure import measure
from asciiloom.similarity.pairs import Candidates, Measured
from asciiloom.similarity.signing import Signed, sign_texts
from asciiloom.twins.engine import Progress
from asciiloom.twins.grid_cache import GridCache
from asciiloom.twins.signature_store import RUN, SignatureStore, StoredText

# Pairs measured at a time. They are in order, so that a batch needs few pieces on its left side.
MEASURED_AT_ONCE = 300_000

_Part = tuple[Signed, GridBatch]


class LocalEngine:
    """An ``Engine`` of threads; it also finds crops, whichever engine does the rest."""

    def __init__(self, store: SignatureStore) -> None:
        self._store = store
        self._grids = GridCache(store.tight_parts)

    def sign(self, ids: I64, progress: Progress) -> None:
        """Sign ``ids`` run by run: while one run is written the next is computed in other threads."""
        ahead: deque[tuple[int, list[StoredText], list[Future[_Part]]]] = deque()
        with ThreadPoolExecutor(cores()) as pool:
            for span in spans(len(ids), RUN):
                rows = self._store.texts(ids[span])
                share = max(1, -(-len(rows) // cores()))
                parts = [rows[part] for part in spans(len(rows), share)]
                ahead.append((span.stop, rows, [pool.submit(_sign, part) for part in parts]))
                waiting = 1 if span.stop < len(ids) else 0
                while len(ahead) > waiting:
                    done, rows, futures = ahead.popleft()
                    self._write(rows, [future.result() for future in futures])
                    progress(done, len(ids))

    def _write(self, rows: Sequence[StoredText], parts: Sequence[_Part]) -> None:
        ids = np.array([row.id for row in rows], np.int64)
        end = 0
        for _, grids in parts:
            self._grids.remember(ids[end : end + len(grids)], grids)
            end += len(grids)
        if parts:
            self._store.write_run(ids, Signed.concatenate([signed for signed, _ in parts]))

    def candidates(self, new: I64) -> Candidates:
        if not len(new):
            return Candidates.none()
        ids = self._store.signed_pieces()
        return propose(ids, np.isin(ids, new), self._store.column)

    def measure(self, candidates: Candidates, progress: Progress) -> Iterator[Measured]:
        for span in spans(len(candidates), MEASURED_AT_ONCE):
            some = candidates.take(span)
            yield measure(*self._grids.get(some.ids()), some)
            progress(span.stop, len(candidates))

    def crops(self, new: I64) -> Iterator[Measured]:
        """Pairs with a side in ``new`` of which one is a crop of the other, measured, some at a time."""
        if not len(new):
            return
        ids = self._store.signed_pieces()
        ink = self._store.column(INK).astype(np.int64)
        runs, sizes = self._store.patches()
        found = propose_crops(runs, sizes, ink, np.isin(ids, new)).of(ids)
        for span in spans(len(found), MEASURED_AT_ONCE):
            some = found.take(span)
            yield measure_crops(*self._grids.get(some.ids()), some)

    def forget_grids(self) -> None:
        """Give back the memory of the grids: what is still to be measured is little."""
        self._grids.forget()


def _sign(rows: Sequence[StoredText]) -> _Part:
    return sign_texts(
        [row.comparable() for row in rows],
        [row.ink_hash for row in rows],
        [row.mirror_hash for row in rows],
    )
