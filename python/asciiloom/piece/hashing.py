"""Names of a piece by its content: exact, without whitespace, and as seen in a mirror."""

import hashlib
import re

from asciiloom.piece.credit import CreditSpan, blank_credits
from asciiloom.piece.grid import mirror_text

HASH_BYTES = 16
_BLANK_ROWS = re.compile(r"\n{2,}")


def content_hash(content: str | bytes) -> str:
    """BLAKE2b-128 of bytes, or of a text in UTF-8, as 32 hex digits."""
    data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=HASH_BYTES).hexdigest()


def _bare(text: str) -> str:
    bare = text.replace(" ", "").replace("\u3000", "")
    return (_BLANK_ROWS.sub("\n", bare) if "\n\n" in bare else bare).strip("\n")


def bare_hashes(text: str, credits: tuple[CreditSpan, ...] = ()) -> tuple[str, str]:
    """Hashes of ``text`` without whitespace and credits: (as it stands, smaller of it and its mirror).

    Row breaks stay, blank rows go. Two texts share the first where they differ only in spacing
    or signature, the second also where one is the other's mirror image. A *candidate* test: art
    of one repeated glyph keeps its picture in the whitespace, so a match is still to be verified.
    """
    bare = _bare(blank_credits(text, credits))
    plain = content_hash(bare)
    return plain, min(plain, content_hash(mirror_text(bare)))
