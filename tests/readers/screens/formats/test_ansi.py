import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asciiloom.piece import ColourPlane, Piece, Rejection
from asciiloom.readers import Input, ReadOptions
from asciiloom.readers.screens.emulator.dialect import Dialect, dialect, render_ansi
from asciiloom.readers.screens.formats.ansi import ANSI
from asciiloom.readers.screens.reader import ScreenError
from asciiloom.readers.screens.sauce import split_sauce

ESC = b"\x1b["


def dos(data: bytes, columns: int = 80, ice: bool = False) -> list[str]:
    screen = render_ansi(data, Dialect("cp437", columns), ice)
    return [row.rstrip() for row in screen.rows()]


def terminal(data: str) -> list[str]:
    return [r.rstrip() for r in render_ansi(data.encode(), Dialect("utf-8", 5000)).rows()]


def colours(data: bytes, ice: bool = False, kind: str = "cp437") -> tuple[int, int]:
    screen = render_ansi(data + b"x", Dialect(kind, 80), ice)
    return int(screen.fore[-1, -1 if kind == "utf-8" else 0]), int(screen.back[0, 0])


def read(data: bytes, options: ReadOptions | None = None) -> Piece | Rejection:
    (item,) = ANSI.read(Input.from_bytes(data, "a.ans", options))
    return item


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"ab\r\ncd", ["ab", "cd"]),
        (b"ab\ncd", ["ab", "cd"]),  # LF alone goes to the first column
        (b"ab\rcd", ["abcd"]),  # CR does nothing
        (b"a\tb", ["a        b"]),  # eight further, not the next stop
        (b"a\x1ab", ["a"]),  # end of file
        (b"\x01\x02\x7f\xb0\xdb", ["☺☻⌂░█"]),  # control codes are glyphs
        (b"a" + ESC + b"3Cb", ["a   b"]),
        (b"abc" + ESC + b"2Dx", ["axc"]),
        (b"a" + ESC + b"2Bb", ["a", "", " b"]),
        (b"a\n\nb" + ESC + b"2Ac", ["ac", "", "b"]),
        (ESC + b"2;3Hx", ["", "  x"]),
        (ESC + b"3fx", ["", "", "x"]),
        (b"ab" + ESC + b"s\ncd" + ESC + b"ux", ["abx", "cd"]),
        (b"old" + ESC + b"2Jnew", ["new"]),
        (b"abcdef" + ESC + b"4D" + ESC + b"K", ["ab"]),
        (b"a" + ESC + b"?7h" + ESC + b"1;2zb", ["ab"]),  # unknown ones are skipped
        (b"a\x1bb", ["ab"]),  # a lone ESC
        (b"a\x1b]8;;http://x\x07b", ["ab"]),
        (b"a" + ESC + b"99999999999999999999Cb", ["a" + " " * 79, "b"]),
    ],
)
def test_dos_screen(data: bytes, rows: list[str]) -> None:
    assert dos(data) == [row.rstrip() for row in rows]


def test_wrap_comes_before_the_next_byte_whatever_it_is() -> None:
    assert dos(b"abcd", columns=4) == ["abcd"]
    assert dos(b"abcde", columns=4) == ["abcd", "e"]
    assert dos(b"abcd\r\ne", columns=4) == ["abcd", "", "e"]


@pytest.mark.parametrize(
    ("codes", "want"),
    [
        (b"", (0xAAAAAA, -1)),
        (b"31", (0xAA0000, -1)),
        (b"1;31", (0xFF5555, -1)),
        (b"33;44", (0xAA5500, 0x0000AA)),
        (b"31;0", (0xAAAAAA, -1)),
        (b"7;31;42", (0x00AA00, 0xAA0000)),
        (b"38;5;196", (0xFF0000, -1)),
        (b"38;5;196;44", (0xFF0000, 0x0000AA)),  # its numbers are not read as attributes
        (b"48;2;1;2;3", (0xAAAAAA, 0x010203)),
        (b"38;2;255;0;127", (0xFF007F, -1)),
        (b"97;100", (0xFFFFFF, 0x555555)),
        (b"8;31", (-1, -1)),
    ],
)
def test_colours(codes: bytes, want: tuple[int, int]) -> None:
    assert colours(ESC + codes + b"m") == want


def test_blink_is_a_bright_background_only_with_ice() -> None:
    assert colours(ESC + b"5;41m", ice=True)[1] == 0xFF5555
    assert colours(ESC + b"5;41m", ice=False)[1] == 0xAA0000


def test_pablodraw_rgb() -> None:
    assert colours(ESC + b"1;10;20;30t") == (0x0A141E, -1)
    assert colours(ESC + b"0;10;20;30t") == (0xAAAAAA, 0x0A141E)


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        ("ab\rc", ["cb"]),
        ("a\tb", ["a       b"]),
        ("█\x1b[2G▀", ["█▀"]),
        ("漢字\x1b[1;3Hx", ["漢x"]),  # wide glyphs take two cells
        ("x\x1b[3b", ["xxxx"]),
        ("\x1b(0lqk\x1b(B.", ["┌─┐."]),
        ("a" * 300, ["a" * 300]),  # no wrap
        ("\x1b[2;2Hx\x1b[1dy", ["  y", " x"]),
        ("a\x08b", ["b"]),
    ],
)
def test_terminal_screen(data: str, rows: list[str]) -> None:
    assert terminal(data) == rows


def test_dialect_by_record_then_bytes() -> None:
    def sauce(font: bytes, columns: int) -> object:
        made = struct.pack(
            "<5s2s35s20s20s8sIBB4HBB22s", b"SAUCE", b"00", b"", b"", b"", b"", 0, 1, 1, columns, 0, 0,
            0, 0, 0, font,
        )  # fmt: skip
        return split_sauce(made)[1]

    assert dialect("█".encode(), None) == Dialect("utf-8", 5000)
    assert dialect(b"\xdb\xdb", None) == Dialect("cp437", 80)
    assert dialect("Grüße née".encode("latin-1"), None).encoding == "latin-1"
    assert dialect(b"x\xfa\x1a\x9a\x8e", None).encoding == "cp437"
    assert dialect("█".encode(), sauce(b"IBM VGA", 132)) == Dialect("cp437", 132)  # type: ignore[arg-type]
    assert dialect(b"x", sauce(b"Amiga Topaz 2", 0)) == Dialect("latin-1", 80)  # type: ignore[arg-type]
    assert dialect(b"\x1b[38;5;1mx", None).dos is False


def test_a_piece_with_its_colours() -> None:
    piece = read(
        b"\r\n   "
        + ESC
        + b"1;31m/\\_/\\"
        + ESC
        + b"0m\r\n   "
        + ESC
        + b"44m( o )"
        + ESC
        + b"0m \r\n"
    )
    assert isinstance(piece, Piece) and piece.text == "/\\_/\\\n( o )"
    assert piece.colour is not None and "render" in piece.steps
    plane = ColourPlane.unpack(piece.colour)
    assert plane.fore.shape == (2, 5)
    assert plane.fore[0, 0] == 0xFF5555 and plane.back[1, 4] == 0x0000AA
    plain = read(b"\x1b[0m/\\\r\n\\/")
    assert isinstance(plain, Piece) and plain.colour is None


def test_a_picture_in_the_background_alone_is_its_silhouette_or_nothing() -> None:
    heart = (" ## ## ", "#######", " ##### ", "   #   ")
    painted = "\r\n".join(
        "".join("\x1b[41m \x1b[0m" if c == "#" else " " for c in row) for row in heart
    )
    piece = read(painted.encode())
    assert isinstance(piece, Piece)
    assert piece.text == "\n".join(row.rstrip().replace("#", "█") for row in heart)
    assert piece.flags == ("colour-only",) and "silhouette" in piece.steps
    square = read(b"\x1b[41m" + b" " * 160)
    assert isinstance(square, Rejection) and square.reason == "colour-only"


def test_an_encoding_that_the_curator_knows() -> None:
    data = "\x1b[1mПривет█".encode("cp866")
    piece = read(data, ReadOptions(encoding="cp866"))
    assert isinstance(piece, Piece) and piece.text == "Привет█"


@pytest.mark.parametrize("data", [b"\x1b[1000000000B" * 40 + b"x", b"\n" * 30_000 + b"x"])
def test_a_screen_without_end_is_refused(data: bytes) -> None:
    item = read(data)
    assert isinstance(item, Rejection) and item.reason == "too-large"
    with pytest.raises(ScreenError, match="row"):
        render_ansi(data, Dialect("cp437", 80))


def test_nothing_written() -> None:
    item = read(b"\x1b[2J\x1b[0m")
    assert isinstance(item, Rejection) and item.reason == "empty"


@given(st.binary(max_size=300), st.integers(1, 40), st.booleans())
def test_any_bytes_fill_a_grid_of_that_width(data: bytes, columns: int, ice: bool) -> None:
    try:
        screen = render_ansi(data, Dialect("cp437", columns), ice)
    except ScreenError:
        return
    assert screen.glyphs.shape == screen.fore.shape == screen.back.shape
    assert screen.glyphs.shape[1] == columns
    assert not np.isin(screen.glyphs, [*range(32), *range(0x7F, 0xA1)]).any()


@given(st.text(alphabet="ab \x1b[;0123456789mHJKCDABsu\n\r\t█漢\u0301", max_size=200))
def test_any_text_renders_in_a_terminal(text: str) -> None:
    try:
        screen = render_ansi(text.encode(), Dialect("utf-8", 5000))
    except ScreenError:
        return
    assert all("\x1b" not in row and "\n" not in row for row in screen.rows())


def full_rows(colour: bytes) -> bytes:
    """Four rows of 80 cells, each with a line end behind it, in ``colour``."""
    return b"".join(ESC + colour + b"m" + bytes([65 + n]) * 80 + b"\r\n" for n in range(4))


@pytest.mark.parametrize("colour", [b"38;5;196", b"48;2;1;2;3", b"0;1;38;5;4"])
def test_full_rows_for_a_terminal_end_once(colour: bytes) -> None:
    made = read(ESC + colour + b"m" + b"#" * 80 + b"\r\n" + b"\xdb" * 80 + b"\r\n" + b"#" * 80)
    assert isinstance(made, Piece) and made.text == "\n".join(["#" * 80, "█" * 80, "#" * 80])


def test_full_rows_that_follow_one_another_end_once() -> None:
    made = read(full_rows(b"31"))
    assert isinstance(made, Piece) and made.text == "\n".join(c * 80 for c in "ABCD")


def test_ansi_sys_ends_a_full_row_at_once() -> None:
    made = read(ESC + b"31m" + b"#" * 80 + b"\r\n" + b"#" * 80 + b"\r\nx")
    assert isinstance(made, Piece) and made.text == "\n".join(["#" * 80, "", "#" * 80, "", "x"])


def test_a_move_from_a_full_row_of_a_terminal_starts_at_its_last_cell() -> None:
    screen = render_ansi(b"#" * 80 + ESC + b"2D.", Dialect("cp437", 80, defers=True))
    assert screen.rows() == ["#" * 77 + "." + "##"]


def test_the_words_behind_the_end_mark_give_credit() -> None:
    note = b"\x1a\r\n\r\nA box\r\nby Ada M. Lovelace (www.example.org)\r\n"
    made = read(ESC + b"31m/\\\r\n\\/" + note)
    assert isinstance(made, Piece)
    assert (made.text, made.artist) == ("/\\\n\\/", "Ada M. Lovelace")
    assert made.description is not None and made.description.startswith("A box by")
    shown = read(
        ("\x1b[38;5;9m┌─┐\r\n└─┘").encode() + note
    )  # in UTF-8, too, it is no part of the art
    assert isinstance(shown, Piece) and (shown.text, shown.artist) == (
        "┌─┐\n└─┘",
        "Ada M. Lovelace",
    )


def test_blanks_of_the_pc_are_no_letters() -> None:
    made = read(ESC + b"31m\xff\xff\xff\xdc\xff\xff\r\n\xff\xff\xff\xdf\xff\xff\r\n")
    assert isinstance(made, Piece) and (made.encoding, made.text) == ("cp437", "▄\n▀")
