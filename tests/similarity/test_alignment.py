import numpy as np
import pytest

from asciiloom.similarity.alignment import FLOOR_AGREEMENT, FLOOR_CONTAINED, align_pairs
from asciiloom.similarity.grids import GridBatch


def _scores(a: str, b: str) -> tuple[float, float, float]:
    batch = GridBatch.from_texts([a, b])
    return tuple(align_pairs(batch, np.array([0]), np.array([1]))[0].tolist())


def test_alignment_counts_agreeing_cells() -> None:
    art = "/\\_/\\\n(o.o)\n > ^ <"
    assert _scores(art, art) == (1.0, 1.0, 1.0)
    moved = "\n".join("  " + row for row in art.split("\n"))
    assert _scores(art, moved + "\n.")[1] == 1.0
    changed = art.replace("^", "v")
    agreement = _scores(art, changed)[0]
    assert agreement == pytest.approx(12 / 14)  # 13 ink cells, 12 agree, union 14
    assert _scores("###\n###", "ooo\nooo")[0] == 0


HOUSE = """          )  )
         (  (
      _____|_|__
     /          \\
    /____________\\
    |  _    _    |
    | |_|  |_|   |
    |     __     |
    |    |  |    |
  __|____|__|____|__
 /                  \\
/____________________\\
"""[:-1]


def _with(text: str, cells: dict[tuple[int, int], str]) -> str:
    """``text`` with some cells changed, by row and column."""
    wide = max(map(len, text.split("\n")))
    rows = [list(row.ljust(wide)) for row in text.split("\n")]
    for (y, x), glyph in cells.items():
        rows[y][x] = glyph
    return "\n".join("".join(row) for row in rows)


def test_cells_that_stray_are_not_held_against_a_pair() -> None:
    strays = {(0, 1): "x", (0, 18): "~", (2, 2): "*", (3, 19): "%", (6, 0): "o", (7, 20): "=",
              (5, 9): "&", (8, 2): "?", (10, 8): "+", (4, 8): "3", (6, 15): "v"}  # fmt: skip
    ink = sum(not c.isspace() for c in HOUSE)
    assert _scores(HOUSE, _with(HOUSE, strays))[0] > 0.97 > ink / (ink + len(strays))
    # As many cells that stand together are something that was drawn.
    drawn = {(y, x): "#" for y in (6, 7, 8) for x in (18, 19, 20, 21)}
    assert _scores(HOUSE, _with(HOUSE, drawn))[0] == pytest.approx(ink / (ink + len(drawn)))


def test_rows_that_stand_a_column_aside_agree() -> None:
    rows = HOUSE.split("\n")
    aside = "\n".join(" " + row if y in (3, 7, 8) else row for y, row in enumerate(rows))
    assert _scores(HOUSE, aside)[0] == 1.0
    far = "\n".join("  " + row if y in (3, 7, 8) else row for y, row in enumerate(rows))
    assert _scores(HOUSE, far)[0] < 0.95


MAZE = """+  +--+--+--+--+--+
|  |        |     |
+  +  +--+  +  +  +
|     |     |  |  |
+--+--+  +--+  +  +
|        |     |  |
+  +--+--+  +--+  +
|           |     |
+  +  +  +--+--+  +
|  |  |           |
+--+--+--+--+--+  +"""


def test_walls_of_a_maze_are_no_strays() -> None:
    """Two mazes differ in cells that stand alone; but a wall is the maze's own glyph, here and not there."""
    walls = {
        (1, 3): " ",
        (3, 6): " ",
        (3, 15): " ",
        (5, 15): " ",
        (1, 6): "|",
        (1, 15): "|",
        (7, 6): "|",
    }
    ink = sum(not c.isspace() for c in MAZE)
    assert _scores(MAZE, _with(MAZE, walls))[0] == pytest.approx((ink - 4) / (ink + 3))
    # As many glyphs that are foreign to a maze are damage.
    foreign = dict(zip(walls, "x?~oki%", strict=True))
    assert _scores(MAZE, _with(MAZE, foreign))[0] > 0.98
    # Where most are foreign, the others are damage too.
    assert _scores(MAZE, _with(MAZE, foreign | {(1, 3): " ", (7, 6): "|"}))[0] > 0.98
    assert _scores(MAZE, _with(MAZE, walls | {(1, 3): "x", (7, 6): "?"}))[0] < 0.97


def test_rows_of_ink_that_cannot_meet_are_not_sought_far_away() -> None:
    """A bound is never below what agrees: of shifted copies with much else, all are found that were before."""
    for shift in (4, 9, 20):
        moved = "\n".join(" " * shift + row for row in HOUSE.split("\n"))
        assert _scores(HOUSE, _with(moved, {(0, 0): "i", (5, 0): "i", (11, 0): "i"}))[1] == 1.0


def test_strays_in_lettering_and_in_little_pieces_count() -> None:
    word = "## ##\n#####\n## ##\n## ##\n" * 2
    word = "\n".join(3 * f"{row:6}" for row in word.strip().split("\n"))
    ink = sum(not c.isspace() for c in word)
    assert _scores(word, _with(word, {(1, 5): "#"}))[0] == pytest.approx(ink / (ink + 1))
    face = "/\\_/\\\n(o.o)\n > ^ <"
    assert _scores(face, _with(face, {(2, 0): "~"}))[0] < 1


def test_a_shift_is_found_far_away() -> None:
    """A speck far to the left of a drawing moves its tight grid; then it is laid where the ink says."""
    moved = "\n".join(" " * 12 + row for row in HOUSE.split("\n"))
    assert _scores(HOUSE, _with(moved, {(11, 0): "i"}))[1] == 1.0


def test_the_floor_only_spares_pairs_that_are_below_it() -> None:
    rng = np.random.default_rng(4)
    glyphs = np.array(list("  /\\_|o"))
    one = rng.integers(0, 7, (60, 6, 9))
    two = np.where(
        rng.random((60, 6, 9)) < rng.random((60, 1, 1)), one, rng.integers(0, 7, (60, 6, 9))
    )
    texts = ["\n".join("".join(glyphs[row]) for row in grid) for grid in (*one, *two)]
    batch = GridBatch.from_texts(texts)
    left, right = np.arange(60), np.arange(60, 120)
    true = align_pairs(batch, left, right)
    spared = align_pairs(batch, left, right, floor=True)
    above = (true[:, 0] >= FLOOR_AGREEMENT) | (true[:, 1] >= FLOOR_CONTAINED)
    assert 5 < above.sum() < 55 and np.array_equal(spared[above], true[above])
    assert (spared[~above, 0] < FLOOR_AGREEMENT).all()
    assert (spared[~above, 1] < FLOOR_CONTAINED).all()
