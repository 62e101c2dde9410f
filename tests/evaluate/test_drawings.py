"""Figures of drawings: copies, a drawing cut off and one repeated are seen as such beside real pieces."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from asciiloom.corpus import Corpus
from asciiloom.errors import AsciiloomError
from asciiloom.evaluate import DrawingTest, attempts, shown
from asciiloom.evaluate.drawings import diversity
from asciiloom.generate import Constraint, Drawing
from asciiloom.store import Selection

SUBJECTS = ("tree", "star", "house", "cat")
CHOSEN = Selection(charset="ascii")


def _drawing(text: str, index: int = 0, ended: bool = True) -> Drawing:
    return Drawing(text, "", "art", 0, index, ended)


@pytest.fixture
def prepared(corpus: Corpus) -> DrawingTest:
    return DrawingTest.prepare(corpus, CHOSEN, SUBJECTS)


def test_copies_of_training_pieces_are_told_and_found(
    corpus: Corpus, prepared: DrawingTest
) -> None:
    pieces = list(shown(corpus, CHOSEN.replace(split="train"), SUBJECTS))
    copied = {p.subject: p for p in pieces if p.height >= 4}
    assert len(copied) == 4

    def draw(words: str, limits: Constraint, count: int, seed: int) -> Sequence[Drawing]:
        text = copied[SUBJECTS.index(words)].text
        return [_drawing(text, index, ended=index == 0) for index in range(count)]

    told: list[tuple[str, int, int]] = []
    made = attempts(
        draw, SUBJECTS, sizes=((80, 40),), each=2, progress=lambda *event: told.append(event)
    )
    assert len(made) == 8 and told[-1] == ("drawing", 8, 8)
    result = prepared.measure(made)
    drawn = result["drawn"]
    assert drawn["class_score"] >= 0.75 and drawn["nearest_mean"] > 0.99
    assert drawn["nearer_than_real"] == 8
    assert drawn["diversity"] == pytest.approx(0)
    assert drawn["ended"] == 0.5
    for row in result["drawings"]:
        assert (
            row["agreement"] > 0.99 and row["text"] == copied[SUBJECTS.index(row["subject"])].text
        )
    assert result["real"]["pieces"] >= 2 and prepared.near is not None and prepared.near < 0.99
    assert json.loads(json.dumps(result)) == result


def test_scribble_is_no_copy(prepared: DrawingTest) -> None:
    def draw(words: str, limits: Constraint, count: int, seed: int) -> Sequence[Drawing]:
        rng = np.random.default_rng(SUBJECTS.index(words))
        rows = ["".join(rng.choice(list("%&?;"), 9)) + "  |" for _ in range(6)]
        return [_drawing("\n".join([*rows, "|         |"]), ended=False)]

    drawn = prepared.measure(attempts(draw, SUBJECTS, sizes=((20, 9),), each=1))["drawn"]
    assert drawn["nearest_most"] < 0.5 and drawn["nearer_than_real"] == 0
    assert (drawn["ended"], drawn["closed"], drawn["ended_and_closed"]) == (0, 0, 0)
    assert drawn["diversity"] is None  # of one drawing a subject


def test_real_pieces_are_of_the_split_and_fit(corpus: Corpus) -> None:
    small = DrawingTest.prepare(
        corpus, CHOSEN.replace(split="test"), SUBJECTS, sizes=((30, 8), (20, 16))
    )
    held_out = CHOSEN.replace(split="test", width=(None, 30), height=(None, 16))
    assert small.real is not None
    assert small.real["pieces"] == len(list(shown(corpus, held_out, SUBJECTS)))
    none = DrawingTest.prepare(corpus, CHOSEN, SUBJECTS, sizes=((1, 1),))
    assert none.real is None and none.near is None
    assert none.measure([])["drawn"]["class_score"] is None


def test_diversity_by_hand() -> None:
    one, two = "/\\_/\\\n( o.o )\n > ^ <", "|####|\n|####|\n|____|"
    assert diversity([one, one], np.array([0, 0])) == pytest.approx(0)
    mixed = diversity([one, one, two, one], np.array([0, 0, 1, 1]))
    assert mixed is not None and 0.35 < mixed <= 0.5
    assert diversity([one, two], np.array([0, 1])) is None


def test_subjects_that_nobody_drew(corpus: Corpus) -> None:
    with pytest.raises(AsciiloomError, match="other subjects"):
        DrawingTest.prepare(corpus, CHOSEN, ("zeppelin", "gondola"))


def test_eval_subjects(cli: object, corpus_file: Path, run_folder: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("tree\nstar\n")
    args = ("eval", corpus_file, run_folder, "--subjects", mine, "--at", "12x4", "-n", 1, "-q")
    told = cli(*args).stdout  # type: ignore[operator]
    assert "ended by its own choice" in told and "2 subjects" in told
    more = ("--json", "--best-of", 2, "--guidance", 2, "--seed", 5)
    result = json.loads(cli(*args, *more).stdout)  # type: ignore[operator]
    assert [d["subject"] for d in result["drawings"]] == ["tree", "star"]
    assert all(d["size"] == "12x4" and d["seed"] == 5 for d in result["drawings"])
    mine.write_text("tree\n")
    assert "1 subjects" in cli(*args, exits=1).output  # type: ignore[operator]
