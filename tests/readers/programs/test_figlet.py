import io
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyfiglet
import pytest

from asciiloom.piece import Piece, Rejection, canonicalize
from asciiloom.readers import ReadOptions, read_bytes

FONTS = Path(pyfiglet.__file__).parent / "fonts"
SMALL = (FONTS / "small.flf").read_bytes()


def test_a_font_is_a_sheet_of_its_letters() -> None:
    (sheet,) = read_bytes(SMALL, "small.flf")
    assert isinstance(sheet, Piece)
    assert (sheet.kind, sheet.title, sheet.flags) == ("sheet", "small", ("synthetic",))
    assert {"figlet", "font:small", "synthetic"} <= set(sheet.tags)
    assert sheet.original == SMALL and sheet.text.count("\n") > 25


def test_words_are_set_as_pyfiglet_sets_them() -> None:
    options = ReadOptions(words=("Hi", "loom 42"))
    pieces = [i for i in read_bytes(SMALL, "small.flf", options) if isinstance(i, Piece)]
    assert [(p.kind, p.title) for p in pieces[1:]] == [("banner", "Hi"), ("banner", "loom 42")]
    font = pyfiglet.Figlet("small", width=2000)
    for piece in pieces[1:]:
        rows = [row.rstrip() for row in font.renderText(piece.title or "").split("\n")]
        mine = piece.text.split("\n")
        assert [row.strip() for row in rows if row] == [row.strip() for row in mine if row]


def test_a_zipped_font_is_unpacked() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("small.flf", SMALL)
    (sheet,) = read_bytes(packed.getvalue(), "small.flf")
    assert (
        isinstance(sheet, Piece) and sheet.kind == "sheet" and sheet.path == "small.flf!small.flf"
    )


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"flf2a$ six five 4 3 2\n", "words where sizes"),
        (b"flf2a\n", "no font header"),
        (b"flf2a$ 900 5 20 0 0\n", "height 900"),
        (b"flf2a$ 6 5 20 0 900\n", "ends before"),
        (SMALL[:900], ""),
    ],
)
def test_damaged_fonts(data: bytes, says: str) -> None:
    items = list(read_bytes(data, "x.flf"))
    assert items
    if says:
        (item,) = items
        assert isinstance(item, Rejection) and item.reason == "bad-font" and says in item.detail


# Slanted letters with hard blanks before them and a space whose rows are not of one length, on all of
# which drivers differ.
LETTERS = {
    "a": ("  $/_", " $/| ", "$||  "),
    "b": ("  \\/", " |/ ", "||  "),
    " ": ("  ", "$  ", "$  "),
}


def slanted(mode: int) -> bytes:
    rows = [f"flf2a$ 3 3 10 0 1 0 {mode}", "made for this test"]
    for code in (*range(32, 127), 196, 214, 220, 228, 246, 252, 223):
        glyph = LETTERS.get(chr(code), ("$ ", "$ ", "$ "))
        rows += [f"{row}@" for row in glyph[:-1]] + [f"{glyph[-1]}@@"]
    return ("\n".join(rows) + "\n").encode()


@pytest.mark.parametrize("mode", [0, 64, 128, 143, 191, 192])
def test_slanted_words_are_set_as_figlet_sets_them(
    mode: int, tmp_path: Path, program: Callable[..., str]
) -> None:
    words = ("ab", "ba ab", "aa bb a")
    data = slanted(mode)
    (tmp_path / "slanted.flf").write_bytes(data)
    items = list(read_bytes(data, "slanted.flf", ReadOptions(words=words)))
    command = [program("figlet"), "-d", str(tmp_path), "-f", "slanted", "-w", "500"]
    for item, said in zip(items[1:], words, strict=True):
        theirs = subprocess.run([*command, said], capture_output=True, text=True, check=True).stdout
        assert isinstance(item, Piece) and item.text == canonicalize(theirs).text


def test_a_fonts_comment_keeps_its_lines_apart() -> None:
    data = slanted(0).replace(
        b" 0 1 0 0\nmade for this test", b" 0 2 0 0\nSlanted by Ada Doe 8/94\nRelease 2"
    )
    (sheet,) = read_bytes(data, "slanted.flf")
    assert isinstance(sheet, Piece)
    assert (sheet.artist, sheet.description) == ("Ada Doe", "Slanted by Ada Doe 8/94 Release 2")
