"""Bytes of any format -> pieces: one module per format, one registry.

``pages/`` reads text in which drawings stand, ``tables/`` rows, ``programs/`` the files of programs that
draw in text, ``screens/`` grids of coloured cells. This floor holds what they share.
"""

from asciiloom.readers.base import Input, Item, Reader, ReadOptions
from asciiloom.readers.decode import decode
from asciiloom.readers.registry import read_bytes, read_path, readers

__all__ = ["Input", "Item", "ReadOptions", "Reader", "decode", "read_bytes", "read_path", "readers"]
