"""Text with escape sequences -> the screen that it drew, by the rules of its time.

A file is of the PC (code page 437, the DOS rules), of the Amiga (Latin-1, the same rules) or of
today (UTF-8, a terminal's rules). What a file says of itself in its SAUCE record comes first, then
whether its bytes are UTF-8, then what its high bytes look like.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from wcwidth import wcwidth

from asciiloom.readers.decode import decode
from asciiloom.readers.screens.reader import ScreenError
from asciiloom.readers.screens.sauce import CHARACTER, Sauce
from asciiloom.readers.screens.screen import MAX_COLUMNS, MAX_ROWS, Screen, glyph_table

DOS_COLUMNS = 80
# Cells of a screen in memory at 12 bytes each; what a 5,000-column file may have in rows.
_MAX_CELLS = 8 << 20
# 256 or 24-bit colours, which ANSI.SYS never had: the file was made for a terminal.
_TERMINAL_COLOURS = re.compile(rb"\x1b\[(?:[0-9;]{0,60};)?[34]8;[25];")
# Full rows that end in a line end and follow one another, from which that is no accident.
_NEIGHBOURS = 3
_RIGHT = re.compile(rb"\x1b\[([0-9]{0,4})C")
SEQUENCE = re.compile(rb"\x1b\[[0-9;:?=]{0,64}[@-~]")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is to be read: its ``encoding``, the screen's width, and whether a full row ends where
    the next glyph needs room (``defers``, as terminals do) rather than at once (ANSI.SYS)."""

    encoding: str
    columns: int
    defers: bool = False

    @property
    def dos(self) -> bool:
        return self.encoding not in ("utf-8", "utf-8-sig", "utf-16", "utf-32")


def looks_ansi(data: bytes) -> bool:
    """Whether there are escape sequences, and few NULs between them."""
    return SEQUENCE.search(data) is not None and data.count(0) * 10 < len(data)


def dialect(body: bytes, sauce: Sauce | None, forced: str | None = None) -> Dialect:
    """Encoding and width of ``body`` by the evidence that there is."""
    columns = sauce.columns if sauce and sauce.datatype == CHARACTER else 0
    columns = columns if 0 < columns <= MAX_COLUMNS else DOS_COLUMNS
    defers = _TERMINAL_COLOURS.search(body) is not None or (
        sauce is None and ends_full_rows(body, columns)
    )
    if forced:
        return Dialect(forced, columns if forced != "utf-8" else MAX_COLUMNS, defers)
    if sauce and sauce.font.lower().startswith("amiga"):
        return Dialect("latin-1", columns, defers)
    if sauce and sauce.font.lower().startswith(("ibm", "cp")):
        return Dialect("cp437", columns, defers)
    body = body.partition(b"\x1a")[0] or body
    found = decode(body).encoding
    if found == "latin-1" and any(0x80 <= byte < 0xA0 for byte in body):
        found = "cp437"  # letters there, and controls in Latin-1
    if found.startswith("utf"):
        high = any(byte >= 0x80 for byte in body)
        if high or (sauce is None and _is_modern(body)):
            return Dialect(found, MAX_COLUMNS)
        return Dialect("cp437", columns, defers)
    return Dialect("cp437" if found == "cp932" else found, columns, defers)


def row_cells(line: bytes) -> int:
    """Cells that a line of glyphs, colours and moves to the right takes up."""
    moved = sum(max(1, int(m[1] or 1)) for m in _RIGHT.finditer(line))
    return len(SEQUENCE.sub(b"", line)) + moved


def ends_full_rows(body: bytes, columns: int) -> bool:
    """Whether full rows follow one another with a line end behind each: on ANSI.SYS every other row would
    be blank there, which nobody drew."""
    lines = body.partition(b"\x1a")[0].split(b"\r\n")[:-1]
    full = [row_cells(line) == columns for line in lines]
    return sum(one and other for one, other in pairwise(full)) >= _NEIGHBOURS


def _is_modern(body: bytes) -> bool:
    """ASCII with sequences that no DOS screen knew."""
    return re.search(rb"\x1b(?:[()][0B]|\]|\[[34]8;[25];|\[\?\d+[hl]|#[3-8])", body) is not None


def render_ansi(body: bytes, how: Dialect, ice: bool = False, font: str = "") -> Screen:
    """The screen that ``body`` draws; ``ScreenError`` where it needs too many rows or draws nothing."""
    from asciiloom.readers.screens.emulator.render import DEC_GRAPHICS, render, xterm_palette

    if how.dos:
        codes = np.frombuffer(body, np.uint8).astype(np.uint32)
        widths = np.zeros(0, np.uint8)
        columns = how.columns
    else:
        text = body.decode(how.encoding, "replace")
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint32)
        widths, columns = _cells(codes)
    limit = min(MAX_ROWS, max(1, _MAX_CELLS // columns))
    table = glyph_table("amiga" if how.encoding == "latin-1" else font)
    glyphs, fore, back, beyond = render(
        codes,
        widths,
        how.dos,
        how.defers,
        ice,
        columns,
        limit,
        table,
        xterm_palette(),
        DEC_GRAPHICS,
    )
    if beyond:
        raise ScreenError("too-large", f"the cursor moves to row {beyond:,}; at most {limit:,}")
    if not len(glyphs):
        raise ScreenError("empty", "nothing is written to the screen")
    if not how.dos:
        used = np.flatnonzero(((glyphs != 32) | (back != -1)).any(0))
        width = int(used[-1]) + 1 if len(used) else 1
        glyphs, fore, back = glyphs[:, :width], fore[:, :width], back[:, :width]
    return Screen(glyphs, fore, back)


def _cells(codes: np.ndarray) -> tuple[np.ndarray, int]:
    """Cells of each code point, and a width of screen that no row of the file exceeds."""
    values, inverse = np.unique(codes, return_inverse=True)
    per = np.array([max(0, wcwidth(chr(v))) if v >= 0xA0 else 1 for v in values], np.uint8)
    widths = per[inverse].astype(np.uint8)
    breaks = np.flatnonzero(codes == 10)
    longest = int(np.diff(np.concatenate([[-1], breaks, [len(codes)]])).max(initial=1))
    # Cursor moves can go further right than any line is long.
    return widths, int(min(MAX_COLUMNS, max(DOS_COLUMNS, longest * 2 + 8, 256)))
