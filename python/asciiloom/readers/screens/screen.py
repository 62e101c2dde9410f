"""``Screen``: a grid of glyphs with two colours each, and how it becomes a piece.

Every reader of this folder fills one. The characters go into the piece's text; the colours go
into a plane beside it. Pictures drawn with nothing but background colour would be a handful of
blanks as text: their silhouette is kept in full blocks instead, and the step is recorded.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asciiloom.piece import ColourPlane, Rejection
from asciiloom.piece.colour import DEFAULT
from asciiloom.readers.base import Input, Item, file_title, make_item
from asciiloom.readers.screens.sauce import Sauce

MAX_ROWS = 20_000
MAX_COLUMNS = 5_000
SPACE = 32
# The second cell of a full-width character.
CONTINUED = 0

_LOW = "\0☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼"
_CP437 = (
    " " + _LOW[1:] + bytes(range(32, 127)).decode() + "⌂" + bytes(range(128, 256)).decode("cp437")
)
# The colours of a VGA text screen, in the order of its attribute byte.
VGA = np.array(
    [
        0x000000, 0x0000AA, 0x00AA00, 0x00AAAA, 0xAA0000, 0xAA00AA, 0xAA5500, 0xAAAAAA,
        0x555555, 0x5555FF, 0x55FF55, 0x55FFFF, 0xFF5555, 0xFF55FF, 0xFFFF55, 0xFFFFFF,
    ],
    np.int32,
)  # fmt: skip
# Share of coloured cells with a glyph below which the picture is in the background alone.
_GLYPH_SHARE = 0.05
_CODEPAGES = frozenset(
    "437 720 737 775 850 852 855 857 858 860 861 862 863 864 865 866 869".split()
)


@dataclass(frozen=True, slots=True, eq=False)
class Screen:
    """``glyphs``: uint32 (rows, columns) of code points; ``fore``, ``back``: int32, 0xRRGGBB or -1."""

    glyphs: NDArray[np.uint32]
    fore: NDArray[np.int32]
    back: NDArray[np.int32]

    def rows(self) -> list[str]:
        """The text of each row, blanks at its end included."""
        joined = np.ascontiguousarray(self.glyphs, "<u4").tobytes().decode("utf-32-le", "replace")
        columns = self.glyphs.shape[1]
        rows = [joined[at : at + columns] for at in range(0, len(joined), columns)]
        return [row.replace("\0", "") for row in rows] if "\0" in joined else rows


def glyph_table(font: str = "") -> NDArray[np.uint32]:
    """Code point of each byte, as the font named in a SAUCE record shows it.

    Code page 437 unless the name ends in another page's number or is an Amiga font (Latin-1).
    Bytes below 32 are glyphs on the PC and nothing on the Amiga.
    """
    name = font.lower()
    number = name.rsplit(" ", 1)[-1]
    table = np.array([ord(c) for c in _CP437], np.uint32)
    if name.startswith("amiga"):
        table[0x80:0xA0] = SPACE
        table[0xA0:] = np.arange(0xA0, 0x100)
        table[:32] = SPACE
        table[[0x7F, 0xA0]] = SPACE
    elif number in _CODEPAGES and number != "437":
        high = bytes(range(128, 256)).decode(f"cp{number}", "replace")
        table[128:] = [ord(c) for c in high]
    table[table == 0xA0] = SPACE
    return table


def attribute_colours(
    attributes: NDArray[np.uint8], ice: bool, palette: NDArray[np.int32] = VGA
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Foreground and background of VGA attribute bytes; without ``ice`` bit 7 blinks."""
    back = attributes >> 4
    return palette[attributes & 15], palette[back if ice else back & 7]


def _silhouette(screen: Screen) -> Screen | None:
    """Full blocks where the background is coloured; None where that shows nothing but a rectangle."""
    # Whatever the border shows is the ground: mostly the terminal's own, sometimes black.
    edge = np.concatenate([screen.back[0], screen.back[-1], screen.back[:, 0], screen.back[:, -1]])
    values, counts = np.unique(edge, return_counts=True)
    figure = screen.back != values[counts.argmax()]
    if not figure.any():
        return None
    rows, columns = np.flatnonzero(figure.any(1)), np.flatnonzero(figure.any(0))
    box = figure[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    if box.all():
        return None
    glyphs = np.where(figure, np.uint32(0x2588), screen.glyphs)
    fore = np.where(figure, screen.back, screen.fore)
    return Screen(glyphs, fore, screen.back)


def _crop(screen: Screen, text_rows: list[str]) -> ColourPlane | None:
    """The colours of the cells that canonical text keeps: blank edges and the common indent go."""
    inked = [number for number, row in enumerate(text_rows) if row.strip(" ")]
    if not inked:
        return None
    top, bottom = inked[0], inked[-1] + 1
    indent = min(len(text_rows[n]) - len(text_rows[n].lstrip(" ")) for n in inked)
    width = max(len(text_rows[n].rstrip(" ")) for n in inked)
    kept = np.s_[top:bottom, indent : max(width, indent + 1)]
    return ColourPlane(screen.fore[kept], screen.back[kept])


def screen_item(
    screen: Screen,
    source: Input,
    original: bytes | None,
    *,
    sauce: Sauce | None = None,
    encoding: str = "cp437",
    title: str | None = None,
    artist: str | None = None,
    description: str | None = None,
    locator: str = "",
    sequence: str | None = None,
    tags: tuple[str, ...] = (),
    kind: str = "art",
    flags: tuple[str, ...] = (),
) -> Item:
    """The screen as a piece with its colour plane, or a rejection that says why it is none."""
    name = source.options.source_name()
    coloured = screen.back != DEFAULT
    coloured &= screen.back != 0
    inked = (screen.glyphs != SPACE) & (screen.glyphs != CONTINUED)
    steps: tuple[str, ...] = ("render",)
    if coloured.any() and inked.sum() < _GLYPH_SHARE * coloured.sum():
        shape = _silhouette(screen)
        if shape is None:
            detail = "a plain rectangle of background colour without a glyph that shows"
            return Rejection("colour-only", detail, name, source.path, locator)
        screen, steps, flags = shape, (*steps, "silhouette"), (*flags, "colour-only")
    rows = screen.rows()
    plane = _crop(screen, rows) if not (screen.glyphs == CONTINUED).any() else None
    if plane is not None and not _is_colourful(plane):
        plane = None
    sauce = sauce or Sauce()
    return make_item(
        "\n".join(rows),
        options=source.options,
        path=source.path,
        locator=locator,
        original=original,
        title=title or sauce.title or file_title(source.name),
        artist=artist or sauce.artist,
        description=description or " ".join(sauce.comments) or None,
        group=sauce.group,
        made=sauce.made,
        encoding=encoding,
        colour=plane,
        steps=steps,
        flags=flags,
        sequence=sequence,
        tags=tags,
        kind=kind,
    )


def _is_colourful(plane: ColourPlane) -> bool:
    """Whether there is more to see than grey on black."""
    plain = ((plane.fore == DEFAULT) | (plane.fore == VGA[7])) & (
        (plane.back == DEFAULT) | (plane.back == 0)
    )
    return not plain.all()
