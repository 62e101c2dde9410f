import pytest
from hypothesis import given
from hypothesis import strategies as st

from asciiloom.piece import Piece, Rejection
from asciiloom.readers import read_bytes
from asciiloom.readers.pages.page import segment, split_page
from asciiloom.readers.pages.rows import is_code, is_ruler, iso_month, title_line

CAT = [" /\\_/\\", "( o.o )", " > ^ <"]
FISH = ["  ,--.  ", "><(((o> ", "  `--'  "]


def page(*blocks: list[str], gap: int = 2) -> str:
    return ("\n" * (gap + 1)).join("\n".join(block) for block in blocks)


@pytest.mark.parametrize(
    ("row", "want"),
    [
        ("-=[ puffin ]=-  2/97", ("puffin", "1997-02", None)),
        ("~ a bird for Maria ~  9/96", ("a bird for Maria", "1996-09", None)),
        (">> birds <<", ("birds", None, None)),
        ("** silly bird **  10/96", ("silly bird", "1996-10", None)),
        ("-= [ two dogs ]=-  2/97", ("two dogs", "1997-02", None)),
        ("-=[ auk ]=-  modified by llizard", ("auk", None, "llizard")),
        ("-=[ '90s car ]=-", None),
        ("* stuffed animal (horse) *  11/96", ("stuffed animal (horse)", "1996-11", None)),
        ("-----", None),
        ("-=[ o.O ]=-", None),
        ("~~~~ _/ ~~~~", None),
        ("<- here ->>", None),
        ("(o.o)", None),
    ],
)
def test_title_lines(row: str, want: tuple[str, str | None, str | None] | None) -> None:
    assert title_line(row) == want


def test_dates() -> None:
    assert iso_month("12/25/98") == "1998-12" and iso_month("3/05") == "2005-03"
    assert iso_month("13/97") is None and iso_month("1/2") is None


def test_rulers_repeat_from_end_to_end() -> None:
    assert is_ruler("-" * 20) and is_ruler(".:*~*:._" * 5 + ".:*")
    assert not is_ruler("-" * 10 + "+" + "-" * 10) and not is_ruler("=-=-=-")


def test_code_is_told_from_art() -> None:
    assert is_code(("def f(x):", "    return x;", "import os"))
    assert not is_code(tuple(CAT))


def test_title_lines_begin_a_piece_even_after_one_blank_row() -> None:
    text = page(["-=[ cat ]=-  2/97", *CAT], ["~ a fish ~", *FISH], gap=1)
    cat, fish = segment(text)
    assert (cat.title, cat.made, cat.rows) == ("cat", "1997-02", tuple(CAT))
    assert (fish.title, fish.rows) == ("a fish", tuple(FISH))
    assert text.split("\n")[cat.first - 1 : cat.last] == CAT


def test_signed_blocks_above_one_another_are_two_pieces() -> None:
    signed = [*CAT[:2], " > ^ <  jgs"]
    other = [*FISH[:2], "  `--'   hjw"]
    assert [c.rows for c in segment(page(signed, other, gap=1))] == [tuple(signed), tuple(other)]
    assert len(segment(page(CAT, other, gap=1))) == 1  # the upper one may go on


def test_mailed_credit_ends_a_piece_and_names_its_artist() -> None:
    text = page([*CAT, "Felix Doe <felix@example.org>"], FISH, gap=1)
    cat, fish = segment(text)
    assert (cat.artist, cat.rows) == ("Felix Doe", tuple(CAT)) and fish.rows == tuple(FISH)


def test_signed_halves_with_a_gutter_are_two_pieces() -> None:
    rows = [f"{a:<20}{b}" for a, b in zip([*CAT, " jgs"], [*FISH, " jgs"], strict=True)]
    left, right = segment("\n".join(rows))
    assert left.rows[1].rstrip() == CAT[1] and right.rows[1].rstrip() == FISH[1].rstrip()
    assert right.left == 20 and left.locator.endswith("columns 1-7")
    unsigned = [f"{a:<20}{b}" for a, b in zip(CAT, FISH, strict=True)]
    assert len(segment("\n".join(unsigned))) == 1


def test_specks_belong_to_the_picture_below() -> None:
    house = ["    /\\", "   /  \\", "  /____\\", "  | __ |", "  ||  ||", "  ||__||", "~~~~~~~~~~"]
    cuts = segment(page(["   .  *"], house))
    assert len(cuts) == 1 and cuts[0].rows[0] == "   .  *" and cuts[0].notes == ("specks",)
    assert len(segment(page(["A house"], house))) == 2  # words are a caption, not stars


def test_mail_headers_are_lifted() -> None:
    head = ["From: ada@example.org (Ada L.)", "Subject: Re: ==A CAT==", "Date: Mon, 23 Jan 1995"]
    (cut,) = segment("\n".join([*head, "", *CAT]))
    assert (cut.title, cut.artist, cut.rows) == ("A CAT", "Ada L.", tuple(CAT))
    assert cut.first == 5


def test_what_is_no_art_is_a_rejection_with_its_reason() -> None:
    text = page(
        ["=-" * 20], ["The cats of the house and all that is in it are here."], ["CATS"], CAT
    )
    items = list(read_bytes(text.encode(), "cats.txt"))
    reasons = [i.reason for i in items if isinstance(i, Rejection)]
    assert reasons == ["ruler", "prose", "caption"]
    (cat,) = (i for i in items if isinstance(i, Piece))
    assert cat.description == "The cats of the house and all that is in it are here."
    assert cat.title == "CATS" and cat.text.split("\n")[1] == CAT[1]


@given(
    st.lists(
        st.sampled_from(
            ["", "", " ", "-" * 12, "\f", "\f\x0b", "/\\ jgs", "x  y", "The end", "-=[ cat ]=-", "From: a",
             "a" * 12 + "      " + "b jgs", "Ada Doe <a@b.org>"]
        ),
        max_size=30,
    )
)  # fmt: skip
def test_every_cut_is_found_again_in_the_page(rows: list[str]) -> None:
    text = "\n".join(rows)
    for cut in segment(text):
        there = rows[cut.first - 1 : cut.last]
        if cut.left is not None:
            there = [row[cut.left : cut.right] for row in there]
        assert tuple(there) == cut.rows
    assert [c.first for c in split_page(text)] == sorted(c.first for c in split_page(text))


@pytest.mark.parametrize(
    "art",
    [
        "  ; ;\n ;   ;\n; ;;; ;\n ;; ;;",
        "{}{}{}{}\n{ o  o }\n{}{}{}{}",
        "o=(  )=o\n |    |\no=(  )=o",
        "'';,;''\n;;','';\n'';,,;'",
    ],
)
def test_art_of_brackets_and_semicolons_is_no_program(art: str) -> None:
    assert not is_code(tuple(art.split("\n")))
    assert [i.text for i in read_bytes(art.encode(), "a.txt") if isinstance(i, Piece)]


def test_a_program_in_a_text_file_is_a_rejection() -> None:
    program = "import os\n\ndef main(x):\n    value = os.getcwd()\n    return value\n"
    (item,) = read_bytes(program.encode(), "main.py")
    assert isinstance(item, Rejection) and item.reason == "code"


TALE = (
    "It was the night before the day of the cat, and all that I had was a bit of fish for my supper.",
    "She came in from the rain and sat by the fire, and what she said to me I will not forget.",
)


def tale() -> list[str]:
    """Some sixty rows of a story with a signed cat beside every few of them."""
    cat = [r"|\_/|  ", r"(o.o)  ", r" >^<   ", "jgs    "]
    words = " ".join(TALE * 12).split()
    lines = [" ".join(words[n : n + 7]) for n in range(0, len(words), 7)]
    rows: list[str] = []
    for number, line in enumerate(lines):
        rows.append(cat[number % 8] + line if number % 8 < 4 else line)
        rows += [""] if number % 8 == 5 else []
    return rows


def test_a_tale_with_pictures_is_one_piece() -> None:
    rows = tale()
    (piece,) = read_bytes("\n".join(rows).encode(), "tale.txt")
    assert isinstance(piece, Piece) and piece.text == "\n".join(rows).rstrip("\n")
    (told,) = read_bytes("\n".join(TALE).encode(), "tale.txt")
    assert isinstance(told, Rejection) and told.reason == "prose"


@pytest.mark.parametrize(
    "top", ["  oOo.oOo.oOo.oOo.oOo.oOo", "~~zeeeeeee~~", "  .ccCCCCCCCc.", ":uuuxuouuuuuuuuuu:"]
)
def test_a_top_row_of_letters_is_art(top: str) -> None:
    (piece,) = read_bytes("\n".join([top, *CAT]).encode(), "cat.txt")
    assert isinstance(piece, Piece) and piece.title == "cat"
    assert piece.text.split("\n")[0].strip() == top.strip()


def test_brackets_make_a_title_line_whatever_is_around_them() -> None:
    assert title_line("=-[ bird/eagle? ]=-  6/97") == ("bird/eagle?", "1997-06", None)
    assert title_line("=-( o.o )-=") is None


def test_a_short_ruler_is_one() -> None:
    assert is_ruler(".:*~*:._.:*~*:._.:*~*:.") and not is_ruler("/\\/\\  /\\_/\\_/\\")


@pytest.mark.parametrize(
    ("above", "title", "artist"),
    [
        ("From unknown :", None, None),
        ("From Krogg:", None, "Krogg"),
        ("Arranged by:", None, None),
        ("2 lines:", None, None),
        ("unknown", None, None),
        ("or:", None, None),
        ("(tweaked by llizard)", None, None),
        ("VK", None, "VK"),
        ("Looking away perhaps? :", "Looking away perhaps?", None),
    ],
)
def test_what_captions_say(above: str, title: str | None, artist: str | None) -> None:
    apart = "\n".join([above, "", "", *CAT, "", "", *FISH])
    cat, _ = (i for i in read_bytes(apart.encode(), "page.txt") if isinstance(i, Piece))
    assert (cat.title, cat.artist, cat.text) == (title, artist, "\n".join(CAT))
    (cut,) = segment("\n".join([above, "", *CAT]))
    assert (cut.title, cut.artist, cut.rows) == (title, artist, tuple(CAT))


def test_a_caption_whose_initials_sign_the_drawing_is_its_artist() -> None:
    signed = [*CAT[:2], " > ^ <   jro"]
    (cut,) = segment("\n".join(["Jonathon R. Oglesbee", "", *signed]))
    assert (cut.title, cut.artist) == (None, "Jonathon R. Oglesbee")
    (cut,) = segment("\n".join(["Liberty Bell", "", *signed]))
    assert (cut.title, cut.artist) == ("Liberty Bell", None)


@pytest.mark.parametrize(
    ("below", "artist"),
    [
        ("    Normand  Veilleux", "Normand Veilleux"),
        (" -Wayne Jones, Coventry UK-", "Wayne Jones"),
        ("--- Michael C. Ling", "Michael C. Ling"),
        ("R. Shawn Butler", "R. Shawn Butler"),
        ("unknown", None),
    ],
)
def test_a_name_below_a_drawing_is_its_artist(below: str, artist: str | None) -> None:
    (cut,) = segment("\n".join([*CAT, below]))
    assert (cut.artist, cut.rows) == (artist, tuple(CAT))


def test_a_signature_or_words_below_a_drawing_are_part_of_it() -> None:
    for below in ("jgs", ".oooO Oooo.", "WW WW"):
        (cut,) = segment("\n".join([*CAT, below]))
        assert (cut.artist, cut.rows) == (None, (*CAT, below))


def test_a_heading_set_upon_a_drawing_is_its_title() -> None:
    for heading in ("2 visible legs", "Mufasa", "hyenas", "Small one *g* :"):
        (cut,) = segment("\n".join([heading, *(" " + row for row in CAT), " ~~~~~"]))
        assert (cut.title, cut.rows[0]) == (heading.strip(" :"), " " + CAT[0])
    for art in ("mm", "8 8 8 8 8 8", "OOOOOOOO"):
        (cut,) = segment("\n".join([art, *CAT]))
        assert (cut.title, cut.rows[0]) == (None, art)


def test_drawings_signed_anywhere_are_apart_and_share_their_title() -> None:
    left, right = ["  .--.", "jgs\\_/", " /  \\", " ----"], [" .--.", " \\_/ jgs", "/  \\", "----"]
    one, two = segment("\n".join(["-=[ dogs ]=-  4/98", "", *left, "", *right]))
    assert (one.rows, two.rows) == (tuple(left), tuple(right))
    assert [(c.title, c.made) for c in (one, two)] == [("dogs", "1998-04")] * 2
    initials = [*CAT, "    `---' mb"]
    assert len(segment("\n".join([*left, "", *initials]))) == 2
    assert len(segment("\n".join([*left, "", *CAT]))) == 1  # the lower half may belong to the upper


def test_names_and_headings_part_drawings() -> None:
    bottle = [" ____", "(____)", "|    |", "|____|"]
    page = [*CAT, "Berna M. Slikker", "", *bottle, "", "Bottles", *bottle]
    cat, first, second = segment("\n".join(page))
    assert (cat.artist, cat.rows) == ("Berna M. Slikker", tuple(CAT))
    assert first.rows == second.rows == tuple(bottle) and second.title == "Bottles"
