"""Dedup as a whole: which pieces are twins, which one is kept, and on which side they are."""

from pathlib import Path
from random import Random

import numpy as np
import pytest

from asciiloom import synth
from asciiloom.corpus import Corpus
from asciiloom.piece import Piece, mirror_text
from asciiloom.similarity.alignment import align_pairs
from asciiloom.similarity.grids import GridBatch
from asciiloom.similarity.thresholds import Thresholds
from asciiloom.twins.marks import check_splits

CASTLE = r"""   |>  |>  |>
 _ |_ _|_ _|_ _
| | | | | | | |
|  .--. .--.  |
|  |/\| |/\|  |
|__|__|_|__|__|
 /  \  ~~  /  \.
"""[:-1]
FISH = r"""      /`-.___
  .--'  o    `-.
<(  ))))     _.=>
  `--.___,-'`
     \_/  v v"""
OWL = r""" ,___,
 (O,O)    hoot
 /)_)_
=-"-"==^==*==
  |  # % &  |"""


def test_twins_the_kept_one_and_the_sides(tmp_path: Path) -> None:
    changed = CASTLE.replace("~~", "vv")  # two cells of some sixty
    framed = "\n".join(["*" * 21, *(f"* {r.ljust(17)} *" for r in FISH.split("\n")), "*" * 21])
    pieces = [
        Piece(CASTLE),
        Piece(FISH),
        Piece(changed, artist="Ada"),
        Piece(OWL),
        Piece(framed),
        Piece(CASTLE + "\n\n   my castle"),
    ]
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add(pieces)
        report = corpus.dedup()
        twins = corpus.connection.execute(
            "SELECT a, b FROM twin WHERE verdict = 'same' ORDER BY 1, 2"
        )
        assert twins.fetchall() == [(1, 3), (1, 6), (2, 5), (3, 6)]
        rows = corpus.connection.execute("SELECT cluster_id, canonical FROM piece ORDER BY id")
        # Of the castles the credited one is kept, of the fishes the one with more ink: its frame.
        assert rows.fetchall() == [(1, 0), (2, 0), (1, 1), (4, 1), (2, 1), (1, 0)]
        assert (report.clusters, report.twins, report.largest_cluster) == (3, 3, 3)
        assert (report.same_pairs, report.canonical, sum(report.splits.values())) == (4, 3, 6)
        split = dict(corpus.connection.execute("SELECT id, split FROM piece"))
        assert (
            split[1] == split[3] == split[6] and split[2] == split[5] and None not in split.values()
        )
        assert check_splits(corpus.connection) == []
        other = {"train": "test"}.get(split[5], "train")
        corpus.connection.execute("UPDATE piece SET split = ? WHERE id = 5", (other,))
        (leak,) = check_splits(corpus.connection)
        assert (leak.a, leak.b, leak.sides, leak.by) == (2, 5, (split[2], other), "same")


def _plant(text: str, how: str, rng: Random) -> str:
    rows = text.split("\n")
    if how == "indent":
        return "\n".join(" " * 2 + row for row in rows) + "\n."
    if how == "cells":
        cells = [(y, x) for y, row in enumerate(rows) for x, c in enumerate(row) if c != " "]
        for y, x in rng.sample(cells, max(1, len(cells) * 3 // 100)):
            rows[y] = rows[y][:x] + rng.choice("~^=") + rows[y][x + 1 :]
    elif how == "signature":
        wide = max(map(len, rows))
        rows[-1] = rows[-1].ljust(wide + 2) + "jgs"
    elif how == "caption":
        rows += ["", "my drawing"]
    elif how == "mirror":
        return mirror_text("\n".join(row.ljust(max(map(len, rows))) for row in rows))
    return "\n".join(rows)


@pytest.mark.parametrize("how", ["indent", "cells", "signature", "caption", "mirror"])
def test_planted_twins_are_found_and_strangers_are_not(tmp_path: Path, how: str) -> None:
    """On drawings of enough ink: >= 90 % of the planted twins, no false pair."""
    rng = Random(1)
    originals = [
        p
        for p in synth.generate(700, seed=11, kinds=("art", "scene", "tree", "maze", "face"))
        if len(p.text) >= 150
    ]
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add(originals)
        base = corpus.dedup()
        known = {(r[0], r[1]) for r in corpus.connection.execute("SELECT a, b FROM twin")}
        planted = [Piece(_plant(p.text, how, rng), source="planted") for p in originals[:100]]
        corpus.add(planted)
        report = corpus.dedup()
        assert report.signed == 100 and report.pieces == base.pieces + 100
        found = {
            (r[0], r[1])
            for r in corpus.connection.execute("SELECT a, b FROM twin WHERE verdict = 'same'")
        } - known
        true = {(k + 1, len(originals) + k + 1) for k in range(100)}
        assert len(found & true) >= 90, (how, len(found & true))

        def drawn_as(number: int) -> int:
            return number if number <= len(originals) else number - len(originals)

        # Any other pair must be of drawings that agree on the grid before they were touched.
        for one, two in found - true:
            a, b = (originals[drawn_as(number) - 1].text for number in (one, two))
            scores = align_pairs(GridBatch.from_texts([a, b]), np.array([0]), np.array([1]))
            ink = np.array([min(sum(c not in " \n" for c in text) for text in (a, b))])
            no = np.zeros(1, np.bool_)
            verdict = Thresholds().judge(scores, ink, np.array([3.5]), no, no, no, no)
            assert a == b or verdict != ["apart"], (how, one, two)


def _all_over(text: str, how: str, rng: Random) -> str:
    """``text`` with 4 % of all cells changed, blank ones too, or every fifth row a column aside."""
    rows = text.split("\n")
    if how == "rows":
        return "\n".join(" " + row if y % 5 == 2 else row for y, row in enumerate(rows))
    wide = max(map(len, rows))
    cells = [list(row.ljust(wide)) for row in rows]
    for place in rng.sample(range(wide * len(rows)), wide * len(rows) // 25):
        cells[place // wide][place % wide] = rng.choice(" ~^=oX.%&7q")
    return "\n".join("".join(row).rstrip() for row in cells)


@pytest.mark.parametrize("how", ["noise", "rows"])
def test_copies_that_were_edited_all_over_are_found(tmp_path: Path, how: str) -> None:
    """Of drawings of two figures: >= 90 % are the same, >= 95 % at least variants, none of a stranger."""
    rng = Random(2)
    figures = [p.text for p in synth.generate(900, seed=12) if p.kind != "banner" and p.text]
    originals = [f"{a}\n{b}" for a, b in zip(figures[::2], figures[1::2], strict=False)]
    originals = [text for text in originals if len(text) >= 200][:120]
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add(Piece(text, source="own") for text in originals)
        corpus.dedup()
        before = {r[:2] for r in corpus.connection.execute("SELECT a, b FROM twin")}
        count = corpus.count()
        corpus.add(Piece(_all_over(text, how, rng), source="copies") for text in originals)
        corpus.dedup()
        verdicts = corpus.connection.execute("SELECT a, b, verdict FROM twin").fetchall()
    found = {(a, b): verdict for a, b, verdict in verdicts if b == a + count}
    assert count == len(originals) and len(before) < count
    assert sum(verdict == "same" for verdict in found.values()) >= 0.9 * count
    assert sum(verdict != "apart" for verdict in found.values()) >= 0.95 * count
    assert not [(a, b) for a, b, verdict in verdicts if verdict == "same" and (b - a) % count]


def test_clusters_have_one_canonical_and_splits_do_not_leak(corpus: Corpus) -> None:
    rows = corpus.connection.execute(
        "SELECT cluster_id, sum(canonical), count(DISTINCT split), count(*) FROM piece GROUP BY 1"
    ).fetchall()
    assert sum(size > 1 for _, _, _, size in rows) > 5
    assert all(canonical == 1 and splits == 1 for _, canonical, splits, _ in rows)
    assert check_splits(corpus.connection) == []


def test_canonical_is_the_credited_one(tmp_path: Path) -> None:
    robot = next(p.text for p in synth.generate(50, seed=2, kinds=("art",)) if p.title == "robot")
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece(robot), Piece(robot + "\n ~", artist="Ada")])
        corpus.dedup()
        assert [r["canonical"] for r in corpus.select()] == [0, 1]
        assert corpus.get(1)["twins"][0]["id"] == 2


def test_dedup_again_changes_nothing_and_no_piece_moves(tmp_path: Path) -> None:
    pieces = list(synth.generate(500, seed=4))
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add(pieces[:250])
        corpus.dedup()
        before = dict(corpus.connection.execute("SELECT id, split FROM piece"))
        twins = corpus.connection.execute("SELECT * FROM twin").fetchall()
        again = corpus.dedup()
        assert (
            again.signed == 0
            and corpus.connection.execute("SELECT * FROM twin").fetchall() == twins
        )
        corpus.add(pieces[250:])
        corpus.dedup(seed=99)
        after = dict(corpus.connection.execute("SELECT id, split FROM piece"))
        assert {k: after[k] for k in before} == before and len(after) == 500


def test_frames_of_a_film_stay_together(tmp_path: Path) -> None:
    frames = [
        Piece(p.text, kind="frame", sequence="s/film")
        for p in synth.generate(120, seed=8, kinds=("scene", "maze"))
    ]
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add(frames)
        corpus.dedup()
        assert {r["split"] for r in corpus.select()} == {"train"}  # large families are not held out
