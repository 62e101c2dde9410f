"""A corpus on its way out: as JSONL, Parquet or a Hugging Face folder.

A whole corpus goes out with all that it holds, and ``importing`` makes the same of it again. What filters
leave of it, or ``plain``, is a data set: one record a piece (see ``reading``) and nothing else.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from asciiloom.corpus.card import UNSPLIT, card
from asciiloom.corpus.corpus import Corpus
from asciiloom.corpus.reading import LISTS, NESTED, Reading, Record, record_columns
from asciiloom.errors import CorpusError
from asciiloom.outputs import output_folder, output_stream
from asciiloom.store.selection import Selection

FORMATS = ("jsonl", "parquet", "hf")
# The files of a Hugging Face folder that an export writes, as patterns.
HF_FILES = ("README.md", "data/*.parquet", "corpus/*.jsonl")
# Arrow types of columns whose declared type says less.
_TYPES = {
    **dict.fromkeys(("width", "height", "ink"), "int32"),
    **dict.fromkeys(LISTS, "list<string>"),
    "canonical": "bool", "colour": "binary",
}  # fmt: skip
_OF_DECLARED = {"INTEGER": "int64", "REAL": "float64", "TEXT": "string", "BLOB": "binary"}
# What a Parquet file holds as JSON.
_AS_JSON = frozenset(["credits", "origins", "withdrawn", "rows"])
_ROWS = 10_000
_CHARS = 16_000_000


def records(
    corpus: Corpus, selection: Selection | None = None, originals: bool = False
) -> Iterator[Record]:
    """Pieces as plain records; ``credits`` and ``origins`` are lists of objects. With ``originals`` the first
    origin of each file has its bytes, and all others their hash."""
    reading = Reading(corpus.connection, originals=originals)
    statement, params = (selection or Selection()).sql("piece.id")
    for (number,) in corpus.connection.execute(statement, params):
        yield reading.record(number)


def everything(corpus: Corpus, originals: bool = True) -> Iterator[Record]:
    """The whole corpus: the pieces in no selection, and the rows of all other tables, too."""
    for _, row in Reading(corpus.connection, originals=originals, whole=True).everything():
        if isinstance(row, str):
            raise CorpusError(row)
        yield row


def is_piece(row: Record) -> bool:
    """Whether ``row`` is a record and not some rows of a table."""
    return "table" not in row


def write_jsonl(rows: Iterable[Record], target: str | Path, *, force: bool = False) -> int:
    """One record a line into the file ``target`` ("-": stdout); returns how many are pieces."""
    count = 0
    with output_stream(target, force=force) as stream:
        for row in rows:
            _write_line(stream, row)
            count += is_piece(row)
    return count


def _write_line(stream: BinaryIO, row: Record) -> None:
    stream.write(_json(row).encode() + b"\n")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_in_base64)


def _in_base64(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"a {type(value).__name__} cannot be exported")


def write_parquet(
    rows: Iterable[Record], target: str | Path, *, force: bool = False, whole: bool = False
) -> int:
    """The same as Parquet; ``whole`` where the rest of a corpus is among the rows. Row groups of some
    thousands, so that a million pieces need no more memory than these."""
    count = 0
    columns = features(whole) | ({"table": "string", "rows": "string"} if whole else {})
    with output_stream(target, force=force) as stream, _Table(stream, columns) as table:
        for row in rows:
            table.add(row)
            count += is_piece(row)
    return count


def features(whole: bool = False) -> dict[str, str]:
    """The columns of a data set, their types by name; of a ``whole`` corpus also the run of a piece."""
    declared = record_columns().items()
    columns = {name: _TYPES.get(name) or _OF_DECLARED[kind] for name, kind in declared}
    if not whole:
        columns.pop("run")
    return columns | {name: _TYPES.get(name, "string") for name in NESTED}


class _Table:
    """A Parquet file that is being written."""

    def __init__(self, stream: BinaryIO, columns: dict[str, str]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        kinds = {
            "string": pa.string(), "int64": pa.int64(), "int32": pa.int32(), "float64": pa.float64(),
            "bool": pa.bool_(), "list<string>": pa.list_(pa.string()), "binary": pa.binary(),
        }  # fmt: skip
        self._schema = pa.schema([(name, kinds[kind]) for name, kind in columns.items()])
        self._writer = pq.ParquetWriter(stream, self._schema, compression="zstd")
        self._group: list[Record] = []
        self._chars = 0
        self.bytes = 0  # of what was written, unpacked

    def __enter__(self) -> "_Table":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self._flush()
        finally:
            self._writer.close()

    def add(self, row: Record) -> None:
        row = {k: _json(v) if k in _AS_JSON and v is not None else v for k, v in row.items()}
        self._group.append(row)
        self._chars += sum(len(v) for v in row.values() if isinstance(v, str | bytes))
        if len(self._group) == _ROWS or self._chars > _CHARS:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        group, self._group, self._chars = self._group, [], 0
        if not group:
            return
        try:
            table = pa.Table.from_pylist(group, schema=self._schema)
            self._writer.write_table(table)
            self.bytes += table.nbytes
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            numbers = [row["id"] for row in group if "id" in row] or ["-"]
            raise CorpusError(
                f"a value of the pieces {numbers[0]} to {numbers[-1]} fits no column of an export; see:"
                " asciiloom check --deep"
            ) from error


def write_hf(
    corpus: Corpus,
    selection: Selection,
    target: str | Path,
    name: str,
    *,
    force: bool = False,
    rows: Iterable[Record] | None = None,
    whole: bool = False,
) -> int:
    """A dataset folder as the Hugging Face hub takes it: a Parquet file a split, and a card. ``rows`` are
    the records of the selection where none are given; what of a ``whole`` corpus is no piece of a split
    stands in files beside them."""
    columns = features(whole)
    unsplit = UNSPLIT if _is_split(corpus) else "train"
    sizes = {} if corpus.count(selection) else {"train": 0}
    with output_folder(target, names=HF_FILES, force=force) as folder:
        (folder / "data").mkdir()
        with _Folder(folder, columns) as files:
            for split in sizes:
                files.split(split)
            for row in records(corpus, selection) if rows is None else rows:
                if is_piece(row):
                    split = row["split"] or unsplit
                    files.split(split).add(row)
                    sizes[split] = sizes.get(split, 0) + 1
                else:
                    files.add_rest(row)
        text = card(name, corpus.fingerprint(selection), columns, sizes, files.bytes())
        (folder / "README.md").write_text(text, encoding="utf-8")
    return sum(sizes.values())


class _Folder:
    """The files of a dataset folder that are being written, opened when they have something to hold."""

    def __init__(self, folder: Path, columns: dict[str, str]) -> None:
        self._folder, self._columns = folder, columns
        self._splits: dict[str, _Table] = {}
        self._rest: dict[str, BinaryIO] = {}
        self._open = ExitStack()

    def __enter__(self) -> "_Folder":
        return self

    def __exit__(self, *exc: Any) -> None:
        self._open.__exit__(*exc)

    def split(self, name: str) -> _Table:
        if name not in self._splits:
            path = self._folder / "data" / f"{name}-00000-of-00001.parquet"
            stream = self._open.enter_context(path.open("xb"))
            self._splits[name] = self._open.enter_context(_Table(stream, self._columns))
        return self._splits[name]

    def bytes(self) -> dict[str, int]:
        """How many each split takes up unpacked, once all is written."""
        return {name: table.bytes for name, table in self._splits.items()}

    def add_rest(self, row: Record) -> None:
        """Rows that pieces refer to are read before the splits, those that refer to pieces after them."""
        began = self._splits or "after" in self._rest
        part = "after" if began or row["table"] == "piece" else "before"
        if part not in self._rest:
            path = self._folder / "corpus" / f"{part}.jsonl"
            path.parent.mkdir(exist_ok=True)
            self._rest[part] = self._open.enter_context(path.open("xb"))
        _write_line(self._rest[part], row)


def _is_split(corpus: Corpus) -> bool:
    found = corpus.connection.execute("SELECT 1 FROM piece WHERE split NOTNULL LIMIT 1").fetchone()
    return found is not None
