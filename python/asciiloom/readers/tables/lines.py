"""JSON lines: read in stretches of whole lines, and each stretch as columns.

A row is always exactly one item, a piece or a rejection, so that a file of N lines accounts for N.
Most rows of a table are alike: the same keys, art that is canonical already. Those become columns
without an object a row; whatever is out of the ordinary is read on its own, by the same rules.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from asciiloom.piece import Piece, PieceBatch, Rejection
from asciiloom.readers.base import Input, ReadOptions
from asciiloom.readers.tables.encoding import in_utf8
from asciiloom.readers.tables.row import Row, Shape, row_items, shape_of, shape_roles, table_columns

MAX_LINE = 32 << 20
CHUNK = 2 << 20
# Fewer rows of one shape than this are read one by one.
WORTH_COLUMNS = 8


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
    source = in_utf8(source)
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


def read_chunk(chunk: LineChunk) -> tuple[PieceBatch, list[Rejection]]:
    """The pieces and rejections of a stretch, as reading the whole file gives them, in order."""
    source = Input.from_bytes(chunk.data, chunk.path, chunk.options)
    first = chunk.before + 1
    if chunk.problem:
        (item,) = row_items([(f"row {first}", chunk.problem)], source)
        return PieceBatch.of(()), [item] if isinstance(item, Rejection) else []
    lines = enumerate(chunk.data.split(b"\n"), first)
    rows = [(f"row {n}", _parse(line)) for n, line in lines if line.strip()]
    given = source.options.columns
    shapes: dict[Shape, list[tuple[int, Mapping[str, Any]]]] = {}
    for index, (_, row) in enumerate(rows):
        if not isinstance(row, str):
            shapes.setdefault(shape_of(row, given), []).append((index, row))
    parts: list[tuple[Sequence[int], PieceBatch]] = []
    done = bytearray(len(rows))
    for shape, alike in shapes.items():
        if len(alike) >= WORTH_COLUMNS:
            roles = shape_roles(shape, given)
            locators = [rows[index][0] for index, _ in alike]
            batch, fine = table_columns([row for _, row in alike], locators, roles, source)
            ranks = [alike[k][0] for k in fine]
            parts.append((ranks, batch))
            for rank in ranks:
                done[rank] = True
    others = [k for k in range(len(rows)) if not done[k]]
    items = list(zip(others, row_items((rows[k] for k in others), source), strict=True))
    pieces = [(k, item) for k, item in items if isinstance(item, Piece)]
    parts.append(([k for k, _ in pieces], PieceBatch.of(piece for _, piece in pieces)))
    return PieceBatch.merged(parts), [item for _, item in items if isinstance(item, Rejection)]


def jsonl_rows(source: Input, longest: int | None = None) -> Iterator[Row]:
    """Rows of JSON lines. Blank lines are no rows; a line of more than ``longest`` bytes (``MAX_LINE``) is skipped
    in bounded memory."""
    longest = longest or MAX_LINE
    number = 0
    while line := source.stream.readline(longest):
        number += 1
        if len(line) == longest and not line.endswith(b"\n"):
            line = b""
            while (rest := source.stream.readline(CHUNK)) and not rest.endswith(b"\n"):
                pass
            yield f"row {number}", f"too-large: a line of more than {longest >> 20} MiB"
            continue
        if not line.strip():
            continue
        yield f"row {number}", _parse(line.removesuffix(b"\n"))


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
