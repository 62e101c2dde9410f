"""How good a piece is as art, as a number with its parts, and what a curator should look at.

The score is a product: each part is 1 where there is nothing to say against the piece, so whatever
is wrong with it shows, and the parts say what.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asciiloom.piece.credit import has_cut_credit
from asciiloom.piece.measures import Counts, count_batch

F64 = NDArray[np.float64]

ENOUGH_INK = 16
ENOUGH_GLYPHS = 4
RULER_ROWS = 2
RULER_WIDTH = 8
PROSE_SHARE = 0.5
CAPTION_SHARE = 0.4
# What a flag takes off the score.
FLAG_PARTS = {"ragged-box": 0.7, "truncated-credit": 0.8, "colour-only": 0.5}
LINT = ("ruler", "prose", "ragged-box", "truncated-credit", "colour-only", "little-ink")


@dataclass(frozen=True, slots=True)
class Quality:
    """``score`` from 0 to 1, its ``parts`` by name (their product is the score), and lint ``flags``."""

    score: float
    parts: dict[str, float]
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QualityColumns:
    """Parts of a batch, each float64 (texts,), and which texts are rulers, prose or ragged boxes."""

    ink: F64
    variety: F64
    art: F64
    ruler: NDArray[np.bool_]
    prose: NDArray[np.bool_]
    ragged: NDArray[np.bool_]


def quality_columns(c: Counts) -> QualityColumns:
    """The parts that counts tell."""
    share = c.prose / np.maximum(c.ink, 1)
    ruler = (c.height <= RULER_ROWS) & (c.width >= RULER_WIDTH) & (c.glyphs <= 2) & (c.letters == 0)
    return QualityColumns(
        ink=np.minimum(1.0, c.ink / ENOUGH_INK),
        variety=np.where(ruler, 0.25, np.minimum(1.0, (c.glyphs + 1) / ENOUGH_GLYPHS)),
        # A caption or a credit line is no prose yet.
        art=1.0 - 0.9 * np.maximum(0.0, share - CAPTION_SHARE) / (1 - CAPTION_SHARE),
        ruler=ruler,
        prose=share > PROSE_SHARE,
        ragged=c.ragged > 0,
    )


def qualities(
    texts: list[str], counts: Counts, known: list[tuple[str, ...]]
) -> tuple[list[float], list[tuple[str, ...]]]:
    """(scores, flags) of a batch; ``known`` are the flags that readers gave."""
    q = quality_columns(counts)
    scores = (q.ink * q.variety * q.art).tolist()
    flags = list(known)
    little = counts.ink < ENOUGH_INK // 2
    named = (
        ("ruler", q.ruler),
        ("prose", q.prose),
        ("ragged-box", q.ragged),
        ("little-ink", little),
    )
    for name, column in named:
        for k in np.flatnonzero(column).tolist():
            flags[k] = tuple(dict.fromkeys((*flags[k], name)))
    for k in np.flatnonzero(counts.credit).tolist():
        if has_cut_credit(texts[k]):
            flags[k] = tuple(dict.fromkeys((*flags[k], "truncated-credit")))
    for k in range(len(texts)):
        if flags[k]:
            for flag, part in FLAG_PARTS.items():
                scores[k] *= part if flag in flags[k] else 1.0
    return [round(score, 4) for score in scores], flags


def quality(text: str, known: tuple[str, ...] = ()) -> Quality:
    """The quality of one canonical text."""
    counts = count_batch([text])
    scores, flags = qualities([text], counts, [known])
    q = quality_columns(counts)
    parts = {"ink": float(q.ink[0]), "variety": float(q.variety[0]), "art": float(q.art[0])}
    parts |= {flag: part for flag, part in FLAG_PARTS.items() if flag in flags[0]}
    return Quality(scores[0], {k: round(v, 4) for k, v in parts.items()}, flags[0])
