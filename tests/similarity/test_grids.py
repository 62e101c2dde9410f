import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asciiloom.piece import Grid, canonicalize, mirror_text
from asciiloom.similarity.grids import GridBatch, entropy, fold

CAT = " /\\_/\\  .---.\n( o.o ) | x |\n > ^ <  '---'\n/     \\ =====\n|  |  | #...#"


def _texts(batch: GridBatch) -> list[str]:
    out = []
    for s, h, w in zip(batch.start, batch.height, batch.width, strict=True):
        cells = batch.cells[s : s + h * w].reshape(h, w).astype(np.uint32)  # ASCII: as it is
        out.append(Grid(cells).to_text())
    return out


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=80), max_size=6))
def test_a_batch_holds_what_each_grid_holds(raw: list[str]) -> None:
    texts = [t for t in (canonicalize(r).text for r in raw) if t]
    batch = GridBatch.from_texts(texts)
    for k, text in enumerate(texts):
        grid = Grid.from_text(text).cells
        grid = fold(grid)
        start, shape = batch.start[k], (batch.height[k], batch.width[k])
        assert shape == grid.shape
        assert np.array_equal(batch.cells[start : start + grid.size].reshape(shape), grid)


@pytest.mark.parametrize(
    "around",
    [
        lambda rows: [*rows, "", "a cat and his box"],
        lambda rows: ["A Cat", "", *rows],
        lambda rows: [*rows, "      jgs"],
        lambda rows: [*rows, "."],
        lambda rows: ["    " + row for row in rows],
        lambda rows: ["+" + "-" * 14 + "+", *(f"| {r.ljust(13)}|" for r in rows), "+" + "-" * 14 + "+"],
        lambda rows: ["#" * 17, *(f"# {r.ljust(13)} #" for r in rows), "#" * 17, "", "my cat is here"],
    ],
)  # fmt: skip
def test_tight_leaves_the_picture_alone(around: object) -> None:
    rows = around(CAT.split("\n"))  # type: ignore[operator]
    bare, dressed = GridBatch.from_texts([CAT, "\n".join(rows)]).tight().packed(), None
    dressed = _texts(bare)
    assert dressed[0] == CAT and dressed[1] == CAT


@pytest.mark.parametrize("harm", ["gaps", "aside"])
def test_a_border_that_was_edited_is_a_border(harm: str) -> None:
    rows = ["#" * 17, *(f"# {row.ljust(13)} #" for row in CAT.split("\n")), "#" * 17]
    if harm == "gaps":
        rows[0] = "#### ######x#####"
    else:
        rows[3] = " " + rows[3]
    (batch,) = [GridBatch.from_texts(["\n".join(rows)]).tight().packed()]
    (left,) = _texts(batch)
    assert len(CAT) <= len(left.replace("\n", "")) + len(CAT.split("\n")) < len("".join(rows))
    assert "####" not in left and batch.width[0] <= 15


def test_tight_takes_no_picture_for_a_border() -> None:
    box = "+-----+\n| Hi! |\n+-----+"
    words = "\n".join(["one two three", "", "four five six", "", "seven eight"])
    stack = GridBatch.from_texts([box, words, "###\n###\n###\n###\n###"])
    kept = _texts(stack.tight())
    assert kept[0] == box  # what would be left is hardly a picture
    assert kept[2] == "###\n###\n###\n###\n###"


def test_a_mirrored_batch_is_the_mirrored_text() -> None:
    padded = "\n".join(row.ljust(13) for row in CAT.split("\n"))
    assert _texts(GridBatch.from_texts([padded]).mirrored()) == [
        "\n".join(r.rstrip() for r in mirror_text(padded).split("\n"))
    ]


def test_batches_join_and_pack() -> None:
    one, two = GridBatch.from_texts(["ab\nc", "xyz"]), GridBatch.from_texts(["q"])
    both = GridBatch.concatenate([one, two])
    assert _texts(both) == ["ab\nc", "xyz", "q"]
    some = both.take(np.array([2, 0])).packed()
    assert _texts(some) == ["q", "ab\nc"] and len(some.cells) == 5


def test_entropy_is_bits_a_glyph() -> None:
    batch = GridBatch.from_texts(["####", "#.#.", "abcd"])
    assert entropy(*batch.histograms()).tolist() == [0.0, 1.0, 2.0]


def test_ascii_cells_are_the_code_points_and_others_stay_apart_from_them() -> None:
    codes = np.arange(0x3000, dtype=np.uint32)
    cells = fold(codes)
    assert np.array_equal(cells[:128], codes[:128]) and (cells[128:] >= 128).all()
    one, two = np.array([ord("█"), ord("░"), ord("│"), ord("─")], np.uint32), 0x2588
    assert len(set(fold(one).tolist())) == 4 and fold(np.array([two], np.uint32))[0] == fold(one)[0]
