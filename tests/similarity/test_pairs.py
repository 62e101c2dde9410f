import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asciiloom.similarity.pairs import Candidates, PairKeys, distinct, pack

SIDE = st.integers(0, 2**32 - 1)
SMALL = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)))


def keys(pairs: list[tuple[int, int]]) -> PairKeys:
    left, right = np.array(pairs, np.int64).reshape(-1, 2).T
    return PairKeys.of(left, right)


def pairs_of(found: PairKeys) -> list[tuple[int, int]]:
    return list(zip(found.left.tolist(), found.right.tolist(), strict=True))


@given(st.lists(st.tuples(SIDE, SIDE)))
def test_what_is_packed_is_unpacked_and_sorts_as_pairs_do(pairs: list[tuple[int, int]]) -> None:
    packed = keys(pairs)
    assert len(packed) == len(pairs) and pairs_of(packed) == pairs
    assert pairs_of(packed.distinct()) == sorted(set(pairs))
    assert packed.keys.tolist() == [int(pack(*pair)) for pair in pairs]


@given(SMALL, SMALL, SMALL)
def test_unions_count_columns_and_without_takes_away(
    a: list[tuple[int, int]], b: list[tuple[int, int]], c: list[tuple[int, int]]
) -> None:
    columns = [keys(column).distinct() for column in (a, b, c)]
    for min_count in (1, 2, 3):
        wanted = {p for p in {*a, *b, *c} if (p in a) + (p in b) + (p in c) >= min_count}
        assert pairs_of(PairKeys.union(columns, min_count)) == sorted(wanted)
    assert pairs_of(columns[0].without(columns[1])) == sorted({*a} - {*b})
    assert pairs_of(PairKeys.concatenate(columns)) == [*sorted({*a}), *sorted({*b}), *sorted({*c})]


def test_a_pair_that_is_twice_in_one_column_counts_twice() -> None:
    one = PairKeys(np.array([7, 7, 9], np.uint64))
    assert PairKeys.union([one], 2).keys.tolist() == [7]
    assert len(PairKeys.union([])) == 0 and len(PairKeys.concatenate([])) == 0


def test_a_union_of_many_ranges_is_the_union(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asciiloom.similarity.pairs.SORTED_AT_ONCE", 50)
    rng = np.random.default_rng(1)
    columns = [
        PairKeys(np.sort(rng.integers(0, 400, 150).astype(np.uint64))) for _ in range(5)
    ]  # some twice in one column
    everything = np.concatenate([column.keys for column in columns]).astype(np.int64)
    counts = np.bincount(everything, minlength=400)
    for min_count in (1, 2, 3):
        found = PairKeys.union(columns, min_count).keys.tolist()
        assert found == np.flatnonzero(counts >= min_count).tolist()


@given(st.lists(st.integers(0, 50)))
def test_distinct_is_the_sorted_set(values: list[int]) -> None:
    assert distinct(np.array(values, np.int64)).tolist() == sorted(set(values))


def test_candidates_know_their_pieces() -> None:
    left, right = np.array([3, 1, 3]), np.array([9, 3, 4])
    some = Candidates(left, right, np.zeros(3, np.uint8))
    assert some.ids().tolist() == [1, 3, 4, 9]
    assert some.take(slice(1, 2)).ids().tolist() == [1, 3] and len(Candidates.none()) == 0
