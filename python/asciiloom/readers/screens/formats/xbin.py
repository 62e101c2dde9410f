"""XBin: BIN with a header, and on request a palette, a font, runs, and 512 glyphs.

A glyph of an embedded font need not look like its number's letter. Numbers below 256 are read as
code page 437 all the same, as artists use them; the upper 256, which no code page has, become the
block glyph whose quadrants their bitmap fills.
"""

import struct

import numpy as np

from asciiloom.readers.screens.reader import Drawn, ScreenError, ScreenReader
from asciiloom.readers.screens.sauce import split_sauce
from asciiloom.readers.screens.screen import (
    MAX_COLUMNS,
    MAX_ROWS,
    VGA,
    Screen,
    attribute_colours,
    glyph_table,
)

MAGIC = b"XBIN\x1a"
_HEADER = struct.Struct("<5sHHBB")
_PALETTE, _FONT, _PACKED, _ICE, _512 = 1, 2, 4, 8, 16
# By filled quadrants: upper left 1, upper right 2, lower left 4, lower right 8.
_QUADRANTS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"


def six_bit_palette(data: bytes) -> np.ndarray:
    """0xRRGGBB of 16 VGA registers of six bits a channel."""
    raw = np.frombuffer(data, np.uint8).reshape(16, 3) & 63
    full: list[list[int]] = (raw << 2 | raw >> 4).tolist()
    return np.array([r << 16 | g << 8 | b for r, g, b in full], np.int32)


def upper_glyphs(font: np.ndarray, height: int) -> np.ndarray:
    """Code points of glyphs 256-511: the quadrant block that each bitmap is nearest to."""
    bits = np.unpackbits(font.reshape(256, height), axis=1).reshape(256, height, 8)
    half = height // 2
    quadrants = [bits[:, :half, :4], bits[:, :half, 4:], bits[:, half:, :4], bits[:, half:, 4:]]
    filled = [q.mean((1, 2)) >= 0.5 if q.size else np.zeros(256, bool) for q in quadrants]
    index = sum(f.astype(int) << bit for bit, f in enumerate(filled))
    table = np.array([ord(c) for c in _QUADRANTS], np.uint32)
    codes: np.ndarray = table[index]
    # Something thin: not blank, and no quadrant half full.
    codes[(index == 0) & bits.any((1, 2))] = ord("·")
    return codes


def draw(data: bytes, encoding: str | None = None) -> Drawn:
    """The screen of an XBin file."""
    from asciiloom.readers.screens.formats.kernels import unpack_xbin

    if len(data) < _HEADER.size + 2:
        raise ScreenError("truncated", "the file ends within its XBin header")
    _, columns, rows, height, flags = _HEADER.unpack_from(data)
    body, sauce = split_sauce(data[_HEADER.size :])
    if not columns or not rows or columns > MAX_COLUMNS or rows > MAX_ROWS:
        limits = f"at most {MAX_COLUMNS:,}x{MAX_ROWS:,}"
        raise ScreenError("too-large", f"{columns:,}x{rows:,}; {limits}")
    at = 48 * bool(flags & _PALETTE)
    height = height or 16
    glyphs512 = bool(flags & _512)
    fonts = at + height * (512 if glyphs512 else 256) * bool(flags & _FONT)
    if len(body) < fonts:
        raise ScreenError("truncated", "the file ends within its palette or font")
    palette = six_bit_palette(body[:48]) if at else VGA
    pixels = np.frombuffer(body[at:fonts], np.uint8)
    raw = np.frombuffer(body[fonts:], np.uint8)
    if flags & _PACKED:
        cells, filled = unpack_xbin(raw, min(columns * rows, 64 * len(raw) + 1))
    else:
        filled = min(len(raw) // 2, columns * rows)
        cells = raw[: 2 * filled].reshape(-1, 2)
    if not filled:
        raise ScreenError("truncated", "a header without cells")
    shown = -(-filled // columns)
    full = np.zeros((shown * columns, 2), np.uint8)
    full[:, 0] = 32
    full[:filled] = cells[:filled]
    number, attribute = full.reshape(shown, columns, 2).transpose(2, 0, 1)
    page = f"page {encoding[2:]}" if encoding and encoding.startswith("cp") else ""
    glyphs = glyph_table(page or (sauce.font if sauce else ""))[number]
    if glyphs512:
        if pixels.size:
            drawn = upper_glyphs(pixels[256 * height :], height)
            glyphs = np.where(attribute & 8 > 0, drawn[number], glyphs)
        attribute = attribute & 0xF7
    fore, back = attribute_colours(attribute, bool(flags & _ICE), palette)
    lint = ["custom-font"] * bool(pixels.size) + ["truncated"] * (filled < columns * rows)
    return Drawn(Screen(glyphs.astype(np.uint32), fore, back), sauce, flags=tuple(lint))


XBIN = ScreenReader(
    name="xbin",
    rank=120,
    extensions=(".xb", ".xbin"),
    summary="XBin: a screen with its own palette, font, runs and 512 glyphs",
    recognised="XBIN 0x1A",
    oracle="ansilove",
    knows=lambda head, path: head.startswith(MAGIC),
    draw=draw,
)
