import numpy as np
import pytest

from asciiloom.similarity.alignment import FLOOR_AGREEMENT, FLOOR_CONTAINED, align_pairs
from asciiloom.similarity.grids import GridBatch


def _scores(a: str, b: str) -> tuple[float, float, float]:
    batch = GridBatch.from_texts([a, b])
    return tuple(align_pairs(batch, np.array([0]), np.array([1]))[0].tolist())


def test_alignment_counts_agreeing_cells() -> None:
    art = "/\\_/\\\n(o.o)\n > ^ <"
    assert _scores(art, art) == (1.0, 1.0, 1.0)
    moved = "\n".join("  " + row for row in art.split("\n"))
    assert _scores(art, moved + "\n.")[1] == 1.0
    changed = art.replace("^", "v")
    agreement = _scores(art, changed)[0]
    assert agreement == pytest.approx(12 / 14)  # 13 ink cells, 12 agree, union 14
    assert _scores("###\n###", "ooo\nooo")[0] == 0


def test_the_floor_only_spares_pairs_that_are_below_it() -> None:
    rng = np.random.default_rng(4)
    glyphs = np.array(list("  /\\_|o"))
    one = rng.integers(0, 7, (60, 6, 9))
    two = np.where(
        rng.random((60, 6, 9)) < rng.random((60, 1, 1)), one, rng.integers(0, 7, (60, 6, 9))
    )
    texts = ["\n".join("".join(glyphs[row]) for row in grid) for grid in (*one, *two)]
    batch = GridBatch.from_texts(texts)
    left, right = np.arange(60), np.arange(60, 120)
    true = align_pairs(batch, left, right)
    spared = align_pairs(batch, left, right, floor=True)
    above = (true[:, 0] >= FLOOR_AGREEMENT) | (true[:, 1] >= FLOOR_CONTAINED)
    assert 5 < above.sum() < 55 and np.array_equal(spared[above], true[above])
    assert (spared[~above, 0] < FLOOR_AGREEMENT).all()
    assert (spared[~above, 1] < FLOOR_CONTAINED).all()
