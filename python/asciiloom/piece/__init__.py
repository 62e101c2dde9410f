"""What a piece *is*: canonical text, grid, measures, hashes, credit and licence rules. Pure functions, no I/O.

A name's module is loaded when the name is asked for: to look for pieces takes none of the arrays.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asciiloom.piece.artist import artist_keys, co_artists, fold, joint_byline
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
    from asciiloom.piece.forms import Form, form
    from asciiloom.piece.grades import LINT, Quality, qualities, quality
    from asciiloom.piece.grid import MIRROR, Grid, mirror_text
    from asciiloom.piece.hashing import bare_hash_columns, bare_hashes, content_hash
    from asciiloom.piece.kernels.codes import CodeArray, Codes
    from asciiloom.piece.licence import licence_name, redistributable, spdx, states_public_domain
    from asciiloom.piece.measures import (
        CP437_GLYPHS,
        Counts,
        Measures,
        cell_widths,
        count_batch,
        measure,
        measure_batch,
    )
    from asciiloom.piece.piece import (
        CHARSET_FITS,
        CHARSETS,
        KINDS,
        LETTERING,
        MAX_TAGS,
        Piece,
        Rejection,
        clean_tags,
        one_line,
    )

# Those that are soon loaded first, those with arrays last. None is called as one of the names is: it would take that name's place.
_MODULES = (
    "piece", "colour", "artist", "licence", "credit", "batch", "kernels.codes", "grid", "canonical", "hashing",
    "measures", "grades", "forms",
)  # fmt: skip

__all__ = [
    "CHARSETS",
    "CHARSET_FITS",
    "CP437_GLYPHS",
    "KINDS",
    "LETTERING",
    "LINT",
    "MAX_TAGS",
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
    "artist_keys",
    "bare_hash_columns",
    "bare_hashes",
    "blank_credits",
    "canonicalize",
    "cell_widths",
    "clean_tags",
    "co_artists",
    "content_hash",
    "count_batch",
    "credit_line",
    "ends_signed",
    "find_credits",
    "fold",
    "form",
    "is_canonical",
    "is_signature",
    "is_signer",
    "joint_byline",
    "licence_name",
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


def __getattr__(name: str) -> Any:
    if name in __all__:
        for module in _MODULES:
            found = import_module(f"{__name__}.{module}")
            if hasattr(found, name):
                globals()[name] = getattr(found, name)
                return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
