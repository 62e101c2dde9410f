"""The blind sheet: nothing on it tells, and the scorer knows what is the same thing and what is not."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from asciiloom.errors import AsciiloomError
from asciiloom.generate import Sampling

BENCH = Path(__file__).parents[2] / "scripts" / "bench"


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"bench_{name}", BENCH / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


blind, drawings = _script("blind"), _script("drawings")


@pytest.mark.parametrize(
    ("said", "subject", "right"),
    [
        ("cat", "cat", True),
        ("Cats!", "cat", True),
        ("a sleeping kitten", "cat", True),
        ("two mice", "mouse", True),
        ("butterflies", "butterfly", True),
        ("bunnies", "rabbit", True),
        ("teddy bear", "bear", True),
        ("category", "cat", False),
        ("dog", "cat", False),
        ("", "cat", False),
        ("no idea", "cat", False),
    ],
)
def test_what_names_a_subject(said: str, subject: str, right: bool) -> None:
    assert blind.same_thing(said, subject) is right


def test_no_word_is_right_for_two_subjects() -> None:
    named = [w for word, more in blind.SYNONYMS.items() for w in (word, *more.split())]
    assert len(set(named)) == len(named)


def test_score_by_hand() -> None:
    tiles = blind.shuffle([("cat", "a"), ("dog", "b")], [("cat", "c"), ("bird", "d")], seed=1)
    assert [t.number for t in tiles] == [1, 2, 3, 4]
    assert {t.text: (t.subject, t.source) for t in tiles} == {
        "a": ("cat", "drawn"), "b": ("dog", "drawn"), "c": ("cat", "real"), "d": ("bird", "real"),
    }  # fmt: skip
    number = {t.text: t.number for t in tiles}
    answers = f"# mine\n{number['a']}: kitten\n{number['b']}) cat\n\n{number['d']}. eagles\n"
    result = blind.score(tiles, blind.read_answers(answers))
    assert (result["drawn"]["right"], result["drawn"]["answered"]) == (1, 2)
    assert (result["real"]["right"], result["real"]["answered"]) == (1, 1)
    assert result["chance"] == pytest.approx(1 / 3)
    assert result["real"]["by_chance"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("answers", ["cat", "1: cat\n1: dog", "9: cat"])
def test_answers_that_cannot_be(answers: str) -> None:
    tiles = blind.shuffle([("cat", "a")], [("dog", "b")], seed=0)
    with pytest.raises(AsciiloomError):
        blind.score(tiles, blind.read_answers(answers))


def test_sheets_and_key(corpus_file: Path, tmp_path: Path) -> None:
    """From stored drawings to sheets without names, pages of at most twenty, and a key that scores."""
    rows = [{"subject": w, "text": f"/\\\n{k}{k}"} for w in ("tree", "house") for k in range(12)]
    stored, mine = tmp_path / "drawn.json", tmp_path / "mine.txt"
    stored.write_text(json.dumps({"drawings": rows}))
    mine.write_text("tree\nhouse\nstar\n")
    folder, key = tmp_path / "sheets", tmp_path / "key.json"
    args = [
        sys.executable, BENCH / "blind.py", "make", corpus_file, folder, key, "--drawings", stored, "--each", "11",
        "--subjects-file", mine, "--real", "3", "--split", "train", "--max", "60x20",
    ]  # fmt: skip
    done = subprocess.run([*map(str, args)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in folder.iterdir()) == ["sheet-1.png", "sheet-2.png", "sheet.txt"]
    tiles = [blind.Tile(**row) for row in json.loads(key.read_text())]
    assert [t.source for t in tiles].count("drawn") == 22 and len(tiles) == 25
    assert {t.subject for t in tiles if t.source == "real"} == {"tree", "house", "star"}
    sheet = (folder / "sheet.txt").read_text()
    assert all(f"--- {t.number} ---\n{t.text}\n" in sheet for t in tiles)
    assert "tree" not in sheet and "drawn" not in sheet
    answers = "\n".join(f"{t.number}: {t.subject}s" for t in tiles)
    result = blind.score(tiles, blind.read_answers(answers))
    assert result["drawn"]["share"] == result["real"]["share"] == 1.0


def test_one_cut_over_all_tokens_ends_no_run() -> None:
    """What the baseline is for: where a blank has 0.96, no ink is ever drawn from 0.95 of the whole."""
    logits = np.log(np.tile([0.01, 0.01, 0.96, 0.02], (50, 1)))
    legal, structure = np.ones((50, 4), bool), np.array([True, True, True, False])
    uniform = np.linspace(0, 0.999, 50)
    drawn = drawings.sample_per_token(logits, legal, Sampling(1.0, 0, 0.95), uniform, structure)
    assert set(drawn.tolist()) == {2}
    legal[:, 2] = False
    drawn = drawings.sample_per_token(logits, legal, Sampling(1.0, 0, 1.0), uniform, structure)
    assert set(drawn.tolist()) == {0, 1, 3}
    names = [row[0] for row in drawings.samplers((1.0, 2.0, 3.0, 4.0), (1, 4, 8))]
    assert names[0] == drawings.ONE_CUT and names[-1] == "guidance 3, best of 8" and len(names) == 7
