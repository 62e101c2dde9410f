"""XP (REXPaint): layers of cells, column by column, deflated; layers lie upon each other.

A cell with the background (255, 0, 255) is a hole through which the layer below is seen.
"""

import struct

import numpy as np

from asciiloom.readers.screens.reader import Drawn, ScreenError, ScreenReader
from asciiloom.readers.screens.screen import MAX_COLUMNS, MAX_ROWS, Screen, glyph_table

_MAX_CELLS = 8 << 20
_LAYERS = 9
_CELL = np.dtype([("code", "<u4"), ("fore", "u1", 3), ("back", "u1", 3)])


def _rgb(channels: np.ndarray) -> np.ndarray:
    wide = channels.astype(np.int32)
    return (wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]).astype(np.int32)


def _compose(data: bytes) -> Screen:
    """All layers as one screen; ``ValueError`` or ``struct.error`` where the file is no XP file."""
    version, count = struct.unpack_from("<ii", data)
    at = 8
    if version >= 0:  # the first releases wrote no version
        count, at = version, 4
    if not 0 < count <= _LAYERS:
        raise ValueError(f"{count} layers; 1 to {_LAYERS}")
    screen: Screen | None = None
    for _ in range(count):
        width, height = struct.unpack_from("<ii", data, at)
        at += 8
        fits = 0 < width <= MAX_COLUMNS and 0 < height <= MAX_ROWS and width * height <= _MAX_CELLS
        if not fits:
            raise ValueError(f"a layer of {width}x{height}")
        size = width * height * _CELL.itemsize
        if len(data) - at < size:
            raise ValueError("a layer ends early")
        cells = np.frombuffer(data, _CELL, width * height, at).reshape(width, height).T
        at += size
        fore, back = _rgb(cells["fore"]), _rgb(cells["back"])
        codes = cells["code"].astype(np.uint32)
        valid = (codes < 0xD800) | ((codes > 0xDFFF) & (codes < 0x110000))
        glyphs = np.where(codes < 256, glyph_table()[codes & 255], codes)
        glyphs = np.where(valid, glyphs, 0xFFFD).astype(np.uint32)
        glyphs[glyphs == 0] = 32
        if screen is None:
            hole = back == 0xFF00FF
            back = np.where(hole, -1, back).astype(np.int32)
            screen = Screen(np.where(hole, 32, glyphs).astype(np.uint32), fore, back)
        else:
            rows, columns = (
                min(height, screen.glyphs.shape[0]),
                min(width, screen.glyphs.shape[1]),
            )
            part = np.s_[:rows, :columns]
            solid = back[part] != 0xFF00FF
            screen.glyphs[part][solid] = glyphs[part][solid]
            screen.fore[part][solid] = fore[part][solid]
            screen.back[part][solid] = back[part][solid]
    assert screen is not None
    return screen


def draw(data: bytes, encoding: str | None = None) -> Drawn:
    """The screen of an XP file (inflated already)."""
    try:
        return Drawn(_compose(data), encoding="xp")
    except (struct.error, ValueError) as error:
        raise ScreenError("truncated", f"not a whole XP file: {error}") from error


REXPAINT = ScreenReader(
    name="rexpaint",
    rank=150,
    extensions=(".xp",),
    summary="XP: REXPaint, layers of coloured cells",
    recognised=".xp",
    oracle="a writer of its specification, in the tests",
    knows=lambda head, path: path.endswith(".xp") and len(head) >= 16,
    draw=draw,
)
