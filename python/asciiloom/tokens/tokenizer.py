"""``GridTokenizer``: text <-> ids, one id a glyph, exact both ways for any text.

Ids are laid out so that what a model may *predict* comes first and is contiguous:

    0 <eos> | 1 newline | glyphs of the charset | (bytes, if predictable) || <pad> <bos> <art> ...

so the output layer is as wide as the alphabet of the art, not as the vocabulary. Everything
after it - sizes, kinds, bytes of rare characters - only ever stands in a prompt. Characters
outside the charset are spelled in UTF-8 bytes, so that ``decode(encode(text)) == text`` always.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asciiloom.errors import AsciiloomError
from asciiloom.piece import CP437_GLYPHS, KINDS, LETTERING
from asciiloom.tokens.prompt import Prompt

Ids = NDArray[np.uint16]

EOS, NEWLINE = 0, 1
ASCII = "".join(map(chr, range(32, 127)))
CHARSETS = {"ascii": ASCII, "cp437": ASCII + CP437_GLYPHS, "bytes": ASCII}
MAX_WIDTH_TOKEN = 160
MAX_HEIGHT_TOKEN = 100
_BYTE = "<0x{:02X}>"


@dataclass(frozen=True)
class GridTokenizer:
    """A tokenizer of one charset: "ascii", "cp437" (with bytes to fall back on) or "bytes".

    ``relatives``: whether the words of a prompt bring their relatives among the topics (kitten: cat, animal).
    ``spells_all``: whether a prompt spells its words also where they are drawn and not lettered.
    """

    charset: str = "ascii"
    relatives: bool = True
    spells_all: bool = False

    def __post_init__(self) -> None:
        if self.charset not in CHARSETS:
            known = ", ".join(CHARSETS)
            raise AsciiloomError(f"no tokenizer charset {self.charset!r}; one of {known}")

    # -- vocabulary

    @cached_property
    def glyphs(self) -> str:
        """The glyphs with an id of their own, in id order, from id 2."""
        return CHARSETS[self.charset]

    @cached_property
    def tokens(self) -> list[str]:
        """Every token's name; a glyph's is itself."""
        spelled = [_BYTE.format(b) for b in range(256) if not (b == 10 or 32 <= b < 127)]
        predictable = ["<eos>", "\n", *self.glyphs]
        controls = [
            "<pad>", "<bos>", "<art>",
            *(f"<w{n}>" for n in range(1, MAX_WIDTH_TOKEN + 1)),
            *(f"<h{n}>" for n in range(1, MAX_HEIGHT_TOKEN + 1)),
            *(f"<kind:{kind}>" for kind in KINDS),
        ]  # fmt: skip
        if self.charset == "ascii":
            return [*predictable, *controls, *spelled]
        return [*predictable, *spelled, *controls]

    @cached_property
    def ids(self) -> dict[str, int]:
        return {token: number for number, token in enumerate(self.tokens)}

    @property
    def size(self) -> int:
        """Input ids: the whole vocabulary."""
        return len(self.tokens)

    @cached_property
    def outputs(self) -> int:
        """Output ids: 0 .. outputs-1 can be predicted."""
        return self.ids["<pad>"]

    @property
    def pad(self) -> int:
        return self.ids["<pad>"]

    @property
    def bos(self) -> int:
        return self.ids["<bos>"]

    @property
    def art(self) -> int:
        return self.ids["<art>"]

    @cached_property
    def cells(self) -> NDArray[np.int8]:
        """Grid cells per id: 1 for glyphs and first bytes of a character, 0 for the rest."""
        out = np.zeros(self.size, np.int8)
        out[2 : 2 + len(self.glyphs)] = 1
        for byte in (*range(32), *range(127, 128), *range(0xC0, 256)):
            if byte != 10:
                out[self.ids[_BYTE.format(byte)]] = 1
        return out

    @cached_property
    def _byte_ids(self) -> Ids:
        """The id of each byte on its own."""
        out = np.empty(256, np.uint16)
        for byte in range(256):
            plain = byte == 10 or 32 <= byte < 127
            out[byte] = self.ids[chr(byte) if plain else _BYTE.format(byte)]
        return out

    @cached_property
    def _glyph_ids(self) -> NDArray[np.int32]:
        """The id of each BMP code point, -1 where it has none."""
        out = np.full(0x10000, -1, np.int32)
        out[10] = NEWLINE
        out[[ord(c) for c in self.glyphs]] = np.arange(2, 2 + len(self.glyphs))
        return out

    @cached_property
    def _spelling(self) -> list[bytes]:
        """UTF-8 bytes of each id; empty for controls."""
        out = [b""] * self.size
        out[NEWLINE] = b"\n"
        for number, glyph in enumerate(self.glyphs, 2):
            out[number] = glyph.encode()
        for byte in range(256):
            if not (byte == 10 or 32 <= byte < 127):
                out[self.ids[_BYTE.format(byte)]] = bytes([byte])
        return out

    # -- text

    def encode(self, text: str) -> Ids:
        """Ids of ``text`` alone, uint16 (n,). Text that looks like a control token stays text."""
        if text.isascii():
            return self._byte_ids[np.frombuffer(text.encode(), np.uint8)]
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        found = self._glyph_ids[np.minimum(codes, 0xFFFF)]
        found = np.where(codes > 0xFFFF, -1, found)
        rare = np.flatnonzero(found < 0)
        if not len(rare):
            return found.astype(np.uint16)
        parts: list[Ids] = []
        start = 0
        for at in rare.tolist():
            parts.append(found[start:at].astype(np.uint16))
            spelled = chr(int(codes[at])).encode("utf-8", "surrogatepass")
            parts.append(self._byte_ids[np.frombuffer(spelled, np.uint8)])
            start = at + 1
        parts.append(found[start:].astype(np.uint16))
        return np.concatenate(parts)

    def decode_bytes(self, ids: "NDArray[np.integer[Any]] | Sequence[int]") -> bytes:
        """UTF-8 bytes of ``ids``; controls are no bytes."""
        spelling = self._spelling
        return b"".join([spelling[i] for i in ids])

    def decode(self, ids: "NDArray[np.integer[Any]] | Sequence[int]") -> str:
        """Text of ``ids``; controls vanish, bytes that are no UTF-8 become U+FFFD."""
        data = self.decode_bytes(ids)
        try:
            return data.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return data.decode("utf-8", "replace")

    # -- prompt

    def topics(self, prompt: Prompt) -> NDArray[np.int16]:
        """The words of ``prompt`` as hash buckets: int16 (24,), or (12,) without relatives."""
        found = prompt.topics(self.relatives)
        # What is lettered is spelled.
        return found if self.spells_all or prompt.kind not in LETTERING else np.zeros_like(found)

    def encode_prompt(self, prompt: Prompt) -> Ids:
        """``<bos> [<w>] [<h>] [<kind>] words <art>``, uint16 (n,).

        Sizes beyond the largest size token use the largest; a kind without a token is left out.
        """
        controls = [self.bos]
        if prompt.width is not None:
            controls.append(self.ids[f"<w{min(max(prompt.width, 1), MAX_WIDTH_TOKEN)}>"])
        if prompt.height is not None:
            controls.append(self.ids[f"<h{min(max(prompt.height, 1), MAX_HEIGHT_TOKEN)}>"])
        if prompt.kind in KINDS:
            controls.append(self.ids[f"<kind:{prompt.kind}>"])
        # What is drawn is told by topics; letters matter to who has to letter them.
        spelled = self.spells_all or prompt.kind is None or prompt.kind in LETTERING
        words = self.encode(prompt.words if spelled else "")
        return np.concatenate(
            [np.array(controls, np.uint16), words, np.array([self.art], np.uint16)]
        )
