import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asciiloom.similarity.candidates import (
    CROWD,
    column_pairs,
    distinct,
    mirror_pairs,
    union,
    without,
)

U64 = np.uint64


def _places(keys: np.ndarray) -> set[tuple[int, int]]:
    return {(int(k) >> 32, int(k) & 0xFFFFFFFF) for k in keys}


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(20, 40), st.booleans()), min_size=1, max_size=CROWD
    )
)
def test_pairs_are_those_of_one_bucket_with_a_fresh_side(
    rows: list[tuple[int, int, bool]],
) -> None:
    buckets = np.array([r[0] for r in rows], np.uint32)
    ink = np.array([r[1] for r in rows], np.int64)
    fresh = np.array([r[2] for r in rows])
    wanted = {
        (a, b)
        for a in range(len(rows))
        for b in range(a + 1, len(rows))
        if buckets[a] == buckets[b] != 0 and (fresh[a] or fresh[b])
    }
    assert _places(column_pairs(buckets, ink, fresh)) == wanted  # ink within the ratio throughout


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_few_fresh_ones_find_what_all_together_do(seed: int, share: int) -> None:
    """The shortcut for a few fresh pieces (a table of bits of their buckets) drops no pair of theirs."""
    rng = np.random.default_rng(seed)
    buckets = rng.integers(0, 400, 600).astype(np.uint32)
    ink = rng.integers(20, 40, 600)
    fresh = rng.integers(0, 100, 600) < share
    everyone = column_pairs(buckets, ink, np.ones(600, np.bool_))
    a, b = (everyone >> U64(32)).astype(int), (everyone & U64(0xFFFFFFFF)).astype(int)
    assert column_pairs(buckets, ink, fresh).tolist() == everyone[fresh[a] | fresh[b]].tolist()


def test_another_size_is_another_picture() -> None:
    one = column_pairs(
        np.array([7, 7, 7], np.uint32), np.array([10, 100, 110]), np.ones(3, np.bool_)
    )
    assert _places(one) == {(1, 2)}


def test_a_crowd_meets_only_neighbours() -> None:
    n = 1000
    keys = column_pairs(np.ones(n, np.uint32), np.arange(1000, 1000 + n), np.ones(n, np.bool_))
    assert 0 < len(keys) <= 4 * n and (500, 501) in _places(keys)


def test_mirror_pairs_have_one_of_each() -> None:
    plain = np.array([5, 6, 9], np.uint32)
    mirrored = np.array([6, 5, 9], np.uint32)
    ink = np.array([50, 50, 50])
    keys = mirror_pairs(plain, mirrored, ink, np.ones(3, np.bool_))
    assert _places(keys) == {(0, 1)}  # 2 is its own mirror image: no pair
    assert len(keys) == 2  # each is in the bucket of the other's image
    one_way = mirror_pairs(
        np.array([5, 6], np.uint32), np.array([6, 7], np.uint32), ink[:2], np.ones(2, np.bool_)
    )
    assert len(one_way) == 1
    assert union([keys], 2).tolist() == [1] and len(union([one_way], 2)) == 0
    assert len(mirror_pairs(plain, mirrored, ink, np.array([False, False, True]))) == 0


@given(st.lists(st.integers(0, 50)), st.lists(st.integers(0, 50)))
def test_set_operations(a: list[int], b: list[int]) -> None:
    one, two = np.array(a, U64), np.array(b, U64)
    assert distinct(one.copy()).tolist() == sorted(set(a))
    parts = [distinct(one.copy()), distinct(two.copy())]
    assert union(parts).tolist() == sorted({*a, *b})
    assert union(parts, 2).tolist() == sorted({*a} & {*b})
    rest = without(distinct(one.copy()), distinct(two.copy()))
    assert rest.tolist() == sorted(set(a) - set(b))


def test_a_union_of_many_ranges_is_the_union(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asciiloom.similarity.candidates._RANGE", 50)
    rng = np.random.default_rng(1)
    parts = [
        np.sort(rng.integers(0, 400, 150).astype(U64)) for _ in range(5)
    ]  # some twice in one part
    counts = np.bincount(np.concatenate(parts).astype(np.int64), minlength=400)
    for least in (1, 2, 3):
        assert union(parts, least).tolist() == np.flatnonzero(counts >= least).tolist()
