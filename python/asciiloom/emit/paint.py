"""A piece in its colours: for a terminal in 24-bit sequences, for a page in spans.

The text and its plane go in together; runs of one colour are written once.
"""

import html
from collections.abc import Callable, Iterator

from asciiloom.emit.terminal import neutral
from asciiloom.piece import ColourPlane
from asciiloom.piece.colour import DEFAULT


def _runs(text: str, plane: ColourPlane) -> Iterator[list[tuple[str, int, int]]]:
    """Per row: stretches of one foreground and background, blanks with a background included."""
    rows = text.split("\n")
    for number, row in enumerate(rows):
        fore = plane.fore[number].tolist() if number < len(plane.fore) else []
        back = plane.back[number].tolist() if number < len(plane.back) else []
        filled = len(back)
        while filled > len(row) and back[filled - 1] in (DEFAULT, 0):
            filled -= 1
        row = row.ljust(filled)
        runs: list[tuple[str, int, int]] = []
        for column, glyph in enumerate(row):
            inside = column < len(fore)
            colours = (fore[column], back[column]) if inside else (DEFAULT, DEFAULT)
            if runs and runs[-1][1:] == colours:
                runs[-1] = (runs[-1][0] + glyph, *colours)
            else:
                runs.append((glyph, *colours))
        yield runs


def _rgb(colour: int) -> str:
    return f"{colour >> 16 & 255};{colour >> 8 & 255};{colour & 255}"


def paint_terminal(text: str, plane: ColourPlane) -> str:
    """``text`` with SGR sequences; every row ends with the terminal's own colours."""
    out = []
    for runs in _runs(text, plane):
        row = ""
        for glyphs, fore, back in runs:
            codes = ["0"]
            codes += [f"38;2;{_rgb(fore)}"] if fore != DEFAULT else []
            codes += [f"48;2;{_rgb(back)}"] if back != DEFAULT else []
            row += f"\x1b[{';'.join(codes)}m{neutral(glyphs)}"
        out.append(row + "\x1b[0m" if row else "")
    return "\n".join(out)


def paint_html(text: str, plane: ColourPlane) -> str:
    """``text`` as the inside of a ``<pre>``: escaped, each run of a colour in a span with its style."""
    return _spans(text, plane, _style)


def paint_classes(text: str, plane: ColourPlane) -> str:
    """The same with classes in place of styles, for a page that allows no inline style: ``f-ff0000`` is
    a foreground, ``b-0000ff`` a background."""
    return _spans(text, plane, _classes)


def _spans(text: str, plane: ColourPlane, attribute: Callable[[int, int], str]) -> str:
    out = []
    for runs in _runs(text, plane):
        row = ""
        for glyphs, fore, back in runs:
            said, look = html.escape(glyphs), attribute(fore, back)
            row += f"<span {look}>{said}</span>" if look else said
        out.append(row)
    return "\n".join(out)


def _style(fore: int, back: int) -> str:
    style = f"color:#{fore:06x};" if fore != DEFAULT else ""
    style += f"background:#{back:06x};" if back != DEFAULT else ""
    return f'style="{style.rstrip(";")}"' if style else ""


def _classes(fore: int, back: int) -> str:
    names = [f"f-{fore:06x}"] if fore != DEFAULT else []
    names += [f"b-{back:06x}"] if back != DEFAULT else []
    return f'class="{" ".join(names)}"' if names else ""
