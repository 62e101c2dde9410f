"""Pieces as columns: everything about a batch that can be known without the database.

Worker processes make these and send them over. Lists of plain strings and numbers cross a pipe
several times faster than a list of records, and go into SQLite as they are.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace

import numpy as np

from asciiloom.ingest.gate import admit
from asciiloom.ingest.measured import MEASURED, Credits, MeasuredColumns, json_lists
from asciiloom.piece import (
    Counts,
    Piece,
    PieceBatch,
    Rejection,
    count_batch,
    joint_byline,
    licence_name,
)
from asciiloom.readers.rejections import Condenser, condense


@dataclass(frozen=True, slots=True)
class Columns:
    """One entry a piece in each list, in order; the last three hold only those that have something."""

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
    # as stated at the place where it was seen; the piece's own are beside its other columns
    stated_artist: list[str | None]
    stated_licence: list[str | None]
    path: list[str]
    locator: list[str]
    encoding: list[str]
    steps: list[str]
    # (place of the piece, row, column, length, text, artist)
    credit_rows: list[tuple[int, int, int, int, str, str]]
    originals: dict[int, bytes]
    colours: dict[int, bytes]

    def __len__(self) -> int:
        return len(self.hash)

    @classmethod
    def of(cls, pieces: PieceBatch, counts: Counts) -> "Columns":
        """The columns of a batch, measured ones among them."""
        measured = MeasuredColumns.of(pieces.text, pieces.artist, pieces.flags, counts)
        # The same few come again and again: one string each is also less to send to another process.
        stated = {licence: licence for licence in pieces.licence}
        named = {licence: licence_name(licence) for licence in stated}
        return cls(
            text=pieces.text,
            title=pieces.title,
            description=pieces.description,
            artist=_artists(pieces.artist, measured.credits),
            tags=json_lists(tuple(sorted(names)) for names in pieces.tags),
            kind=pieces.kind,
            source=pieces.source,
            licence=[named[licence] for licence in pieces.licence],
            sequence=pieces.sequence,
            made=pieces.made,
            crew=pieces.group,
            stated_artist=pieces.artist,
            stated_licence=[stated[licence] for licence in pieces.licence],
            path=pieces.path,
            locator=pieces.locator,
            encoding=pieces.encoding,
            steps=json_lists(pieces.steps),
            credit_rows=[
                (k, c.row, c.column, c.length, c.text, c.artist)
                for k, found in enumerate(measured.credits)
                for c in found
            ],
            originals={k: v for k, v in enumerate(pieces.original) if v is not None},
            colours={k: v for k, v in enumerate(pieces.colour) if v is not None},
            **{name: getattr(measured, name) for name in MEASURED},
        )


def _artists(stated: list[str | None], credits: list[Credits]) -> list[str | None]:
    """Whose each piece is: as stated, or, where nobody says, whose signatures stand in it."""
    signed = [k for k, found in enumerate(credits) if found and stated[k] is None]
    if not signed:
        return stated
    artists = list(stated)
    for k in signed:
        artists[k] = joint_byline(span.artist for span in credits[k])
    return artists


# Of a column that is no piece's own, the place where the piece was seen has it, or a table beside.
_ELSEWHERE = frozenset(
    "source stated_artist stated_licence path locator encoding steps credit_rows originals colours".split()
)
PIECE_COLUMNS = tuple(f.name for f in fields(Columns) if f.name not in _ELSEWHERE)


@dataclass(frozen=True, slots=True)
class Batch:
    """Items ready to be written: pieces as columns, and rejections."""

    pieces: Columns
    rejections: list[Rejection]

    @classmethod
    def of(cls, pieces: PieceBatch, rejections: list[Rejection]) -> "Batch":
        """Everything about a batch that the gate lets in; a piece that shows nothing in any cell is one
        more rejection."""
        pieces, rejections = admit(pieces, rejections)
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


def condensed(batches: Iterable[Batch | None]) -> Iterator[Batch | None]:
    """``batches`` in the order of their inputs with few rejections an input, however many batches it came in.
    A ``None``, which says that the next batch may be long in coming, is passed on."""
    condenser = Condenser()
    for batch in batches:
        yield batch and replace(batch, rejections=condenser.add(batch.rejections))
    if rest := condenser.finish():
        yield prepare_batch(rest)


def prepare_batch(items: Iterable[Piece | Rejection]) -> Batch:
    """Items as a ``Batch``."""
    items = list(items)
    pieces = PieceBatch.of(item for item in items if isinstance(item, Piece))
    return Batch.of(pieces, [item for item in items if isinstance(item, Rejection)])
