import json
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from asciiloom.errors import MissingExtraError, ReaderError
from asciiloom.piece import Piece, Rejection
from asciiloom.readers import read_bytes, read_path

TABLE = pa.table({"ascii_art": [" /\\\n/  \\", "><>"], "labels": [["hill"], ["fish", "sea"]]})


def saved(folder: Path) -> None:
    """As ``datasets.Dataset.save_to_disk`` leaves it."""
    folder.mkdir(parents=True)
    target = str(folder / "data-00000-of-00001.arrow")
    with pa.OSFile(target, "wb") as sink, pa.ipc.new_stream(sink, TABLE.schema) as writer:
        writer.write_table(TABLE)
    (folder / "dataset_info.json").write_text(
        json.dumps({"dataset_name": "hills", "license": "cc0-1.0"})
    )
    (folder / "state.json").write_text("{}")


def test_a_saved_data_set(tmp_path: Path) -> None:
    saved(tmp_path / "set" / "train")
    (tmp_path / "set" / "dataset_dict.json").write_text('{"splits": ["train"]}')
    items = list(read_path(tmp_path / "set"))
    pieces = [i for i in items if isinstance(i, Piece)]
    assert [p.text for p in pieces] == [" /\\\n/  \\", "><>"]
    assert {(p.source, p.licence) for p in pieces} == {("hills", "cc0-1.0")}
    assert pieces[1].tags == ("fish", "sea") and len(items) == 2


def test_a_saved_data_set_without_a_name_takes_its_folder_s(tmp_path: Path) -> None:
    saved(tmp_path / "fishes" / "test")
    (tmp_path / "fishes" / "test" / "dataset_info.json").write_text("[not an object")
    (tmp_path / "fishes" / "dataset_dict.json").write_text("{}")
    assert {i.source for i in read_path(tmp_path / "fishes")} == {"fishes"}


def test_a_real_data_set_by_the_real_library(tmp_path: Path, library: Callable[[str], Any]) -> None:
    datasets = library("datasets")
    made = datasets.Dataset.from_dict(TABLE.to_pydict())
    made.save_to_disk(str(tmp_path / "saved"))
    (tmp_path / "hub").mkdir()
    made.to_parquet(str(tmp_path / "hub" / "train.parquet"))
    for path in (tmp_path / "saved", f"hf:{tmp_path / 'hub'}"):
        assert [i.text for i in read_path(path) if isinstance(i, Piece)] == [" /\\\n/  \\", "><>"]


def test_arrow_files_and_streams() -> None:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, TABLE.schema) as writer:
        writer.write_table(TABLE)
    data = sink.getvalue().to_pybytes()
    assert len([i for i in read_bytes(data, "x") if isinstance(i, Piece)]) == 2
    (item,) = read_bytes(data[:200], "x.arrow")
    assert isinstance(item, Rejection) and item.reason == "bad-arrow"


def test_offsets_that_reach_outside_are_refused() -> None:
    """Arrow reads them unchecked: this file would end the process."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, TABLE.schema) as writer:
        writer.write_table(TABLE)
    data = bytearray(sink.getvalue().to_pybytes())
    ends = [len(text) for text in TABLE["ascii_art"].to_pylist()]
    offsets = b"".join(n.to_bytes(4, "little") for n in (0, ends[0], sum(ends)))
    at = data.index(offsets)
    data[at + 4 : at + 8] = (1 << 30).to_bytes(4, "little")
    items = list(read_bytes(bytes(data), "x.arrow"))
    assert [i.reason for i in items if isinstance(i, Rejection)] == ["bad-arrow"]


def test_the_hub_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"text": "><>", "labels": "fish"}, {"caption": "nothing"}]
    asked: list[tuple[str, object, bool]] = []

    def load_dataset(name: str, split: str | None, streaming: bool) -> object:
        asked.append((name, split, streaming))
        return rows if split else {"train": rows}

    monkeypatch.setitem(sys.modules, "datasets", types.SimpleNamespace(load_dataset=load_dataset))
    fish, nothing = read_path("hf:ada/fishes:test")
    assert isinstance(fish, Piece) and (fish.source, fish.locator) == ("ada/fishes", "test row 1")
    assert isinstance(nothing, Rejection) and nothing.reason == "no-text"
    assert len(list(read_path("hf:ada/fishes"))) == 2
    assert asked == [("ada/fishes", "test", True), ("ada/fishes", None, True)]


def test_the_hub_without_its_library_or_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match="asciiloom\\[hub\\]"):
        list(read_path("hf:ada/fishes"))

    def fail(*_: object, **__: object) -> object:
        raise ConnectionError("no route")

    monkeypatch.setitem(sys.modules, "datasets", types.SimpleNamespace(load_dataset=fail))
    with pytest.raises(ReaderError, match="no route"):
        list(read_path("hf:ada/fishes"))
