"""Hugging Face data sets: folders that ``datasets`` saved, and data sets on the hub by name."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from asciiloom.errors import MissingExtraError, ReaderError
from asciiloom.piece import one_line
from asciiloom.readers.base import Input, Item, ReadOptions
from asciiloom.readers.tables.row import row_items

PREFIX = "hf:"
_ABOUT = frozenset(["dataset_info.json", "state.json", "dataset_dict.json"])
_MAX_ABOUT = 1 << 20


def data_files(
    folder: Path, files: Sequence[str], options: ReadOptions
) -> tuple[Sequence[str], ReadOptions]:
    """The files of ``folder`` that hold rows, and the options with what a saved data set says of
    itself (its name and licence). Every other folder comes back as it is."""
    kept = [name for name in files if name not in _ABOUT]
    if "dataset_dict.json" in files:  # the folders below are its splits
        return kept, options
    has_rows = any(name.endswith((".arrow", ".parquet")) for name in files)
    if "dataset_info.json" not in files or not has_rows:
        return files, options
    is_split = (folder.parent / "dataset_dict.json").is_file()
    named = (folder.parent if is_split else folder).name
    try:
        with (folder / "dataset_info.json").open("rb") as stream:
            about = json.loads(stream.read(_MAX_ABOUT))
    except (OSError, ValueError, RecursionError):
        about = {}
    said = about if isinstance(about, dict) else {}
    return kept, replace(
        options,
        source=options.source or one_line(said.get("dataset_name")) or named,
        licence=options.licence or one_line(said.get("license")),
    )


def read_hub(path: str, options: ReadOptions) -> Iterator[Item]:
    """The rows of ``hf:owner/name`` or ``hf:owner/name:split``, streamed.

    Raises ``MissingExtraError`` without ``datasets`` and ``ReaderError`` where the hub gives none.
    """
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise MissingExtraError("reading from the hub", "hub") from error
    name, _, split = path.removeprefix(PREFIX).partition(":")
    file_options = replace(options, source=options.source or name)
    try:
        loaded: Any = datasets.load_dataset(name, split=split or None, streaming=True)
        parts = loaded.items() if hasattr(loaded, "items") else [(split or "train", loaded)]
        for part, rows in parts:
            located = ((f"{part} row {number}", dict(row)) for number, row in enumerate(rows, 1))
            yield from row_items(located, Input.from_bytes(b"", path, file_options))
    except Exception as error:  # whatever hub, network or loader raise, the user gets one line
        detail = one_line(f"{type(error).__name__}: {error}", 200)
        raise ReaderError(f"cannot read {path}: {detail}") from error
