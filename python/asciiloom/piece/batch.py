"""Pieces as columns: what a reader of tables makes whole batches of without an object a piece."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from asciiloom.piece.piece import Piece


@dataclass(frozen=True, slots=True)
class PieceBatch:
    """The fields of ``Piece``, each a list with one entry a piece, in order."""

    text: list[str]
    title: list[str | None]
    description: list[str | None]
    artist: list[str | None]
    tags: list[tuple[str, ...]]
    kind: list[str]
    source: list[str]
    licence: list[str | None]
    path: list[str]
    locator: list[str]
    encoding: list[str]
    original: list[bytes | None]
    sequence: list[str | None]
    steps: list[tuple[str, ...]]
    group: list[str | None]
    made: list[str | None]
    colour: list[bytes | None]
    flags: list[tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.text)

    @classmethod
    def of(cls, pieces: Iterable[Piece]) -> "PieceBatch":
        """Pieces taken apart."""
        pieces = list(pieces)
        columns: dict[str, Any] = {name: [getattr(p, name) for p in pieces] for name in _NAMES}
        return cls(**columns)

    def piece(self, place: int) -> Piece:
        """The piece at ``place``."""
        return Piece(**{name: getattr(self, name)[place] for name in _NAMES})

    def take(self, places: Sequence[int]) -> "PieceBatch":
        """The pieces at ``places``, in that order."""
        columns: dict[str, Any] = {}
        for name in _NAMES:
            values = getattr(self, name)
            columns[name] = [values[k] for k in places]
        return PieceBatch(**columns)

    @classmethod
    def merged(cls, parts: Sequence[tuple[Sequence[int], "PieceBatch"]]) -> "PieceBatch":
        """One batch of several, each with the rank of its pieces, ascending by rank."""
        parts = [part for part in parts if len(part[0])] or list(parts[:1])
        if len(parts) == 1:
            return parts[0][1]
        ranks = [rank for part, _ in parts for rank in part]
        joined: dict[str, Any] = {
            name: [value for _, batch in parts for value in getattr(batch, name)] for name in _NAMES
        }
        return cls(**joined).take(sorted(range(len(ranks)), key=ranks.__getitem__))


_NAMES = tuple(f.name for f in fields(Piece))
