"""What can be counted in a piece: size in cells, ink, charset. For one text or a whole batch.

The batch form lays every text into one array of code points and counts with ``reduceat`` and
cumulative sums, so that its cost is the memory traffic, not a Python loop; the few texts with
combining or double-width glyphs take the exact grapheme path of ``wcwidth``.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from wcwidth import wcwidth, width

# Each charset holds printable ASCII. A piece belongs to the first that contains it.
CHARSETS = ("ascii", "latin1", "cp437", "braille", "unicode")
# Which pieces fit where only the key charset can be shown.
CHARSET_FITS: dict[str, tuple[str, ...]] = {
    "ascii": ("ascii",),
    "latin1": ("ascii", "latin1"),
    "cp437": ("ascii", "cp437"),
    "braille": ("ascii", "braille"),
    "unicode": CHARSETS,
}
_CP437_HIGH = bytes(range(128, 256)).decode("cp437")
_CP437_LOW = "☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼⌂"
CP437_GLYPHS = _CP437_LOW + _CP437_HIGH.replace("\u00a0", "")

# Katakana, CJK and full-width forms are drawn for a proportional font (Shift-JIS art): a
# monospace grid cannot show how they line up.
_PROPORTIONAL_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class Measures:
    """Counts of one canonical text.

    ``width``: cells of the widest row; ``height``: rows; ``chars``: code points with newlines;
    ``ink``: code points that show something; ``glyphs``: distinct ones among them; ``charset``:
    the narrowest of ``CHARSETS``; ``is_grid``: whether a monospace grid shows it as meant.
    """

    width: int
    height: int
    chars: int
    ink: int
    glyphs: int
    charset: str
    is_grid: bool


@functools.cache
def _charset_table() -> NDArray[np.uint8]:
    """Bit k of entry ``c`` is set where BMP code point ``c`` lies in ``CHARSETS[k]``."""
    table = np.full(0x10000, 1 << 4, np.uint8)
    table[[10, *range(32, 127)]] |= 0b1111
    table[0xA1:0x100] |= 1 << 1
    table[[ord(c) for c in CP437_GLYPHS]] |= 1 << 2
    table[0x2800:0x2900] |= 1 << 3
    return table


@functools.cache
def cell_widths() -> NDArray[np.int8]:
    """Cells per BMP code point; -1 marks those whose width depends on their neighbours."""
    table = np.ones(0x10000, np.int8)
    for code in range(0x80, 0x10000):
        cells = wcwidth(chr(code))
        table[code] = cells if cells > 0 else -1
    # Jamo, emoji that a variation selector or joiner can change, and everything joined.
    for low, high in ((0x1100, 0x1200), (0x2600, 0x27C0), (0xD7B0, 0xD800), (0xFE00, 0xFE10)):
        table[low:high] = -1
    table[0x200D] = -1
    return table


def measure(text: str) -> Measures:
    """Measures of one canonical text (see ``Measures`` for units)."""
    return measure_batch([text])[0]


def measure_batch(texts: Sequence[str]) -> list[Measures]:
    """Measures of many canonical texts at once, in order."""
    if not texts:
        return []
    joined = "\n".join(texts) + "\n"
    codes = np.frombuffer(joined.encode("utf-32-le"), np.uint32)
    sizes = np.fromiter((len(t) for t in texts), np.int64, len(texts))
    ends = np.cumsum(sizes + 1)  # each text closes with a newline that is not part of it
    starts = ends - sizes - 1

    newline = codes == 10
    blank = newline | (codes == 32) | (codes == 0x3000)
    # Row ends over the whole batch; a text's last row ends at its closing newline.
    row_ends = np.flatnonzero(newline)
    last = np.searchsorted(row_ends, ends - 1)
    heights = np.diff(np.concatenate(([-1], last)))
    ink = np.add.reduceat((~blank).astype(np.int64), starts)

    clipped = np.minimum(codes, 0xFFFF)
    ascii_only = bool(codes.max(initial=0) < 0x80)
    if ascii_only:
        cells = np.ones(len(codes), np.int64)
        odd = np.zeros(len(texts), bool)
    else:
        table = cell_widths()[clipped]
        strange = (table < 0) | (codes > 0xFFFF)
        odd = np.add.reduceat(strange.astype(np.int64), starts) > 0
        cells = np.abs(table).astype(np.int64)
    cells[newline] = 0
    running = np.cumsum(cells)
    row_widths = np.diff(np.concatenate(([0], running[row_ends])))
    first_row = np.concatenate(([0], last[:-1] + 1))
    widths = np.maximum.reduceat(row_widths, first_row)

    charsets = np.bitwise_and.reduceat(_charset_table()[clipped], starts)
    high = codes > 0xFFFF
    if high.any():
        charsets[np.add.reduceat(high.astype(np.int64), starts) > 0] = 1 << 4
    wide = (codes >= 0x3040) & (codes < 0xA000) | (codes >= 0xFF00) & (codes < 0xFFF0)
    wide_counts = np.add.reduceat(wide.astype(np.int64), starts)

    out = []
    for i, text in enumerate(texts):
        bits = int(charsets[i])
        shown = set(text)
        shown -= {" ", "\n", "\u3000"}
        out.append(
            Measures(
                width=max(map(width, text.split("\n"))) if odd[i] else int(widths[i]),
                height=int(heights[i]) if text else 0,
                chars=len(text),
                ink=int(ink[i]),
                glyphs=len(shown),
                charset=CHARSETS[(bits & -bits).bit_length() - 1],
                is_grid=bool(wide_counts[i] <= _PROPORTIONAL_SHARE * max(1, int(ink[i]))),
            )
        )
    return out
