import numpy as np

from asciiloom.twins.splits import MAX_HELD_OUT, SPLITS, Sides, components, draw_sides, draw_split

NOBODY = Sides(np.empty(0, np.int64), np.empty(0, np.int8))


def test_split_shares_are_near_their_targets() -> None:
    drawn = [draw_split(0, str(i)) for i in range(4000)]
    assert 0.035 < drawn.count("test") / 4000 < 0.065
    assert 0.035 < drawn.count("validation") / 4000 < 0.065


def test_components() -> None:
    numbers = np.array([2, 3, 5, 9], np.int64)
    pairs = np.array([[9, 3], [2, 5]], np.int64)
    assert components(numbers, pairs).tolist() == [2, 3, 2, 3]
    assert components(np.empty(0, np.int64), np.empty((0, 2), np.int64)).tolist() == []


def _name(side: str) -> str:
    """A content hash by which a family is drawn to ``side``."""
    return next(name for name in map(str, range(1000)) if draw_split(0, name) == side)


def _draw(
    count: int, pairs: list[tuple[int, int]], given: Sides, names: dict[int, str]
) -> list[str | None]:
    ids = np.arange(count)
    edges = np.array(pairs, np.int64).reshape(-1, 2)
    rows = [(n, names.get(n, "x")) for n in range(count) if n not in given.ids]
    return draw_sides(ids, edges, given, rows, 0).of(ids)


def test_a_family_goes_where_its_oldest_member_is_drawn() -> None:
    names = {0: _name("test"), 1: _name("validation"), 2: _name("train"), 3: _name("train")}
    assert _draw(4, [(0, 2), (2, 3)], NOBODY, names) == ["test", "validation", "test", "test"]


def test_a_relative_with_a_side_speaks_for_the_family() -> None:
    names = {0: _name("test"), 1: _name("test")}
    held_out = Sides(np.array([2]), np.array([SPLITS.index("validation")], np.int8))
    assert _draw(3, [(0, 2)], held_out, names) == ["validation", "test", None]
    both = Sides(np.array([2, 3]), np.array([SPLITS.index(s) for s in ("train", "test")], np.int8))
    assert _draw(4, [(0, 2), (0, 3)], both, names)[0] == "train"  # it was seen already


def test_a_large_family_is_not_held_out() -> None:
    names = {0: _name("test")}
    chain = [(k, k + 1) for k in range(MAX_HELD_OUT)]
    assert set(_draw(MAX_HELD_OUT, chain[:-1], NOBODY, names)) == {"test"}
    assert set(_draw(MAX_HELD_OUT + 1, chain, NOBODY, names)) == {"train"}


def test_a_piece_from_elsewhere_goes_to_the_side_of_its_family_here() -> None:
    def sides(given: dict[int, str], movable: list[int]) -> list[str | None]:
        held = Sides(
            np.array(sorted(given)),
            np.array([SPLITS.index(given[n]) for n in sorted(given)], np.int8),
        )
        edges = np.array([(0, 1)], np.int64)
        return draw_sides(np.arange(3), edges, held, [], 0, np.array(movable, np.int64)).of(
            np.arange(3)
        )

    # 0 was here; 1 came with a side that was drawn without a look at 0, 2 has no relative here.
    given = {0: "test", 1: "train", 2: "validation"}
    assert sides(given, [1, 2]) == [None, "test", "validation"]
    assert sides(given, []) == [None, None, None]
    # Both came: training data cannot be un-seen.
    assert sides(given, [0, 1, 2]) == ["train", "train", "validation"]
