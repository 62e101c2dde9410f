import numpy as np
from datasketch import MinHash

from asciiloom import synth
from asciiloom.similarity.columns import BANDS, ROWS_PER_BAND
from asciiloom.similarity.grids import GridBatch
from asciiloom.similarity.signatures import band_buckets, shingles, sign


def test_signatures_are_datasketchs_own() -> None:
    texts = [p.text for p in synth.generate(30, seed=5)] + ["x", "日本\n/\\/\\/\\", ""]
    batch = GridBatch.from_texts(texts)
    for flat in (False, True):
        ours = sign(batch, flat)
        for text, values in zip(texts, ours, strict=True):
            theirs = MinHash(num_perm=128, seed=1, hashfunc=int)
            theirs.update_batch(shingles(text, flat).tolist())
            assert np.array_equal(theirs.hashvalues, values), text


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
