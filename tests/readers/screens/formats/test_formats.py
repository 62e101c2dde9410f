"""The binary screen formats, each written here from its specification and read back."""

import gzip
import json
import struct

import numpy as np
import pytest

from asciiloom.piece import ColourPlane, Piece, Rejection
from asciiloom.readers import ReadOptions, read_bytes

ROWS = ("┌──┐", "│Hi│", "└──┘")
CELLS = [(ord(row.encode("cp437")[i : i + 1]), 0x1E) for row in ROWS for i in range(4)]
FLAT = bytes(b for cell in CELLS for b in cell)


def one(data: bytes, name: str, options: ReadOptions | None = None) -> Piece | Rejection:
    (item,) = read_bytes(data, name, options)
    return item


def piece(data: bytes, name: str) -> Piece:
    item = one(data, name)
    assert isinstance(item, Piece), item
    assert item.original is not None
    return item


def sauce(datatype: int, filetype: int, columns: int = 0, flags: int = 0) -> bytes:
    return b"\x1a" + struct.pack(
        "<5s2s35s20s20s8sIBB4HBB22s", b"SAUCE", b"00", b"Hi", b"Ada", b"Loom", b"20010203", 0, datatype,
        filetype, columns, 0, 0, 0, 0, flags, b"",
    )  # fmt: skip


def xbin(flags: int, body: bytes, width: int = 4, height: int = 3) -> bytes:
    return b"XBIN\x1a" + struct.pack("<HHBB", width, height, 16, flags) + body


def test_bin_takes_its_width_from_sauce() -> None:
    made = piece(FLAT + sauce(5, 2), "hi.bin")
    assert made.text == "\n".join(ROWS)
    assert (made.title, made.artist, made.group, made.made) == ("Hi", "Ada", "Loom", "2001-02-03")
    plane = ColourPlane.unpack(made.colour or b"")
    assert plane.fore[0, 0] == 0xFFFF55 and plane.back[0, 0] == 0x0000AA


def test_bin_that_is_no_screen_is_binary() -> None:
    rng = np.random.default_rng(1)
    item = one(rng.integers(0, 256, 4000, np.uint8).tobytes(), "firmware.bin")
    assert isinstance(item, Rejection) and item.reason == "binary"


def test_xbin_plain_and_packed_are_the_same_screen() -> None:
    pairs = bytes([0x00 | 11]) + FLAT
    glyph_runs = b"".join(bytes([0x40 | 3, 0xC4]) + bytes([0x1E] * 4) for _ in range(3))
    attribute_run = bytes([0x80 | 11, 0x1E]) + bytes(g for g, _ in CELLS)
    both = b"".join(bytes([0xC0, *cell]) for cell in CELLS)
    assert piece(xbin(0, FLAT), "a.xb").text == "\n".join(ROWS)
    assert piece(xbin(4, pairs), "a.xb").text == "\n".join(ROWS)
    assert piece(xbin(4, attribute_run), "a.xb").text == "\n".join(ROWS)
    assert piece(xbin(4, both), "a.xb").text == "\n".join(ROWS)
    assert piece(xbin(4, glyph_runs), "a.xb").text == "\n".join(["────"] * 3)


def test_xbin_palette_font_and_512_glyphs() -> None:
    palette = bytearray(48)
    palette[14 * 3 : 15 * 3] = bytes((63, 0, 21))
    font = bytearray(512 * 16)
    font[(256 + 65) * 16 : (256 + 65) * 16 + 8] = b"\xff" * 8  # upper half filled
    cells = bytes((65, 0x0E & 0xF7)) + bytes((65, 0x0E)) + bytes((66, 0x06)) * 10
    made = piece(xbin(1 | 2 | 16, bytes(palette) + bytes(font) + cells), "a.xb")
    assert made.text.split("\n")[0] == "A▀BB"
    assert made.flags == ("custom-font",)
    with_palette = piece(xbin(1, bytes(palette) + FLAT), "a.xb")
    assert ColourPlane.unpack(with_palette.colour or b"").fore[0, 0] == 0xFF0055


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"XBIN\x1a\x04", "truncated"),
        (xbin(0, b""), "truncated"),
        (xbin(3, b"short"), "truncated"),
        (xbin(0, FLAT, 60_000, 60_000), "too-large"),
        (xbin(4, b"\xff" * 4, 5000, 20_000), None),
    ],
)
def test_damaged_xbin(data: bytes, reason: str | None) -> None:
    item = one(data, "a.xb")
    if reason is None:  # a header that promises more than there is: what is there
        assert isinstance(item, Piece | Rejection)
    else:
        assert isinstance(item, Rejection) and item.reason == reason


def test_xbin_that_ends_early_says_so() -> None:
    assert piece(xbin(0, FLAT[:16]), "a.xb").flags == ("truncated",)


def test_tundra_colours_jumps_and_a_last_row_that_is_not_full() -> None:
    body = b"\x18TUNDRA24"
    body += b"\x06A" + struct.pack(">II", 0x112233, 0x445566) + b"B"
    body += b"\x01" + struct.pack(">II", 2, 1) + b"\x02C" + struct.pack(">I", 0xFF0000)
    made = piece(body, "a.tnd")
    assert made.text == "AB\n\n C"
    plane = ColourPlane.unpack(made.colour or b"")
    assert plane.fore[0, 1] == 0x112233 and plane.fore[2, 1] == 0xFF0000
    far = one(b"\x18TUNDRA24\x01" + struct.pack(">II", 10**9, 0) + b"x", "a.tnd")
    assert isinstance(far, Rejection) and far.reason == "too-large"


def test_adf_and_its_palette() -> None:
    palette = bytearray(192)
    palette[60 * 3 : 61 * 3] = bytes((10, 20, 30))
    row = bytes(b for glyph in b"Hello" for b in (glyph, 0x0C)) + bytes((32, 7)) * 75
    made = piece(b"\x01" + bytes(palette) + bytes(4096) + row, "a.adf")
    assert made.text == "Hello"
    wide = [value << 2 | value >> 4 for value in (10, 20, 30)]
    assert ColourPlane.unpack(made.colour or b"").fore[0, 0] == int.from_bytes(bytes(wide), "big")


def test_idf_runs() -> None:
    head = b"\x041.4" + struct.pack("<4H", 0, 0, 3, 2)
    cells = b"\x01\x00" + struct.pack("<H", 4) + b"=\x07" + FLAT[:16] + b"\x01\x00\x02\x00#\x07"
    made = piece(head + cells + bytes(4096 + 48), "a.idf")
    assert made.text == "====\n┌──┐\n│Hi│\n##"


def test_pcboard() -> None:
    made = piece(b"@CLS@@X0E/\\_/\\\r\n@X1F( o )@X07@POS:10@x\r\n", "a.pcb")
    assert made.text == "/\\_/\\\n( o )    x"
    plane = ColourPlane.unpack(made.colour or b"")
    assert plane.fore[0, 0] == 0xFFFF55 and plane.back[1, 0] == 0x0000AA


def test_rexpaint_layers_lie_upon_each_other() -> None:
    def layer(cells: dict[tuple[int, int], tuple[int, int, int]]) -> bytes:
        out = struct.pack("<ii", 3, 2)
        for x in range(3):
            for y in range(2):
                code, fore, back = cells.get((x, y), (32, 0, 0xFF00FF))
                out += struct.pack("<I", code) + fore.to_bytes(3, "big") + back.to_bytes(3, "big")
        return out

    below = layer({(0, 0): (65, 0xFF0000, 0), (1, 1): (219, 0x00FF00, 0)})
    above = layer({(1, 1): (0x263A, 0x0000FF, 0)})
    made = piece(gzip.compress(struct.pack("<ii", -1, 2) + below + above), "a.xp")
    assert made.text == "A\n ☺"
    assert ColourPlane.unpack(made.colour or b"").fore[1, 1] == 0x0000FF
    broken = one(gzip.compress(struct.pack("<iiii", -1, 1, 9999, 9999)), "a.xp")
    assert isinstance(broken, Rejection) and broken.reason == "truncated"


def test_durdraw_film() -> None:
    def frame(rows: list[str]) -> dict[str, object]:
        return {"contents": rows, "colorMap": [[[196, 0]] * len(rows)] * len(rows[0])}

    rows = [["( o.o )", " > ^ < "], ["( o.o )", " > ^ < "], ["  ~~~  ", " waves "]]
    film = {
        "name": "cat",
        "artist": "Ada",
        "colorFormat": "256",
        "frames": [frame(r) for r in rows],
    }
    items = list(read_bytes(gzip.compress(json.dumps({"DurMovie": film}).encode()), "a.dur"))
    pieces = [i for i in items if isinstance(i, Piece)]
    assert [p.locator for p in pieces] == ["frame 1", "frame 3"]
    assert {(p.title, p.artist, p.kind) for p in pieces} == {("cat", "Ada", "frame")}
    assert len({p.sequence for p in pieces}) == 1
    assert ColourPlane.unpack(pieces[0].colour or b"").fore[0, 0] == 0xFF0000
    (left_out,) = (i for i in items if isinstance(i, Rejection))
    assert left_out.reason == "near-frames" and left_out.detail.startswith("1 of 3")
    broken = one(b'{"DurMovie": {"frames": [{"contents": 3}]}}', "a.dur")
    assert isinstance(broken, Rejection) and broken.reason == "bad-json"


def test_bin_has_as_many_rows_as_are_full() -> None:
    made = piece(FLAT + b"x\x07y\x07" + sauce(5, 2), "hi.bin")
    assert made.text == "\n".join(ROWS)
