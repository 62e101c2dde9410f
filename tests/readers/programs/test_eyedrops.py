from pathlib import Path

from asciiloom.piece import Piece, Rejection
from asciiloom.readers import read_path
from asciiloom.readers.programs.eyedrops import facts


def test_a_picture_takes_its_words_from_the_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "tree.eye").write_text("  #\n ###\n#####\n  #\n")
    (tmp_path / "tree.eyp").write_text(
        "description : A fir, drawn \\\n  in winter\nkeywords : plant tree\n"
    )
    (tmp_path / "alone.eye").write_text("##\n##\n")
    alone, tree, words = read_path(tmp_path)
    assert isinstance(tree, Piece) and tree.title == "A fir, drawn in winter"
    assert tree.tags == ("plant", "tree") and tree.text == "  #\n ###\n#####\n  #"
    assert isinstance(alone, Piece) and alone.title is None
    assert isinstance(words, Rejection) and words.reason == "metadata"
    assert "A fir" in words.detail


def test_facts() -> None:
    assert facts("a : b:c\nnothing\nD: e\n") == {"a": "b:c", "d": "e"}
