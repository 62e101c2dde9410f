"""Tight grids by piece id: those that were just signed are held while they fit, others are read again."""

from collections.abc import Callable

import numpy as np

from asciiloom.similarity.arrays import I64
from asciiloom.similarity.grids import GridBatch

# A gigabyte: more than a million pieces of usual size.
MAX_CELLS = 1 << 30


class GridCache:
    """Grids of pieces; ``read`` gives (ids that are there, batches of their grids) of ascending ids."""

    def __init__(self, read: Callable[[I64], tuple[I64, list[GridBatch]]]) -> None:
        self._read = read
        self._parts: list[tuple[I64, GridBatch]] = []
        self._cells = 0

    def remember(self, ids: I64, batch: GridBatch) -> None:
        """Hold the grids of ``ids``; once there are too many, hold none at all."""
        self._cells += len(batch.cells)
        if self._cells <= MAX_CELLS:
            self._parts.append((ids, batch))
        else:
            self._parts.clear()

    def forget(self) -> None:
        """Hold nothing from here on: what will still be asked for is little."""
        self._parts.clear()
        self._cells = MAX_CELLS + 1

    def get(self, ids: I64) -> tuple[I64, GridBatch]:
        """(those of ``ids`` (ascending) that are there, their grids)."""
        if len(self._parts) > 1:
            self._join()
        held, batch = self._parts[0] if self._parts else (ids[:0], GridBatch.from_texts([]))
        missing = ids[~np.isin(ids, held)]
        if len(missing):
            found, parts = self._read(missing)
            held, batch = np.concatenate([held, found]), GridBatch.concatenate([batch, *parts])
        order = np.argsort(held)
        index = order[np.searchsorted(held[order], ids[np.isin(ids, held)])]
        return held[index], batch.take(index)

    def _join(self) -> None:
        """Make one batch of all parts. Each is let go once it is copied: they are most of the memory."""
        ids = np.concatenate([ids for ids, _ in self._parts])
        cells = np.empty(self._cells, np.uint8)
        starts, heights, widths, end = [], [], [], 0
        while self._parts:
            _, part = self._parts.pop(0)
            cells[end : end + len(part.cells)] = part.cells
            starts.append(part.start + end)
            heights.append(part.height)
            widths.append(part.width)
            end += len(part.cells)
        batch = GridBatch(cells, *(np.concatenate(x) for x in (starts, heights, widths)))
        self._parts = [(ids, batch)]
