from hypothesis import given
from hypothesis import strategies as st

from asciiloom.twins.clusters import cluster_numbers, questions, rank, reason, stars


def test_a_chain_is_not_one_cluster() -> None:
    ranks = {n: rank(None, 100 - n, n) for n in range(5)}
    centre = stars(ranks, [(0, 1), (1, 2), (2, 3), (3, 4)])
    assert centre == {0: 0, 1: 0, 2: 2, 3: 2, 4: 4}


def test_the_credited_then_the_fuller_then_the_first_is_kept() -> None:
    ranks = {1: rank(None, 90, 1), 2: rank("jgs", 50, 2), 3: rank(None, 99, 3)}
    assert set(stars(ranks, [(1, 2), (2, 3)]).values()) == {2}
    assert reason(ranks[2], ranks[3]) == "it is credited"
    assert "99 cells" in reason(ranks[3], ranks[1])
    assert reason(rank(None, 5, 1), rank(None, 5, 2)) == "it was seen first"


@given(st.sets(st.tuples(st.integers(0, 12), st.integers(0, 12)).filter(lambda p: p[0] < p[1])))
def test_every_member_is_the_same_as_its_centre(pairs: set[tuple[int, int]]) -> None:
    ranks = {n: rank(n % 3 == 0, n % 5, n, n % 7 == 1) for n in range(13)}
    centre = stars(ranks, sorted(pairs))
    assert centre.keys() == ranks.keys()
    for number, of in centre.items():
        assert centre[of] == of
        assert number == of or (min(number, of), max(number, of)) in pairs
        assert ranks[of] >= ranks[number]


def test_two_stars_with_a_pair_between_them_ask_what_could_join_them() -> None:
    pairs = [(1, 2), (2, 3), (3, 4)]
    ranks = {n: rank(None, ink, n) for n, ink in ((1, 90), (2, 10), (3, 20), (4, 80))}
    centres = stars(ranks, pairs)
    assert centres == {1: 1, 2: 1, 3: 4, 4: 4}
    assert questions(centres, pairs) == [(1, 3), (1, 4), (2, 4)]
    assert questions(centres, [(1, 2), (3, 4)]) == []


def test_a_cluster_has_the_number_of_its_first_member() -> None:
    assert cluster_numbers({1: 3, 3: 3, 2: 2, 7: 3}) == {3: 1, 2: 2}
