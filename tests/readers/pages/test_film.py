import numpy as np

from asciiloom.piece import Piece, Rejection
from asciiloom.readers import ReadOptions, read_bytes
from asciiloom.readers.frames import agreement, distinct_frames

ROCKET = ["   /\\   ", "   ||   ", "  /||\\  ", "        "]
WAVES = [" ~ ~ ~ ~", "~ ~ ~ ~ ", " ~ ~ ~ ~", "~ ~ ~ ~ "]


def film(frames: list[list[str]]) -> bytes:
    return "".join(f"{n + 1}\n" + "\n".join(rows) + "\n" for n, rows in enumerate(frames)).encode()


def test_a_film_is_one_sequence_thinned() -> None:
    winked = [*ROCKET[:2], "  /||| ", ROCKET[3]]
    frames = [ROCKET, ROCKET, winked, WAVES, ROCKET, [" "] * 4]
    items = list(read_bytes(film(frames), "lift.txt"))
    pieces = [i for i in items if isinstance(i, Piece)]
    assert [p.locator for p in pieces] == ["frame 1, lines 2-5", "frame 4, lines 17-20"]
    assert {(p.sequence, p.kind, p.title) for p in pieces} == {("unknown/lift", "frame", "lift")}
    (rest,) = (i for i in items if isinstance(i, Rejection))
    assert rest.detail.startswith("4 of 6 frames")
    every = [
        i
        for i in read_bytes(film(frames), "lift.txt", ReadOptions(frames=True))
        if isinstance(i, Piece)
    ]
    assert len(every) == 5


def test_numbers_in_other_text_are_no_film() -> None:
    (piece,) = read_bytes(b"1\n /\\\n2\n \\/\n3\n", "count.txt")
    assert isinstance(piece, Piece) and piece.kind == "art"


def test_a_frame_that_moved_by_a_column_is_nothing_new() -> None:
    moved = [" " + row[:-1] for row in ROCKET]
    assert distinct_frames(["\n".join(ROCKET), "\n".join(moved), "\n".join(WAVES)]) == [0, 2]


def test_agreement_is_one_on_itself_and_none_apart() -> None:
    a = np.array([[47, 92], [32, 45]], np.uint32)
    assert agreement(a, a) == 1.0
    assert agreement(a, np.array([[64, 64], [64, 64]], np.uint32)) == 0.0
