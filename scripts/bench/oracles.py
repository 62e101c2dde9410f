#!/usr/bin/env python3
"""Hold the readers against independent programs, file by file, and print the counts.

ansilove draws each ANSI, BIN, XBin, ADF, IDF, PCBoard and Tundra file as an image. Its height and width
over the font's cell give rows and columns, and each cell's pixels are compared with the glyph and the
two colours that the reader found (drawn with ansilove's own font). cowsay draws each cow, figlet and
toilet set words, strfile counts fortunes, boxes lists its designs. A program that is not installed is
left out, and said so.

Example: python scripts/bench/oracles.py ../shared/native /usr/share/figlet /usr/share/cowsay
"""

import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from _common import options, report

from asciiloom.piece import Piece, Rejection
from asciiloom.readers import read_path, readers
from asciiloom.readers.decode import decode
from asciiloom.readers.programs.cow import UnsupportedPerlError, parse_cow
from asciiloom.readers.programs.figlet import font_encoding, load_font, set_words
from asciiloom.readers.screens.emulator.dialect import dialect, render_ansi, row_cells
from asciiloom.readers.screens.reader import ScreenError, ScreenReader
from asciiloom.readers.screens.sauce import split_sauce
from asciiloom.readers.screens.screen import Screen, glyph_table

ANSI = (".ans", ".asc", ".diz", ".nfo", ".ice")
BINARY = (".bin", ".xb", ".tnd", ".adf", ".idf", ".pcb")
# What ansilove 4 does not know: colours beyond the eight, underline and its like, hyperlinks.
_MODERN_SGR = re.compile(rb"\x1b\[([0-9;:]*)m")
_OSC = re.compile(rb"\x1b\][^\x07\x1b\n]{0,4096}(?:\x07|\x1b\\)")


@dataclass(slots=True)
class Count:
    """Files compared with one oracle: equal, explained differences, and unexplained ones."""

    what: str
    oracle: str
    files: int = 0
    equal: int = 0
    explained: dict[str, int] = field(default_factory=dict)
    different: list[str] = field(default_factory=list)

    def explain(self, reason: str) -> None:
        self.explained[reason] = self.explained.get(reason, 0) + 1

    def row(self) -> tuple[Any, ...]:
        told = "; ".join(f"{n} {reason}" for reason, n in sorted(self.explained.items()))
        share = self.equal / self.files if self.files else 0.0
        return (self.what, self.oracle, self.files, self.equal, round(share, 4), told or "-",
                len(self.different))  # fmt: skip


def program(name: str) -> str | None:
    """Where ``name`` is installed; Debian keeps some of these among the games."""
    return shutil.which(name) or shutil.which(name, path="/usr/games:/usr/bin")


def files_of(folders: list[Path], suffixes: tuple[str, ...]) -> Iterator[Path]:
    """Every file below ``folders`` with one of ``suffixes``, in name order."""
    for folder in folders:
        for place, _, names in sorted(os.walk(folder)):
            for name in sorted(names):
                if name.lower().endswith(suffixes):
                    yield Path(place) / name


class AnsiLove:
    """ansilove, and its font as bits: (256, height, 8)."""

    def __init__(self, command: str, work: Path) -> None:
        self.command, self.work = command, work
        cells = work / "font.bin"
        cells.write_bytes(bytes(b for code in range(256) for b in (code, 15)))
        image = self.draw(cells, "-t", "bin", "-c", "16")
        assert image is not None
        height = image.shape[0] // 16
        lit = (image > 0).reshape(16, height, 16, 8)
        self.font = lit.transpose(0, 2, 1, 3).reshape(256, height, 8)

    def draw(self, path: Path, *arguments: str) -> np.ndarray | None:
        """The image as 0xRRGGBB (pixel rows, pixel columns), or None where ansilove refuses."""
        from PIL import Image

        out = self.work / "out.png"
        out.unlink(missing_ok=True)
        command = [self.command, "-q", "-o", str(out), *arguments, str(path)]
        subprocess.run(command, capture_output=True, timeout=120, check=False)
        if not out.exists():
            return None
        with Image.open(out) as image:
            rgb = np.asarray(image.convert("RGB"), np.int32)
        return rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2]

    def same(
        self,
        screen: Screen,
        image: np.ndarray,
        font: np.ndarray | None = None,
        amiga: bool = False,
        trimmed: bool = False,
    ) -> str:
        """ "" where image and screen agree, else what does not: rows, columns or cells.

        ``trimmed``: ansilove cuts a .diz at its last used column.
        """
        bits = self.font if font is None else font
        height = bits.shape[1]
        rows, columns = image.shape[0] // height, image.shape[1] // 8
        if rows == screen.glyphs.shape[0] + 1 and not image[-height:].any():
            return "one empty row less"
        if rows != screen.glyphs.shape[0]:
            return f"rows {screen.glyphs.shape[0]} for {rows}"
        mine = screen.glyphs.shape[1]
        if trimmed:
            used = np.flatnonzero((screen.glyphs != 32) | (screen.back > 0))
            mine = int((used % mine).max()) + 1 if used.size else 1
            # A blank written at the end of a row counts as used there and not here.
            mine = max(mine, min(columns, screen.glyphs.shape[1]))
        if columns != mine:
            return f"columns {mine} for {columns}"
        table = glyph_table("amiga" if amiga else "")
        number = {int(glyph): code for code, glyph in reversed(list(enumerate(table)))}
        number[32] = 32
        cells = screen.glyphs[:, :columns]
        codes = np.array([number.get(int(g), 32) for g in cells.ravel()]).reshape(cells.shape)
        fore = np.where(screen.fore[:, :columns] < 0, 0xAAAAAA, screen.fore[:, :columns])
        back = np.where(screen.back[:, :columns] < 0, 0, screen.back[:, :columns])
        want = np.where(bits[codes], fore[..., None, None], back[..., None, None])
        shown = image.reshape(rows, height, columns, 8).transpose(0, 2, 1, 3)
        wrong = int((want != shown).any((2, 3)).sum())
        return f"{wrong} of {codes.size} cells" if wrong else ""


def _plain_dos(body: bytes) -> bytes:
    """``body`` without what ansilove does not know, so that the rest can be compared."""

    def known(match: re.Match[bytes]) -> bytes:
        kept: list[bytes] = []
        values = match[1].replace(b":", b";").split(b";")
        while values:
            value = values.pop(0)
            code = int(value or 0)
            if code in (38, 48):
                values = values[2:] if values[:1] == [b"5"] else values[4:]
            elif code in (0, 1, 5, *range(30, 38), *range(40, 48)):
                kept.append(value or b"0")
        return b"\x1b[" + b";".join(kept) + b"m" if kept else b""

    return _MODERN_SGR.sub(known, _OSC.sub(b"", body))


def _joined(body: bytes, columns: int) -> bytes:
    """``body`` without the line ends that follow full rows."""
    lines = body.partition(b"\x1a")[0].split(b"\r\n")
    ends = [b"" if row_cells(line) == columns else b"\r\n" for line in lines[:-1]]
    return b"".join(part for pair in zip(lines, [*ends, b""], strict=True) for part in pair)


def ansi(folders: list[Path], love: AnsiLove) -> Count:
    """Rows, columns and every cell of ANSI files."""
    count = Count("ansi", "ansilove")
    for path in files_of(folders, ANSI):
        data = path.read_bytes()
        body, sauce = split_sauce(data)
        how = dialect(body, sauce)
        if not how.dos:
            continue  # UTF-8: ansilove knows none
        count.files += 1
        amiga = how.encoding == "latin-1"
        ice = bool(sauce and sauce.ice)
        told = ["-t", "ans", "-c", str(how.columns), *(["-i"] if ice else [])]
        trimmed = path.suffix.lower() == ".diz"

        def differs(source: Path, content: bytes) -> str:
            if how.defers:  # noqa: B023
                # ansilove knows ANSI.SYS alone, where a line end behind a full row is a row of its own.
                content = _joined(content, how.columns)  # noqa: B023
                source = love.work / ("joined" + source.suffix)
                source.write_bytes(content)
            image = love.draw(source, *told)  # noqa: B023
            try:
                screen = render_ansi(content, how, ice)  # noqa: B023
            except ScreenError as error:
                return str(error)
            if image is None:
                return "no image"
            return love.same(screen, image, amiga=amiga, trimmed=trimmed)  # noqa: B023

        problem = differs(path, body)
        if not problem:
            count.equal += 1
            continue
        plain = _plain_dos(body)
        if plain != body:
            copy = love.work / ("plain" + path.suffix)
            copy.write_bytes(plain)
            left = differs(copy, plain)
            if not left:
                count.explain("sequences that ansilove does not know; equal without them")
                continue
            problem = left
        if problem == "one empty row less":
            count.explain("ansilove counts the empty row below a full last one")
            continue
        if amiga and "rows" not in problem and re.search(rb"[\x00-\x09\x0b\x0c\x0e-\x1f]", body):
            count.explain("control codes, glyphs on the PC and nothing on the Amiga")
            continue
        count.different.append(f"{path.name}: {problem}")
    return count


def binary(folders: list[Path], love: AnsiLove) -> Count:
    """Rows, columns and every cell of the binary screen formats."""
    count = Count("bin xbin adf idf tundra pcboard", "ansilove")
    for path in files_of(folders, BINARY):
        data = path.read_bytes()
        _, sauce = split_sauce(data)
        reader = next(
            r for r in readers() if isinstance(r, ScreenReader) and r.sniff(data[:4096], str(path))
        )
        screen = reader.draw(data, None).screen
        told = ["-c", str(sauce.columns)] if sauce and path.suffix.lower() == ".tnd" else []
        if path.suffix.lower() == ".pcb" or (sauce and sauce.ice):
            told.append("-i")
        image = love.draw(path, *told)
        if image is None:
            continue
        count.files += 1
        font = None
        if data.startswith(b"XBIN\x1a") and data[10] & 2:
            at, size = 11 + 48 * (data[10] & 1), data[9]
            raw = np.frombuffer(data[at : at + 256 * size], np.uint8).reshape(256, size)
            font = np.unpackbits(raw, axis=1).reshape(256, size, 8).astype(bool)
        problem = love.same(screen, image, font)
        if problem and path.suffix.lower() == ".tnd" and problem.startswith("rows"):
            less = Screen(screen.glyphs[:-1], screen.fore[:-1], screen.back[:-1])
            if not love.same(less, image):
                count.explain("ansilove leaves out a last row that is not full; equal above it")
                continue
        if problem:
            count.different.append(f"{path.name}: {problem}")
        else:
            count.equal += 1
    return count


def cows(folders: list[Path], cowsay: str) -> Count:
    """Every character of every cow."""
    count = Count("cow", "cowsay")
    for path in files_of(folders, (".cow",)):
        try:
            mine = parse_cow(decode(path.read_bytes()).text).text
        except UnsupportedPerlError:
            count.files += 1
            count.explain("outside the dialect, rejected with the reason")
            continue
        command = [cowsay, "-f", str(path.resolve()), "x"]
        done = subprocess.run(
            command, capture_output=True, timeout=60, env={**os.environ, "LC_ALL": "C"}, check=False
        )
        rows = decode(done.stdout).text.split("\n", 3)
        count.files += 1
        if len(rows) == 4 and rows[3].rstrip("\n") == mine.rstrip("\n"):
            count.equal += 1
        else:
            count.different.append(path.name)
    return count


WORDS = ("Hello", "ascii", "XYZ 42")


def fonts(folders: list[Path], setter: str, suffix: str) -> Count:
    """Words set in every font, by the reader and by ``figlet`` or ``toilet``."""
    count = Count(f"{suffix} words", Path(setter).name)
    for path in files_of(folders, (suffix,)):
        data = path.read_bytes()
        if not data.startswith((b"flf2", b"tlf2")):
            continue  # zipped: the archive reader's
        try:
            encoding = font_encoding(data)
            text = data.decode(encoding).replace("\r\n", "\n")
            font = load_font(text, path.stem)
        except Exception:  # noqa: S112 - the reader rejects it with the reason
            continue
        for word in WORDS:
            command = [
                setter,
                "-d",
                str(path.parent.resolve()),
                "-f",
                path.stem,
                "-w",
                "2000",
                word,
            ]
            done = subprocess.run(command, capture_output=True, timeout=60, check=False)
            if done.returncode:
                continue
            theirs = _trim(done.stdout.decode(encoding, "replace"))
            count.files += 1
            if _trim(set_words(font, word)) == theirs:
                count.equal += 1
            else:
                count.different.append(f"{path.name} {word!r}")
    return count


def _trim(text: str) -> list[str]:
    rows = [row.rstrip() for row in text.split("\n")]
    while rows and not rows[-1]:
        rows.pop()
    while rows and not rows[0]:
        rows.pop(0)
    indent = min((len(r) - len(r.lstrip()) for r in rows if r), default=0)
    return [row[indent:] for row in rows]


def fortunes(folders: list[Path], strfile: str, work: Path) -> Count:
    """Entries of fortune files."""
    count = Count("fortune entries", "strfile")
    for folder in folders:
        for place, _, names in sorted(os.walk(folder)):
            for name in sorted(names):
                path = Path(place) / name
                if path.suffix in (".dat", ".u8") or path.is_symlink():
                    continue
                with path.open("rb") as stream:
                    head = stream.read(65536)
                if not re.search(rb"(?m)^%\r?$", head) or head.startswith(b"%!"):
                    continue
                index = work / "index.dat"
                done = subprocess.run(
                    [strfile, "-s", str(path), str(index)], capture_output=True, check=False
                )
                if done.returncode or not index.exists():
                    continue
                _, theirs = struct.unpack(">II", index.read_bytes()[:8])
                index.unlink()
                count.files += 1
                mine = sum(1 for _ in read_path(path))
                if mine == theirs:
                    count.equal += 1
                else:
                    count.different.append(f"{name}: {mine} for {theirs}")
    return count


def designs(config: Path, boxes: str) -> Count:
    """Designs of a configuration of boxes, by name."""
    count = Count("boxes designs", "boxes")
    listed = subprocess.run(
        [boxes, "-f", str(config), "-l"], capture_output=True, text=True, check=False
    ).stdout
    theirs = set(re.findall(r"(?m)^([\w.-]+)(?:, [\w., -]+)?(?: \[.*)?$", listed))
    theirs |= set(re.findall(r"(?m)^([\w-]+) \(", listed))
    for item in read_path(config):
        if isinstance(item, Piece):
            count.files += 1
            if item.title in theirs or re.search(rf"(?m)^{re.escape(item.title or '')}\b", listed):
                count.equal += 1
            else:
                count.different.append(str(item.title))
        elif isinstance(item, Rejection):
            count.different.append(item.reason)
    return count


def compare(folders: list[Path]) -> list[Count]:
    """Every comparison whose program is installed, over all files below ``folders``."""
    found: list[Count] = []

    def run(name: str, job: Callable[[str], Count]) -> None:
        command = program(name)
        if command is None:
            print(f"{name} is not installed: not compared", file=sys.stderr)
            return
        found.append(job(command))

    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        run("ansilove", lambda c: ansi(folders, AnsiLove(c, work)))
        run("ansilove", lambda c: binary(folders, AnsiLove(c, work)))
        run("cowsay", lambda c: cows(folders, c))
        run("figlet", lambda c: fonts(folders, c, ".flf"))
        run("toilet", lambda c: fonts(folders, c, ".tlf"))
        run("strfile", lambda c: fortunes(folders, c, work))
        config = Path("/etc/boxes/boxes-config")
        if config.exists():
            run("boxes", lambda c: designs(config, c))
    return [count for count in found if count.files]


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    folders = parser.parse_args().folders
    counts = compare([f for f in folders if f.exists()])
    header = ("what", "oracle", "compared", "equal", "share", "explained", "unexplained")
    report("oracles", header, [count.row() for count in counts])
    for count in counts:
        for line in count.different:
            print(f"  {count.what}: {line}")


if __name__ == "__main__":
    main()
