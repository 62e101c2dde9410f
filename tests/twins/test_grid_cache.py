import numpy as np
import pytest

from asciiloom.similarity.grids import GridBatch
from asciiloom.twins import grid_cache
from asciiloom.twins.grid_cache import GridCache

TEXTS = {3: "ab\ncd", 5: "xyz", 8: "q", 9: "##\n##\n##"}


class Reader:
    """Grids of ``TEXTS``, and which were read."""

    def __init__(self) -> None:
        self.read: list[list[int]] = []

    def __call__(self, ids: np.ndarray) -> tuple[np.ndarray, list[GridBatch]]:
        self.read.append(ids.tolist())
        there = [n for n in ids.tolist() if n in TEXTS]
        return np.array(there, np.int64), [GridBatch.from_texts([TEXTS[n]]) for n in there]


def _shown(found: tuple[np.ndarray, GridBatch]) -> dict[int, str]:
    ids, batch = found
    rows = zip(ids.tolist(), batch.start, batch.height, batch.width, strict=True)
    return {
        n: "\n".join(bytes(r).decode() for r in batch.cells[s : s + h * w].reshape(h, w))
        for n, s, h, w in rows
    }


def test_what_is_remembered_is_not_read() -> None:
    reader = Reader()
    cache = GridCache(reader)
    for number in (9, 5):
        cache.remember(np.array([number]), GridBatch.from_texts([TEXTS[number]]))
    assert _shown(cache.get(np.array([5, 9]))) == {5: TEXTS[5], 9: TEXTS[9]}
    assert reader.read == []
    assert _shown(cache.get(np.array([3, 4, 5, 8, 9]))) == TEXTS  # 4 is gone
    assert reader.read == [[3, 4, 8]]
    cache.forget()
    assert _shown(cache.get(np.array([9]))) == {9: TEXTS[9]} and reader.read[-1] == [9]


def test_too_many_cells_are_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid_cache, "MAX_CELLS", 5)
    reader = Reader()
    cache = GridCache(reader)
    for number in (3, 5):
        cache.remember(np.array([number]), GridBatch.from_texts([TEXTS[number]]))
    assert _shown(cache.get(np.array([3, 5]))) == {3: TEXTS[3], 5: TEXTS[5]}
    assert reader.read == [[3, 5]]
