"""How far a reading has come is told in bytes of what there is to read."""

import os
import pty
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from asciiloom.corpus import Corpus
from asciiloom.ingest.extent import Extent


def _folder(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "b").mkdir(parents=True)
    for name, size in (("a.txt", 3000), ("b/c.txt", 5000), ("d.txt", 2000)):
        row = f"/{name[-5]}" * 10
        (folder / name).write_text((row + "\n") * (size // 21))
    with zipfile.ZipFile(folder / "e.zip", "w") as archive:
        archive.writestr("x.txt", "o-o-o\n" * 9)
        archive.writestr("y.txt", "o-x-o\n" * 9)
    return folder


def test_what_was_read_grows_to_the_total(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    files = [folder / name for name in ("a.txt", "d.txt", "e.zip", "b/c.txt")]  # as they are walked
    extent = Extent([str(folder)])
    sizes = [file.stat().st_size for file in files]
    assert extent.total == sum(sizes)
    asked = [str(files[0]), str(files[1]), f"{files[2]}!x.txt", f"{files[2]}!y.txt", str(files[3])]
    before = [0, sizes[0], sum(sizes[:2]), sum(sizes[:2]), sum(sizes[:3])]
    assert [extent.before(path) for path in asked] == before
    assert extent.before("elsewhere") == extent.before(str(files[0])) == before[-1]
    seen: list[int] = []
    extent = Extent([str(folder)])
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.ingest([folder], progress=lambda tally, path: seen.append(extent.before(path)))
    assert seen == sorted(seen) and seen[-1] == before[-1]


def test_what_nobody_knows_is_not_said() -> None:
    for paths in ([], ["-"], ["hf:owner/name"], [__file__]):
        assert Extent(paths).total is None


def test_a_terminal_is_shown_the_total(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "asciiloom", "ingest", tmp_path / "a.db", folder]
    with subprocess.Popen(command, stderr=theirs, env={**os.environ, "COLUMNS": "120"}) as process:
        os.close(theirs)
        said = b""
        try:
            while part := os.read(ours, 4096):
                said += part
        except OSError:
            pass  # so a terminal ends
    os.close(ours)
    assert process.returncode == 0 and b"reading kB" in said
    total = Extent([str(folder)]).total or 0
    assert f"/{total // 1000} ".encode() in re.sub(rb"\x1b\[[0-9;]*m", b"", said)
