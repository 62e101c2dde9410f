"""The deep part of ``check``: everything that follows from a text is computed anew and held against what is
stored, and everything stored is held against the rules of the gate.

What people decide (a title, a kind, tags) is damage only where the gate would not let it in. Pieces are read
in batches of bounded size, so a million of them need the memory of some thousands.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from asciiloom.ingest.gate import RULES, colour_fits, unclean, unclean_texts, unpack_original
from asciiloom.ingest.measured import MEASURED, MeasuredColumns
from asciiloom.piece import CreditSpan

_SHOWN = 20
BATCH_PIECES = 5000
BATCH_CHARS = 8_000_000

# Column of piece -> field of the gate.
_DECIDED = {
    "title": "title", "description": "description", "artist": "artist", "kind": "kind",
    "licence": "licence", "sequence": "sequence", "made": "made", "crew": "group",
}  # fmt: skip
_ORIGIN = ("path", "locator", "title", "artist", "licence", "encoding")
_NAMES = {
    "hash": "text that is not what its hash says",
    "bare_hash": "hash without whitespace that is not of its text",
    "mirror_hash": "hash of the mirror image that is not of its text",
    "flags": "lint flags that are not those of its text",
    "quality": "quality that is not that of its text",
}

Row = tuple[Any, ...]


class _Findings:
    """Ids of what is wrong, by what it is: how many, and the first of them."""

    def __init__(self) -> None:
        self._count: dict[str, int] = {}
        self._first: dict[str, list[Any]] = {}

    def add(self, what: str, ids: Sequence[Any]) -> None:
        if ids:
            self._count[what] = self._count.get(what, 0) + len(ids)
            first = self._first.setdefault(what, [])
            first += ids[: _SHOWN - len(first)]

    def lines(self) -> list[str]:
        return [
            f"{what}: {count:,} ({', '.join(map(str, self._first[what]))}"
            f"{', ...' if count > _SHOWN else ''})"
            for what, count in self._count.items()
        ]


def deep_check(connection: sqlite3.Connection) -> list[str]:
    """What is wrong, a line a kind with how many and the first ids."""
    found = _Findings()
    with _any_text(connection):
        _check_pieces(connection, found)
        _check_origins(connection, found)
        _check_originals(connection, found)
    return found.lines()


@contextmanager
def _any_text(connection: sqlite3.Connection) -> Iterator[None]:
    """Within it text that is no UTF-8 is read with lone surrogates, which no clean text has."""
    before = connection.text_factory
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        connection.text_factory = before


def _batches(rows: sqlite3.Cursor, size: Callable[[Row], int]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    held = 0
    for row in rows:
        batch.append(row)
        held += size(row)
        if len(batch) >= BATCH_PIECES or held >= BATCH_CHARS:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _check_pieces(connection: sqlite3.Connection, found: _Findings) -> None:
    columns = ("id", "text", "tags", *_DECIDED, *MEASURED)
    rows = connection.execute(f"SELECT {', '.join(columns)} FROM piece ORDER BY id")
    for batch in _batches(rows, lambda row: len(row[1])):
        values = dict(zip(columns, map(list, zip(*batch, strict=True)), strict=True))
        ids = values["id"]

        def note(what: str, places: Sequence[int], ids: list[Any] = ids) -> None:
            found.add(what, [ids[k] for k in places])

        note("text that is not in canonical form", unclean_texts(values["text"]))
        for column, field in _DECIDED.items():
            what = "unknown kind" if field == "kind" else f"{column} that is not one clean line"
            note(what, unclean(field, values[column]))
        note("tags that are not clean", unclean("tags", [_words(v) for v in values["tags"]]))
        signed = _credits(connection, ids[0], ids[-1])
        spans = [signed.get(number, ()) for number in ids]
        outside = [k for k, text in enumerate(values["text"]) if not lie_within(text, spans[k])]
        note("credit that is not in its text", outside)
        for k in outside:
            spans[k] = ()
        _check_measures(values, spans, note)
        _check_colours(connection, values, note)


def _check_measures(
    values: dict[str, list[Any]],
    spans: list[tuple[CreditSpan, ...]],
    note: Callable[[str, Sequence[int]], None],
) -> None:
    stored_flags = [_words(v) for v in values["flags"]]
    note("flags that are not clean", unclean("flags", stored_flags))
    flags = [RULES["flags"](words) for words in stored_flags]
    texts = [text.encode("utf-8", "replace").decode() for text in values["text"]]
    measured = MeasuredColumns.of(texts, values["artist"], flags, credits=spans)
    for name in MEASURED:
        stored, computed = values[name], getattr(measured, name)
        if name == "flags":  # JSON may be written in more than one way
            stored, computed = flags, list(map(_words, computed))
        wrong = [k for k in range(len(stored)) if stored[k] != computed[k]]
        note(_NAMES.get(name, f"{name} that is not that of its text"), wrong)


def _check_colours(
    connection: sqlite3.Connection,
    values: dict[str, list[Any]],
    note: Callable[[str, Sequence[int]], None],
) -> None:
    ids = values["id"]
    place_of = {number: place for place, number in enumerate(ids)}
    wrong = [
        place_of[number]
        for number, plane in connection.execute(
            "SELECT piece_id, plane FROM colour WHERE piece_id BETWEEN ? AND ?", (ids[0], ids[-1])
        )
        if number in place_of and not colour_fits(plane, values["text"][place_of[number]])
    ]
    note("colours that do not fit their text", sorted(wrong))


def _credits(
    connection: sqlite3.Connection, first: int, last: int
) -> dict[int, tuple[CreditSpan, ...]]:
    """The stored credits of the pieces ``first`` to ``last``."""
    signed: dict[int, tuple[CreditSpan, ...]] = {}
    rows = connection.execute(
        "SELECT piece_id, row, col, length, text, artist FROM credit WHERE piece_id BETWEEN ? AND ?",
        (first, last),
    )
    for number, *span in rows:
        signed[number] = (*signed.get(number, ()), CreditSpan(*span))
    return signed


def lie_within(text: str, spans: Sequence[CreditSpan]) -> bool:
    """Whether every span stands in ``text`` as it says."""
    if not spans:
        return True
    rows = text.split("\n")
    return all(
        0 <= span.row < len(rows)
        and span.column >= 0
        and span.length == len(span.text) > 0
        and rows[span.row][span.column : span.column + span.length] == span.text
        for span in spans
    )


@lru_cache(1 << 14)
def _words(value: str) -> Any:
    """The entries of a JSON array, as the gate has them; None of what is none."""
    try:
        words = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return tuple(words) if isinstance(words, list) else None


def _check_origins(connection: sqlite3.Connection, found: _Findings) -> None:
    rows = connection.execute(f"SELECT id, steps, {', '.join(_ORIGIN)} FROM origin ORDER BY id")
    for batch in _batches(rows, lambda row: 200):
        ids, steps, *columns = map(list, zip(*batch, strict=True))
        for name, values in zip(_ORIGIN, columns, strict=True):
            wrong = unclean(name, values)
            found.add(f"{name} of an origin that is not clean", [ids[k] for k in wrong])
        wrong = unclean("steps", [_words(v) for v in steps])
        found.add("steps of an origin that are not clean", [ids[k] for k in wrong])
    named = connection.execute("SELECT id, name FROM source").fetchall()
    wrong = unclean("source", [name for _, name in named])
    found.add("name of a source that is not one clean line", [named[k][0] for k in wrong])


def _check_originals(connection: sqlite3.Connection, found: _Findings) -> None:
    rows = connection.execute("SELECT id, hash, size, bytes FROM original ORDER BY id")
    wrong = [
        number for number, name, size, packed in rows if unpack_original(packed, size, name) is None
    ]
    found.add("original that does not unpack to its size and hash", wrong)
