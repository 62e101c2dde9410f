"""Natural sizes: of what is named, then of its kinds, never too small to be read."""

import json
from pathlib import Path

import numpy as np
import pytest

from asciiloom.corpus import Corpus
from asciiloom.errors import SettingsError
from asciiloom.model import Sizes, natural_kind, natural_size, sizes_of
from asciiloom.model.sizes import TABLE_BYTES, read_sizes
from asciiloom.piece import Piece
from asciiloom.store import Selection

PIECES = [
    *(("art", 7 + n, 4, "cat", ["animals"]) for n in range(6)),
    *(("art", 20 + n, 12, "two kittens", []) for n in range(3)),
    *(("art", 30, 15 + n, None, ["castle_castle_001"]) for n in range(3)),
    ("art", 6, 1, "castle", []),
    ("art", 38, 4, "castle", []),
    ("art", 3, 3, "cat", []),
    *(("art", 24, 10 + n, name, []) for n, name in enumerate(("oak", "palm tree", "trees"))),
    *(("line", 5 + n, 1, "cat", []) for n in range(3)),
    *(("banner", 8 * len(w), 5, w, [f"text:{w}"]) for w in ("cat", "dog", "owl", "mouse", "horse")),
    *(("maze", 11, 9, None, []) for _ in range(3)),
]
TABLE = Sizes.of(PIECES)


def _planned(words: str, room: tuple[int, int], kind: str | None = "art") -> set[tuple[int, int]]:
    def fits(width: int, height: int) -> bool:
        return width <= room[0] and height <= room[1]

    rng = np.random.default_rng
    found = {natural_size(TABLE, words, kind, fits, rng(n)) for n in range(60)}
    assert None not in found
    return {size for size in found if size is not None}


def test_things_have_the_sizes_at_which_they_were_drawn() -> None:
    assert _planned("cat", (40, 20)) == {(11, 4), (12, 4), (20, 12), (21, 12), (22, 12)}
    assert _planned("a sleeping kitty", (15, 6)) == {(10, 4), (11, 4), (12, 4)}
    assert _planned("castle", (40, 20)) == {(30, 16), (30, 17)}


def test_what_cannot_be_read_is_never_planned() -> None:
    """Neither an emoticon nor a row of several stands for a thing, in whichever kind."""
    for kind, things in TABLE.table.items():
        for name, shapes in things.items():
            assert not name or kind == "banner" or min(w for w, _ in shapes) >= 5
            assert not name or kind == "banner" or min(h for _, h in shapes) >= 3
    assert (38, 4) not in TABLE.table["art"]["castle"]
    assert "cat" not in TABLE.table["line"]


def test_words_are_of_the_kind_that_shows_them() -> None:
    """The kind that has such things, drawings before others, and never the kind that spells words."""
    table = Sizes.of([*PIECES, *(("shape", 9, n, "star", []) for n in (5, 6, 7))])
    assert natural_kind(table, "cat") == "art"
    assert natural_kind(table, "a star") == "shape"
    assert natural_kind(table, "cat, star") == "art"
    assert natural_kind(table, "owl") == natural_kind(table, "something nobody drew") == "art"
    assert natural_kind(TABLE, " ") is None
    assert natural_kind(Sizes.of([]), "cat") is None


def test_where_nothing_fits_its_proportions_do() -> None:
    assert _planned("castle", (20, 30)) == {(20, 11)}
    assert _planned("castle", (12, 40)) == {(12, 7)}
    assert natural_size(TABLE, "castle", "art", lambda w, h: w < 5, np.random.default_rng()) is None
    assert (
        natural_size(Sizes(), "castle", "art", lambda w, h: True, np.random.default_rng()) is None
    )


def test_unseen_things_are_as_large_as_their_kind() -> None:
    assert _planned("birch", (40, 20)) == {(24, 11), (24, 12)}  # a tree
    assert _planned("tiger", (12, 5)) == {(10, 4), (11, 4), (12, 4)}  # an animal
    assert _planned("qwxyz", (7, 4), "art") == {(7, 4)} == _planned("", (7, 4), "art")


def test_a_kind_has_its_own_sizes() -> None:
    assert _planned("cat", (40, 20), "maze") == {(11, 9)}
    assert _planned("cat", (8, 4), "maze") == {(6, 4)}
    assert _planned("cat", (12, 4), "pattern") == _planned("cat", (12, 4), None)


def test_lettering_is_as_wide_as_its_word_is_long() -> None:
    assert _planned("zebra, font:big", (60, 10), "banner") == {(40, 5)}
    assert _planned("fox", (60, 10), "banner") == {(24, 5)}
    assert _planned("abcdefgh", (60, 10), "banner") == {(40, 5)}


def test_the_table_is_read_as_it_is_written() -> None:
    plain = json.loads(json.dumps(TABLE.to_plain()))
    assert plain["art"]["cat"].startswith("7x4 8x4")
    assert read_sizes(plain) == TABLE
    former = read_sizes([["art", 7, 3, "two cats"], ["shape", 9, 4, "ring"]])
    assert former.table["art"]["cat"] == ((7, 3),)
    assert former.table["shape"][""] == ((9, 4),)


def test_the_table_stays_small_and_keeps_what_is_common() -> None:
    letters = [a + b for a in "abcdefghijklmnopqrstuvwxyz" for b in "abcdefghijklmnopqrstuvwxyz"]
    things = [("art", 9 + k % 30, 5 + k % 9, f"qq{n}", []) for n in letters for k in range(12)]
    things += [(kind, w, h, f"w{title}", tags) for kind, w, h, title, tags in things]
    common = [("art", 40, 10 + k, "castle", []) for k in range(40)]
    table = Sizes.of([*things, *common])
    assert "castle" in table.table["art"] and 200 < len(table.table["art"]) < 2 * len(letters)
    assert len(json.dumps(table.to_plain(), indent=1)) < 1.1 * TABLE_BYTES


def test_all_pieces_of_a_selection_are_counted(tmp_path: Path) -> None:
    art = "\n".join(["#" * 9] * 5)
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece(art.replace("#", g), title="cat") for g in "abcd"], "me")
        kinds = {kind for (kind,) in corpus.connection.execute("SELECT kind FROM piece")}
        table = sizes_of(corpus, Selection())
        assert {kind: table.table[kind]["cat"] for kind in kinds} == dict.fromkeys(kinds, ((9, 5),))
        assert sizes_of(corpus, Selection(height=(6, None))) == Sizes()


@pytest.mark.parametrize("wrong", ["3", "3x", "x4", "3x4x5", "²x4", "0x4", "3.0x4"])
def test_sizes_of_strangers_are_refused(wrong: str) -> None:
    with pytest.raises(SettingsError):
        read_sizes({"art": {"cat": wrong}})
