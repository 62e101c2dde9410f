import codecs
import struct
from pathlib import Path

from asciiloom.piece import Piece, Rejection
from asciiloom.readers import read_bytes, read_path

CAT = " /\\_/\\\n( o.o )"
FISH = "><(((o>"
FILE = f"{CAT}\n%\n{FISH}\n%\n%\nAnd so the story of the cat that was in the house is at an end.\n"


def test_entries() -> None:
    items = list(read_bytes(FILE.encode(), "animals"))
    pieces = [i for i in items if isinstance(i, Piece)]
    assert [p.text for p in pieces] == [CAT, FISH]
    assert [p.locator for p in pieces] == ["entry 1, lines 1-2", "entry 2, lines 4-4"]
    assert {p.original for p in pieces} == {FILE.encode()}
    (prose,) = (i for i in items if isinstance(i, Rejection))
    assert prose.reason == "prose" and prose.locator.startswith("entry 3")


def test_a_percent_sign_within_a_row_is_art() -> None:
    (first, second) = read_bytes(b"%%\n 100% %\n%\nx_x\n", "a")
    assert isinstance(first, Piece) and first.text == "%%\n 100% %"
    assert isinstance(second, Piece) and second.text == "x_x"


def test_rot13_by_index_and_by_words(tmp_path: Path) -> None:
    hidden = codecs.encode(FILE, "rot13")
    path = tmp_path / "hidden"
    path.write_text(hidden)
    (tmp_path / "hidden.dat").write_bytes(struct.pack(">5I4B", 2, 3, 99, 1, 0x4, 37, 0, 0, 0))
    shown = [i.text for i in read_path(path) if isinstance(i, Piece)]
    assert shown == [CAT, FISH]
    prose = "Gur png naq gur qbt jrer abg va gur ubhfr sbe gur qnl, naq guvf vf gung. "
    (entry, _) = read_bytes(f"{prose}\n%\n{codecs.encode(CAT, 'rot13')}\n".encode(), "x")
    assert isinstance(entry, Rejection) and entry.detail.startswith("The cat and the dog")
