"""Records on their way in: what ``export`` wrote, or somebody else in its manner, as pieces again.

Nothing in a record is believed. It must be an object with a text and values of simple types; each of its
origins becomes a ``Piece``, and the gate cleans or refuses that. A broken record is one rejection with
its place in the file and costs no neighbour. ``taking`` brings what is read here into a corpus.
"""

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from asciiloom.corpus.reading import NESTED, loaded, record_columns
from asciiloom.errors import ReaderError
from asciiloom.ingest.gate import clean
from asciiloom.piece import Piece, Rejection
from asciiloom.readers import ReadOptions
from asciiloom.readers.base import Input, Item
from asciiloom.readers.tables.lines import jsonl_rows

# (file, place in it, what stands there: a record, rows of a table, or what is wrong)
Found = tuple[str, str, Mapping[str, Any] | str]
# So many broken ones at the beginning, and the file is one of something else.
MANY_BROKEN = 1000
# Rows of a Parquet file that are unpacked at a time.
ROWS = 64
MAX_ORIGINS = 100_000
# Bytes of a line: the longest original that is kept, in base64, and some.
MAX_RECORD = 96 << 20
_TEXTS = ("title", "description", "artist", "kind", "source", "licence", "sequence", "made", "crew")
_ORIGIN_TEXTS = ("source", "path", "locator", "title", "artist", "licence", "encoding")


class NotARecordError(ValueError):
    """What is wrong with a record, in a few words."""


def import_rows(path: Path) -> Iterator[Found]:
    """What stands in a JSONL or Parquet file, or in a Hugging Face folder, in its order.

    ``ReaderError`` where no record is among the first: then it is no export, and nothing of it should be
    written.
    """
    coming = _rows(path)
    broken: list[Found] = []
    said = ""
    for found in coming:
        broken.append(found)
        if table_rows(found[2]) is not None:
            return chain(broken, coming)
        for item in items_of(found):
            if isinstance(item, Piece):
                return chain(broken, coming)
            said = said or f"{item.locator}: {item.reason}, {item.detail}"
        if len(broken) == MANY_BROKEN:
            break
    if broken:
        raise ReaderError(
            f"nothing in {path} is an exported record ({said});"
            " `asciiloom ingest` reads other tables and files"
        )
    return iter(())


def table_rows(row: Mapping[str, Any] | str) -> tuple[str, list[Any]] | None:
    """(name of a table, its rows) where ``row`` holds some, and no piece."""
    if isinstance(row, str) or row.get("text") is not None:
        return None
    name, rows = row.get("table"), loaded(row.get("rows"))
    return (name, rows) if isinstance(name, str) and isinstance(rows, list) else None


def _rows(path: Path) -> Iterator[Found]:
    if path.is_dir():
        files = sorted(path.glob("data/*.parquet"))
        if not files:
            raise ReaderError(
                f"{path} has no data/*.parquet, which export writes with --format hf; `asciiloom ingest`"
                " reads other folders"
            )
        before, after = (sorted(path.glob(f"corpus/{part}*.jsonl")) for part in ("before", "after"))
        for file in (*before, *files, *after):
            yield from _rows(file)
    elif path.suffix == ".parquet":
        yield from ((str(path), place, row) for place, row in _parquet_rows(path))
    else:
        with path.open("rb") as stream:
            source = Input(str(path), path.name, stream, b"", ReadOptions())
            yield from ((str(path), place, row) for place, row in jsonl_rows(source, MAX_RECORD))


def _parquet_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any] | str]]:
    """Rows with their numbers, a few unpacked at a time: a row group may be larger than memory."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    known = {*record_columns(), *NESTED, "table", "rows"}
    number = 0
    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            columns = [name for name in file.schema_arrow.names if name in known]
            if "text" not in columns:
                raise ReaderError(
                    f"{path} has no column named text; `asciiloom ingest` reads other tables"
                )
            for batch in file.iter_batches(ROWS, columns=columns, use_threads=False):
                for row in _rows_of(batch):
                    number += 1
                    yield f"row {number}", row
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        first_line = str(error).partition("\n")[0][:200]
        if number == 0:
            raise ReaderError(f"{path} is no sound Parquet file: {first_line}") from error
        yield f"row {number + 1}", f"damaged: the rest cannot be read ({first_line})"


def _rows_of(batch: Any) -> Iterator[Mapping[str, Any] | str]:
    """Rows of an Arrow batch; one with bytes that are no UTF-8 in its strings says so instead."""
    try:
        yield from batch.to_pylist()
    except ValueError:
        for place in range(batch.num_rows):
            try:
                yield from batch.slice(place, 1).to_pylist()
            except ValueError as error:
                yield f"bad-text: {error}"


def items_of(found: Found) -> Iterator[Item]:
    """The pieces (one an origin) that a record stands for, clean; or one rejection at the place where it
    was found."""
    path, locator, record = found
    if isinstance(record, str):
        reason, _, detail = record.partition(": ")
        yield Rejection(reason, detail, path=path, locator=locator)
        return
    try:
        pieces = _pieces(record, path, locator)
    except NotARecordError as error:
        source = record.get("source")
        name = source if isinstance(source, str) else "unknown"
        yield Rejection("not-a-record", str(error), name, path, locator)
        return
    for piece in pieces:
        item = clean(piece)
        if isinstance(item, Rejection):
            yield replace(item, path=path, locator=locator)
            return  # the text is the same in each
        yield item


def _pieces(record: Mapping[str, Any], path: str, locator: str) -> Iterator[Piece]:
    text = record.get("text")
    if not isinstance(text, str):
        raise NotARecordError(f"its text is {_named(text)}")
    _must_be_simple(record, _TEXTS, "its")
    origins = origins_of(record)
    tags, flags = (_simple_list(record.get(name), f"its {name}") for name in ("tags", "flags"))
    steps = [_simple_list(o.get("steps"), "the steps of an origin") for o in origins]
    colour, lost_colour = bytes_of(record.get("colour"), "colour-dropped")

    def piece(place: int) -> Piece:
        origin = origins[place]
        original, lost = bytes_of(origin.get("original"), "original-dropped")
        return Piece(
            text=text,
            title=origin.get("title"),
            description=record.get("description"),
            artist=origin.get("artist"),
            tags=tags,
            kind=record.get("kind") or "art",
            source=origin.get("source") or record.get("source") or "unknown",
            licence=origin.get("licence"),
            path=origin.get("path") or path,
            locator=(origin.get("locator") or "") if origin.get("path") else locator,
            encoding=origin.get("encoding") or "utf-8",
            steps=(*steps[place], *lost, *lost_colour),
            original=original,
            sequence=record.get("sequence"),
            group=record.get("crew"),
            made=record.get("made"),
            flags=flags,
            colour=colour,
        )

    return map(piece, range(len(origins)))


def origins_of(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """At least one: a record without origins is its own. ``NotARecordError`` where they are something else."""
    value = loaded(record.get("origins"))
    if isinstance(value, str):
        raise NotARecordError("its origins are no JSON")
    if value is None or value == []:
        return [{name: record.get(name) for name in ("title", "artist", "licence")}]
    if not isinstance(value, list) or not all(isinstance(origin, dict) for origin in value):
        raise NotARecordError("its origins are no list of objects")
    if len(value) > MAX_ORIGINS:
        raise NotARecordError(f"it has {len(value):,} origins; at most {MAX_ORIGINS:,}")
    for origin in value:
        _must_be_simple(origin, _ORIGIN_TEXTS, "an origin's")
    return value


def _must_be_simple(values: Mapping[str, Any], names: Iterable[str], whose: str) -> None:
    for name in names:
        if isinstance(values.get(name), list | dict | bytes):
            raise NotARecordError(f"{whose} {name} is {_named(values[name])}")


def _simple_list(value: Any, what: str) -> tuple[Any, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or any(isinstance(v, list | dict | bytes) for v in value):
        raise NotARecordError(f"{what} are no list of words")
    return tuple(value)


def _named(value: Any) -> str:
    names = {
        list: "a list",
        dict: "an object",
        bytes: "bytes",
        type(None): "missing",
        bool: "a truth value",
    }
    return names.get(
        type(value), "a number" if isinstance(value, int | float) else "of another type"
    )


def bytes_of(value: Any, lost: str) -> tuple[bytes | None, tuple[str, ...]]:
    """Bytes, or base64 of them; none, with the step ``lost``, where it is neither."""
    if value is None or isinstance(value, bytes):
        return value, ()
    try:
        return base64.b64decode(value, validate=True), ()
    except (binascii.Error, TypeError, ValueError):
        return None, (lost,)
