import pytest
from hypothesis import given
from hypothesis import strategies as st

from asciiloom.piece import LINT, count_batch, find_credits, quality

CAT = " /\\_/\\   ___\n( o.o ) / ~ \\\n > ^ <  \\___/"


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("-=-=-=-=-=-=-=-=-", "ruler"),
        ("the cat sat on the mat\nand it was very happy there", "prose"),
        ("+------+\n| one  |\n| two   |\n| three|\n| four |\n+------+", "ragged-box"),
        (CAT + "\n\nArt by:", "truncated-credit"),
        ("o.", "little-ink"),
    ],
)
def test_lint(text: str, flag: str) -> None:
    found = quality(text)
    assert flag in found.flags and flag in LINT and found.score < 0.9


@pytest.mark.parametrize(
    "text",
    [
        CAT,
        CAT + "\n\nArt by: Joan Stark",
        "HH   HH EEEEEEE LL\nHHHHHHH EEEE    LL\nHH   HH EEEEEEE LLLLLLL #",
        "+------+\n| one  |\n| two  |\n| three|\n+------+",
        "|\\     /|\n| \\   / |\n|  \\ /  |\n|  o o  |\n'-------'",
    ],
)
def test_good_art_has_no_flag(text: str) -> None:
    found = quality(text)
    assert found.flags == () and found.score > 0.9


def test_flags_that_are_known_are_not_repeated() -> None:
    text = "the cat sat on the mat"
    assert quality(text, quality(text).flags).flags == quality(text).flags


def test_the_parts_make_the_score_and_readers_flags_count() -> None:
    found = quality("the cat sat on the mat, art by", ("colour-only",))
    product = 1.0
    for part in found.parts.values():
        product *= part
    assert found.score == pytest.approx(product, abs=1e-3)
    assert found.parts["colour-only"] < 1 and found.flags[0] == "colour-only"


@given(st.text(st.sampled_from("jgshwKVbyBY(cC)@:. \n'97artisT/\\_é"), max_size=60))
def test_the_cheap_look_for_credits_misses_none(text: str) -> None:
    if find_credits(text):
        assert count_batch([text]).credit[0]


@pytest.mark.parametrize(
    "signed",
    [
        "jgs",
        "ejm97",
        "b'ger",
        "Art by Xy",
        "(c) 1997 Ann",
        "baby: Jo",
        "Artist: Yo",
        "Al B <a@b.c>",
    ],
)
def test_the_cheap_look_sees_each_kind(signed: str) -> None:
    text = f"/\\_/\\\n {signed}"
    assert find_credits(text) and count_batch([text]).credit[0]
    assert not count_batch(["/\\_/\\ (o.o) hello World"]).credit[0]
