from collections.abc import Callable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from asciiloom.similarity.candidates import (
    CROWD,
    SHARED_BANDS,
    SHARED_MIRRORED,
    column_pairs,
    mirror_pairs,
    propose,
)
from asciiloom.similarity.pairs import INK_HASH, MINHASH, MIRROR, PairKeys


def _set(pairs: PairKeys) -> set[tuple[int, int]]:
    return set(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(20, 40), st.booleans()), min_size=1, max_size=CROWD
    )
)
def test_pairs_are_those_of_one_bucket_with_a_new_side(
    rows: list[tuple[int, int, bool]],
) -> None:
    buckets = np.array([r[0] for r in rows], np.uint32)
    ink = np.array([r[1] for r in rows], np.int64)
    is_new = np.array([r[2] for r in rows])
    wanted = {
        (a, b)
        for a in range(len(rows))
        for b in range(a + 1, len(rows))
        if buckets[a] == buckets[b] != 0 and (is_new[a] or is_new[b])
    }
    assert _set(column_pairs(buckets, ink, is_new)) == wanted  # ink within the ratio throughout


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_few_new_ones_find_what_all_together_do(seed: int, share: int) -> None:
    """The shortcut for a few new pieces (a table of bits of their buckets) drops no pair of theirs."""
    rng = np.random.default_rng(seed)
    buckets = rng.integers(0, 400, 600).astype(np.uint32)
    ink = rng.integers(20, 40, 600)
    is_new = rng.integers(0, 100, 600) < share
    everyone = column_pairs(buckets, ink, np.ones(600, np.bool_))
    wanted = everyone.take(is_new[everyone.left] | is_new[everyone.right])
    assert column_pairs(buckets, ink, is_new).keys.tolist() == wanted.keys.tolist()


def test_another_size_is_another_picture() -> None:
    one = column_pairs(
        np.array([7, 7, 7], np.uint32), np.array([10, 100, 110]), np.ones(3, np.bool_)
    )
    assert _set(one) == {(1, 2)}


def test_a_crowd_meets_only_neighbours() -> None:
    n = 1000
    keys = column_pairs(np.ones(n, np.uint32), np.arange(1000, 1000 + n), np.ones(n, np.bool_))
    assert 0 < len(keys) <= 4 * n and (500, 501) in _set(keys)


def test_mirror_pairs_have_one_of_each() -> None:
    plain = np.array([5, 6, 9], np.uint32)
    mirrored = np.array([6, 5, 9], np.uint32)
    ink = np.array([50, 50, 50])
    keys = mirror_pairs(plain, mirrored, ink, np.ones(3, np.bool_))
    assert _set(keys) == {(0, 1)}  # 2 is its own mirror image: no pair
    assert len(keys) == 2  # each is in the bucket of the other's image
    one_way = mirror_pairs(
        np.array([5, 6], np.uint32), np.array([6, 7], np.uint32), ink[:2], np.ones(2, np.bool_)
    )
    assert len(one_way) == 1
    assert _set(PairKeys.union([keys], 2)) == {(0, 1)} and not len(PairKeys.union([one_way], 2))
    assert len(mirror_pairs(plain, mirrored, ink, np.array([False, False, True]))) == 0


def _columns(rows: dict[str, list[int]], pieces: int) -> Callable[[str], np.ndarray]:
    """Columns by name; those that are not named hold no bucket."""
    return lambda name: np.array(rows.get(name, [0] * pieces), np.uint32)


def test_what_proposes_a_pair_is_its_evidence() -> None:
    ids = np.array([10, 20, 30, 40, 50], np.int64)
    rows = {
        "ink": [50] * 5,
        "bare": [1, 1, 2, 3, 4],  # 10 and 20 are the same text
        "mirror": [1, 1, 2, 2, 4],  # 30 and 40 are one another's mirror image
        **{f"blocks {k}": [5, 5, 0, 0, 5] for k in range(SHARED_BANDS - 1)},
        "flat 0": [0, 0, 0, 8, 8],
    }
    everyone = np.ones(5, np.bool_)

    def found() -> list[tuple[int, int, int]]:
        p = propose(ids, everyone, _columns(rows, 5))
        return list(zip(p.left.tolist(), p.right.tolist(), p.evidence.tolist(), strict=True))

    whole = [(10, 20, INK_HASH), (30, 40, MIRROR)]
    assert found() == whole  # 50 shares a band too few with the others
    rows["flat 1"] = [6, 0, 0, 0, 6]
    assert found() == [whole[0], (10, 50, MINHASH), whole[1]]
    for k in range(SHARED_MIRRORED):
        rows[f"blocks {k + 9}"] = [0, 7, 0, 0, 0]
        assert (20, 40, MIRROR) not in found()
        rows[f"mirrored {k + 9}"] = [0, 0, 0, 7, 0]
    assert (20, 40, MIRROR) in found()


def test_a_piece_that_was_signed_twice_is_no_pair_with_itself() -> None:
    rows = {"ink": [9, 9, 9], "bare": [1, 1, 1]}
    both = propose(np.array([4, 7, 4]), np.ones(3, np.bool_), _columns(rows, 3))
    assert set(zip(both.left.tolist(), both.right.tolist(), strict=True)) == {(4, 7)}
