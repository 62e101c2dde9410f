import pytest
from hypothesis import given
from hypothesis import strategies as st

from asciiloom.piece import artist_keys, find_credits, fold, joint_byline


@pytest.mark.parametrize(
    "spellings",
    [
        ("Joan G. Stark", "joan g stark", "JOAN  G STARK", "Joan G. Stark <spunk@example.org>"),
        ("b'ger", "B\u2019ger", "bger"),
        ("RaD Man", "rad_man", "Rad-Man"),
        ("Matt\u00b2", "matt2"),
    ],
)
def test_spellings_of_a_name_meet(spellings: tuple[str, ...]) -> None:
    assert len({fold(name) for name in spellings}) == 1


def test_other_names_stay_apart() -> None:
    names = ["Joan Stark", "Joan G. Stark", "Joan", "ejm", "ejm97", "<o>", "...", "\u5f20"]
    assert len({fold(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("byline", "keys"),
    [
        ("jgs/TT", ("jgs/tt", "jgs", "tt")),
        ("RaD Man +mattmatthew", ("rad man +mattmatthew", "rad man", "mattmatthew")),
        ("otium x matt", ("otium x matt", "otium", "matt")),
        ("leonardo and nail", ("leonardo and nail", "leonardo", "nail")),
        ("Xander Anders", ("xander anders",)),
        ("", ()),
    ],
)
def test_a_byline_is_found_whole_and_by_each_of_its_artists(
    byline: str, keys: tuple[str, ...]
) -> None:
    assert artist_keys(byline) == keys


@given(st.text(max_size=60))
def test_any_name_has_a_key_that_is_its_own(name: str) -> None:
    assert fold(fold(name)) == fold(name)
    assert all(fold(key) == key for key in artist_keys(name))


def test_signers_share_a_byline() -> None:
    assert joint_byline(["Joan G. Stark", "joan g stark", "ejm"]) == "Joan G. Stark & ejm"
    assert joint_byline(["the", "your", "|"]) is None and joint_byline([]) is None


@pytest.mark.parametrize(
    ("signature", "artists"),
    [
        ("jgs/TT", ["Joan G. Stark/TT"]),
        ("azc/ejm", ["ejm/azc"]),
        ("jgs/ejm", ["Joan G. Stark", "ejm"]),
        ("jgs/|", ["Joan G. Stark"]),
        ("jgs/_ab", ["Joan G. Stark"]),
        ("x/jgs", ["Joan G. Stark"]),
    ],
)
def test_initials_joined_to_a_signature_are_a_second_artist(
    signature: str, artists: list[str]
) -> None:
    assert [span.artist for span in find_credits(f"(o)\n|_|  {signature}")] == artists
