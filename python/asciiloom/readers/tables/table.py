"""Tables of art: JSONL, JSON, CSV, Parquet and Arrow, one piece a row.

A row is always exactly one item, a piece or a rejection, so that a table of N rows accounts for N.
"""

import csv
import io
import json
import re
from collections.abc import Iterator

from asciiloom.readers.base import Input, Item
from asciiloom.readers.tables.encoding import head_in_utf8, in_utf8
from asciiloom.readers.tables.lines import MAX_LINE, jsonl_rows
from asciiloom.readers.tables.row import Row, column_roles, row_items

# The first column of an object, alone or in an array.
_OBJECT = re.compile(rb"\s*(?:\[\s*)?\{\s*\"[^\"\n]{0,80}\"\s*:")
MAX_JSON = 256 << 20
MAX_ARROW = 1 << 30


class TableReader:
    name = "table"
    rank = 230
    extensions = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".arrow", ".feather")
    summary = "JSONL, JSON, CSV, TSV, Parquet and Arrow tables, one piece a row"
    recognised = "a JSON object or array of objects, PAR1, ARROW1; their extensions"
    oracle = "files that json, csv and pyarrow wrote"

    def sniff(self, head: bytes, path: str) -> bool:
        lowered = path.lower()
        if lowered.endswith(self.extensions) or head.startswith((b"PAR1", b"ARROW1")):
            return True
        return _OBJECT.match(head_in_utf8(head)) is not None

    def read(self, source: Input) -> Iterator[Item]:
        lowered = source.name.lower()
        if source.head.startswith(b"PAR1"):
            rows = _parquet_rows(source)
        elif source.head.startswith(b"ARROW1") or lowered.endswith((".arrow", ".feather")):
            rows = _arrow_rows(source)
        else:
            rows = _text_rows(in_utf8(source), lowered)
        yield from row_items(rows, source)

    def reads_lines(self, source: Input) -> bool:
        """Whether the input is JSONL, which can be read in stretches."""
        lowered = source.name.lower()
        others = (".csv", ".tsv", ".json", ".parquet", ".arrow", ".feather")
        return (
            not source.head.startswith((b"PAR1", b"ARROW1"))
            and not lowered.endswith(others)
            and not _is_document(head_in_utf8(source.head), lowered)
        )


def _text_rows(source: Input, name: str) -> Iterator[Row]:
    """The rows of a table in UTF-8 whose lower-case name is ``name``."""
    if name.endswith((".csv", ".tsv")):
        return _csv_rows(source, "\t" if name.endswith(".tsv") else ",")
    if name.endswith(".json") or _is_document(source.head, name):
        return _json_rows(source)
    return jsonl_rows(source)


def _is_document(head: bytes, path: str) -> bool:
    """Whether JSON without a telling name is one document: its first line is not a whole value."""
    if path.endswith((".jsonl", ".ndjson")):
        return False
    first, ended, _ = head.lstrip().partition(b"\n")
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return bool(ended)
    return False


def _json_rows(source: Input) -> Iterator[Row]:
    data = source.stream.read(MAX_JSON + 1)
    if len(data) > MAX_JSON:
        yield "", f"too-large: a JSON document of more than {MAX_JSON >> 20} MiB; use JSONL"
        return
    try:
        rows = json.loads(data)
    except RecursionError:
        yield "", "too-deep: JSON nested deeper than the parser goes"
        return
    except ValueError as error:
        if data.lstrip()[:1] == b"[":
            yield from _array_rows(data, error)
        elif not _is_row(data):
            yield "", f"bad-json: {str(error)[:200]}"
        else:  # many ".json" files are JSON lines
            yield from jsonl_rows(Input.from_bytes(data, source.path, source.options))
        return
    if isinstance(rows, dict):
        lists = [value for value in rows.values() if isinstance(value, list)]
        if len(lists) == 1 and all(isinstance(row, dict) for row in lists[0]):
            rows = lists[0]
        elif (
            rows
            and all(isinstance(value, str) for value in rows.values())
            and not column_roles(rows, {})
        ):
            rows = [{"title": key, "text": value} for key, value in rows.items()]
        else:
            rows = [rows]
    if not isinstance(rows, list):
        yield "", f"bad-json: a table must be a list or an object, not {type(rows).__name__}"
        return
    for number, row in enumerate(rows, 1):
        if isinstance(row, str):
            row = {"text": row}
        bad = f"bad-json: a row must be an object, not {type(row).__name__}"
        yield f"row {number}", row if isinstance(row, dict) else bad


def _is_row(data: bytes) -> bool:
    """Whether the first line is a whole object."""
    try:
        return isinstance(json.loads(data.lstrip().partition(b"\n")[0]), dict)
    except (ValueError, RecursionError):
        return False


def _array_rows(data: bytes, error: ValueError) -> Iterator[Row]:
    """The objects of an array that is damaged further on, then why no more."""
    text = data.decode("utf-8", "replace")
    decoder = json.JSONDecoder()
    at = text.index("[") + 1
    number = 0
    separator = re.compile(r"[\s,]*")
    while True:
        blank = separator.match(text, at)
        at = blank.end() if blank else at
        try:
            row, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        number += 1
        bad = f"bad-json: a row must be an object, not {type(row).__name__}"
        yield f"row {number}", row if isinstance(row, dict) else bad
    yield f"row {number + 1}", f"truncated: {str(error)[:200]}"


def _csv_rows(source: Input, delimiter: str) -> Iterator[Row]:
    csv.field_size_limit(MAX_LINE)
    text = io.TextIOWrapper(source.stream, encoding="utf-8", errors="replace", newline="")
    reader = csv.DictReader(text, delimiter=delimiter, restkey="")
    number = 0
    while True:
        number += 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield f"row {number}", f"bad-csv: {error}"
            continue
        yield f"row {number}", {key: value for key, value in row.items() if key}


def _parquet_rows(source: Input) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    stream = source.stream
    try:
        # Parquet keeps its index at the end: a pipe has to be read whole.
        table = pq.ParquetFile(stream if stream.seekable() else io.BytesIO(stream.read()))
        number = 0
        for batch in table.iter_batches(batch_size=4096):
            batch.validate(full=True)
            for row in batch.to_pylist():
                number += 1
                yield f"row {number}", row
    except (pa.ArrowException, OSError, ValueError) as error:
        yield "", f"bad-parquet: {str(error)[:200]}"


def _arrow_rows(source: Input) -> Iterator[Row]:
    """Rows of an Arrow file or stream, the form in which ``datasets`` keeps a data set on disk."""
    import pyarrow as pa

    data = source.stream.read(MAX_ARROW + 1)
    if len(data) > MAX_ARROW:
        yield "", f"too-large: an Arrow file of more than {MAX_ARROW >> 20} MiB; use Parquet"
        return
    number = 0
    try:
        if data.startswith(b"ARROW1"):
            table = pa.ipc.open_file(data)
            batches = (table.get_batch(n) for n in range(table.num_record_batches))
        else:
            batches = iter(pa.ipc.open_stream(data))
        for batch in batches:
            # Arrow trusts the offsets it reads: unchecked ones reach outside the file's bytes.
            batch.validate(full=True)
            for row in batch.to_pylist():
                number += 1
                yield f"row {number}", row
    except (pa.ArrowException, OSError, ValueError) as error:
        yield f"row {number + 1}", f"bad-arrow: {str(error)[:200]}"
