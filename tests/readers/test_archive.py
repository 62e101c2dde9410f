import gzip
import io
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asciiloom.piece import Piece, Rejection
from asciiloom.readers import archive as module
from asciiloom.readers import read_bytes, read_path

CAT = b" /\\_/\\\n( o.o )"


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(members: dict[str, bytes], mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return out.getvalue()


MEMBERS = {
    "cat.txt": CAT,
    "fish.txt": b"><(((o>",
    "empty.txt": b"",
    "owl.cow": b"$the_cow = <<EOC;\n(oo)\nEOC\n",
}


def check(items: list[Piece | Rejection], name: str) -> None:
    pieces = [i for i in items if isinstance(i, Piece)]
    assert {p.path: p.text for p in pieces} == {
        f"{name}!cat.txt": CAT.decode(), f"{name}!fish.txt": "><(((o>", f"{name}!owl.cow": "(oo)",
    }  # fmt: skip
    assert pieces[0].original is not None


@pytest.mark.parametrize("mode", ["zip", "tar", "tar.gz", "tar.xz", "7z"])
def test_members_are_read_as_files_of_their_own(
    mode: str, tmp_path: Path, library: Callable[[str], Any]
) -> None:
    name = f"art.{mode}"
    if mode == "zip":
        data = zipped(MEMBERS)
    elif mode == "7z":
        py7zr = library("py7zr")
        with py7zr.SevenZipFile(tmp_path / name, "w") as archive:
            for member, content in MEMBERS.items():
                archive.writestr(content, member)
        data = (tmp_path / name).read_bytes()
    else:
        data = tarred(MEMBERS, {"tar": "w", "tar.gz": "w:gz", "tar.xz": "w:xz"}[mode])
    items = list(read_bytes(data, name))
    unpacked = name.removesuffix(".gz").removesuffix(".xz") if mode.startswith("tar.") else name
    check([i for i in items if isinstance(i, Piece)], items[0].path.partition("!")[0])
    assert unpacked.startswith("art")
    assert [i.reason for i in items if isinstance(i, Rejection)] in ([], ["empty"])


def test_lha(tmp_path: Path, program: Callable[..., str], library: Callable[[str], Any]) -> None:
    library("lhafile")
    pack = [program("jlha"), "c", "art.lzh", "cat.txt", "fish.txt"]
    (tmp_path / "cat.txt").write_bytes(CAT * 20)
    (tmp_path / "fish.txt").write_bytes(b"><(((o>")
    subprocess.run(pack, cwd=tmp_path, capture_output=True, check=True)
    items = list(read_path(tmp_path / "art.lzh"))
    assert "><(((o>" in {i.text for i in items if isinstance(i, Piece)}


def test_archives_within_archives_up_to_a_depth() -> None:
    data = CAT
    name = "cat.txt"
    for level in range(3):
        data, name = zipped({name: data}), f"{level}.zip"
    (piece,) = read_bytes(data, name)
    assert isinstance(piece, Piece) and piece.path == "2.zip!1.zip!0.zip!cat.txt"
    (item,) = read_bytes(zipped({"2.zip": data}), "3.zip")
    assert isinstance(item, Rejection) and item.reason == "too-deep"


def test_bombs_cost_one_line_and_no_neighbour() -> None:
    bomb = zipped({"a.txt": CAT, "bomb.txt": bytes(100 << 20), "z.txt": CAT + b"\n ^ ^"})
    items = list(read_bytes(bomb, "b.zip"))
    assert [type(i).__name__ for i in items] == ["Piece", "Rejection", "Piece"]
    assert isinstance(items[1], Rejection) and items[1].reason == "too-large"
    assert items[1].path == "b.zip!bomb.txt"


def test_a_size_that_lies_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_MEMBER", 1000)
    data = bytearray(zipped({"a.txt": CAT * 100}))
    real = len(CAT) * 100
    for at in range(len(data) - 4):  # both size fields say 100
        if data[at : at + 4] == real.to_bytes(4, "little"):
            data[at : at + 4] = (100).to_bytes(4, "little")
    items = list(read_bytes(bytes(data), "a.zip"))
    assert items and all(isinstance(i, Rejection) or len(i.text) <= 100 for i in items)


def test_a_gzip_bomb_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    data = gzip.compress(bytes(1 << 20) * 80, 9)
    (item,) = read_bytes(data, "zeros.jsonl.gz")
    assert isinstance(item, Rejection) and item.reason == "too-large"


def test_too_many_members(monkeypatch: pytest.MonkeyPatch) -> None:
    small = module.Budget(members=2)
    monkeypatch.setattr(module, "Budget", lambda: small)
    items = list(read_bytes(zipped({f"{n}.txt": CAT + b"%d" % n for n in range(5)}), "many.zip"))
    assert [i.reason for i in items if isinstance(i, Rejection)] == ["too-many"]
    assert len(items) == 3


@pytest.mark.parametrize(
    "data",
    [zipped(MEMBERS)[:40], tarred(MEMBERS)[:700], b"7z\xbc\xaf\x27\x1c" + bytes(40)],
    ids=[
        "zip",
        "tar",
        "7z",
    ],  # the bytes hold the time of day, and would be another name a second later
)
def test_damaged_archives(data: bytes) -> None:
    items = list(read_bytes(data, "x"))
    assert any(isinstance(i, Rejection) and i.reason in ("truncated", "unreadable") for i in items)


def test_a_name_is_never_a_place() -> None:
    (piece,) = read_bytes(zipped({"../../etc/cat.txt": CAT}), "x.zip")
    assert isinstance(piece, Piece) and piece.path == "x.zip!../../etc/cat.txt"
    assert not Path("../../etc/cat.txt").exists()


def test_a_member_without_a_name() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("x", CAT)
        archive.writestr("cat.txt", CAT)
        archive.filelist[0].filename = ""  # in the directory at the end
    first, second = read_bytes(out.getvalue(), "a.zip")
    assert isinstance(first, Rejection) and first.reason == "unreadable"
    assert isinstance(second, Piece) and second.text == CAT.decode()


def test_members_are_called_by_their_own_names() -> None:
    pieces = list(read_bytes(zipped({"Pitfall!.txt": CAT, "more/Wow! Cat.txt": CAT}), "all.zip"))
    assert [(p.path, p.title) for p in pieces if isinstance(p, Piece)] == [
        ("all.zip!Pitfall!.txt", "Pitfall!"), ("all.zip!more/Wow! Cat.txt", "Wow! Cat"),
    ]  # fmt: skip


def test_a_member_without_a_name_is_called_as_its_archive() -> None:
    (piece,) = read_bytes(zipped({"-": CAT}), "bigcat.txt")
    assert isinstance(piece, Piece) and piece.title == "bigcat"
