"""Words set in a FIGlet font exactly as ``figlet`` sets them.

Letters are moved together until ink meets, and where the font's rules let two strokes share a cell, one
cell further. The rules and the order in which they apply are those of figlet 2.2.5 (Glenn Chappell, Ian
Chai and others; "FIGfont Version 2 FIGfont and FIGdriver Standard"), its treatment of hard blanks, of
letters a cell wide and of slanted ones included, in which other drivers differ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

EQUAL, LOWLINE, HIERARCHY, PAIR, BIG_X, HARD_BLANK, KERN, SMUSH = (1 << bit for bit in range(8))
_RULES = 63
_BEATS_LOWLINE = "|/\\[]{}()<>"
# Of two strokes the one of the later class stays.
_CLASSES = ("|", "/\\", "[]", "{}", "()", "<>")
_PAIRS = frozenset(["[]", "][", "{}", "}{", "()", ")("])
_BIG_X = {"/\\": "|", "\\/": "Y", "><": "X"}


@dataclass(frozen=True, slots=True)
class Face:
    """What of a font setting needs: the rows of each letter by code point, their common ``height``, the
    ``hard_blank`` that no letter moves into, the layout ``mode`` and the direction."""

    glyphs: Mapping[int, Sequence[str]]
    height: int
    hard_blank: str
    mode: int
    leftwards: bool = False


def set_line(face: Face, words: str) -> list[str]:
    """The rows of ``words``, hard blanks shown as blanks."""
    missing = [""] * face.height
    rows = [""] * face.height
    before = 0
    for letter in words:
        glyph = face.glyphs.get(ord(letter), face.glyphs.get(0, missing))
        width = len(glyph[0])
        narrow = before < 2 or width < 2
        overlap = _overlap(face, rows, glyph, narrow)
        at = (width if face.leftwards else len(rows[0])) - overlap
        rows = [
            _joined(face, row, part, at, overlap, narrow)
            for row, part in zip(rows, glyph, strict=True)
        ]
        before = width
    return [row.replace(face.hard_blank, " ") for row in rows]


def _overlap(face: Face, rows: list[str], glyph: Sequence[str], narrow: bool) -> int:
    """Cells by which ``glyph`` moves into what is set already. Widths are those of the first rows."""
    if not face.mode & (SMUSH | KERN):
        return 0
    least = len(glyph[0])
    for row, part in zip(rows, glyph, strict=True):
        left, right, wide = row, part, len(rows[0])
        if face.leftwards:
            left, right, wide, least = part, row, len(glyph[0]), min(least, len(row))
        ended, begun = left.rstrip(" "), right.lstrip(" ")
        # The stroke that ends the left side; of a blank one, its first cell.
        stroke = ended[-1:] or left[:1]
        room = wide - max(len(ended), 1) + len(right) - len(begun)
        if stroke in ("", " ") or (begun and _shared(face, stroke, begun[0], narrow)):
            room += 1
        least = min(least, room)
    return max(least, 0)


def _joined(face: Face, row: str, part: str, at: int, overlap: int, narrow: bool) -> str:
    """A row with a letter's row laid over it from column ``at`` on."""
    left, right = (part, row) if face.leftwards else (row, part)
    cells = list(left)
    for k, stroke in enumerate(right[:overlap]):
        column = max(at + k, 0)
        if column >= len(cells):  # a row shorter than the first: nothing is there to share
            continue
        if shared := _shared(face, cells[column], stroke, narrow):
            cells[column] = shared
        else:  # only there, too: figlet ends such a row where two strokes cannot share a cell
            del cells[column:]
    return "".join(cells) + right[overlap:]


def _shared(face: Face, left: str, right: str, narrow: bool) -> str:
    """The glyph that two share a cell as, "" where they may not."""
    if left == " ":
        return right
    if right == " ":
        return left
    mode = face.mode
    if narrow or not mode & SMUSH:
        return ""
    if not mode & _RULES:  # universal: the visible, then the later one
        if left == face.hard_blank or (right != face.hard_blank and not face.leftwards):
            return right
        return left
    if face.hard_blank in (left, right):
        return left if left == right and mode & HARD_BLANK else ""
    if mode & EQUAL and left == right:
        return left
    if mode & LOWLINE:
        if left == "_" and right in _BEATS_LOWLINE:
            return right
        if right == "_" and left in _BEATS_LOWLINE:
            return left
    if mode & HIERARCHY:
        ranks = [
            next((k for k, c in enumerate(_CLASSES) if glyph in c), -1) for glyph in (left, right)
        ]
        if -1 not in ranks and ranks[0] != ranks[1]:
            return right if ranks[1] > ranks[0] else left
    if mode & PAIR and left + right in _PAIRS:
        return "|"
    return _BIG_X.get(left + right, "") if mode & BIG_X else ""
