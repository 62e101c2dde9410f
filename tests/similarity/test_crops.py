"""A crop has the patches of its part of the scene, and they tell where it stands."""

from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from asciiloom.similarity.crops import CropCandidates, measure_crops, propose_crops
from asciiloom.similarity.grids import GridBatch
from asciiloom.similarity.patches import COLUMNS, ROWS, sample_patches

GLYPHS = "/\\|_-()<>oO.'#*=+^v~:;"


def _picture(rng: Random, height: int, width: int) -> list[str]:
    """A drawing with strokes and gaps that is like no other."""
    rows = [
        "".join(rng.choice(GLYPHS) if rng.random() < 0.6 else " " for _ in range(width))
        for _ in range(height)
    ]
    return ["#" + row[1:-1] + "#" for row in rows]  # its corners are ink, so that it is tight


def _placed(small: list[str], scene: list[str], y: int, x: int) -> str:
    out = list(scene)
    for k, row in enumerate(small):
        out[y + k] = out[y + k][:x] + row + out[y + k][x + len(row) :]
    return "\n".join(row.rstrip() for row in out)


@given(st.integers(0, 2**32), st.integers(0, 12), st.integers(0, 25))
@settings(deadline=None)
def test_a_part_has_the_patches_of_its_place(seed: int, y: int, x: int) -> None:
    rng = Random(seed)
    small, scene = _picture(rng, 8, 15), _picture(rng, 20, 40)
    batch = GridBatch.from_texts(["\n".join(small), _placed(small, scene, y, x)])
    patches = sample_patches(batch)
    hashes, owner, at = patches.hashes, patches.owner, patches.position
    assert (np.diff(hashes.astype(np.int64)) >= 0).all()
    held = {
        k: {
            (int(h), int(a) >> 16, int(a) & 0xFFFF)
            for h, o, a in zip(hashes, owner, at, strict=False)
            if o == k
        }
        for k in (0, 1)
    }
    assert all(row <= 8 - ROWS and column <= 15 - COLUMNS for _, row, column in held[0])
    assert {(h, row + y, column + x) for h, row, column in held[0]} <= held[1]


def _at(row: int, column: int) -> CropCandidates:
    """Piece 1 as a crop of piece 2."""
    one = np.array([1], np.int64)
    return CropCandidates(one, one + 1, np.array([row], np.int32), np.array([column], np.int32))


def test_scores_at_a_position() -> None:
    ids = np.array([1, 2])
    grids = GridBatch.from_texts(["ab\ncd", "....\n.ab.\n.cX.\n...."])
    assert len(measure_crops(ids, grids, _at(1, 1)).pairs) == 0  # 3 of 4 cells are too few
    grids = GridBatch.from_texts(["ab\ncd", "....\n.ab.\n.cd.\n...."])
    found = measure_crops(ids, grids, _at(1, 1))
    assert found.scores.tolist() == [[0.25, 1.0, 1.0]] and found.ink.tolist() == [4]
    assert len(measure_crops(ids, grids, _at(3, 3)).pairs) == 0  # it would stick out of the scene
    assert len(measure_crops(ids[:1], grids.take(ids[:1] - 1), _at(1, 1)).pairs) == 0  # no scene


def test_a_crop_is_proposed_at_its_position_whichever_is_new() -> None:
    rng = Random(5)
    figure, other = _picture(rng, 9, 18), _picture(rng, 26, 70)
    texts = [_placed(figure, other, 11, 40), "\n".join(figure), "\n".join(_picture(rng, 20, 50))]
    batch = GridBatch.from_texts(texts)
    ink, _ = batch.histograms()
    runs = [sample_patches(batch.take(np.array(some))) for some in ([0], [1, 2])]
    for new, wanted in (([1, 1, 1], 1), ([1, 0, 0], 1), ([0, 1, 0], 1), ([0, 0, 1], 0)):
        found = propose_crops(runs, [1, 2], ink, np.array(new, np.bool_))
        figures = (found.small, found.large, found.row, found.column)
        assert [x.tolist() for x in figures] == [[v] * wanted for v in (1, 0, 11, 40)], new
