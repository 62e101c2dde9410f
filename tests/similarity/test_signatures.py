import numpy as np
from datasketch import MinHash

from asciiloom import synth
from asciiloom.similarity.columns import BANDS, ROWS_PER_BAND
from asciiloom.similarity.grids import GridBatch
from asciiloom.similarity.signatures import SHAPES, are_poor, band_buckets, shingles, sign


def test_signatures_are_datasketchs_own() -> None:
    texts = [p.text for p in synth.generate(30, seed=5)] + ["x", "日本\n/\\/\\/\\", ""]
    batch = GridBatch.from_texts(texts)
    for kind in SHAPES:
        ours = sign(batch, kind)
        for text, values in zip(texts, ours, strict=True):
            theirs = MinHash(num_perm=128, seed=1, hashfunc=int)
            theirs.update_batch(shingles(text, kind).tolist())
            assert np.array_equal(theirs.hashvalues, values), text


def test_a_shingle_is_of_its_cells_and_a_placed_one_of_its_place_too() -> None:
    art = "ab cd\nef gh\nij kl"
    moved = "\n".join(["", *(" " + row for row in art.split("\n"))])
    for kind in SHAPES:
        own, other = set(shingles(art, kind).tolist()), set(shingles(moved, kind).tolist())
        assert len(own) > 4 and (own & other == set()) == (kind == "placed")
    # A cell takes part in the blocks of 2 x 4 and in the runs of 6 that hold it, and in no other.
    cells = np.random.default_rng(1).integers(40, 120, (6, 20))
    wide = "\n".join("".join(map(chr, row)) for row in cells)
    changed = wide[:71] + "~" + wide[72:]
    for kind, (rows, columns) in SHAPES.items():
        lost = np.setdiff1d(shingles(wide, kind), shingles(changed, kind))
        assert len(lost) == rows * columns


def test_a_few_strays_leave_a_poor_piece_poor() -> None:
    wall = "\n".join("#.##.#.#..##.#.#.#"[k:] + "#.##.#.#..##.#.#.#"[:k] for k in range(9))
    strayed = wall[:40] + "x" + wall[41:90] + "?" + wall[91:]
    poor = [are_poor(*GridBatch.from_texts([text]).histograms())[0] for text in (wall, strayed)]
    assert poor == [True, True]
    assert len(np.intersect1d(shingles(wall, "flat"), shingles(strayed, "flat"))) > 9


def test_a_band_is_changed_by_its_own_values_only() -> None:
    rng = np.random.default_rng(3)
    signatures = rng.integers(0, 2**32 - 1, (2, 128), dtype=np.uint32)
    before = band_buckets(signatures)
    assert before.shape == (BANDS, 2) and len(set(before.ravel().tolist())) == 2 * BANDS
    for band in (0, 7, BANDS - 1):
        changed = signatures.copy()
        changed[1, ROWS_PER_BAND * band + 2] ^= 1
        differs = np.argwhere(band_buckets(changed) != before).tolist()
        assert differs == [[band, 1]]


def test_no_signature_is_in_no_bucket_and_any_other_is_in_one() -> None:
    none = np.full(128, 0xFFFFFFFF, np.uint32)
    some = none.copy()
    some[0] = 5
    buckets = band_buckets(np.array([none, some, np.zeros(128, np.uint32)]))
    assert (buckets[:, 0] == 0).all() and (buckets[:, 1:] > 0).all()
