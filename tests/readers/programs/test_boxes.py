from asciiloom.piece import Piece, Rejection
from asciiloom.readers import read_bytes

CONFIG = """# designs
BOX star, asterisk
author "Ada Lovelace"
designer "Charles Babbage"
tags ("simple, box", "star")
sample
    *****
    *   *
    *****
ends
shapes { n ("*") }
END star

box free
designer "(public domain)"
tags "plain"
SAMPLE
    +-+
    +-+
ENDS
END free
"""


def test_samples_with_tags_and_designer() -> None:
    star, free = read_bytes(CONFIG.encode(), "my-boxes.cfg")
    assert isinstance(star, Piece) and isinstance(free, Piece)
    assert star.text == "*****\n*   *\n*****" and star.locator == "lines 7-9"
    assert (star.title, star.artist, star.kind) == ("star", "Charles Babbage", "box")
    assert {"box", "simple", "star", "asterisk"} <= set(star.tags)
    assert (free.title, free.artist, free.licence) == ("free", None, "public domain")


def test_a_sample_without_end() -> None:
    items = list(read_bytes(CONFIG.partition("END free")[0].replace("ENDS", "").encode(), "b.cfg"))
    assert isinstance(items[0], Piece)
    assert isinstance(items[1], Rejection) and items[1].reason == "truncated"


def test_a_test_case_is_the_box_it_expects() -> None:
    case = ":ARGS\n-d ansi\n:INPUT\nhi\n:OUTPUT-FILTER\n:EXPECTED\n+--+\n|hi|\n+--+\n:EOF\n"
    (piece,) = read_bytes(case.encode(), "012_a_plain_box.txt")
    assert isinstance(piece, Piece)
    assert piece.text == "+--+\n|hi|\n+--+" and piece.title == "a plain box"
    red = case.replace("hi|", "\x1b[31mhi\x1b[0m|")
    (coloured,) = read_bytes(red.encode(), "1.txt")
    assert isinstance(coloured, Piece) and coloured.colour is not None
    (nothing,) = read_bytes(case.replace("+--+\n|hi|\n+--+\n", "").encode(), "1.txt")
    assert isinstance(nothing, Rejection) and nothing.reason == "empty"
