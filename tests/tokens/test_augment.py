import pytest
from hypothesis import given
from hypothesis import strategies as st

from asciiloom.errors import SettingsError
from asciiloom.piece import CreditSpan, canonicalize, find_credits, measure
from asciiloom.tokens import Augmentation
from asciiloom.tokens.augment import may_turn, mirrored, without_credits

# Glyphs that a drawing can be turned with, and some that it cannot.
DRAWN = st.text("/\\()<>[]{}|-_=~^\"'`.,:oOvVdbpqLJ#@ \n", max_size=60).map(
    lambda t: canonicalize(t).text
)
CANONICAL = st.text(st.characters(max_codepoint=0x2600), max_size=60).map(
    lambda t: canonicalize(t).text
)


@given(DRAWN)
def test_the_mirror_image_of_the_mirror_image_is_the_piece(text: str) -> None:
    image = mirrored(text)
    if image is None:
        return
    assert mirrored(image) == text
    assert canonicalize(image).text == image
    if text:
        assert (measure(image).width, measure(image).height) == (
            measure(text).width,
            measure(text).height,
        )
        assert measure(image).ink == measure(text).ink


@given(CANONICAL)
def test_what_is_not_of_symmetric_glyphs_has_no_image_or_a_lawful_one(text: str) -> None:
    image = mirrored(text)
    assert image is None or mirrored(image) == text


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("/\\_o<", ">o_/\\"),
        (" (\n((\n (", ")\n))\n)"),
        (".--.\n'--'", ".--.\n'--'"),  # round on both sides as it stands
        (",--.\n`--'", ",--.\n`--'"),  # round with its ends swapped
        ("'-. `", "' .-`"),
        ("\\'.", ".'/"),
        ("|o\n|", "o|\n |"),
    ],
)
def test_mirror_images(text: str, image: str) -> None:
    assert mirrored(text) == image


@pytest.mark.parametrize("text", ["HI", "MOM", "/5\\", "zzz", "(c)", "`-", "o two o", "é", "┌┐"])
def test_what_cannot_be_turned(text: str) -> None:
    assert mirrored(text) is None


def test_lettering_and_sides_are_never_turned() -> None:
    assert may_turn("art", "a cat", ["pet"]) and may_turn("cow", None, [])
    for kind, title, tags in (
        ("banner", None, []),
        ("frame", None, []),
        ("art", None, ["text:oo"]),
        ("art", None, ["font:big"]),
        ("art", "cat, facing left", []),
        ("art", None, ["right arrow"]),
    ):
        assert not may_turn(kind, title, tags)


SIGNED = "  /\\\n /  \\\n/____\\ jgs"


def test_signatures_are_blanked_and_the_rest_is_canonical() -> None:
    assert without_credits(SIGNED, find_credits(SIGNED)) == "  /\\\n /  \\\n/____\\"
    # Left of the drawing: the common indent goes with it. Below: the row goes.
    left = "jgs /\\\n    \\/"
    assert without_credits(left, find_credits(left)) == "/\\\n\\/"
    below = "/\\\n\\/\njgs"
    assert without_credits(below, find_credits(below)) == "/\\\n\\/"
    ground = "  ||\n~~jgs~~~"
    assert without_credits(ground, find_credits(ground)) == "  ||\n~~~~~~~~"
    assert without_credits("jgs", find_credits("jgs")) == "jgs"


@given(DRAWN, st.integers(0, 8), st.integers(0, 12))
def test_blanking_takes_exactly_what_is_where_it_is_said_to_be(
    text: str, row: int, column: int
) -> None:
    wrong = CreditSpan(row, column, 3, "jgs", "Joan G. Stark")
    assert without_credits(text, [wrong]) == text
    rows = text.split("\n")
    row %= len(rows)
    rows[row] = rows[row].ljust(column + 1) + " jgs"
    signed = canonicalize("\n".join(rows)).text
    plain = without_credits(signed, find_credits(signed))
    assert canonicalize(plain).text == plain
    if text:
        rows[row] = rows[row].removesuffix(" jgs")
        assert plain == canonicalize("\n".join(rows)).text


def test_settings_are_held_to_their_types() -> None:
    with pytest.raises(SettingsError, match=r"augmentation\.mirror must be a number from 0 to 1"):
        Augmentation(mirror=2)
