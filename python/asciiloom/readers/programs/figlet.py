"""FIGlet and TOIlet fonts: a sheet of the font's letters, and given words set in it.

Fonts are read by pyfiglet and set by ``smush``. What comes out was drawn by the font's maker but set by a
program, so every piece is flagged synthetic.
"""

from collections.abc import Iterator
from typing import Any

from asciiloom.piece import Rejection, artist_in_comment, one_line
from asciiloom.readers.base import Input, Item, file_stem, make_item, read_whole
from asciiloom.readers.decode import decode
from asciiloom.readers.programs.smush import Face, set_line

MAX_FILE = 8 << 20
_MAGICS = (b"flf2", b"tlf2")
_SHEET = (
    "ABCDEFGHIJKLM", "NOPQRSTUVWXYZ", "abcdefghijklm", "nopqrstuvwxyz", "0123456789",
    "!\"#$%&'()*+,-./", ":;<=>?@[\\]^_`{|}~",
)  # fmt: skip
_MAX_WIDTH = 2000


def load_font(text: str, name: str) -> Any:
    """A pyfiglet ``Figlet`` that sets in the font whose file reads ``text``; raises what pyfiglet
    raises. Its constructors look fonts up by name in its own folders, so they are passed by."""
    from pyfiglet import Figlet, FigletFont, FigletRenderingEngine

    font = FigletFont.__new__(FigletFont)
    font.font, font.comment, font.chars, font.width, font.data = name, "", {}, {}, text
    font.loadFont()
    setter = Figlet.__new__(Figlet)
    setter.font, setter.Font, setter.width = name, font, _MAX_WIDTH
    setter._direction = setter._justify = "auto"
    setter.engine = FigletRenderingEngine(base=setter)
    return setter


def header_problem(text: str) -> str | None:
    """What is wrong with a font's first line, or None: sizes must be numbers within reason."""
    first = text.split("\n", 1)[0].split()
    if len(first) < 6 or first[0][:4] not in ("flf2", "tlf2"):
        return "the first line is no font header"
    try:
        height, _, longest, _, comments = (int(f) for f in first[1:6])
    except ValueError:
        return "the first line holds words where sizes belong"
    if not 0 < height <= 200 or longest > 10_000 or not 0 <= comments <= 10_000:
        return f"height {height}, row length {longest}, {comments} comment lines"
    if text.count("\n") + 1 < comments + 1 + height:
        return "the file ends before its first letter"
    return None


def comment_lines(text: str) -> int:
    """How many lines below the header are the maker's words; the header has no ``header_problem``."""
    return int(text.split("\n", 1)[0].split()[5])


class FigletReader:
    name = "figlet"
    rank = 180
    extensions = (".flf", ".tlf")
    summary = "FIGlet and TOIlet fonts: a sheet of letters, and --word set in them"
    recognised = "flf2 or tlf2"
    oracle = "figlet, toilet"

    def sniff(self, head: bytes, path: str) -> bool:
        return head.startswith(_MAGICS)

    def read(self, source: Input) -> Iterator[Item]:
        data = read_whole(source, MAX_FILE)
        if isinstance(data, Rejection):
            yield data
            return
        where = source.options.source_name()
        # Fonts name their letters by byte: those beyond ASCII are Latin-1, or UTF-8 in TOIlet's.
        decoded = decode(data, source.options.encoding or font_encoding(data))
        text = decoded.text.replace("\r\n", "\n").replace("\r", "\n")
        name = file_stem(source.name)
        if problem := header_problem(text):
            yield Rejection("bad-font", problem, where, source.path)
            return
        try:
            font = load_font(text, name)
        except Exception as error:  # pyfiglet raises whatever a malformed file makes it stumble on
            detail = one_line(f"{type(error).__name__}: {error}", 200) or ""
            yield Rejection("bad-font", detail, where, source.path)
            return
        comment = "\n".join(text.split("\n")[1 : 1 + comment_lines(text)])
        sheet = "\n".join(r for r in (set_words(font, row, separate=True) for row in _SHEET) if r)
        jobs = [("sheet", name, sheet)]
        jobs += [("banner", word, set_words(font, word)) for word in source.options.words]
        for kind, title, drawn in jobs:
            tags = ["figlet", f"font:{name}", "synthetic"]
            if kind == "banner":
                tags.append(f"text:{title}")
            locator = "" if kind == "sheet" else f"word {title}"
            if not drawn or not drawn.strip():
                detail = f"the font shows nothing of {title!r}"
                yield Rejection("empty", detail, where, source.path, locator)
                continue
            yield make_item(
                drawn, options=source.options, path=source.path, locator=locator, original=data,
                title=title, description=one_line(comment, 2000), tags=tuple(tags), kind=kind,
                artist=artist_in_comment(comment), encoding=decoded.encoding,
                flags=("synthetic",),
            )  # fmt: skip


def font_encoding(data: bytes) -> str:
    """UTF-8 where a font's bytes are that, else Latin-1, by whose numbers its letters are named."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def set_words(font: Any, words: str, separate: bool = False) -> str:
    """``words`` set in ``font``, empty where it has none of the letters; ``separate`` with a blank
    column between the letters instead of smushing them."""
    try:
        glyphs = font.Font.chars
        if not separate:
            face = Face(
                glyphs, int(font.Font.height), font.Font.hardBlank, int(font.Font.smushMode),
                bool(font.Font.printDirection),
            )  # fmt: skip
            return "\n".join(set_line(face, words)).rstrip("\n")
        rows = [""] * int(font.Font.height)
        for letter in words:
            if glyph := glyphs.get(ord(letter)):
                width = max(map(len, glyph), default=0)
                for number, row in enumerate(glyph[: len(rows)]):
                    blank = row.replace(font.Font.hardBlank, " ")
                    rows[number] += blank.ljust(width) + " "
        return "\n".join(rows)
    except Exception:  # a font can break its own rules anywhere; the caller reports it as empty
        return ""
