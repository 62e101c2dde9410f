"""Few rejections for many failures, however the input was divided."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asciiloom.piece import Rejection
from asciiloom.readers import rejections
from asciiloom.readers.rejections import KEPT, condense


def bad(row: int, reason: str = "empty", detail: str = "nothing", path: str = "a") -> Rejection:
    return Rejection(reason, detail, "s", path, f"row {row}")


def test_neighbours_that_fail_alike_are_one_with_a_count() -> None:
    (one,) = condense(bad(n) for n in range(1, 500_001))
    assert (one.locator, one.count) == ("rows 1-500000", 500_000)
    assert one.detail == "nothing"


def test_single_bad_rows_keep_their_place() -> None:
    items = [bad(3), bad(5), bad(6, detail="other"), bad(7, "bad-json"), bad(9, path="b")]
    found = condense(items)
    assert sorted(found, key=lambda r: (r.path, r.locator)) == items
    assert {(r.detail, r.count) for r in found} == {("nothing", 1), ("other", 1)}


def test_beyond_a_hundred_the_rest_is_one() -> None:
    found = condense(bad(2 * n, detail=str(n)) for n in range(1, 1001))
    assert len(found) == KEPT + 1 and sum(r.count for r in found) == 1000
    assert (found[-1].locator, found[-1].detail, found[-1].count) == ("row 202", "101", 900)
    both = condense(bad(2 * n, path=path) for path in "ab" for n in range(1, 201))
    assert [r.path for r in both] == ["a"] * (KEPT + 1) + ["b"] * (KEPT + 1)


def test_places_that_are_no_rows_are_never_joined() -> None:
    items = [Rejection("prose", "x", "s", "a", f"lines {n}-{n}") for n in range(1, 4)]
    assert condense(items) == items
    named = [Rejection("empty", "x", "s", "hf:a", f"train row {n}") for n in (8, 9)]
    assert [r.locator for r in condense(named)] == ["train rows 8-9"]


@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.sampled_from("ab"), st.sampled_from("xy")), max_size=60
    ),
    st.lists(st.integers(0, 60)),
    st.integers(1, 5),
)
def test_parts_condensed_apart_say_what_the_whole_says(
    steps: list[tuple[int, str, str]], cuts: list[int], kept: int
) -> None:
    items, row = [], 0
    for step, reason, detail in steps:
        row += step
        items.append(bad(row, reason, detail))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rejections, "KEPT", kept)
        edges = [0, *sorted(cuts), len(items)]
        parts = [condense(items[a:b]) for a, b in pairwise(edges)]
        whole, joined = condense(items), condense(item for part in parts for item in part)
    assert sorted(map(str, joined)) == sorted(map(str, whole))
    assert sum(r.count for r in joined) == len(items)
