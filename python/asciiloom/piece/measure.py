"""What can be counted in a piece: size in cells, ink, charset, and what its quality is judged by.

A whole batch is laid into one array of code points and counted in a single compiled pass; the few
texts with combining or joined glyphs take the exact grapheme path of ``wcwidth``.
"""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from wcwidth import wcwidth, width

from asciiloom.jit import njit
from asciiloom.piece.credit import SIGNATURES

I64 = NDArray[np.int64]
U32 = NDArray[np.uint32]

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
    joined = "\n".join(texts) + "\n"
    codes = np.frombuffer(joined.encode("utf-32-le"), np.uint32)
    first = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(np.fromiter((len(t) + 1 for t in texts), np.int64, len(texts)), out=first[1:])
    widths = np.ones(128, np.int8) if joined.isascii() else cell_widths()
    out = np.zeros((11, len(texts)), np.int64)
    _count(codes, first, widths, _charset_table(), _signature_words(), out)
    counts = Counts(*out)
    for i in np.flatnonzero(counts.width < 0).tolist():
        counts.width[i] = max(map(width, texts[i].split("\n")))
    return counts


WORD_TABLE = 1 << 16


@functools.cache
def _signature_words() -> NDArray[np.bool_]:
    """By hash of a run of ASCII letters: whether it may belong to a known signature."""
    table = np.zeros(WORD_TABLE, np.bool_)
    for signature in SIGNATURES:
        for word in re.findall("[A-Za-z]+", signature):
            h = 0
            for c in word:
                h = _next_hash(h, ord(c))
            table[h & (WORD_TABLE - 1)] = True
    return table


@njit
def _next_hash(h: int, code: int) -> int:
    return ((h ^ code) * 16777619 + 1) & 0xFFFFFFFF


@njit
def _is_letter(code: int) -> bool:
    return 65 <= code < 91 or 97 <= code < 123 or 0xC0 <= code < 0x250 or 0x370 <= code < 0x530


@njit
def _is_post(code: int) -> bool:
    """A glyph that the left or right side of a box is drawn with."""
    return code in (0x7C, 0x3A, 0x21, 0x23, 0x2A, 0x2502, 0x2503, 0x2551, 0x48)


@njit
def _count(
    codes: U32,
    first: I64,
    widths: NDArray[np.int8],
    charsets: NDArray[np.uint8],
    signatures: NDArray[np.bool_],
    out: I64,
) -> None:
    """Fill ``out`` (11, texts) with the columns of ``Counts``; width -1 where only graphemes tell."""
    seen = np.zeros(1 << 16, np.int32)
    for i in range(first.shape[0] - 1):
        begin, end = first[i], first[i + 1]
        ink = glyphs = letters = prose = wide = rows = widest = 0
        charset = 0xFF
        odd = False
        x = row_ink = row_letters = words = run = 0
        left = right = top_left = top_right = -1
        left_code = right_code = 0
        sided = uneven = 0
        credit = False
        opened = False
        word = before = earlier = 0
        for k in range(begin, end):
            code = codes[k]
            if 65 <= code < 91 or 97 <= code < 123:
                word = _next_hash(word, code)
            else:
                if word:
                    credit = credit or signatures[word & (WORD_TABLE - 1)]
                    word = 0
                ended = before | 32
                if code == 32 or code == 58:  # "by ", "by:" and "artist:"
                    credit = credit or (ended == 121 and earlier | 32 == 98)
                    credit = credit or (code == 58 and ended == 116)
                elif code == 41:  # "(c)"
                    credit = credit or (ended == 99 and earlier == 40)
                elif code == 64:  # "<somebody@"
                    credit = credit or opened
                opened = (opened or code == 60) and code != 10
            earlier, before = before, code
            if code == 10:
                rows += 1
                widest = max(widest, x)
                if words >= 3 and row_letters * 10 >= row_ink * 7:
                    prose += row_ink
                if rows == 1:
                    top_left, top_right = left, right
                elif left == top_left and _is_post(left_code) and _is_post(right_code):
                    sided += 1
                    uneven += right != top_right
                x = row_ink = row_letters = words = run = 0
                left = right = -1
                continue
            # The first and last cell of ink of a row stand for its sides.
            if code != 32 and code != 0x3000:
                ink += 1
                row_ink += 1
                if left < 0:
                    left, left_code = x, code
                right, right_code = x, code
                slot = code & 0xFFFF
                if code > 0xFFFF:
                    charset = 1 << 4
                    odd = True
                else:
                    charset &= charsets[code]
                if seen[slot] != i + 1:
                    seen[slot] = i + 1
                    glyphs += 1
                if _is_letter(code):
                    letters += 1
                    row_letters += 1
                    run += 1
                    words += run == 2 and code != earlier  # "HH" is a stroke of a letter
                else:
                    run = 0
                if 0x3040 <= code < 0xA000 or 0xFF00 <= code < 0xFFF0:
                    wide += 1
            else:
                run = 0
                if code == 0x3000:
                    charset &= charsets[code]
            if code < 128:
                x += 1
            elif code < len(widths) and widths[code] >= 0:
                x += widths[code]
            else:
                odd = True
        chars = end - begin - 1
        out[0, i] = -1 if odd else widest
        out[1, i] = rows if chars else 0
        out[2, i] = chars
        out[3, i] = ink
        out[4, i] = glyphs
        place = 0
        while place < 4 and not charset >> place & 1:
            place += 1
        out[5, i] = place
        out[6, i] = wide <= _PROPORTIONAL_SHARE * max(1, ink)
        out[7, i] = prose
        out[8, i] = uneven if sided >= 3 and top_left >= 0 and uneven * 2 <= sided else 0
        out[9, i] = letters
        out[10, i] = credit
