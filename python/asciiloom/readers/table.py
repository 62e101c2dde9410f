"""Tables of art: JSONL, JSON, CSV and Parquet, one piece a row.

A row is always exactly one item, a piece or a rejection, so that a table of N rows accounts for
N. Column names are recognised by role; the names are those that public art data sets use.
"""

import csv
import functools
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from asciiloom.piece import KINDS, Rejection
from asciiloom.readers.base import Input, Item, ReadOptions, make_item

MAX_LINE = 32 << 20
MAX_JSON = 256 << 20
MAX_ARROW = 1 << 30
CHUNK = 2 << 20
MAX_SHAPES = 1000

# Role -> column names, the most telling first. Matching ignores case and -, _ and spaces.
COLUMNS: dict[str, tuple[str, ...]] = {
    "text": (
        "text",
        "ascii_art",
        "art_text",
        "asciiart",
        "ascii",
        "art",
        "content",
        "drawing",
        "figure",
        "output",
    ),
    "title": ("title", "name", "caption", "subject", "prompt"),
    "description": ("description", "desc", "alt"),
    "artist": ("artist", "author", "creator", "credit"),
    "tags": ("tags", "tag", "labels", "label", "class", "category", "categories", "keywords"),
    "source": ("source", "dataset", "collection", "origin"),
    "path": ("path", "file", "filename", "url"),
    "licence": ("licence", "license"),
    "kind": ("kind", "style"),
}
_NUMBERED_CATEGORY = re.compile(r"(?:category|tag|label)\d+\Z")
_FENCE = re.compile(r"```[^\n]*\n(.*?)\n?```", re.DOTALL)
_FILM = re.compile(r"(?:movie|film|animation):(.+)\Z")


class TableReader:
    name = "table"
    extensions = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".arrow", ".feather")
    summary = "JSONL, JSON, CSV, TSV, Parquet and Arrow tables, one piece a row"
    recognised = "a JSON object or array of objects, PAR1, ARROW1; their extensions"
    oracle = "files that json, csv and pyarrow wrote"

    def sniff(self, head: bytes, path: str) -> bool:
        lowered = path.lower()
        if lowered.endswith(self.extensions) or head.startswith((b"PAR1", b"ARROW1")):
            return True
        return re.match(rb"\s*(?:\[\s*)?\{\s*\"[^\"\n]{0,80}\"\s*:", head) is not None

    def read(self, source: Input) -> Iterator[Item]:
        lowered = source.name.lower()
        if source.head.startswith(b"PAR1"):
            rows = _parquet_rows(source)
        elif source.head.startswith(b"ARROW1") or lowered.endswith((".arrow", ".feather")):
            rows = _arrow_rows(source)
        elif lowered.endswith((".csv", ".tsv")):
            rows = _csv_rows(source, "\t" if lowered.endswith(".tsv") else ",")
        elif lowered.endswith(".json") or _is_document(source.head, lowered):
            rows = _json_rows(source)
        else:
            rows = _jsonl_rows(source)
        yield from row_items(rows, source)

    def reads_lines(self, source: Input) -> bool:
        """Whether the input is JSONL, which can be read in stretches."""
        lowered = source.name.lower()
        others = (".csv", ".tsv", ".json", ".parquet", ".arrow", ".feather")
        return (
            not source.head.startswith((b"PAR1", b"ARROW1"))
            and not lowered.endswith(others)
            and not _is_document(source.head, lowered)
        )


@dataclass(frozen=True, slots=True)
class LineChunk:
    """Whole lines of a JSONL file: ``data``, the number of lines before it, where from; or, with no
    data, what became of line ``before + 1``."""

    path: str
    name: str
    options: ReadOptions
    before: int
    data: bytes
    problem: str = ""


def split_lines(source: Input) -> Iterator[LineChunk]:
    """A JSONL input in stretches of about ``CHUNK`` bytes; an overlong line is skipped."""
    carry = b""
    before = 0

    def chunk(data: bytes, problem: str = "") -> LineChunk:
        return LineChunk(source.path, source.name, source.options, before, data, problem)

    while block := source.stream.read(CHUNK):
        data = carry + block
        cut = data.rfind(b"\n") + 1
        if not cut and len(data) >= MAX_LINE:
            while (rest := source.stream.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                pass
            yield chunk(b"", f"too-large: a line of more than {MAX_LINE >> 20} MiB")
            carry, before = b"", before + 1
            continue
        if cut:
            yield chunk(data[:cut])
            before += data.count(b"\n", 0, cut)
        carry = data[cut:]
    if carry:
        yield chunk(carry)


def read_chunk(chunk: LineChunk) -> Iterator[Item]:
    """The items of a stretch, as reading the whole file gives them."""
    source = Input.from_bytes(chunk.data, chunk.path, chunk.options)
    first = chunk.before + 1
    if chunk.problem:
        yield from row_items([(f"row {first}", chunk.problem)], source)
        return
    lines = enumerate(chunk.data.split(b"\n"), first)
    yield from row_items(((f"row {n}", _parse(line)) for n, line in lines if line.strip()), source)


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


def row_items(rows: Iterable["Row"], source: Input) -> Iterator[Item]:
    """One item a row: ``rows`` are (locator, mapping or "reason: detail")."""
    roles: dict[tuple[str, ...], dict[str, str]] = {}  # rows of one table may differ in keys
    for locator, row in rows:
        if isinstance(row, str):
            reason, _, detail = row.partition(": ")
            yield Rejection(
                reason, detail, source.options.source or "unknown", source.path, locator
            )
            continue
        keys = tuple(row)
        if keys not in roles:
            if len(roles) >= MAX_SHAPES:
                roles.clear()
            roles[keys] = column_roles(keys, source.options.columns)
        yield _row_item(row, roles[keys], source, locator)


def _plain(name: str) -> str:
    return re.sub(r"[-_ ]", "", name.lower())


def column_roles(row: Iterable[str], given: Mapping[str, str]) -> dict[str, str]:
    """Which column plays which role: what the curator says, then the known names."""
    roles = dict(given)
    names = {_plain(name): name for name in row}
    for role, known in COLUMNS.items():
        if role not in roles:
            hit = next((names[_plain(k)] for k in known if _plain(k) in names), None)
            if hit is not None and hit not in roles.values():
                roles[role] = hit
    return roles


@functools.lru_cache(MAX_SHAPES)
def numbered_columns(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of a row's columns that are category-1, tag_2 and the like."""
    return tuple(name for name in names if _NUMBERED_CATEGORY.match(_plain(name)))


def _row_item(
    row: Mapping[str, Any], roles: Mapping[str, str], source: Input, locator: str
) -> Item:
    options = source.options
    values = {role: row.get(column) for role, column in roles.items()}
    text, title = values.get("text"), values.get("title")
    if text is None and "conversations" in row:
        title, text = _conversation(row["conversations"])
    name = options.source or str(values.get("source") or "unknown")
    if not isinstance(text, str) and {"charset", "frames", "palette"} <= row.keys():
        detail = f"Playscii: glyphs by number in its own charset {row['charset']}"
        return Rejection("custom-charset", detail[:200], name, source.path, locator)
    if not isinstance(text, str):
        known = ", ".join(COLUMNS["text"])
        detail = f"no text column (looked for {known}); name it with --column text=NAME"
        return Rejection("no-text", detail, name, source.path, locator)
    tags = _tags(values.get("tags"))
    tags += tuple(value for column in numbered_columns(tuple(row)) if (value := row[column]))
    film, meant = _meaning(tuple(map(str, tags)))
    # A single row is a line.
    kind = str(values.get("kind") or meant or ("art" if "\n" in text.strip("\r\n") else "line"))
    where = values.get("path")
    return make_item(
        text,
        options=options,
        path=str(where) if where else source.path,
        locator="" if where and "#" in str(where) else locator,
        title=title,
        description=values.get("description"),
        artist=values.get("artist"),
        tags=tags,
        kind=kind if kind in KINDS else "art",
        source=name,
        licence=values.get("licence"),
        sequence=f"{name}/{film}" if film else None,
    )


_KIND_OF_TAG = {
    "figlet": "banner",
    "generated": "banner",
    "hbanner": "banner",
    "cow": "cow",
    "logo": "logo",
    "box": "box",
}


@functools.lru_cache(1 << 14)
def _meaning(tags: tuple[str, ...]) -> tuple[str | None, str | None]:
    """(film, kind) that a row's own tags state; the same few combinations come again and again."""
    film = next((m[1] for tag in tags if (m := _FILM.match(tag))), None)
    names = {tag.lower() for tag in tags}
    kind = next((kind for tag, kind in _KIND_OF_TAG.items() if tag in names), None)
    return film, "frame" if film else kind


def _tags(value: object) -> tuple[object, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        stripped = value.strip()
        if stripped.startswith("["):
            try:
                return tuple(json.loads(stripped))
            except (ValueError, TypeError):
                pass
        return tuple(re.split(r"[,;|]", stripped))
    if isinstance(value, Iterable) and not isinstance(value, Mapping):
        return tuple(value)
    return (value,)


def _conversation(turns: object) -> tuple[str | None, str | None]:
    """The first user turn and the last fenced block of a chat record."""
    asked: str | None = None
    drawn: str | None = None
    for turn in turns if isinstance(turns, list) else ():
        if not isinstance(turn, Mapping):
            continue
        said = turn.get("value", turn.get("content"))
        role = turn.get("from", turn.get("role"))
        if not isinstance(said, str):
            continue
        if role in ("human", "user"):
            asked = asked or said
        elif blocks := _FENCE.findall(said):
            drawn = blocks[-1]
    return asked, drawn


Row = tuple[str, Mapping[str, Any] | str]


def _jsonl_rows(source: Input) -> Iterator[Row]:
    """Rows of JSON lines. Blank lines are no rows; an overlong line is skipped in bounded memory."""
    number = 0
    while line := source.stream.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE and not line.endswith(b"\n"):
            while (rest := source.stream.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                pass
            yield f"row {number}", f"too-large: a line of more than {MAX_LINE >> 20} MiB"
            continue
        if not line.strip():
            continue
        yield f"row {number}", _parse(line)


def _parse(line: bytes) -> Mapping[str, Any] | str:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        try:  # NaN, numbers of any length, lone surrogates: what Python itself writes
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            return f"bad-json: {str(error)[:200]}"
    if isinstance(row, str):
        return {"text": row}
    return (
        row
        if isinstance(row, dict)
        else f"bad-json: a row must be an object, not {type(row).__name__}"
    )


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
            yield from _jsonl_rows(Input.from_bytes(data, source.path, source.options))
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
    text = io.TextIOWrapper(source.stream, encoding="utf-8-sig", errors="replace", newline="")
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
