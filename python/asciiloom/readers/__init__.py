"""Bytes of any format -> pieces: one module per format, one registry."""

from asciiloom.readers.base import Input, Item, Reader, ReadOptions
from asciiloom.readers.decode import decode
from asciiloom.readers.registry import read_bytes, read_path, readers

__all__ = ["Input", "Item", "ReadOptions", "Reader", "decode", "read_bytes", "read_path", "readers"]
