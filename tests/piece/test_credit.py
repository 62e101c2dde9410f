import pytest

from asciiloom.piece import (
    artist_in_comment,
    artist_in_title,
    bare_hashes,
    blank_credits,
    content_hash,
    credit,
    credit_line,
    ends_signed,
    find_credits,
)
from asciiloom.piece.credit import has_cut_credit

CAT = " /\\_/\\\n( o.o )  jgs\n > ^ <"


def test_signature_is_found_where_it_stands() -> None:
    (span,) = find_credits(CAT)
    assert (span.row, span.column, span.length, span.text) == (1, 9, 3, "jgs")
    assert span.artist == "Joan G. Stark"
    assert CAT.split("\n")[span.row][span.column : span.column + span.length] == "jgs"


def test_stated_artist_wins() -> None:
    assert find_credits(CAT, "Somebody Else")[0].artist == "Somebody Else"


def test_phrase() -> None:
    (span,) = find_credits("/\\\nArt by Ada Lovelace")
    assert span.artist == "Ada Lovelace" and span.text == "Art by Ada Lovelace"


def test_words_and_strokes_are_no_signatures() -> None:
    assert find_credits("jgsx xjgs 'jgs' lc\n\n\n\n|") == ()


def test_blanking_keeps_every_row_in_place() -> None:
    blanked = blank_credits(CAT, find_credits(CAT))
    assert [len(r) for r in blanked.split("\n")] == [len(r) for r in CAT.split("\n")]
    assert "jgs" not in blanked


def test_bare_hash_ignores_space_and_signature_but_not_art() -> None:
    unsigned = CAT.replace("  jgs", "")
    spread = unsigned.replace("o.o", "o . o")
    plain, mirrored = bare_hashes(CAT, find_credits(CAT))
    assert plain == bare_hashes(unsigned)[0] == bare_hashes(spread)[0]
    assert plain != bare_hashes(unsigned.replace("^", "v"))[0]
    assert len(mirrored) == 32 and content_hash(CAT) != content_hash(unsigned)


def test_mirror_images_share_the_second_hash() -> None:
    one, two = bare_hashes("/o\n(<_"), bare_hashes("o\\\n_>)")
    assert one[1] == two[1] and one[0] != two[0]


@pytest.mark.parametrize(
    ("row", "artist"),
    [
        ("  -- Art by Joan Stark --", "Joan Stark"),
        ("artist: hjw", "hjw"),
        ("Ada Lovelace <ada@example.org>", "Ada Lovelace"),
        ("( o.o )", None),
        ("by " + "x" * 300, None),
    ],
)
def test_a_row_that_only_gives_credit(row: str, artist: str | None) -> None:
    assert credit_line(row) == artist
    assert ends_signed(row) == (artist is not None)


def test_a_drawing_that_ends_in_a_name_with_its_address() -> None:
    assert ends_signed(r" \_/ /    Ada Lovelace <ada@example.org>")
    assert credit_line(r" \_/ /    Ada Lovelace <ada@example.org>") is None


def test_artists_that_titles_and_comments_name() -> None:
    assert artist_in_title("drawn by jgs") == "jgs"
    assert artist_in_title("Owls by Ada Lovelace and more", full_name=True) == "Ada Lovelace"
    assert artist_in_title("owls by the sea", full_name=True) is None
    assert artist_in_comment("Standard by Glenn Chappell (3/93)") == "Glenn Chappell"
    assert artist_in_comment("Author: /u/lost - a site") == "/u/lost"
    assert artist_in_comment("nearby: a tree") is None


def test_a_credit_without_its_name_was_cut_off() -> None:
    assert has_cut_credit("/\\\nArt by:") and not has_cut_credit("/\\\nArt by Ada")


@pytest.mark.parametrize(
    ("comment", "artist"),
    [
        ("brought to you by one of {appel,kube,rowe}@example.edu", None),
        ("from a file called cow-n-horn, artist unknown.", None),
        ("Cow by Unknown - https://example.org/a-very-long-address/of-a-page", None),
        ("Neo by 8bitbaba - https://example.org/product/neo", "8bitbaba"),
        ("by Glenn Chappell & Ian Chai 3/93 -- based on .sig files", "Glenn Chappell & Ian Chai"),
        ("by jgs/TT", "jgs/TT"),
        ("by Bartholomew Archibald Featherstonehaugh-Cholmondeley", "Bartholomew Archibald Featherstonehaugh-Cholmondeley"),
        ("Mails go by to kube@example.edu", None),
        ("author: Dr. J. R. Hacker, of the web", "Dr. J. R. Hacker"),
    ],
)  # fmt: skip
def test_names_are_whole_and_nothing_but_names(comment: str, artist: str | None) -> None:
    assert artist_in_comment(comment) == artist


@pytest.mark.parametrize(
    ("row", "artist"),
    [
        ("From unknown :", ""),
        ("Arranged by:", ""),
        ("From Krogg:", "Krogg"),
        ("--- Michael C. Ling", "Michael C. Ling"),
        ("--lgbeard", "lgbeard"),
        ("by Philippe Majerus (www.example.org)", "Philippe Majerus"),
        ("From here to eternity and back", None),
        ("by the sea", None),
        ("---o", None),
    ],
)
def test_rows_of_credit_that_name_nobody(row: str, artist: str | None) -> None:
    assert credit_line(row) == artist


def test_a_drawing_is_signed_with_the_initials_of_its_artist() -> None:
    assert credit.is_signer("Jonathon R. Oglesbee", "  /\\  jro") and credit.is_signer(
        "Normand Veilleux", ""
    )
    assert not credit.is_signer("Liberty Bell", "  /\\  jro") and not credit.is_signer(
        "WW WW", "WW WW"
    )
