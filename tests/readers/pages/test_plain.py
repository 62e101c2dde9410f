import pytest
from hypothesis import given
from hypothesis import strategies as st

from asciiloom.piece import Piece, Rejection
from asciiloom.readers import Input, ReadOptions
from asciiloom.readers.pages.page import split_page
from asciiloom.readers.pages.plain import PlainReader
from asciiloom.readers.pages.rows import is_prose

CAT = " /\\_/\\\n( o.o )\n > ^ <"
FISH = "><(((o>\n ~~~~~"


def _read(data: bytes | str, options: ReadOptions | None = None) -> list[Piece | Rejection]:
    raw = data if isinstance(data, bytes) else data.encode()
    return list(PlainReader().read(Input.from_bytes(raw, "page.txt", options)))


def _pieces(items: list[Piece | Rejection]) -> list[str]:
    return [i.text for i in items if isinstance(i, Piece)]


def test_one_file_one_piece() -> None:
    (piece,) = _read(CAT)
    assert isinstance(piece, Piece) and piece.text == CAT and piece.locator == ""
    assert piece.original == CAT.encode()


@pytest.mark.parametrize("cut", ["\n\n\n", "\n\n----------------\n\n", "\n\f\n"])
def test_page_is_cut(cut: str) -> None:
    items = _read(CAT + cut + FISH)
    assert _pieces(items) == [CAT, FISH]
    rows = (CAT + cut + FISH).split("\n")
    for item in items:  # every cut can be undone from the recorded lines
        assert isinstance(item, Piece)
        first, last = map(int, item.locator.removeprefix("lines ").split("-"))
        assert "\n".join(rows[first - 1 : last]).strip("\f\n") == item.text


def test_single_blank_row_and_attached_ruler_are_art() -> None:
    house = "  /\\\n /  \\\n\n----------\n|        |\n----------"
    assert _pieces(_read(house)) == [house]


def test_whole() -> None:
    page = CAT + "\n\n\n" + FISH
    (piece,) = _read(page, ReadOptions(whole=True))
    assert isinstance(piece, Piece) and piece.text == page


def test_caption_credit_and_prose_are_no_art() -> None:
    page = (
        "This is a letter about the art that I made for you, and it is not a drawing.\n\n\n"
        f"The cat\n\n{CAT}\n-- by Ada Lovelace\n\n\nA fish\n\n\n{FISH}\n"
    )
    items = _read(page)
    assert _pieces(items) == [CAT, FISH]
    assert [i.reason for i in items if isinstance(i, Rejection)] == ["prose", "caption"]
    cat, fish = (i for i in items if isinstance(i, Piece))
    assert (cat.title, cat.artist) == ("The cat", "Ada Lovelace")
    assert fish.title == "A fish"


def test_prose_is_told_from_art() -> None:
    assert is_prose(("It was the best of times, it was the worst of times.",))
    assert not is_prose(tuple(CAT.split("\n")))
    assert not is_prose(("the cat",))


def test_dos_end_of_file_and_code_page() -> None:
    (piece,) = _read("╔══╗\n║██║\n╚══╝".encode("cp437") + b"\r\n\x1aSAUCE00 something")
    assert isinstance(piece, Piece)
    assert piece.text == "╔══╗\n║██║\n╚══╝" and piece.encoding == "cp437"


def test_binary_empty_and_oversized(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [i.reason for i in _read(b"\0" * 400 + b"x" * 100) if isinstance(i, Rejection)] == [
        "binary"
    ]
    assert [i.reason for i in _read(b"\x01\x02\x03\x04") if isinstance(i, Rejection)] == ["binary"]
    assert [i.reason for i in _read(" \n \n") if isinstance(i, Rejection)] == ["empty"]
    monkeypatch.setattr("asciiloom.readers.pages.plain.MAX_FILE", 10)
    assert [i.reason for i in _read("x" * 11) if isinstance(i, Rejection)] == ["too-large"]


@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    for item in _read(data):
        if isinstance(item, Piece):
            assert item.text and item.original == data


@given(
    st.lists(st.sampled_from(["", " ", "-----------", "\f", "/\\", "x  y", "The end"]), max_size=25)
)
def test_blocks_are_in_order_and_apart(rows: list[str]) -> None:
    blocks = split_page("\n".join(rows))
    edges = [edge for block in blocks for edge in (block.first, block.last)]
    assert edges == sorted(edges)
    for block in blocks:
        assert len(block.rows) == block.last - block.first + 1
        assert block.rows[0].strip("\f ") or block.rows[0].startswith("\f")


def test_the_words_behind_the_end_mark_give_credit() -> None:
    (piece,) = _read(CAT.encode() + b"\x1a\r\nRebuilt by Ada Lovelace in July 2018.\r\n")
    assert isinstance(piece, Piece) and (piece.text, piece.artist) == (CAT, "Ada Lovelace")
