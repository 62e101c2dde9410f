"""The one pass over a batch's code points that counts everything: compiled, so imported only when called.

See ``Counts`` in ``measure`` for what is counted.
"""

import functools
import re

import numpy as np
from numpy.typing import NDArray

from asciiloom.jit import njit
from asciiloom.piece.credit import SIGNATURES
from asciiloom.piece.kernels.codes import Codes

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
Code = int | np.int64 | np.unsignedinteger

# Katakana, CJK and full-width forms are drawn for a proportional font (Shift-JIS art): a
# monospace grid cannot show how they line up.
PROPORTIONAL_SHARE = 0.15
WORD_TABLE = 1 << 16
# What a code point below 128 is to the counts; 0 is ink like any other.
_BREAK, _BLANK, _LETTER, _HINT = 1, 2, 3, 4


@functools.cache
def signature_words() -> NDArray[np.bool_]:
    """By hash of a run of ASCII letters: whether it may belong to a known signature."""
    table = np.zeros(WORD_TABLE, np.bool_)
    for signature in SIGNATURES:
        for word in re.findall("[A-Za-z]{2,}", signature):
            h = 0
            for c in word:
                h = _next_hash(h, ord(c))
            table[h & (WORD_TABLE - 1)] = True
    return table


@functools.cache
def ascii_kinds() -> U8:
    """What each ASCII code is to the counts."""
    kinds = np.zeros(128, np.uint8)
    kinds[[10, 32]] = _BREAK, _BLANK
    kinds[65:91] = kinds[97:123] = _LETTER
    kinds[[ord(c) for c in ":)@<"]] = _HINT
    return kinds


@njit
def _next_hash(h: int, code: Code) -> int:
    return int(((h ^ code) * 16777619 + 1) & 0xFFFFFFFF)


@njit
def _is_other_letter(code: Code) -> bool:
    """Letters beyond ASCII."""
    return bool(0xC0 <= code < 0x250 or 0x370 <= code < 0x530)


@njit
def _is_post(code: Code) -> bool:
    """A glyph that the left or right side of a box is drawn with."""
    return code in (0x7C, 0x3A, 0x21, 0x23, 0x2A, 0x2502, 0x2503, 0x2551, 0x48)


@njit
def _is_hint(code: Code, before: Code, earlier: Code, opened: bool) -> bool:
    """Whether ``code`` after two others ends what a credit begins with."""
    ended = before | 32
    if code == 32 or code == 58:  # "by ", "by:" and "artist:"
        return bool((ended == 121 and earlier | 32 == 98) or (code == 58 and ended == 116))
    if code == 41:  # "(c)"
        return bool(ended == 99 and earlier == 40)
    return opened and code == 64  # "<somebody@"


@njit
def count(
    codes: Codes,
    first: I64,
    kinds: U8,
    widths: NDArray[np.int8],
    charsets: U8,
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
        left_code = right_code = np.int64(0)
        sided = uneven = 0
        credit = False
        opened = False
        word = 0
        for k in range(begin, end):
            code = np.int64(codes[k])
            kind = kinds[code] if code < 128 else 0
            if kind == _LETTER:
                word = _next_hash(word, code)
                letters += 1
                row_letters += 1
                run += 1
                words += run == 2 and code != codes[k - 1]  # "HH" is a stroke of a letter
            else:
                if word:
                    credit = credit or signatures[word & (WORD_TABLE - 1)]
                    word = 0
                if kind:
                    if k >= begin + 2 and kind != _BREAK:
                        credit = credit or _is_hint(code, codes[k - 1], codes[k - 2], opened)
                    opened = (opened or code == 60) and kind != _BREAK
                    run = 0
                    if kind == _BREAK:
                        rows += 1
                        widest = max(widest, x)
                        if words >= 3 and row_letters * 10 >= row_ink * 7:
                            prose += row_ink
                        if rows == 1:
                            top_left, top_right = left, right
                        elif left == top_left and _is_post(left_code) and _is_post(right_code):
                            sided += 1
                            uneven += right != top_right
                        x = row_ink = row_letters = words = 0
                        left = right = -1
                        continue
                    if kind == _BLANK:
                        x += 1
                        continue
                elif code < 128:
                    run = 0
                else:
                    charset &= charsets[code] if code <= 0xFFFF else 1 << 4
                    if code == 0x3000:
                        run = 0
                        x += 2
                        continue
                    if _is_other_letter(code):
                        letters += 1
                        row_letters += 1
                        run += 1
                        words += run == 2 and code != codes[k - 1]
                    else:
                        run = 0
                    wide += int(0x3040 <= code < 0xA000 or 0xFF00 <= code < 0xFFF0)
            # A cell of ink. The first and last of a row stand for its sides.
            ink += 1
            row_ink += 1
            if left < 0:
                left, left_code = x, code
            right, right_code = x, code
            slot = code & 0xFFFF
            if seen[slot] != i + 1:
                seen[slot] = i + 1
                glyphs += 1
            if code < 128:
                x += 1
            elif code < len(widths) and widths[code] >= 0:
                x += int(widths[code])
            else:
                odd = True
        chars = end - begin - 1
        out[0, i] = -1 if odd else widest
        out[1, i] = rows if chars else 0
        out[2, i] = chars
        out[3, i] = ink
        out[4, i] = glyphs
        charset_index = 0
        while charset_index < 4 and not charset >> charset_index & 1:
            charset_index += 1
        out[5, i] = charset_index
        out[6, i] = wide <= PROPORTIONAL_SHARE * max(1, ink)
        out[7, i] = prose
        out[8, i] = uneven if sided >= 3 and top_left >= 0 and uneven * 2 <= sided else 0
        out[9, i] = letters
        out[10, i] = credit
