"""What a piece *is*: canonical text, grid, measures, hashes, credit and licence rules. Pure functions, no I/O."""

from asciiloom.piece.batch import PieceBatch
from asciiloom.piece.canonical import Canonical, are_canonical, canonicalize, is_canonical
from asciiloom.piece.colour import ColourPlane
from asciiloom.piece.credit import (
    CreditSpan,
    artist_in_comment,
    artist_in_note,
    artist_in_title,
    blank_credits,
    credit_line,
    ends_signed,
    find_credits,
    is_signature,
    is_signer,
    name_row,
    names_nobody,
    plain_name,
)
from asciiloom.piece.form import Form, form
from asciiloom.piece.grid import MIRROR, Grid, mirror_text
from asciiloom.piece.hashing import bare_hash_columns, bare_hashes, content_hash
from asciiloom.piece.kernels.codes import CodeArray, Codes
from asciiloom.piece.licence import redistributable, spdx, states_public_domain
from asciiloom.piece.measure import (
    CHARSET_FITS,
    CHARSETS,
    CP437_GLYPHS,
    Counts,
    Measures,
    cell_widths,
    count_batch,
    measure,
    measure_batch,
)
from asciiloom.piece.piece import KINDS, LETTERING, Piece, Rejection, clean_tags, one_line
from asciiloom.piece.quality import LINT, Quality, qualities, quality

__all__ = [
    "CHARSETS",
    "CHARSET_FITS",
    "CP437_GLYPHS",
    "KINDS",
    "LETTERING",
    "LINT",
    "MIRROR",
    "Canonical",
    "CodeArray",
    "Codes",
    "ColourPlane",
    "Counts",
    "CreditSpan",
    "Form",
    "Grid",
    "Measures",
    "Piece",
    "PieceBatch",
    "Quality",
    "Rejection",
    "are_canonical",
    "artist_in_comment",
    "artist_in_note",
    "artist_in_title",
    "bare_hash_columns",
    "bare_hashes",
    "blank_credits",
    "canonicalize",
    "cell_widths",
    "clean_tags",
    "content_hash",
    "count_batch",
    "credit_line",
    "ends_signed",
    "find_credits",
    "form",
    "is_canonical",
    "is_signature",
    "is_signer",
    "measure",
    "measure_batch",
    "mirror_text",
    "name_row",
    "names_nobody",
    "one_line",
    "plain_name",
    "qualities",
    "quality",
    "redistributable",
    "spdx",
    "states_public_domain",
]
