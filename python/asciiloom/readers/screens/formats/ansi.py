"""ANSI art of the PC, the Amiga and today's terminals."""

from asciiloom.readers.screens.emulator.dialect import dialect, looks_ansi, render_ansi
from asciiloom.readers.screens.reader import Drawn, ScreenReader
from asciiloom.readers.screens.sauce import split_note, split_sauce

_NAMES = (".ans", ".ice", ".cia", ".drk")


def draw(data: bytes, encoding: str | None = None) -> Drawn:
    """The screen of a file of ANSI art."""
    body, sauce = split_sauce(data)
    body, note = split_note(body)
    how = dialect(body, sauce, encoding)
    font = sauce.font if sauce else ""
    if how.encoding.startswith("cp") and how.encoding != "cp437":
        font = f"page {how.encoding[2:]}"
    screen = render_ansi(body, how, bool(sauce and sauce.ice), font)
    return Drawn(screen, sauce, how.encoding, note=note)


ANSI = ScreenReader(
    name="ansi",
    rank=330,
    extensions=(*_NAMES, ".asc", ".diz", ".nfo"),
    summary="ANSI art of the PC, the Amiga and today's terminals, with its SAUCE record",
    recognised="escape sequences or a SAUCE record; .ans, .ice",
    oracle="ansilove",
    knows=lambda head, path: path.endswith(_NAMES) or looks_ansi(head),
    draw=draw,
)
