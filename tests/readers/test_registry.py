import bz2
import gzip
import io
import lzma
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard

from asciiloom.errors import ReaderError
from asciiloom.ingest.pipeline import read_batches
from asciiloom.piece import Piece, Rejection
from asciiloom.readers import (
    Input,
    Item,
    ReadOptions,
    decode,
    read_bytes,
    read_path,
    readers,
    registry,
)
from asciiloom.readers.base import file_title, rank_of

CAT = " /\\_/\\\n( o.o )"


def test_readers_have_distinct_names_and_plain_is_last() -> None:
    names = [r.name for r in readers()]
    assert len(set(names)) == len(names) and names[-1] == "plain"
    assert all(r.summary for r in readers())


ORDER = (
    "collection archive xbin tundra idf rexpaint durdraw image figlet cow html markdown table boxes"
    " adf bin pcboard eyedrops logo fortune film ansi plain"
).split()


def test_the_built_in_readers_are_asked_from_the_surest_to_plain_text() -> None:
    found = [r for r in readers() if type(r).__module__.startswith("asciiloom.readers.")]
    assert [r.name for r in found] == ORDER
    ranks = [rank_of(r) for r in found]
    assert ranks == sorted(set(ranks)), "two readers of one rank"


def test_plug_ins_are_asked_by_their_rank_and_first_without_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Plain:
        name, extensions, summary = "simple", (".x",), "a plug-in that states no rank"
        recognised = oracle = "-"

        def sniff(self, head: bytes, path: str) -> bool:
            return False

        def read(self, source: Input) -> Iterator[Item]:
            return iter(())

    class Ranked(Plain):
        name, rank = "modest", 890

    class Point:
        def __init__(self, reader: object) -> None:
            self.load = lambda: reader

    monkeypatch.setattr(registry, "entry_points", lambda group: [Point(Ranked), Point(Plain())])
    names = [r.name for r in registry.readers.__wrapped__()]
    assert (names[0], names[-2:]) == ("simple", ["modest", "plain"])
    assert names[1:-2] == ORDER[:-1]


SUFFIX = {
    gzip.compress: ".gz",
    lzma.compress: ".xz",
    bz2.compress: ".bz2",
    zstandard.compress: ".zst",
}


@pytest.mark.parametrize("pack", [*SUFFIX, bytes])
def test_compression_is_taken_off(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    suffix = SUFFIX.get(pack, "")
    path = tmp_path / f"cat.txt{suffix}"
    path.write_bytes(pack(CAT.encode()))
    (piece,) = read_path(path)
    assert isinstance(piece, Piece) and piece.text == CAT


def test_folder_is_walked_in_order_past_bad_neighbours(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "cat.txt").write_text(CAT)
    (tmp_path / "a.txt").write_text("><>")
    (tmp_path / "empty.txt").touch()
    (tmp_path / "broken.jsonl.gz").write_bytes(gzip.compress(os.urandom(500))[:300])
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    items = list(read_path(tmp_path, ReadOptions(source="s")))
    assert [i.text for i in items if isinstance(i, Piece)] == ["><>", CAT]
    reasons = {Path(i.path).name: i.reason for i in items if isinstance(i, Rejection)}
    assert reasons == {
        "empty.txt": "empty", "broken.jsonl.gz": "truncated", "pipe": "not-a-file", "gone": "unreadable",
    }  # fmt: skip


def test_layers_of_compression_and_tables_within(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv.zst.gz"
    path.write_bytes(gzip.compress(zstandard.compress(b"title,ascii_art\nfish,><>\n")))
    (piece,) = read_path(path)
    assert isinstance(piece, Piece) and (piece.title, piece.text) == ("fish", "><>")


def test_a_reader_that_fails_costs_one_rejection(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        name, extensions, summary = "broken", (".x",), "fails"
        recognised = oracle = "-"

        def sniff(self, head: bytes, path: str) -> bool:
            return path.endswith(".x")

        def read(self, source: object) -> Iterator[Piece]:
            yield Piece("one")
            raise ZeroDivisionError("no\nluck")

    monkeypatch.setattr("asciiloom.readers.registry.readers", lambda: (Broken(),))
    first, second = read_bytes(b"abc", "a.x")
    assert isinstance(first, Piece)
    assert isinstance(second, Rejection) and second.reason == "reader-failed"
    assert second.detail == "broken: ZeroDivisionError: no luck"


def test_missing_path_says_so(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match="nowhere"):
        list(read_path(tmp_path / "nowhere"))


def test_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BufferedReader(io.BytesIO(b'{"text": "x", "title": "t"}\n'))

    monkeypatch.setattr(sys, "stdin", Stdin())
    (piece,) = read_path("-")
    assert isinstance(piece, Piece) and (piece.text, piece.title, piece.path) == ("x", "t", "-")


@pytest.mark.parametrize(
    ("data", "encoding", "text"),
    [
        ("┌é█".encode(), "utf-8", "┌é█"),
        (b"\xef\xbb\xbfx", "utf-8-sig", "x"),
        ("x".encode("utf-16"), "utf-16", "x"),
        ("═║█".encode("cp437"), "cp437", "═║█"),
        ("Grüße, née".encode("latin-1"), "latin-1", "Grüße, née"),
        ("（´∀｀）つ日本語".encode("cp932"), "cp932", "（´∀｀）つ日本語"),
    ],
)
def test_decoding(data: bytes, encoding: str, text: str) -> None:
    assert (decode(data).encoding, decode(data).text) == (encoding, text)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("packs/Mario_Bros. (80x25).ans", "Mario Bros."),
        ("a.zip!dir/red-dragon.asc", "red-dragon"),
        ("FILE_ID.DIZ", None),
        ("x1.ans", None),
        ("-", None),
        ("C:\\art\\owl.txt", "owl"),
    ],
)
def test_titles_from_file_names(name: str, title: str | None) -> None:
    assert file_title(name) == title


def sources(*paths: object, **given: object) -> dict[str, set[str]]:
    """Source -> the names of files and rows that are of it, as a corpus takes them in."""
    out: dict[str, set[str]] = {}
    for batch in read_batches([str(path) for path in paths], ReadOptions(**given)):  # type: ignore[arg-type]
        for source, path in zip(
            *((batch.pieces.source, batch.pieces.path) if batch else ((), ())), strict=True
        ):
            out.setdefault(source, set()).add(path.rpartition("/")[2])
    return out


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """Two collections, one of them deep, and beside them a drawing and a table."""
    root = tmp_path / "shelf"
    for name in ("boats/a.txt", "birds/deep/b.txt", "birds/c.txt", "loose.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(CAT)
    (root / "fish.jsonl").write_text('{"text": "><>\\n~~~"}\n{"text": "o\\no", "source": "own"}\n')
    return root


def test_each_folder_of_a_folder_is_a_collection(shelf: Path) -> None:
    assert sources(shelf) == {
        "boats": {"a.txt"}, "birds": {"b.txt", "c.txt"}, "shelf": {"loose.txt"},
        "fish": {"fish.jsonl"}, "own": {"fish.jsonl"},
    }  # fmt: skip
    assert set(sources(shelf, source="mine")) == {"mine"}  # what the curator says holds


def test_of_several_folders_each_is_a_collection(shelf: Path) -> None:
    assert sources(shelf / "birds", shelf / "boats") == {
        "birds": {"b.txt", "c.txt"}, "boats": {"a.txt"},
    }  # fmt: skip
    assert set(sources(shelf / "boats")) == {"boats"}
    assert set(sources(shelf / "fish.jsonl", shelf / "loose.txt")) == {"fish", "own", "shelf"}


def test_a_folder_around_one_folder_is_the_collection(tmp_path: Path) -> None:
    (tmp_path / "cows" / "share" / "cows").mkdir(parents=True)
    (tmp_path / "cows" / "share" / "cows" / "a.txt").write_text(CAT)
    assert set(sources(tmp_path / "cows")) == {"cows"}


def test_rejections_are_of_their_collection(tmp_path: Path) -> None:
    (tmp_path / "in" / "boats").mkdir(parents=True)
    (tmp_path / "in" / "boats" / "a.txt").write_bytes(b"")
    (tmp_path / "in" / "b.txt").write_text(CAT)
    rejected = [i.source for i in read_path(tmp_path / "in") if isinstance(i, Rejection)]
    assert rejected == ["boats"]


def test_an_exclamation_mark_in_a_name_is_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "Pitfall!.ans").write_bytes(b"\x1b[31m/\\\r\n\\/")
    (piece,) = read_path(tmp_path / "Pitfall!.ans")
    assert isinstance(piece, Piece) and piece.title == "Pitfall!"
