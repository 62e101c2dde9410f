"""The compiled loops of the binary formats, apart so that nobody loads the compiler for plain text."""

import numpy as np

from asciiloom.jit import njit


@njit
def unpack_xbin(data: np.ndarray, cells: int) -> tuple[np.ndarray, int]:
    """(cells, 2) of XBin's runs, and how many cells the data filled."""
    out = np.zeros((cells, 2), np.uint8)
    out[:, 0] = 32
    out[:, 1] = 7
    at = 0
    n = len(data)
    filled = 0
    while at < n and filled < cells:
        kind = data[at] >> 6
        count = (data[at] & 63) + 1
        at += 1
        if kind == 0:  # pairs
            for _ in range(count):
                if at + 1 >= n or filled >= cells:
                    return out, filled
                out[filled, 0], out[filled, 1] = data[at], data[at + 1]
                at += 2
                filled += 1
        elif kind == 1:  # one glyph, many attributes
            if at >= n:
                break
            glyph = data[at]
            at += 1
            for _ in range(count):
                if at >= n or filled >= cells:
                    return out, filled
                out[filled, 0], out[filled, 1] = glyph, data[at]
                at += 1
                filled += 1
        elif kind == 2:  # one attribute, many glyphs
            if at >= n:
                break
            attribute = data[at]
            at += 1
            for _ in range(count):
                if at >= n or filled >= cells:
                    return out, filled
                out[filled, 0], out[filled, 1] = data[at], attribute
                at += 1
                filled += 1
        else:  # one pair, many times
            if at + 1 >= n:
                break
            for _ in range(count):
                if filled >= cells:
                    return out, filled
                out[filled, 0], out[filled, 1] = data[at], data[at + 1]
                filled += 1
            at += 2
    return out, filled


@njit
def unpack_icedraw(data: np.ndarray, limit: int) -> np.ndarray:
    """uint8 pairs; 01 00, a 16-bit count and a pair stand for a run."""
    out = np.zeros(limit * 2, np.uint8)
    filled = 0
    at = 0
    while at + 1 < len(data) and filled < limit:
        if data[at] == 1 and data[at + 1] == 0:
            if at + 5 >= len(data):
                break
            count = data[at + 2] | np.int64(data[at + 3]) << 8
            for _ in range(min(count, limit - filled)):
                out[2 * filled], out[2 * filled + 1] = data[at + 4], data[at + 5]
                filled += 1
            at += 6
        else:
            out[2 * filled], out[2 * filled + 1] = data[at], data[at + 1]
            filled += 1
            at += 2
    return out[: 2 * filled]


@njit
def _word(data: np.ndarray, at: int) -> int:
    return int(
        np.int64(data[at]) << 24
        | np.int64(data[at + 1]) << 16
        | np.int64(data[at + 2]) << 8
        | np.int64(data[at + 3])
    )


@njit
def draw_tundra(
    data: np.ndarray, columns: int, rows: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Glyph numbers, colours, and rows used; -1 rows where a command leaves the screen."""
    glyphs = np.full((rows, columns), 32, np.uint8)
    fore = np.full((rows, columns), -1, np.int32)
    back = np.full((rows, columns), -1, np.int32)
    row, column, height = 0, 0, 0
    fg, bg = 0, 0
    at, n = 0, len(data)
    while at < n:
        if column == columns:
            column = 0
            row += 1
        command = data[at]
        at += 1
        if command == 1:
            if at + 8 > n:
                break
            row, column = _word(data, at), _word(data, at + 4)
            at += 8
            if column >= columns or row >= rows:
                return glyphs, fore, back, -1
            continue
        glyph = command
        if command == 2 or command == 4 or command == 6:
            need = 9 if command == 6 else 5
            if at + need > n:
                break
            glyph = data[at]
            at += 1
            if command != 4:
                fg = _word(data, at) & 0xFFFFFF
                at += 4
            if command != 2:
                bg = _word(data, at) & 0xFFFFFF
                at += 4
        if row >= rows:
            return glyphs, fore, back, -1
        glyphs[row, column] = glyph
        fore[row, column] = fg
        back[row, column] = bg
        height = max(height, row + 1)
        column += 1
    return glyphs, fore, back, height
