"""``Prompt``: what a drawing is asked for. Training, evaluation and drawing all ask with this one type,

so that a model is never asked in a way in which it was not trained: above all, the words are cut at the
same character everywhere.
"""

import re
import zlib
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from asciiloom.errors import SettingsError
from asciiloom.tokens.words import meanings
from asciiloom.typed import Between, check_fields, is_utf8

# Characters of the words that a model is told; what comes after them is left out.
MAX_WORDS = 48
# Topics: whole words of a prompt and their relatives, hashed. Entry 0 means no word.
TOPIC_BUCKETS = 4096
TOPICS = 24
# Of models that were trained before words had relatives.
TOPICS_ALONE = 12
_WORD = re.compile(r"\w+")


# How freely a reference is followed: from nearly the same to only its outline.
LEVELS = 4


@dataclass(frozen=True, slots=True)
class Reference:
    """``text``: a drawing to vary; ``level``: how freely, from 1 (nearly the same) to 4 (only its outline)."""

    text: str
    level: Annotated[int, Between(1, LEVELS)] = 2

    def __post_init__(self) -> None:
        check_fields(self, "reference")


@dataclass(frozen=True, slots=True)
class Prompt:
    """``words``: what the art shows, tags and title as text; ``width`` in cells and ``height`` in rows to
    aim at; ``kind``: how it is drawn (see ``KINDS``); ``reference``: a drawing to draw after. Whatever is left
    out is left to the model.

    White space in the words is one space between them, and they end after 48 characters. Raises
    ``SettingsError`` for words that UTF-8 cannot write.
    """

    words: str = ""
    width: int | None = None
    height: int | None = None
    kind: str | None = None
    reference: Reference | None = None

    def __post_init__(self) -> None:
        if not is_utf8(self.words):
            raise SettingsError(
                "the words of a prompt hold bytes that are no UTF-8; type them anew"
            )
        object.__setattr__(self, "words", _cut(self.words))

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) as the network is told them: 0 where it is left open."""
        return self.height or 0, self.width or 0

    def topics(self, relatives: bool = True) -> NDArray[np.int16]:
        """What the words say, as hash buckets 1..4095, padded with 0: int16 (24,), the words first, then what
        they name among others and the kinds of it (see ``meanings``).

        What a picture shows is in its words more than in their letters; the network gets both. Without
        ``relatives``: the first 12 distinct words as they are written, (12,).
        """
        distinct = (
            meanings(self.words)
            if relatives
            else list(dict.fromkeys(_WORD.findall(self.words.lower())))
        )
        out = np.zeros(TOPICS if relatives else TOPICS_ALONE, np.int16)
        for number, word in enumerate(distinct[: len(out)]):
            out[number] = 1 + zlib.crc32(word.encode()) % (TOPIC_BUCKETS - 1)
        return out


def _cut(words: str) -> str:
    spaced = " ".join(words.split())
    if len(spaced) <= MAX_WORDS:
        return spaced
    # A cut after a comma leaves no empty phrase.
    return spaced[:MAX_WORDS].rstrip(", ")
