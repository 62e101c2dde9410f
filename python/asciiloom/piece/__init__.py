"""What a piece *is*: canonical text, grid, measures, hashes, credits. Pure functions, no I/O."""

from asciiloom.piece.canonical import Canonical, canonicalize
from asciiloom.piece.colour import ColourPlane
from asciiloom.piece.credit import CreditSpan, blank_credits, find_credits
from asciiloom.piece.grid import MIRROR, Grid, mirror_text
from asciiloom.piece.hashing import bare_hashes, content_hash
from asciiloom.piece.measure import (
    CHARSET_FITS,
    CHARSETS,
    CP437_GLYPHS,
    Measures,
    cell_widths,
    measure,
    measure_batch,
)
from asciiloom.piece.piece import KINDS, Piece, Rejection, clean_tags, one_line

__all__ = [
    "CHARSETS",
    "CHARSET_FITS",
    "CP437_GLYPHS",
    "KINDS",
    "MIRROR",
    "Canonical",
    "ColourPlane",
    "CreditSpan",
    "Grid",
    "Measures",
    "Piece",
    "Rejection",
    "bare_hashes",
    "blank_credits",
    "canonicalize",
    "cell_widths",
    "clean_tags",
    "content_hash",
    "find_credits",
    "measure",
    "measure_batch",
    "mirror_text",
    "one_line",
]
