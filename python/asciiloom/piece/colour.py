"""The colour plane: what colour each cell of a picture has, kept compactly beside its text.

Two grids of 24-bit colours, foreground and background, with -1 for the terminal's own. A picture
has few colours in long runs, so the plane is a palette and indices, deflated: about a tenth of the
escape sequences it came from.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Colours = NDArray[np.int32]

DEFAULT = -1
_MAGIC = b"CP1\0"
_HEADER = struct.Struct("<4sIIII")  # magic, rows, columns, palette entries, bytes an index
MAX_CELLS = 16 << 20


@dataclass(frozen=True, slots=True, eq=False)
class ColourPlane:
    """``fore`` and ``back``: int32 (rows, columns), 0xRRGGBB or ``DEFAULT``, by code point of each row."""

    fore: "Colours"
    back: "Colours"

    def pack(self) -> bytes:
        """The plane as bytes."""
        import numpy as np

        both = np.stack([self.fore, self.back])
        # Runs first: sorting a colour a run is far less work than a colour a cell.
        flat = both.ravel()
        starts = np.flatnonzero(np.diff(flat, prepend=flat[:1] - 1)) if flat.size else flat
        palette, index = np.unique(flat[starts], return_inverse=True)
        size = 1 if len(palette) <= 256 else 4
        lengths = np.diff(starts, append=flat.size)
        cells = np.repeat(index.astype("u1" if size == 1 else "<u4"), lengths)
        header = _HEADER.pack(_MAGIC, *self.fore.shape, len(palette), size)
        return header + zlib.compress(palette.astype("<i4").tobytes() + cells.tobytes(), 6)

    def fits(self, text: str) -> bool:
        """Whether every code point of ``text`` has its colour: as many rows, and columns enough."""
        rows = text.split("\n")
        high, wide = self.fore.shape
        return bool(high == len(rows) and wide >= max(map(len, rows)))

    @classmethod
    def unpack(cls, data: bytes, cells: int = MAX_CELLS) -> "ColourPlane":
        """The plane that ``pack`` wrote; ``ValueError`` where the bytes are none, or say more ``cells``."""
        import numpy as np

        if len(data) < _HEADER.size:
            raise ValueError("not a colour plane")
        magic, rows, columns, entries, size = _HEADER.unpack_from(data)
        if magic != _MAGIC or size not in (1, 4) or rows * columns > cells:
            raise ValueError("not a colour plane")
        if entries > 2 * rows * columns + 1:
            raise ValueError("a damaged colour plane")
        expected = entries * 4 + 2 * rows * columns * size
        packed = zlib.decompressobj()
        try:
            body = packed.decompress(data[_HEADER.size :], expected + 1)
        except zlib.error as error:
            raise ValueError("a damaged colour plane") from error
        if len(body) != expected or not packed.eof or packed.unused_data:
            raise ValueError("a damaged colour plane")
        palette = np.frombuffer(body, "<i4", entries)
        if entries and (palette.min() < DEFAULT or palette.max() > 0xFFFFFF):
            raise ValueError("a damaged colour plane")
        index = np.frombuffer(body, "u1" if size == 1 else "<u4", offset=entries * 4)
        if index.size and index.max() >= entries:
            raise ValueError("a damaged colour plane")
        both = palette[index].astype(np.int32).reshape(2, rows, columns)
        return cls(both[0], both[1])
