"""The nearest pieces of a text: found exactly, also in the mirror, also where hashing would find nothing."""

from pathlib import Path

import numpy as np
import pytest

from asciiloom.corpus import Corpus
from asciiloom.piece import Piece, mirror_text
from asciiloom.twins.likeness import nearest

HOUSE = "   /\\\n  /  \\\n /____\\\n |  []|\n |____|"
CAT = " /\\_/\\\n( o.o )\n > ^ <"


@pytest.fixture
def three(tmp_path: Path) -> Corpus:
    corpus = Corpus(tmp_path / "three.db", create=True)
    corpus.add([Piece(HOUSE, kind="art"), Piece(CAT, kind="art"), Piece("%%%\n%%%", kind="art")])
    return corpus


def test_a_copy_a_mirror_image_and_a_change(three: Corpus) -> None:
    every = np.array([1, 2, 3])
    changed = CAT.replace("o.o", "x.x") + "   jgs"
    full = "\n".join(row.ljust(7) for row in HOUSE.split("\n"))
    texts = [HOUSE, mirror_text(full), changed, "%%%\n%%%"]
    house, mirrored, cat, wall = nearest(three.connection, texts, every)
    assert house is not None and (house.id, house.agreement, house.mirrored) == (1, 1.0, False)
    assert mirrored is not None and (mirrored.id, mirrored.agreement) == (1, 1.0)
    assert mirrored.mirrored
    assert cat is not None and cat.id == 2 and 0.5 < cat.agreement < 1
    # Two glyphs make no bucket: it is laid on every piece all the same.
    assert wall is not None and (wall.id, wall.agreement) == (3, 1.0)


def test_only_the_pieces_that_are_asked_about(three: Corpus) -> None:
    (like,) = nearest(three.connection, [HOUSE], np.array([2, 3]))
    assert like is not None and like.id in (2, 3) and like.agreement < 0.4
    assert nearest(three.connection, [HOUSE], np.array([], np.int64)) == [None]
    assert nearest(three.connection, [], np.array([1])) == []
    (blank,) = nearest(three.connection, [""], np.array([1]))
    assert blank is not None and blank.agreement == 0
