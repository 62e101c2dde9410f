import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from asciiloom.piece import ColourPlane, Piece, Rejection
from asciiloom.readers import ReadOptions, read_bytes, read_path
from asciiloom.readers.screens.image import _glyph_bitmaps, draw_image


def png(image: object, form: str = "PNG", **more: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **more)  # type: ignore[attr-defined]
    return out.getvalue()


def triangle(colour: str = "black") -> object:
    image = Image.new("RGB", (240, 240), "white")
    ImageDraw.Draw(image).line([(10, 230), (120, 10), (230, 230), (10, 230)], fill=colour, width=8)
    return image


def test_every_glyph_of_the_font_is_read_back_as_itself() -> None:
    glyphs, _, unit = _glyph_bitmaps("ascii")
    from asciiloom.readers.screens.image import _CELL

    width, height = _CELL
    wrong = []
    for number, glyph in enumerate(glyphs):
        if glyph == " " or not unit[number].any():
            continue
        bitmap = unit[number].reshape(height, width)
        grey = (bitmap - bitmap.min()) / (bitmap.max() - bitmap.min())
        (row,) = draw_image(grey.astype(np.float32))
        if row != glyph:
            wrong.append((glyph, row))
    # The weight of a glyph is part of the choice, so thin look-alikes may trade places.
    assert len(wrong) <= len(glyphs) // 10, wrong


def test_a_drawing_keeps_its_strokes() -> None:
    (piece,) = read_bytes(png(triangle()), "shapes/triangle.png", ReadOptions(columns_wide=24))
    assert isinstance(piece, Piece)
    rows = piece.text.split("\n")
    assert piece.title == "triangle" and piece.flags == ("synthetic",)
    assert {"image", "synthetic", "shapes"} <= set(piece.tags)
    assert max(map(len, rows)) <= 24 and 10 <= len(rows) <= 13
    assert piece.colour is None  # black on white


@pytest.mark.parametrize(
    ("stroke", "glyphs"),
    [
        (np.s_[:, 2:4], "|"),
        (np.s_[5:7, :], "-~"),
        (np.s_[10:12, :], "_"),
        (np.s_[1:3, 2:4], "'`^\""),
        (np.s_[9:11, 2:4], ".,"),
    ],
)
def test_a_stroke_chooses_the_glyph_that_lies_like_it(
    stroke: tuple[slice, slice], glyphs: str
) -> None:
    cell = np.zeros((12, 6), np.float32)
    cell[stroke] = 1
    (row,) = draw_image(np.tile(cell, (1, 4)))
    assert set(row) <= set(glyphs), row


@pytest.mark.parametrize("slope", ["/", "\\"])
def test_slopes(slope: str) -> None:
    steps = np.arange(12)
    cell = np.zeros((12, 6), np.float32)
    for y, x in zip(steps, 5 - steps // 2 if slope == "/" else steps // 2, strict=True):
        cell[y, x] = 1
    assert draw_image(np.tile(cell, (1, 3)))[0] == slope * 3


def test_tone_and_palettes() -> None:
    ramp = np.tile(np.linspace(0, 1, 6 * 20, dtype=np.float32), (12, 1))
    (row,) = draw_image(ramp, "blocks", structure=False)
    shades = [" ░▒▓█".index(c) for c in row if c in " ░▒▓█"]
    assert shades == sorted(shades) and row[0] == " " and row[-1] == "█"
    (piece,) = read_bytes(png(triangle()), "t.png", ReadOptions(columns_wide=20, palette="braille"))
    assert isinstance(piece, Piece)
    assert all(c in " \n" or 0x2800 <= ord(c) < 0x2900 for c in piece.text)


def test_colour_is_kept_beside() -> None:
    (piece,) = read_bytes(png(triangle("red")), "t.png", ReadOptions(columns_wide=24))
    assert isinstance(piece, Piece) and piece.colour is not None
    plane = ColourPlane.unpack(piece.colour)
    assert plane.fore.shape[0] == piece.text.count("\n") + 1
    assert ((plane.fore >> 16 & 255) >= (plane.fore & 255)).all()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_forms(form: str) -> None:
    (piece,) = read_bytes(png(triangle(), form), f"t.{form.lower()}")
    assert isinstance(piece, Piece) and piece.encoding == "image"


def test_an_animation_is_one_sequence() -> None:
    first, second = triangle(), Image.new("RGB", (240, 240), "white")
    ImageDraw.Draw(second).ellipse([40, 40, 200, 200], fill="black")
    data = png(first, "GIF", save_all=True, append_images=[first, second], duration=50)
    pieces = [i for i in read_bytes(data, "a.gif") if isinstance(i, Piece)]
    assert len(pieces) == 2 and len({p.sequence for p in pieces}) == 1


def test_svg_is_drawn_and_asks_nobody(tmp_path: Path, library: Callable[[str], Any]) -> None:
    library("resvg_py")
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"><rect width="90" height="90" fill="white"/>'
        f'<image href="file://{tmp_path}/secret.png" width="90" height="90"/>'
        '<circle cx="45" cy="45" r="40" fill="black"/></svg>'
    )
    (tmp_path / "secret.png").write_bytes(png(Image.new("RGB", (90, 90), "red")))
    (tmp_path / "ball.svg").write_text(svg)
    (piece,) = (i for i in read_path(tmp_path / "ball.svg", ReadOptions(columns_wide=20)))
    assert isinstance(piece, Piece) and piece.colour is None


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(60)),
        ("a.jpg", b"\xff\xd8\xff\xe0" + bytes(30)),
        ("a.svg", b"<svg><unclosed"),
    ],
)
def test_damage_is_one_rejection(name: str, data: bytes) -> None:
    (item,) = read_bytes(data, name)
    assert isinstance(item, Rejection) and item.reason == "unreadable"


def test_a_huge_canvas_is_refused_before_it_is_opened() -> None:
    import struct
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    (item,) = read_bytes(
        b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", b"") + chunk(b"IEND", b""), "a.png"
    )
    assert isinstance(item, Rejection) and item.reason in ("too-large", "unreadable")
