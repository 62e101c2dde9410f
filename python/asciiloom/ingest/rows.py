"""Pieces as columns: everything about a batch that can be known without the database.

Worker processes make these and send them over. Lists of plain strings and numbers cross a pipe
several times faster than a list of records, and go into SQLite as they are.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace

import numpy as np

from asciiloom.piece import (
    CHARSETS,
    Counts,
    CreditSpan,
    Piece,
    PieceBatch,
    Rejection,
    bare_hash_columns,
    content_hash,
    count_batch,
    find_credits,
    qualities,
)
from asciiloom.readers.rejections import Condenser, condense


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
    def of(cls, pieces: PieceBatch, counts: Counts) -> "Columns":
        """Measures, quality, credits and hashes of a batch."""
        texts = pieces.text
        quality, flags = qualities(texts, counts, pieces.flags)
        spans: list[tuple[CreditSpan, ...]] = [()] * len(texts)
        for k in np.flatnonzero(counts.credit).tolist():
            spans[k] = find_credits(texts[k], pieces.artist[k])
        bare_hash, mirror_hash = bare_hash_columns(texts, spans)
        tags = [tuple(sorted(names)) for names in pieces.tags]
        return cls(
            hash=list(map(content_hash, texts)),
            bare_hash=bare_hash,
            mirror_hash=mirror_hash,
            text=texts,
            title=pieces.title,
            description=pieces.description,
            artist=pieces.artist,
            tags=_json_lists(tags),
            kind=pieces.kind,
            charset=[CHARSETS[k] for k in counts.charset.tolist()],
            is_grid=counts.is_grid.tolist(),
            width=counts.width.tolist(),
            height=counts.height.tolist(),
            chars=counts.chars.tolist(),
            ink=counts.ink.tolist(),
            glyphs=counts.glyphs.tolist(),
            quality=quality,
            source=pieces.source,
            licence=pieces.licence,
            sequence=pieces.sequence,
            made=pieces.made,
            crew=pieces.group,
            flags=_json_lists(flags),
            path=pieces.path,
            locator=pieces.locator,
            encoding=pieces.encoding,
            steps=_json_lists(pieces.steps),
            tag_rows=[(k, tag) for k, names in enumerate(tags) for tag in names],
            credit_rows=[
                (k, c.row, c.column, c.length, c.text, c.artist)
                for k, found in enumerate(spans)
                for c in found
            ],
            originals={k: v for k, v in enumerate(pieces.original) if v is not None},
            colours={k: v for k, v in enumerate(pieces.colour) if v is not None},
        )


PIECE_COLUMNS = tuple(
    f.name
    for f in fields(Columns)
    if f.name not in ("source", "path", "locator", "encoding", "steps", "tag_rows", "credit_rows", "originals", "colours")
)  # fmt: skip


def _json_lists(lists: Iterable[tuple[str, ...]]) -> list[str]:
    """Each as a JSON array; the same few come again and again."""
    known: dict[tuple[str, ...], str] = {(): "[]"}
    out = []
    for names in lists:
        if names not in known:
            known[names] = json.dumps(names, ensure_ascii=False)
        out.append(known[names])
    return out


@dataclass(frozen=True, slots=True)
class Batch:
    """Items ready to be written: pieces as columns, and rejections."""

    pieces: Columns
    rejections: list[Rejection]

    @classmethod
    def of(cls, pieces: PieceBatch, rejections: list[Rejection]) -> "Batch":
        """Everything about a batch; a piece that shows nothing in any cell is one more rejection."""
        counts = count_batch(pieces.text)
        shown = (counts.width > 0) & (counts.ink > 0)
        if not shown.all():
            hidden = np.flatnonzero(~shown).tolist()
            rejections = rejections + [
                Rejection(
                    "empty",
                    "no glyph takes up a cell",
                    pieces.source[k],
                    pieces.path[k],
                    pieces.locator[k],
                )
                for k in hidden
            ]
            pieces = pieces.take(np.flatnonzero(shown).tolist())
            counts = count_batch(pieces.text)
        return cls(Columns.of(pieces, counts), condense(rejections))


def condensed(batches: Iterable[Batch]) -> Iterator[Batch]:
    """``batches`` in the order of their inputs with few rejections an input, however many batches it came in."""
    condenser = Condenser()
    for batch in batches:
        yield replace(batch, rejections=condenser.add(batch.rejections))
    if rest := condenser.finish():
        yield prepare_batch(rest)


def prepare_batch(items: Iterable[Piece | Rejection]) -> Batch:
    """Items as a ``Batch``."""
    items = list(items)
    pieces = PieceBatch.of(item for item in items if isinstance(item, Piece))
    return Batch.of(pieces, [item for item in items if isinstance(item, Rejection)])
