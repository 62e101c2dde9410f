"""Pieces as columns: everything about a batch that can be known without the database.

Worker processes make these and send them over. Lists of plain strings and numbers cross a pipe
several times faster than a list of records, and go into SQLite as they are.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from asciiloom.piece import (
    CHARSETS,
    Piece,
    Rejection,
    bare_hashes,
    content_hash,
    count_batch,
    find_credits,
    qualities,
)


@dataclass(frozen=True, slots=True)
class Columns:
    """One entry a piece in each list, in order; the last four hold only those that have something."""

    hash: list[str]
    bare_hash: list[str]
    mirror_hash: list[str]
    text: list[str]
    title: list[str | None]
    description: list[str | None]
    artist: list[str | None]
    tags: list[str]
    kind: list[str]
    charset: list[str]
    is_grid: list[int]
    width: list[int]
    height: list[int]
    chars: list[int]
    ink: list[int]
    glyphs: list[int]
    quality: list[float]
    source: list[str]
    licence: list[str | None]
    sequence: list[str | None]
    made: list[str | None]
    crew: list[str | None]
    flags: list[str]
    path: list[str]
    locator: list[str]
    encoding: list[str]
    steps: list[str]
    # (place of the piece, tag) and so on
    tag_rows: list[tuple[int, str]]
    credit_rows: list[tuple[int, int, int, int, str, str]]
    originals: dict[int, bytes]
    colours: dict[int, bytes]

    def __len__(self) -> int:
        return len(self.hash)

    @classmethod
    def of(cls, pieces: Sequence[Piece]) -> "Columns":
        """Measures, quality, credits and hashes of a batch."""
        texts = [p.text for p in pieces]
        if not texts:
            empty: dict[str, Any] = {f.name: [] for f in fields(cls)}
            return cls(**{**empty, "originals": {}, "colours": {}})
        counts = count_batch(texts)
        quality, flags = qualities(texts, counts, [p.flags for p in pieces])
        spans = [
            find_credits(p.text, p.artist) if maybe else ()
            for p, maybe in zip(pieces, counts.credit.tolist(), strict=True)
        ]
        bare = [bare_hashes(t, s) for t, s in zip(texts, spans, strict=True)]
        tags = [sorted(p.tags) for p in pieces]
        return cls(
            hash=[content_hash(t) for t in texts],
            bare_hash=[b[0] for b in bare],
            mirror_hash=[b[1] for b in bare],
            text=texts,
            title=[p.title for p in pieces],
            description=[p.description for p in pieces],
            artist=[p.artist for p in pieces],
            tags=_json_lists(tags),
            kind=[p.kind for p in pieces],
            charset=[CHARSETS[k] for k in counts.charset.tolist()],
            is_grid=counts.is_grid.tolist(),
            width=counts.width.tolist(),
            height=counts.height.tolist(),
            chars=counts.chars.tolist(),
            ink=counts.ink.tolist(),
            glyphs=counts.glyphs.tolist(),
            quality=quality,
            source=[p.source for p in pieces],
            licence=[p.licence for p in pieces],
            sequence=[p.sequence for p in pieces],
            made=[p.made for p in pieces],
            crew=[p.group for p in pieces],
            flags=_json_lists(flags),
            path=[p.path for p in pieces],
            locator=[p.locator for p in pieces],
            encoding=[p.encoding for p in pieces],
            steps=_json_lists([p.steps for p in pieces]),
            tag_rows=[(k, tag) for k, names in enumerate(tags) for tag in names],
            credit_rows=[
                (k, c.row, c.column, c.length, c.text, c.artist)
                for k, found in enumerate(spans)
                for c in found
            ],
            originals={k: p.original for k, p in enumerate(pieces) if p.original is not None},
            colours={k: p.colour for k, p in enumerate(pieces) if p.colour is not None},
        )


PIECE_COLUMNS = tuple(
    f.name
    for f in fields(Columns)
    if f.name not in ("source", "path", "locator", "encoding", "steps", "tag_rows", "credit_rows", "originals", "colours")
)  # fmt: skip


def _json_lists(lists: Iterable[Sequence[str]]) -> list[str]:
    """Each as a JSON array; the same few come again and again."""
    known: dict[tuple[str, ...], str] = {(): "[]"}
    out = []
    for names in lists:
        key = tuple(names)
        if key not in known:
            known[key] = json.dumps(names, ensure_ascii=False)
        out.append(known[key])
    return out


@dataclass(frozen=True, slots=True)
class Batch:
    """Items ready to be written: pieces as columns, and rejections."""

    pieces: Columns
    rejections: list[Rejection]


def prepare_batch(items: Iterable[Piece | Rejection]) -> Batch:
    """Items as a ``Batch``."""
    items = list(items)
    pieces = Columns.of([item for item in items if isinstance(item, Piece)])
    return Batch(pieces, [item for item in items if isinstance(item, Rejection)])
