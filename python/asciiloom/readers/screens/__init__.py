"""Art that was made on a screen of coloured cells: ANSI and its binary relatives."""

from asciiloom.readers.screens.ansi import ANSI
from asciiloom.readers.screens.artworx import ARTWORX
from asciiloom.readers.screens.binary import BIN
from asciiloom.readers.screens.durdraw import DurdrawReader
from asciiloom.readers.screens.icedraw import ICEDRAW
from asciiloom.readers.screens.pcboard import PCBOARD
from asciiloom.readers.screens.reader import ScreenReader
from asciiloom.readers.screens.rexpaint import REXPAINT
from asciiloom.readers.screens.tundra import TUNDRA
from asciiloom.readers.screens.xbin import XBIN

# In the order in which they are asked; ANSI, told by its escape sequences, last.
SCREENS: tuple[ScreenReader, ...] = (XBIN, TUNDRA, ICEDRAW, REXPAINT, ARTWORX, BIN, PCBOARD, ANSI)

__all__ = ["SCREENS", "DurdrawReader", "ScreenReader"]
