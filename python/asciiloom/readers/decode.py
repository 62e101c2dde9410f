"""Bytes -> text for art, in a fixed order of evidence.

BOM, then strict UTF-8, then what the high bytes look like: box and block drawing is CP437 (the
PC), letters with accents and few of them are Latin-1 (the Amiga and the old web). General
detectors guess by the statistics of prose and are wrong on art.
"""

import codecs
from dataclasses import dataclass

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# CP437 positions of shades, blocks and box drawing (0xB0-0xDF), of the middle dot and square and the blank.
_DRAWING = bytes([*range(0xB0, 0xE0), 0xF9, 0xFA, 0xFE, 0xFF])
_LOW = bytes(range(0x80))


@dataclass(frozen=True, slots=True)
class Decoded:
    text: str
    encoding: str


def decode(data: bytes, forced: str | None = None) -> Decoded:
    """``data`` as text with the encoding that was used (``forced``, where given); never fails."""
    if forced:
        return Decoded(data.decode(forced, "replace"), forced)
    for bom, name in _BOMS:
        if data.startswith(bom):
            return Decoded(data.decode(name, "replace"), name)
    try:
        return Decoded(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        pass
    high = data.translate(None, _LOW)
    letters = high.translate(None, _DRAWING)
    if len(letters) * 2 <= len(high):
        return Decoded(data.decode("cp437"), "cp437")
    if _fits_japanese(data):
        return Decoded(data.decode("cp932"), "cp932")
    return Decoded(data.decode("latin-1"), "latin-1")


def _fits_japanese(data: bytes) -> bool:
    """Strict CP932 that gives mostly full-width kana, kanji and forms is Shift-JIS art.

    Latin-1 read as CP932 gives half-width katakana instead.
    """
    try:
        text = data.decode("cp932")
    except UnicodeDecodeError:
        return False
    rare = [ord(c) for c in text if ord(c) >= 0x80]
    wide = sum(0x3000 <= c < 0xA000 or 0xFF00 <= c < 0xFF61 for c in rare)
    return wide * 3 >= len(rare) * 2
