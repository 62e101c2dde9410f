"""A corpus on its way out: as JSONL, Parquet or a Hugging Face folder.

A record is one piece with everything known of it, every place where it was seen among it; ``importing``
makes pieces of records again.
"""

import base64
import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from asciiloom.corpus.corpus import Corpus
from asciiloom.errors import CorpusError
from asciiloom.ingest.gate import unpack_original
from asciiloom.outputs import output_folder, output_stream
from asciiloom.piece import spdx
from asciiloom.store.selection import SPLITS, Selection

Record = dict[str, Any]
FORMATS = ("jsonl", "parquet", "hf")
# The files of a Hugging Face folder that an export writes, as patterns.
HF_FILES = ("README.md", "data/*.parquet")
# Columns in the order of a record: name, Arrow type.
_SCHEMA = (
    ("id", "int64"), ("text", "string"), ("title", "string"), ("description", "string"),
    ("artist", "string"), ("tags", "list<string>"), ("kind", "string"), ("charset", "string"),
    ("width", "int32"), ("height", "int32"), ("ink", "int32"), ("quality", "float64"),
    ("source", "string"), ("licence", "string"), ("sequence", "string"), ("made", "string"),
    ("crew", "string"), ("flags", "list<string>"), ("split", "string"), ("cluster", "int64"),
    ("canonical", "bool"), ("credits", "string"), ("origins", "string"),
)  # fmt: skip
_ROWS = 10_000


def records(
    corpus: Corpus, selection: Selection | None = None, originals: bool = False
) -> Iterator[Record]:
    """Pieces as plain records; ``credits`` and ``origins`` are lists of objects. With ``originals`` an
    origin carries the bytes it came from, in base64."""
    columns = (
        "piece.id, piece.text, piece.title, piece.description, piece.artist, piece.tags, piece.kind,"
        " piece.charset, piece.width, piece.height, piece.ink, piece.quality,"
        " (SELECT name FROM source WHERE id = piece.source_id) AS source, piece.licence,"
        " piece.sequence, piece.made, piece.crew, piece.flags, piece.split,"
        " piece.cluster_id AS cluster, piece.canonical,"
        " (SELECT json_group_array(json_object('row', row, 'column', col, 'text', text, 'artist', artist))"
        " FROM credit WHERE piece_id = piece.id) AS credits"
    )
    statement, params = (selection or Selection()).sql(columns)
    cursor = corpus.connection.execute(statement, params)
    names = [c[0] for c in cursor.description]
    for row in cursor:
        record = dict(zip(names, row, strict=True))
        for name in ("tags", "flags", "credits"):
            record[name] = json.loads(record[name])
        record["canonical"] = bool(record["canonical"])
        record["origins"] = list(_origins(corpus.connection, record["id"], originals))
        yield record


def _origins(db: sqlite3.Connection, number: int, originals: bool) -> Iterator[Record]:
    rows = db.execute(
        "SELECT source.name, path, locator, title, artist, origin.licence, encoding, steps, original_id"
        " FROM origin JOIN source ON source.id = origin.source_id WHERE piece_id = ? ORDER BY origin.id",
        (number,),
    )
    names = ("source", "path", "locator", "title", "artist", "licence", "encoding")
    for *values, steps, original in rows:
        origin: Record = dict(zip(names, values, strict=True))
        origin["steps"] = json.loads(steps)
        if originals and original is not None:
            held = db.execute("SELECT bytes, size, hash FROM original WHERE id = ?", (original,))
            data = unpack_original(*held.fetchone())
            if data is None:
                raise CorpusError(
                    f"the original of piece {number} is damaged; export without --originals, or see:"
                    " asciiloom check --deep"
                )
            origin["original"] = base64.b64encode(data).decode()
        yield origin


def write_jsonl(rows: Iterable[Record], target: str | Path, *, force: bool = False) -> int:
    """One record a line into the file ``target`` ("-": stdout); returns how many."""
    count = 0
    with output_stream(target, force=force) as stream:
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
            count += 1
    return count


def write_parquet(rows: Iterable[Record], target: str | Path, *, force: bool = False) -> int:
    """The same as Parquet. Row groups of some thousands, so that a million pieces need no more memory
    than these."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {
        "string": pa.string(), "int64": pa.int64(), "int32": pa.int32(), "float64": pa.float64(),
        "bool": pa.bool_(), "list<string>": pa.list_(pa.string()),
    }  # fmt: skip
    schema = pa.schema([(name, kinds[kind]) for name, kind in _SCHEMA])
    count = 0
    with (
        output_stream(target, force=force) as stream,
        pq.ParquetWriter(stream, schema, compression="zstd") as writer,
    ):
        for group in _grouped(rows):
            for row in group:
                for name in ("credits", "origins"):
                    row[name] = json.dumps(row[name], ensure_ascii=False)
            try:
                writer.write_table(pa.Table.from_pylist(group, schema=schema))
            except pa.ArrowInvalid as error:
                first, last = group[0]["id"], group[-1]["id"]
                raise CorpusError(
                    f"a value of the pieces {first} to {last} fits no column of an export; see:"
                    " asciiloom check --deep"
                ) from error
            count += len(group)
    return count


def _grouped(rows: Iterable[Record]) -> Iterator[list[Record]]:
    group: list[Record] = []
    for row in rows:
        group.append(row)
        if len(group) == _ROWS:
            yield group
            group = []
    if group:
        yield group


def write_hf(
    corpus: Corpus, selection: Selection, target: str | Path, name: str, *, force: bool = False
) -> int:
    """A dataset folder as the Hugging Face hub takes it: a Parquet file a split, and a card."""
    with output_folder(target, names=HF_FILES, force=force) as folder:
        (folder / "data").mkdir()
        sizes = _write_splits(corpus, selection, folder / "data")
        (folder / "README.md").write_text(_card(corpus, selection, name, sizes), encoding="utf-8")
    return sum(sizes.values())


def _write_splits(corpus: Corpus, selection: Selection, folder: Path) -> dict[str, int]:
    """A Parquet file a split into ``folder``; the number of pieces in each. "train" where there are no splits."""
    sizes: dict[str, int] = {}
    wanted = [selection.split] if selection.split else [*SPLITS, None]
    unsplit = (
        corpus.connection.execute("SELECT 1 FROM piece WHERE split NOTNULL LIMIT 1").fetchone()
        is None
    )
    for split in wanted:
        if split is None and not unsplit:
            continue
        if split is not None and unsplit:
            continue
        label = split or "train"
        chosen = selection.replace(split=split)
        if corpus.count(chosen):
            path = folder / f"{label}-00000-of-00001.parquet"
            sizes[label] = write_parquet(records(corpus, chosen), path)
    return sizes


_FEATURE = {"list<string>": "\n    list: string"}


def _card(corpus: Corpus, selection: Selection, name: str, sizes: dict[str, int]) -> str:
    facts = corpus.fingerprint(selection)
    total = sum(sizes.values())
    bucket = next(
        (f"{a}<n<{b}" for a, b, top in (("n", "1K", 1e3), ("1K", "10K", 1e4), ("10K", "100K", 1e5),
         ("100K", "1M", 1e6), ("1M", "10M", 1e7)) if total < top), "n>10M",
    ).replace("n<n<1K", "n<1K")  # fmt: skip
    features = "\n".join(
        f"  - name: {column}" + (_FEATURE.get(kind, f"\n    dtype: {kind}"))
        for column, kind in _SCHEMA
    )
    splits = "\n".join(
        f"  - name: {split}\n    num_examples: {count}" for split, count in sizes.items()
    )
    files = "\n".join(f"  - split: {split}\n    path: data/{split}-*.parquet" for split in sizes)
    licences = facts["licences"]
    one = next(iter(licences)) if len(licences) == 1 else None
    table = "\n".join(f"| {_cell(k)} | {v:,} |" for k, v in licences.items())
    sources = "\n".join(f"| {_cell(k)} | {v:,} |" for k, v in facts["sources"].items())
    return f"""---
license: {"cc0-1.0" if spdx(one) == "CC0-1.0" else "other"}
pretty_name: {json.dumps(name)}
size_categories:
- {bucket}
tags:
- ascii-art
- text-art
configs:
- config_name: default
  data_files:
{files}
dataset_info:
  features:
{features}
  splits:
{splits}
---

# {name}

{total:,} pieces of text art from an asciiloom corpus, one a row: `text` is the drawing in canonical form
(LF, no tabs, no common indent), `width` and `height` its size in terminal cells. `credits` (signatures
in the art) and `origins` (every place where a piece was seen) are JSON. Near-twins share `cluster`, one of
each is `canonical`, and no cluster straddles two splits.

Content digest: `{facts["digest"]}`.

| licence | pieces |
| --- | --- |
{table}

| source | pieces |
| --- | --- |
{sources}
"""


def _cell(value: str) -> str:
    return value.replace("|", "\\|").replace("\n", " ")
