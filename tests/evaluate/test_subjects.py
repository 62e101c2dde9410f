"""Subjects: the lists, files of one's own, and the real pieces that show one."""

from pathlib import Path

import pytest

from asciiloom.corpus import Corpus
from asciiloom.errors import AsciiloomError
from asciiloom.evaluate.subjects import COMMON, read_subjects, shown
from asciiloom.evaluate.words import SUBJECTS
from asciiloom.piece import Piece
from asciiloom.store import Selection


def test_the_word_tests_subjects_come_first() -> None:
    assert len(set(COMMON)) == len(COMMON) == 40
    assert COMMON[:20] == SUBJECTS


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("Cat\n\n# beasts\n  dragon \ncat\n")
    assert read_subjects(path) == ("cat", "dragon")


@pytest.mark.parametrize(
    "text", ["", "cat\n", "cat\nsea horse\n", "cat\nc4t\n", "cat\n" + "x" * 41, "cat\nkätzchen\n"]
)
def test_a_file_that_cannot_be_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.txt"
    path.write_text(text)
    with pytest.raises(AsciiloomError, match=r"mine\.txt") as told:
        read_subjects(path)
    assert "\n" not in str(told.value)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AsciiloomError, match="UTF-8"):
        read_subjects(path)


def test_pieces_that_show_one(tmp_path: Path) -> None:
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add(
            [
                Piece("/\\_/\\\n(o.o)", title="two cats", kind="art"),
                Piece(" _\n[_]", title="a box", kind="art"),
                Piece("##\n##", title="cat and dog", kind="art"),
                Piece("C A T", title="cat", kind="banner"),
                Piece("U'U\n |", tags=("dog",), kind="art"),
            ]
        )
        found = list(shown(corpus, Selection(), ("dog", "cat")))
        assert [(p.id, p.subject, p.width, p.height) for p in found] == [(1, 1, 5, 2), (5, 0, 3, 2)]
        assert len(list(shown(corpus, Selection(), ("dog", "cat"), limit=1))) == 1
