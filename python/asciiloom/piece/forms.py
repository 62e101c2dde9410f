"""What of a drawing can be told without knowing what it shows: whether it has the form of a drawing at all.

Models fail in ways that bits per character hardly see: blanks up to the wall, one stroke repeated down an
edge, scattered crumbs, initials instead of a picture, a body cut off where the room ended. Each is a number
here. None is wrong by itself (a ruler is one run), so they are read beside those of real pieces.
"""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from asciiloom.piece.credit import find_credits
from asciiloom.piece.grid import SPACE, Grid

# Strokes that lead out of their row: on to the next, unless something beside them closes the line.
_OPEN = np.array([ord(glyph) for glyph in "|!:;()[]{}/\\│┃║╱╲"], np.uint32)


@dataclass(frozen=True, slots=True)
class Form:
    """Figures of one text.

    ``blank``: share of the cells of its box that show nothing. ``run``: the longest run of one glyph of ink
    in a row or column, as a share of the box's width or height (0 where it is shorter than three).
    ``parts``: connected components of ink among eight neighbours, and ``largest``: the share of the ink that
    the largest has. ``letters``: share of the ink that is letters in words, or alone at the end of a row.
    ``initials``: whether a signature is found, or two to four letters at the end of a row look like one.
    ``closed``: whether the last row ends the drawing, see ``closed``.
    """

    blank: float
    run: float
    parts: int
    largest: float
    letters: float
    initials: bool
    closed: bool

    def to_dict(self) -> dict[str, float | int | bool]:
        return asdict(self)


def form(text: str) -> Form:
    """The form of one canonical text; of a blank one, all is blank and nothing is closed."""
    from asciiloom.piece.kernels.shape import (  # numba: when called
        components,
        letters,
        longest_run,
    )

    grid = Grid.from_text(text)
    shown = grid.ink()
    ink = int(shown.sum())
    if not ink:
        return Form(1.0, 0.0, 0, 0.0, 0.0, False, False)
    parts, largest = components(shown)
    stray, signed = letters(grid.cells, shown)
    return Form(
        blank=1 - ink / shown.size,
        run=longest_run(grid.cells, shown),
        parts=parts,
        largest=largest / ink,
        letters=stray / ink,
        initials=signed or bool(find_credits(text)),
        closed=closed(grid.cells),
    )


def closed(cells: NDArray[np.uint32]) -> bool:
    """Whether the last row of ``cells`` (height, width) has no open side.

    A side is open where the outermost glyph of the row is a stroke that leads out of it and has no ink beside
    it: ``|   |`` or ``/    \\`` go on below, ``|___|``, ``\\/`` and ``(")(")`` do not. A single row is closed.

    Of 3,000 real drawings 92 % are closed, of the same cut off at a random row 62 %.
    """
    if len(cells) < 2:
        return True
    row = cells[-1]
    inked = np.flatnonzero((row != SPACE) & (row != 0))
    if not len(inked):
        return False
    first, last = inked[0], inked[-1]
    lonely = len(inked) == 1
    open_left = row[first] in _OPEN and (lonely or inked[1] > first + 1)
    open_right = row[last] in _OPEN and (lonely or inked[-2] < last - 1)
    return not (open_left or open_right)
