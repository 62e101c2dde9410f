import io
import zipfile
from pathlib import Path

import pyfiglet
import pytest

from asciiloom.piece import Piece, Rejection
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
