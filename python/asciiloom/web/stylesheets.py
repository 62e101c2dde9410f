"""Style sheets that are made, so that no page needs a style in it: one class a width of art, and one a
colour of a painted piece."""

from functools import cache

import numpy as np

from asciiloom.piece import ColourPlane
from asciiloom.piece.colour import DEFAULT

_EXACT = 200  # widths up to here have a class of their own, wider ones share
_STEP = 20
_WIDEST = 5000
_COLOURS = 4096  # a piece of more is shown in 16 shades a channel


def width_class(columns: int) -> str:
    """The class of art that is ``columns`` wide: its style sheet scales the letters by it."""
    if columns > _EXACT:
        columns = min(_WIDEST, -(-columns // _STEP) * _STEP)
    return f"w{max(1, columns)}"


@cache
def widths_css() -> str:
    """The rules of every ``width_class``."""
    widths = [*range(1, _EXACT + 1), *range(_EXACT + _STEP, _WIDEST + 1, _STEP)]
    return "".join(f".w{width}{{--columns:{width}}}\n" for width in widths)


def shown_colours(plane: ColourPlane) -> ColourPlane:
    """``plane`` in colours that are few enough for a style sheet."""
    fore, back = (
        np.where(side == DEFAULT, side, side & 0xFFFFFF) for side in (plane.fore, plane.back)
    )
    if len(np.unique(fore)) + len(np.unique(back)) > _COLOURS:
        fore, back = (np.where(side == DEFAULT, side, side & 0xF0F0F0) for side in (fore, back))
    return ColourPlane(fore, back)


def colours_css(plane: ColourPlane) -> str:
    """The rules of the classes of ``paint_classes`` for a plane of ``shown_colours``."""
    rules = [f".art .f-{c:06x}{{color:#{c:06x}}}" for c in np.unique(plane.fore).tolist() if c >= 0]
    rules += [
        f".art .b-{c:06x}{{background:#{c:06x}}}" for c in np.unique(plane.back).tolist() if c >= 0
    ]
    return "\n".join(rules)
