"""The form of drawings: each figure by hand, and whole drawings beside the same ones cut off."""

import random

import pytest

from asciiloom.corpus import Corpus
from asciiloom.piece import canonicalize, form

CAT = " /\\_/\\\n( o.o )\n > ^ <"


def test_figures_by_hand() -> None:
    f = form("####\n#  #\n####\n\n    x")
    assert f.blank == pytest.approx(1 - 11 / 25)
    assert f.run == pytest.approx(4 / 5)  # four of five columns; three of five rows are less
    assert (f.parts, f.largest) == (2, pytest.approx(10 / 11))
    assert f.letters == pytest.approx(1 / 11)
    assert f.closed and not f.initials


def test_nothing_is_all_blank() -> None:
    f = form("")
    assert (f.blank, f.run, f.parts, f.largest, f.closed) == (1.0, 0.0, 0, 0.0, False)


@pytest.mark.parametrize(
    ("text", "run"),
    [
        ("--", 0.0),
        ("---", 1.0),
        ("|\n|\n|\n__", 0.75),
        ("-- --", 0.0),
        ("a    b\na", 0.0),  # blanks are no run
        ("+----+\n|    |\n+----+", 4 / 6),
    ],
)
def test_runs_are_of_ink_and_at_least_three(text: str, run: float) -> None:
    assert form(text).run == pytest.approx(run)


def test_a_corner_connects() -> None:
    assert form("/\\\n  \\\n   \\").parts == 1
    assert form("o o\n\no o").parts == 4


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        (CAT, 0),  # an eye draws
        ("|  o   o  |\n|___V___|", 0),
        (" hello\n /\\_/\\", 5),
        ("/\\   b\n\\/   ", 1),
        ("MMMMM\nMdMMb", 0),
        ("oOoOo\n|_|_|", 0),
    ],
)
def test_stray_letters(text: str, letters: int) -> None:
    f = form(text)
    assert f.letters == pytest.approx(letters / sum(not c.isspace() for c in text))


@pytest.mark.parametrize(
    ("text", "initials"),
    [
        (CAT, False),
        (f"{CAT}    qrz", True),
        (f"{CAT}jgs", True),
        ("\\__/xyz", True),
        ("/\\\n\\/ VK", True),
        ("\\__/oO", False),
        ("o O\n\\_/", False),
        ("ooo\n\\_/", False),
        ("| abc |\n|_____|", False),
    ],
)
def test_initials(text: str, initials: bool) -> None:
    assert form(text).initials is initials


@pytest.mark.parametrize(
    ("text", "is_closed"),
    [
        (CAT, True),
        (" __\n|  |", False),
        (" __\n|__|", True),
        (" /\\\n/  \\", False),
        ("\\  /\n \\/", True),
        ("***\n |", False),
        ('(o)\n(")(")', True),
        ("|  |", True),  # one row has no bottom
        ("╱╲\n║  ║", False),
    ],
)
def test_closed_at_the_bottom(text: str, is_closed: bool) -> None:
    assert form(text).closed is is_closed


def test_cut_off_drawings_are_open_more_often(corpus: Corpus) -> None:
    rng = random.Random(0)
    rows = corpus.connection.execute(
        "SELECT text FROM piece WHERE height >= 5 AND kind IN ('art', 'scene', 'tree', 'shape')"
    ).fetchall()
    whole = [text for (text,) in rows]
    cut = []
    for text in whole:
        lines = text.split("\n")
        cut.append(canonicalize("\n".join(lines[: rng.randint(2, len(lines) - 1)])).text)
    open_whole, open_cut = (sum(not form(t).closed for t in texts) for texts in (whole, cut))
    assert len(whole) > 50 and open_cut > 2 * open_whole
