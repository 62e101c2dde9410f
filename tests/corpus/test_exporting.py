import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from asciiloom import synth
from asciiloom.corpus import Corpus
from asciiloom.corpus.exporting import (
    records,
    write_hf,
    write_jsonl,
    write_parquet,
)
from asciiloom.corpus.importing import import_rows
from asciiloom.corpus.taking import take
from asciiloom.errors import CorpusError
from asciiloom.piece import Piece
from asciiloom.store import Selection

ART = "/\\_/\\\n( o.o ) jgs"


def _fill(corpus: Corpus) -> None:
    corpus.add(synth.generate(120, seed=2))
    corpus.add(
        [
            Piece(ART, title="cat", tags=("pet", "ä"), source="a", licence="CC0-1.0", path="x.txt",
                  locator="1", original=b"\xff\x00raw", steps=("trim",), made="1999-01-02", group="crew",
                  flags=("odd",)),
            Piece(ART, artist="Joan", source="b", licence="MIT", path="y.txt"),
            Piece("日本\n|_|", sequence="film"),
        ]
    )  # fmt: skip
    corpus.dedup()


@pytest.fixture
def corpus(tmp_path: Path):  # type: ignore[no-untyped-def]
    with Corpus(tmp_path / "one.db", create=True) as corpus:
        _fill(corpus)
        yield corpus


def _facts(corpus: Corpus, originals: bool = True) -> list[dict[str, object]]:
    rows = []
    for record in records(corpus, originals=originals):
        for name in ("id", "split", "cluster", "canonical"):
            del record[name]
        rows.append(record)
    return sorted(rows, key=lambda r: str(r["text"]))


def _import(path: Path, into: Path) -> Corpus:
    corpus = Corpus(into, create=True)
    take(corpus.connection, import_rows(path), "import")
    return corpus


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_what_goes_out_comes_in_again(corpus: Corpus, tmp_path: Path, form: str) -> None:
    path = tmp_path / f"out.{form}"
    if form == "jsonl":
        assert write_jsonl(records(corpus, originals=True), path) == corpus.count()
    else:
        assert write_parquet(records(corpus, originals=True), path) == corpus.count()
    with _import(path, tmp_path / "two.db") as again:
        assert _facts(again) == _facts(corpus)
        number = again.ids(Selection(text="cat", sources=("a",)))[0]
        assert again.original(number) == b"\xff\x00raw"


def test_a_selection_is_all_that_goes_out(corpus: Corpus, tmp_path: Path) -> None:
    path = tmp_path / "some.parquet"
    count = write_parquet(records(corpus, Selection(tags=("pet",))), path)
    table = pq.read_table(path)
    assert count == table.num_rows == 1 and table["tags"][0].as_py() == ["pet", "ä"]
    assert json.loads(table["origins"][0].as_py())[1]["source"] == "b"


def test_a_hub_folder_has_splits_a_card_and_licences(corpus: Corpus, tmp_path: Path) -> None:
    folder = tmp_path / "hf"
    assert write_hf(corpus, Selection(), folder, "my art") == corpus.count()
    text = (folder / "README.md").read_text()
    card = yaml.safe_load(text.split("---\n")[1])
    splits = {s["name"]: s["num_examples"] for s in card["dataset_info"]["splits"]}
    assert sum(splits.values()) == corpus.count() and "train" in splits
    for split, count in splits.items():
        table = pq.read_table(folder / f"data/{split}-00000-of-00001.parquet")
        assert table.num_rows == count and set(table["split"].to_pylist()) == {split}
        names = [f["name"] for f in card["dataset_info"]["features"]]
        assert names == table.column_names
    assert card["size_categories"] == ["n<1K"] and "my art" in text
    assert "| CC0-1.0 |" in text and corpus.fingerprint()["digest"] in text
    with _import(folder, tmp_path / "two.db") as again:
        assert _facts(again, False) == _facts(corpus, False)


def test_damaged_originals_and_numbers_are_named(tmp_path: Path) -> None:
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece(ART, original=b"\xff\x00raw")])
        corpus.connection.execute("UPDATE original SET bytes = x'00'")
        with pytest.raises(CorpusError, match="original of piece 1 is damaged"):
            write_jsonl(records(corpus, originals=True), tmp_path / "a.jsonl")
        corpus.connection.execute("UPDATE piece SET ink = 999999999999999999")
        with pytest.raises(CorpusError, match="pieces 1 to 1 fits no column"):
            write_parquet(records(corpus), tmp_path / "a.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["a.db"]
