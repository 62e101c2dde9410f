"""What can be counted in a piece: size in cells, ink, charset, and what its quality is judged by.

The code points of a whole batch go into one array and are counted in a single compiled pass; the few
texts with combining or joined glyphs take the exact grapheme path of ``wcwidth``.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from wcwidth import wcwidth, width

from asciiloom.piece.kernels.codes import CodeArray
from asciiloom.piece.piece import CHARSETS

I64 = NDArray[np.int64]

_CP437_HIGH = bytes(range(128, 256)).decode("cp437")
_CP437_LOW = "☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼⌂"
CP437_GLYPHS = _CP437_LOW + _CP437_HIGH.replace("\u00a0", "")


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


@dataclass(frozen=True, slots=True)
class Counts:
    """Columns of counts of a batch of texts, each int64 (texts,): ``Measures``' and, for quality,
    ``prose`` (ink in rows of words), ``ragged`` (rows of a box whose right side is out of line) and
    ``letters``; ``credit`` is 0 where no signature or credit line can be."""

    width: I64
    height: I64
    chars: I64
    ink: I64
    glyphs: I64
    charset: I64  # places in CHARSETS
    is_grid: I64
    prose: I64
    ragged: I64
    letters: I64
    credit: I64


def measure(text: str) -> Measures:
    """Measures of one canonical text (see ``Measures`` for units)."""
    return measure_batch([text])[0]


def measure_batch(texts: Sequence[str]) -> list[Measures]:
    """Measures of many canonical texts at once, in order."""
    c = count_batch(texts)
    columns = (c.width, c.height, c.chars, c.ink, c.glyphs, c.charset, c.is_grid)
    return [
        Measures(w, h, chars, ink, glyphs, CHARSETS[charset], bool(is_grid))
        for w, h, chars, ink, glyphs, charset, is_grid in zip(
            *(x.tolist() for x in columns), strict=True
        )
    ]


def count_batch(texts: Sequence[str]) -> Counts:
    """All counts of many canonical texts at once."""
    from asciiloom.piece.kernels.counting import (  # numba: when called
        ascii_kinds,
        count,
        signature_words,
    )

    array = CodeArray.of(texts)
    widths = np.ones(128, np.int8) if array.is_ascii else cell_widths()
    out = np.zeros((11, len(texts)), np.int64)
    count(array.codes, array.first, ascii_kinds(), widths, _charset_table(), signature_words(), out)
    counts = Counts(*out)
    for i in np.flatnonzero(counts.width < 0).tolist():
        counts.width[i] = max(map(width, texts[i].split("\n")))
    return counts
