"""The renderer: a stream of codes -> a screen, by the rules of a DOS text screen or of a terminal.

One compiled state machine for both, since they differ in few places. DOS (ANSI.SYS): fixed width
with the wrap taken before whatever comes next (deferred to the next glyph in files for a terminal, so
that a full row and its line end are one), LF goes to column 0, CR does nothing, control codes are
glyphs, 0x1A ends the file. Terminal (UTF-8 files): no wrap, CR goes to column 0, control codes
show nothing, wide characters take two cells, DEC line drawing.

Rows grow as they are written to, up to ``max_rows``; a glyph beyond them ends the run.
"""

import functools

import numpy as np
from numpy.typing import NDArray

from asciiloom.jit import njit

_PARAMETERS = 32
_TOO_BIG = 1 << 24

# Colours of xterm: 16 named, a 6x6x6 cube, 24 greys. The first 16 in SGR order (red is 1).
_ANSI16 = (
    0x000000, 0xAA0000, 0x00AA00, 0xAA5500, 0x0000AA, 0xAA00AA, 0x00AAAA, 0xAAAAAA,
    0x555555, 0xFF5555, 0x55FF55, 0xFFFF55, 0x5555FF, 0xFF55FF, 0x55FFFF, 0xFFFFFF,
)  # fmt: skip


@functools.cache
def xterm_palette() -> NDArray[np.int32]:
    """0xRRGGBB of the 256 indexed colours."""
    steps = (0, 95, 135, 175, 215, 255)
    cube = [r << 16 | g << 8 | b for r in steps for g in steps for b in steps]
    greys = [v << 16 | v << 8 | v for v in range(8, 248, 10)]
    return np.array([*_ANSI16, *cube, *greys], np.int32)


# DEC special graphics: what 0x60-0x7E show after ESC ( 0.
DEC_GRAPHICS = np.array([ord(c) for c in "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·"], np.uint32)


@njit
def render(
    codes: NDArray[np.uint32],
    widths: NDArray[np.uint8],
    dos: bool,
    defers: bool,
    ice: bool,
    columns: int,
    max_rows: int,
    table: NDArray[np.uint32],
    palette: NDArray[np.int32],
    dec: NDArray[np.uint32],
) -> tuple[NDArray[np.uint32], NDArray[np.int32], NDArray[np.int32], int]:
    """Glyphs, foregrounds, backgrounds (rows, columns) and the row that did not fit, or 0.

    ``widths``: cells per code, or empty where each takes one. ``table``: code point per byte in
    DOS mode. Foreground and background are -1 where nothing was said or reset.
    """
    n = len(codes)
    rows = min(64, max_rows)
    glyphs = np.full((rows, columns), np.uint32(32), np.uint32)
    fore = np.full((rows, columns), np.int32(-1), np.int32)
    back = np.full((rows, columns), np.int32(-1), np.int32)
    height = 0
    row = 0
    column = 0
    saved_row = 0
    saved_column = 0
    fg = 7
    bg = 0
    bold = False
    blink = False
    inverse = False
    hidden = False
    fg_rgb = -1
    bg_rgb = -1
    # A terminal's own colours are not known; those of DOS are grey on black.
    fg_set = dos
    bg_set = False
    colour_fg = np.int32(palette[7]) if dos else np.int32(-1)
    colour_bg = np.int32(-1)
    line_drawing = False
    last = np.uint32(32)
    parameters = np.zeros(_PARAMETERS, np.int64)
    i = 0
    while i < n:
        code = codes[i]
        i += 1
        repeat = 1
        if dos and not defers and column >= columns:  # whatever comes next, a new line included
            row += 1
            column = 0
        if code == 27 and i < n and codes[i] == 91:  # ESC [
            i += 1
            count = 0
            value = -1
            private = False
            intermediate = False
            final = np.uint32(0)
            parameters[:] = -1
            while i < n:
                c = codes[i]
                if 48 <= c <= 57:
                    value = (0 if value < 0 else value) * 10 + int(c) - 48
                    value = min(value, _TOO_BIG)
                elif c == 59 or c == 58:
                    if count < _PARAMETERS:
                        parameters[count] = value
                        count += 1
                    value = -1
                elif 60 <= c <= 63:
                    private = True
                elif 32 <= c <= 47:
                    intermediate = True
                elif 64 <= c <= 126:
                    final = c
                    i += 1
                    break
                else:
                    break  # not a sequence after all: what follows is looked at again
                i += 1
            if count < _PARAMETERS:
                parameters[count] = value
                count += 1
            if private or intermediate:
                continue
            if defers and column >= columns and final != 109 and final != 116:
                column = columns - 1  # a move starts from the cell written last
            first = parameters[0]
            amount = first if first > 0 else 1
            if final == 65:  # A
                row = max(0, row - amount)
            elif final == 66:  # B
                row = min(row + amount, _TOO_BIG)
            elif final == 67:  # C
                column = min(column + amount, columns if dos else columns - 1)
            elif final == 68:  # D
                column = max(0, column - amount)
            elif final == 72 or final == 102:  # H f
                row = (first if first > 0 else 1) - 1
                second = parameters[1] if count > 1 else -1
                column = min((second if second > 0 else 1) - 1, columns - 1)
            elif final == 115:  # s
                saved_row, saved_column = row, column
            elif final == 117:  # u
                row, column = saved_row, saved_column
            elif final == 74:  # J
                if first == 2 or first == 3:
                    if dos or first == 2:
                        glyphs[:height] = np.uint32(32)
                        fore[:height] = np.int32(-1)
                        back[:height] = np.int32(-1)
                        height = 0 if dos else height
                        if dos:
                            row = 0
                            column = 0
                elif first <= 0:
                    if row < height:
                        glyphs[row, column:] = np.uint32(32)
                        fore[row, column:] = np.int32(-1)
                        back[row, column:] = np.int32(-1)
                        glyphs[row + 1 : height] = np.uint32(32)
                        fore[row + 1 : height] = np.int32(-1)
                        back[row + 1 : height] = np.int32(-1)
                elif first == 1:
                    stop = min(row, height)
                    glyphs[:stop] = np.uint32(32)
                    fore[:stop] = np.int32(-1)
                    back[:stop] = np.int32(-1)
                    if row < height:
                        glyphs[row, : column + 1] = np.uint32(32)
                        fore[row, : column + 1] = np.int32(-1)
                        back[row, : column + 1] = np.int32(-1)
            elif final == 75:  # K
                if row < height:
                    start, stop = column, columns
                    if first == 1:
                        start, stop = 0, min(column + 1, columns)
                    elif first == 2:
                        start = 0
                    glyphs[row, start:stop] = np.uint32(32)
                    fore[row, start:stop] = np.int32(-1)
                    # A terminal erases with the colour in force; DOS with black.
                    back[row, start:stop] = np.int32(-1) if dos else colour_bg
            elif final == 116 and dos:  # t: 24-bit colour, 0;r;g;b behind and 1;r;g;b before
                if count >= 4:
                    rgb = (
                        (max(0, parameters[1]) & 255) << 16
                        | (max(0, parameters[2]) & 255) << 8
                        | (max(0, parameters[3]) & 255)
                    )
                    if first == 1:
                        fg_rgb = rgb
                        fg_set = True
                    else:
                        bg_rgb = rgb
                        bg_set = True
            elif final == 109:  # m
                p = 0
                while p < count:
                    v = max(0, parameters[p])
                    if v == 0:
                        fg, bg, fg_rgb, bg_rgb = 7, 0, -1, -1
                        bold = blink = inverse = hidden = False
                        fg_set = dos
                        bg_set = False
                    elif v == 1:
                        bold = True
                        fg_rgb = -1 if dos else fg_rgb
                    elif v == 5 or v == 6:
                        blink = True
                        bg_rgb = -1 if dos else bg_rgb
                    elif v == 7:
                        inverse = True
                    elif v == 8:
                        hidden = True
                    elif v == 22:
                        bold = False
                    elif v == 25:
                        blink = False
                    elif v == 27:
                        inverse = False
                    elif v == 28:
                        hidden = False
                    elif 30 <= v <= 37:
                        fg, fg_rgb, fg_set = v - 30, -1, True
                    elif v == 38 or v == 48:
                        rgb = np.int64(-1)
                        if p + 2 < count and parameters[p + 1] == 5:
                            rgb = np.int64(palette[max(0, parameters[p + 2]) & 255])
                            p += 2
                        elif p + 4 < count and parameters[p + 1] == 2:
                            rgb = (
                                (max(0, parameters[p + 2]) & 255) << 16
                                | (max(0, parameters[p + 3]) & 255) << 8
                                | (max(0, parameters[p + 4]) & 255)
                            )
                            p += 4
                        if rgb >= 0 and v == 38:
                            fg_rgb, fg_set = rgb, True
                        elif rgb >= 0:
                            bg_rgb, bg_set = rgb, True
                    elif v == 39:
                        fg, fg_rgb, fg_set = 7, -1, dos
                    elif 40 <= v <= 47:
                        bg, bg_rgb, bg_set = v - 40, -1, True
                    elif v == 49:
                        bg, bg_rgb, bg_set = 0, -1, False
                    elif 90 <= v <= 97:
                        fg, fg_rgb, fg_set = v - 82, -1, True
                    elif 100 <= v <= 107:
                        bg, bg_rgb, bg_set = v - 92, -1, True
                    p += 1
                colour_fg = np.int32(-1)
                if fg_rgb >= 0:
                    colour_fg = np.int32(fg_rgb)
                elif fg_set or (bold and dos):
                    colour_fg = palette[fg + 8 if bold and fg < 8 else fg]
                colour_bg = np.int32(-1)
                if bg_rgb >= 0:
                    colour_bg = np.int32(bg_rgb)
                elif bg_set or (blink and ice):
                    colour_bg = palette[bg + 8 if blink and ice and bg < 8 else bg]
                if inverse:
                    was = colour_fg if colour_fg >= 0 else palette[7]
                    colour_fg = colour_bg if colour_bg >= 0 else palette[0]
                    colour_bg = was
                if hidden:
                    colour_fg = colour_bg
            elif not dos:
                if final == 71:  # G
                    column = min(amount - 1, columns - 1)
                elif final == 100:  # d
                    row = amount - 1
                elif final == 69:  # E
                    row = min(row + amount, _TOO_BIG)
                    column = 0
                elif final == 70:  # F
                    row = max(0, row - amount)
                    column = 0
                elif final == 98:  # b: the last glyph again
                    code = last
                    repeat = min(amount, columns)
                    final = np.uint32(1)
            if final != 1:
                if final == 116 and dos:
                    if fg_rgb >= 0:
                        colour_fg = np.int32(fg_rgb)
                    if bg_rgb >= 0:
                        colour_bg = np.int32(bg_rgb)
                continue
        elif dos:
            if code == 10:
                row += 1
                column = 0
                continue
            if code == 13:
                continue
            if code == 9:
                column = min(column + 8, columns)
                continue
            if code == 26:
                break
            if code == 27:
                # No sequence of a DOS screen: modern ones hold text for the terminal, not art.
                if i < n and codes[i] == 93:
                    stop = min(n, i + 4096)
                    end = i
                    while end < stop and codes[end] != 7 and codes[end] != 27 and codes[end] != 10:
                        end += 1
                    if end < n and codes[end] == 7:
                        i = end + 1
                    elif end + 1 < n and codes[end] == 27 and codes[end + 1] == 92:
                        i = end + 2
                continue
        elif code < 32 or code == 127 or (128 <= code < 160):
            if code == 10 or code == 11 or code == 12:
                row += 1
                column = 0
            elif code == 13:
                column = 0
            elif code == 8:
                column = max(0, column - 1)
            elif code == 9:
                column = min((column // 8 + 1) * 8, columns - 1)
            elif code == 27 and i < n:
                c = codes[i]
                i += 1
                if c == 93 or c == 80 or c == 95 or c == 94 or c == 88:  # strings: up to BEL or ST
                    stop = min(n, i + 65536)
                    while i < stop and codes[i] != 7 and codes[i] != 27:
                        i += 1
                    if i < n and codes[i] == 27 and i + 1 < n and codes[i + 1] == 92:
                        i += 2
                    elif i < n and codes[i] == 7:
                        i += 1
                elif 32 <= c <= 47:
                    if i < n:
                        if c == 40:
                            line_drawing = codes[i] == 48
                        i += 1
                elif c == 55:
                    saved_row, saved_column = row, column
                elif c == 56:
                    row, column = saved_row, saved_column
                elif c == 77:
                    row = max(0, row - 1)
                elif c == 69:
                    row += 1
                    column = 0
            continue
        # A glyph.
        cells = 1
        if dos:
            glyph = table[code & 255]
            if column >= columns:
                row += 1
                column = 0
        else:
            glyph = code
            if len(widths) > 0:
                cells = int(widths[i - 1]) if repeat == 1 else 1
            if line_drawing and 0x60 <= code <= 0x7E:
                glyph = dec[code - 0x60]
            last = code
        for _ in range(repeat):
            if column + cells > columns:
                break  # beyond the widest screen of a terminal: not shown
            if row >= max_rows:
                return glyphs[:height], fore[:height], back[:height], row + 1
            if row >= rows:
                more = min(max(rows * 2, row + 1), max_rows)
                glyphs2 = np.full((more, columns), np.uint32(32), np.uint32)
                fore2 = np.full((more, columns), np.int32(-1), np.int32)
                back2 = np.full((more, columns), np.int32(-1), np.int32)
                glyphs2[:rows] = glyphs
                fore2[:rows] = fore
                back2[:rows] = back
                glyphs, fore, back, rows = glyphs2, fore2, back2, more
            height = max(height, row + 1)
            glyphs[row, column] = glyph
            fore[row, column] = colour_fg
            back[row, column] = colour_bg
            if cells == 2:
                glyphs[row, column + 1] = np.uint32(0)
                fore[row, column + 1] = colour_fg
                back[row, column + 1] = colour_bg
            column += cells
    return glyphs[:height], fore[:height], back[:height], 0
