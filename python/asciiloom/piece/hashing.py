"""Names of a piece by its content: exact, without whitespace, and as seen in a mirror."""

import hashlib
import re

from asciiloom.piece.credit import CreditSpan, blank_credits
from asciiloom.piece.grid import MIRROR, mirror_text

HASH_BYTES = 16
_BLANK_ROWS = re.compile(r"\n{2,}")
_BLANK_ROW_BYTES = re.compile(rb"\n{2,}")
_MIRROR_BYTES = bytes(MIRROR.get(code, code) for code in range(256))


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
    text = blank_credits(text, credits)
    if text.isascii():
        return _ascii_hashes(text.encode())
    bare = _bare(text)
    plain = content_hash(bare)
    return plain, min(plain, content_hash(mirror_text(bare)))


def _ascii_hashes(text: bytes) -> tuple[str, str]:
    """The same on the bytes of an ASCII text, which most are, without building its strings."""
    bare = text.translate(None, b" ")
    if b"\n\n" in bare:
        bare = _BLANK_ROW_BYTES.sub(b"\n", bare)
    bare = bare.strip(b"\n")
    plain = content_hash(bare)
    rows = bare.translate(_MIRROR_BYTES)[::-1].split(b"\n")
    rows.reverse()
    return plain, min(plain, content_hash(b"\n".join(rows)))
