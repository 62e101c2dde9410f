"""What is computed from a text: one list of columns and one function that makes them, for all who write them.

Ingest fills them for new pieces, an edit of a text for the piece edited, and a deep check holds what is
stored against them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import orjson

from asciiloom.piece import (
    CHARSETS,
    LINT,
    Counts,
    CreditSpan,
    bare_hash_columns,
    content_hash,
    count_batch,
    find_credits,
    qualities,
)

Credits = tuple[CreditSpan, ...]
# "colour-only" is what a reader sees in a screen; the other lint shows in the text itself.
MEASURED_FLAGS = frozenset(LINT) - {"colour-only"}


@dataclass(frozen=True, slots=True)
class MeasuredColumns:
    """Columns of ``piece`` that follow from its text, one entry a piece; ``credits`` are its spans."""

    hash: list[str]
    bare_hash: list[str]
    mirror_hash: list[str]
    charset: list[str]
    is_grid: list[int]
    width: list[int]
    height: list[int]
    chars: list[int]
    ink: list[int]
    glyphs: list[int]
    quality: list[float]
    flags: list[str]  # JSON arrays
    credits: list[Credits]

    @classmethod
    def of(
        cls,
        texts: list[str],
        artists: Sequence[str | None],
        flags: list[tuple[str, ...]],
        counts: Counts | None = None,
        credits: Sequence[Credits] | None = None,
    ) -> "MeasuredColumns":
        """Measure ``texts``. ``artists`` and ``flags`` are what is known of them without looking;
        ``credits``, where given, are taken as they are instead of being searched for."""
        counts = count_batch(texts) if counts is None else counts
        quality, all_flags = qualities(texts, counts, flags)
        spans: list[Credits] = [()] * len(texts) if credits is None else list(credits)
        if credits is None:
            for k in np.flatnonzero(counts.credit).tolist():
                spans[k] = find_credits(texts[k], artists[k])
        bare, mirror = bare_hash_columns(texts, spans)
        return cls(
            hash=list(map(content_hash, texts)),
            bare_hash=bare,
            mirror_hash=mirror,
            charset=[CHARSETS[k] for k in counts.charset.tolist()],
            is_grid=counts.is_grid.tolist(),
            width=counts.width.tolist(),
            height=counts.height.tolist(),
            chars=counts.chars.tolist(),
            ink=counts.ink.tolist(),
            glyphs=counts.glyphs.tolist(),
            quality=quality,
            flags=json_lists(all_flags),
            credits=spans,
        )


MEASURED = tuple(f.name for f in fields(MeasuredColumns) if f.name != "credits")


def json_lists(lists: Iterable[tuple[str, ...]]) -> list[str]:
    """Each as a JSON array; the same few come again and again."""
    known: dict[tuple[str, ...], str] = {(): "[]"}
    out = []
    for names in lists:
        if names not in known:
            known[names] = orjson.dumps(names).decode()
        out.append(known[names])
    return out
