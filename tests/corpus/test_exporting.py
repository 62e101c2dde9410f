import base64
import json
import random
from pathlib import Path
from typing import Any

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
from asciiloom.curate.edits import Change
from asciiloom.curate.upkeep import check
from asciiloom.errors import CorpusError
from asciiloom.ingest.gate import MAX_ORIGINAL
from asciiloom.piece import Piece, content_hash
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


def _card(folder: Path) -> dict[str, Any]:
    front = (folder / "README.md").read_text().split("---\n")[1]
    return yaml.safe_load(front)  # type: ignore[no-any-return]


def test_pieces_without_a_split_stand_apart_and_are_counted(
    corpus: Corpus, tmp_path: Path, library: Any
) -> None:
    corpus.add([Piece("came\n|late|")])
    assert write_hf(corpus, Selection(), tmp_path / "hf", 'a "name": [x]\n# y') == corpus.count()
    card = _card(tmp_path / "hf")
    sizes = {s["name"]: s["num_examples"] for s in card["dataset_info"]["splits"]}
    assert sizes["unassigned"] == 1 and sum(sizes.values()) == corpus.count()
    files = {f["split"]: f["path"] for f in card["configs"][0]["data_files"]}
    for split, count in sizes.items():
        (path,) = (tmp_path / "hf").glob(files[split])
        assert pq.read_metadata(path).num_rows == count
    text = (tmp_path / "hf" / "README.md").read_text()
    assert f"{corpus.count():,} pieces of text art" in text
    assert "What came after the last search for twins stands in `unassigned` (1)" in text
    read = library("huggingface_hub").DatasetCard.load(tmp_path / "hf" / "README.md")
    assert read.data.pretty_name == 'a "name": [x]\n# y' and read.data.configs == card["configs"]
    infos = library("datasets").info.DatasetInfosDict.from_dataset_card_data(read.data)
    assert {n: s.num_examples for n, s in infos["default"].splits.items()} == sizes
    with _import(tmp_path / "hf", tmp_path / "two.db") as again:
        assert again.count() == corpus.count()
        late = "SELECT text FROM piece WHERE split IS NULL"
        assert again.connection.execute(late).fetchall() == [("came\n|late|",)]


def test_a_corpus_without_splits_or_without_pieces_has_a_card(tmp_path: Path) -> None:
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        for count in (0, 1):
            folder = tmp_path / str(count)
            assert write_hf(corpus, Selection(), folder, "few") == count
            card = _card(folder)
            (split,) = card["dataset_info"]["splits"]
            assert (split["name"], split["num_examples"]) == ("train", count)
            assert (split["num_bytes"] > 0) == (count > 0)
            assert pq.read_table(folder / "data/train-00000-of-00001.parquet").num_rows == count
            with _import(folder, tmp_path / f"{count}.db") as again:
                assert again.count() == count
            corpus.add([Piece(ART)])


@pytest.mark.parametrize("form", ["jsonl", "parquet", "hf"])
def test_the_bytes_of_a_file_go_out_once(tmp_path: Path, form: str, cli: Any) -> None:
    """A page of fifty pieces: once in the export, once in the corpus that takes it in."""
    noise = random.Random(1)
    page = noise.randbytes(300_000)
    db, target = tmp_path / "a.db", tmp_path / f"x.{form}"
    with Corpus(db, create=True) as corpus:
        corpus.add(
            Piece(f"{n}\n|__{n}__|", original=page, path="page", locator=str(n)) for n in range(50)
        )
        # Of a folder the split that is read last has the first piece, and the bytes with it.
        sides = "CASE id % 3 WHEN 1 THEN 'validation' WHEN 2 THEN 'test' ELSE 'train' END"
        corpus.connection.execute(f"UPDATE piece SET split = {sides}")
    cli("export", target, "--corpus", db, "--format", form)
    files = [path for path in (target, *target.rglob("*")) if path.is_file()]
    assert 300_000 < sum(path.stat().st_size for path in files) < 600_000
    cli("import", tmp_path / "b.db", target)
    with Corpus(tmp_path / "b.db") as again:
        assert again.connection.execute("SELECT count(*) FROM original").fetchone() == (1,)
        assert all(again.original(number) == page for number in again.ids())
    cli("export", tmp_path / "y.jsonl", "--corpus", db, "--no-originals")
    assert (tmp_path / "y.jsonl").stat().st_size < 100_000


def test_originals_of_the_greatest_length_come_back(tmp_path: Path, cli: Any) -> None:
    """Two of one piece: more than a line may hold."""
    pages = [bytes([n]) * MAX_ORIGINAL for n in range(2)]
    db, target = tmp_path / "a.db", tmp_path / "x.jsonl"
    with Corpus(db, create=True) as corpus:
        corpus.add(Piece(ART, original=page, path=str(n)) for n, page in enumerate(pages))
    cli("export", target, "--corpus", db)
    assert "rejected 0" in cli("import", tmp_path / "b.db", target).output
    with Corpus(tmp_path / "b.db") as again:
        assert [again.original(1, path=str(n)) == page for n, page in enumerate(pages)] == [
            True
        ] * 2


def test_a_refused_record_costs_no_neighbour_its_original(tmp_path: Path) -> None:
    data = b"\xff raw"
    first = {
        "text": "\u200d",
        "origins": [{"path": "p", "original": base64.b64encode(data).decode()}],
    }
    rest = [
        {"text": f"{n}|", "origins": [{"path": "p", "locator": str(n), "original_hash": name}]}
        for n, name in enumerate((content_hash(data), "0" * 32))
    ]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, (first, *rest))))
    with _import(tmp_path / "x.jsonl", tmp_path / "a.db") as corpus:
        assert corpus.original(1) == data and corpus.original(2) == b"1|"
        assert "original-dropped" in corpus.get(2)["origins"][0]["steps"]
        assert check(corpus.connection, deep=True) == []
    # Nothing keeps bytes that no piece came from.
    (tmp_path / "y.jsonl").write_text(json.dumps({"text": "a|"}) + "\n" + json.dumps(first))
    with _import(tmp_path / "y.jsonl", tmp_path / "b.db") as corpus:
        assert corpus.connection.execute("SELECT count(*) FROM original").fetchone() == (0,)


def test_what_was_withdrawn_is_in_no_data_set(corpus: Corpus, tmp_path: Path, cli: Any) -> None:
    number = corpus.ids(Selection(text="cat", sources=("a",)))[0]
    corpus.edit([Change(number, "withdrawn", "asked for")])
    db, gone = corpus.path, corpus.get(number)["text"]
    for name, filters in (
        ("a", ["--plain"]),
        ("b", ["--kind", "art"]),
        ("c", ["--split", "train"]),
    ):
        path = tmp_path / f"{name}.jsonl"
        cli("export", path, "--corpus", db, *filters)
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        assert rows and all(isinstance(row["text"], str) and row["text"] != gone for row in rows)
    # Of a whole corpus only an import sees it.
    cli("export", tmp_path / "whole.jsonl", "--corpus", db)
    rows = [json.loads(line) for line in (tmp_path / "whole.jsonl").read_text().splitlines()]
    texts = [row["text"] for row in rows if "text" in row]
    assert len(texts) == corpus.count() and gone not in texts
    cli("export", tmp_path / "hf", "--corpus", db)
    assert gone not in pq.read_table(tmp_path / "hf" / "data")["text"].to_pylist()


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


def test_a_licence_in_other_words_and_a_signature_stay_where_they_were_said(tmp_path: Path) -> None:
    """The piece has the identifier and the signer; the place where it was seen still says what it said."""
    said = Piece("(o)  jgs", source="a", licence="GPLv2 or later", path="x")
    with Corpus(tmp_path / "one.db", create=True) as corpus:
        corpus.add([said, Piece("(oo)  jgs", source="a", artist="me", path="y")])
        corpus.edit([Change(2, "licence", "public domain"), Change(2, "artist", "you")])
        write_jsonl(records(corpus), tmp_path / "out.jsonl")
        with _import(tmp_path / "out.jsonl", tmp_path / "two.db") as again:
            for each in (corpus, again):
                first, second = each.select()
                assert (first["licence"], first["artist"]) == ("GPL-2.0-or-later", "Joan G. Stark")
                assert (second["licence"], second["artist"]) == ("CC-PDDC", "you")
                (origin,) = each.get(1)["origins"]
                assert (origin["licence"], origin["artist"]) == ("GPLv2 or later", None)
