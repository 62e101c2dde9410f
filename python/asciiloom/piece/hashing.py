"""Names of a piece by its content: exact, without whitespace, and as seen in a mirror."""

import hashlib
import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from asciiloom.piece.credit import CreditSpan, blank_credits
from asciiloom.piece.grid import MIRROR, mirror_text
from asciiloom.piece.kernels.codes import CodeArray

HASH_BYTES = 16
_BLANK_ROWS = re.compile(r"\n{2,}")
_MIRROR_BYTES = np.array([MIRROR.get(code, code) for code in range(128)], np.uint8)


def content_hash(content: str | bytes) -> str:
    """BLAKE2b-128 of bytes, or of a text in UTF-8, as 32 hex digits."""
    data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=HASH_BYTES).hexdigest()


def bare_hashes(text: str, credits: tuple[CreditSpan, ...] = ()) -> tuple[str, str]:
    """Hashes of ``text`` without whitespace and credits: (as it stands, smaller of it and its mirror).

    Row breaks stay, blank rows go. Two texts share the first where they differ only in spacing
    or signature, the second also where one is the other's mirror image. A *candidate* test: art
    of one repeated glyph keeps its picture in the whitespace, so a match is still to be verified.
    """
    inked = blank_credits(text, credits).replace(" ", "").replace("\u3000", "")
    inked = _BLANK_ROWS.sub("\n", inked).strip("\n")
    plain = content_hash(inked)
    return plain, min(plain, content_hash(mirror_text(inked)))


def bare_hash_columns(
    texts: Sequence[str], credits: Sequence[tuple[CreditSpan, ...]]
) -> tuple[list[str], list[str]]:
    """``bare_hashes`` of a batch, as two columns: those of ASCII, which are most, in one compiled pass."""
    from asciiloom.piece.kernels.whitespace import strip_whitespace  # numba: when called

    blanked = [blank_credits(t, c) if c else t for t, c in zip(texts, credits, strict=True)]
    beyond_ascii = [k for k, text in enumerate(blanked) if not text.isascii()]
    array = CodeArray.of([text for text in blanked if text.isascii()] if beyond_ascii else blanked)
    codes = array.codes.astype(np.uint8, copy=False)
    inked, mirrored_codes = np.empty_like(codes), np.empty_like(codes)
    ends = np.zeros(len(array.first), np.int64)
    strip_whitespace(codes, array.first, _MIRROR_BYTES, inked, mirrored_codes, ends)
    cuts = list(pairwise(ends.tolist()))
    mirrored = _hashes_of(mirrored_codes.tobytes(), cuts)
    plain = _hashes_of(inked.tobytes(), cuts)
    mirrored = list(map(min, plain, mirrored))
    # The others go by way of strings.
    for k in beyond_ascii:
        one, other = bare_hashes(blanked[k])
        plain.insert(k, one)
        mirrored.insert(k, other)
    return plain, mirrored


def _hashes_of(data: bytes, cuts: Sequence[tuple[int, int]]) -> list[str]:
    return [
        hashlib.blake2b(data[begin:end], digest_size=HASH_BYTES).hexdigest() for begin, end in cuts
    ]
