"""Cows: Perl files that cowsay runs, read without running anything.

What nearly all of them do is assign strings and one here-document to ``$the_cow``. This module
reads that much of Perl, as Perl reads it: comments, scalar assignments of strings and of ``chop``,
``.`` and ``x`` of them, and the interpolation of double-quoted text. A file that does more is
rejected with the line that does it.
"""

import contextlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from asciiloom.piece import Rejection, artist_in_comment, one_line
from asciiloom.readers.base import Input, Item, file_stem, make_item, read_whole
from asciiloom.readers.decode import decode
from asciiloom.readers.screens.emulator.dialect import Dialect, render_ansi
from asciiloom.readers.screens.reader import ScreenError
from asciiloom.readers.screens.screen import MAX_COLUMNS, screen_item

MAX_FILE = 4 << 20
_MAX_STRING = 8 << 20

_HEREDOC = re.compile(
    r"\$the_cow\s*=\s*<<(?P<indent>~?)\s*(?:\"(?P<double>[^\"\n]*)\"|'(?P<single>[^'\n]*)'|(?P<unquoted>[A-Za-z_]\w*))"
    r"\s*;?[ \t]*(?:#.*)?\Z"
)
_SKIPPED = re.compile(
    r"\s*(?:#.*|binmode\s*\(?\s*STDOUT\s*,\s*(['\"]):[\w()-]+\1\s*\)?\s*;|use\s+(?:utf8|strict|warnings)[^;]*;|1;"
    r"|no\s+\w+[^;]*;|;)?\s*(?:#.*)?\Z"
)
_ASSIGN = re.compile(
    r"\s*(?:my\s+|our\s+)?\$(?P<name>[A-Za-z_]\w*)\s*(?P<op>\.?=)(?!=)\s*(?P<rest>.*)\Z", re.DOTALL
)
_SIMPLE = {
    "n": "\n", "t": "\t", "r": "\r", "e": "\x1b", "a": "\a", "f": "\f", "b": "\b",
}  # fmt: skip


class UnsupportedPerlError(ValueError):
    """The file does something that this reader does not follow; the message says what."""


@dataclass(slots=True)
class Cow:
    """What a cow file says: the text it draws and its comments."""

    text: str
    comments: list[str] = field(default_factory=list)


def _escape(text: str, at: int) -> tuple[str, int]:
    """The character of the escape sequence whose letter is at ``at``, and where it ends."""
    c = text[at]
    if c in _SIMPLE:
        return _SIMPLE[c], at + 1
    if c == "x":
        if match := re.compile(r"\{\s*([0-9A-Fa-f_]*)\s*\}").match(text, at + 1):
            code = int(match[1].replace("_", "") or "0", 16)
        else:
            match = re.compile(r"([0-9A-Fa-f]{0,2})").match(text, at + 1)
            assert match is not None
            code = int(match[1] or "0", 16)
        return _chr(code), match.end()
    if c in "01234567":
        match = re.compile(r"[0-7]{1,3}").match(text, at)
        assert match is not None
        return _chr(int(match[0], 8)), match.end()
    if c == "N":
        match = re.compile(r"\{(?:U\+([0-9A-Fa-f]+)|([^}\n]{1,80}))\}").match(text, at + 1)
        if match is None:
            raise UnsupportedPerlError("\\N without {U+...} or a name")
        if match[1]:
            return _chr(int(match[1], 16)), match.end()
        try:
            return unicodedata.lookup(match[2]), match.end()
        except KeyError:
            raise UnsupportedPerlError(f"\\N{{{match[2][:40]}}} is no character's name") from None
    if c == "o" and (match := re.compile(r"\{([0-7]+)\}").match(text, at + 1)):
        return _chr(int(match[1], 8)), match.end()
    if c == "c" and at + 1 < len(text):
        return chr(ord(text[at + 1].upper()) ^ 64), at + 2
    if c in "LUQEluF":
        raise UnsupportedPerlError(f"the case operator \\{c}")
    return c, at + 1


def _chr(code: int) -> str:
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise UnsupportedPerlError(f"character number {code:#x}")
    return chr(code)


_NAME = re.compile(r"\{\s*\^?(\w+)\s*\}|(\d+|(?:::)?[A-Za-z_]\w*(?:(?:::|'(?=[A-Za-z_]))\w+)*)")


def interpolate(text: str, scope: dict[str, str]) -> str:
    """Double-quoted ``text`` as Perl reads it; names that are not in ``scope`` are empty, as undef is."""
    out: list[str] = []
    size = at = 0
    special = re.compile(r"[\\$@]")
    while (match := special.search(text, at)) is not None:
        out.append(text[at : match.start()])
        at = match.end()
        sign = match[0]
        following = text[at : at + 1]
        if sign == "\\":
            if not following:
                raise UnsupportedPerlError("a backslash at the end")
            piece, at = _escape(text, at)
        elif sign == "@" and not re.match(r"[\w:{$+-]|'\w", text[at : at + 2]):
            piece = "@"
        else:
            name = _NAME.match(text, at)
            if name is None:
                if sign == "@" and following == ":":
                    piece = "@"
                else:
                    raise UnsupportedPerlError(f"{sign}{following!r} is a variable of Perl's own")
            else:
                at = name.end()
                after = text[at : at + 2]
                if after[:1] in ("[", "{") or re.match(r"->[\[{]", text[at : at + 3]):
                    raise UnsupportedPerlError(f"an element of {sign}{name[1] or name[2]}")
                # Arrays are never assigned here, so each is empty.
                piece = scope.get(name[1] or name[2], "") if sign == "$" else ""
        out.append(piece)
        size += len(piece)
        if size > _MAX_STRING:
            raise UnsupportedPerlError("a string that grows beyond 8 MiB")
    out.append(text[at:])
    return "".join(out)


_TOKEN = re.compile(
    r"\s*(?:(?P<double>\"(?:[^\"\\]|\\.)*\")|(?P<single>'(?:[^'\\]|\\.)*')|(?P<chop>chop\s*\(\s*\$(?P<of>\w+)\s*\))"
    r"|\$(?:\{(?P<braced>\w+)\}|(?P<name>[A-Za-z_]\w*))|(?P<number>\d+)|(?P<op>x(?=[\s(\d])|[.()]))",
    re.DOTALL,
)


_MODIFIER = re.compile(
    r"\s*(?P<word>if|unless)\s*\(?\s*\$(?P<name>[A-Za-z_]\w*)\s*"
    r"(?:(?P<compare>eq|ne)\s*(?P<other>'[^'\\]*'|\"[^\"\\$@]*\")\s*)?\)?\s*(?=;|\Z)"
)


def _evaluate(source: str, scope: dict[str, str]) -> tuple[str | None, int]:
    """The value of a string expression up to its ``;`` and where that is; None where an ``if`` or
    ``unless`` behind it keeps the statement from being run."""
    at = 0

    def token() -> re.Match[str]:
        nonlocal at
        match = _TOKEN.match(source, at)
        if match is None:
            raise UnsupportedPerlError(f"an expression with {source[at : at + 20].strip()!r}")
        at = match.end()
        return match

    def peek(symbol: str) -> bool:
        nonlocal at
        match = _TOKEN.match(source, at)
        if match is not None and match["op"] == symbol:
            at = match.end()
            return True
        return False

    def term(depth: int) -> str:
        if depth > 20:
            raise UnsupportedPerlError("parentheses deeper than 20")
        t = token()
        if t["double"] is not None:
            value = interpolate(t["double"][1:-1], scope)
        elif t["single"] is not None:
            value = re.sub(r"\\([\\'])", r"\1", t["single"][1:-1])
        elif t["chop"]:
            held = scope.get(t["of"], "")
            scope[t["of"]], value = held[:-1], held[-1:]
        elif t["number"]:
            value = t["number"]
        elif t["op"] == "(":
            value = expression(depth + 1)
            if not peek(")"):
                raise UnsupportedPerlError("an open parenthesis")
        elif t["op"] is not None:
            raise UnsupportedPerlError(f"an expression with {t['op']!r}")
        else:
            value = scope.get(t["braced"] or t["name"], "")
        while peek("x"):
            times = token()["number"]
            if times is None or len(times) > 4 or int(times) * len(value) > _MAX_STRING:
                raise UnsupportedPerlError("a repetition that is not a small number")
            value *= int(times)
        return value

    def expression(depth: int) -> str:
        value = term(depth)
        while peek("."):
            value += term(depth)
            if len(value) > _MAX_STRING:
                raise UnsupportedPerlError("a string that grows beyond 8 MiB")
        return value

    value: str | None = expression(0)
    condition = _MODIFIER.match(source, at)
    if condition is not None:
        at = condition.end()
        held = scope.get(condition["name"], "")
        if condition["other"] is None:
            holds = held not in ("", "0")
        else:
            holds = (held == condition["other"][1:-1]) == (condition["compare"] == "eq")
        if holds == (condition["word"] == "unless"):
            value = None
    rest = re.compile(r"\s*;|\s*\Z").match(source, at)
    if rest is None:
        raise UnsupportedPerlError(f"a statement with {source[at : at + 20].strip()!r}")
    return value, rest.end()


def parse_cow(text: str, eyes: str = "oo", tongue: str = "  ", thoughts: str = "\\") -> Cow:
    """The cow that ``text`` draws, as ``cowsay`` would; ``UnsupportedPerlError`` says why not."""
    scope = {"eyes": eyes, "tongue": tongue, "thoughts": thoughts}
    rows = text.replace("\r\n", "\n").split("\n")
    comments: list[str] = []
    drawn: str | None = None
    number = 0
    while number < len(rows):
        row = rows[number]
        number += 1
        try:
            if match := _HEREDOC.search(row):
                before = row[: match.start()].strip()
                if before:
                    raise UnsupportedPerlError(f"a statement with {before[:20]!r}")
                drawn, number = _heredoc(rows, number, match, scope)
            elif assigned := _ASSIGN.match(row):
                # A statement ends at its semicolon, some rows below perhaps.
                source = assigned["rest"]
                while ";" not in source and number < len(rows) and len(source) < MAX_FILE:
                    source += "\n" + rows[number]
                    number += 1
                value, end = _evaluate(source, scope)
                rest = source[end:]
                name = assigned["name"]
                if value is not None:
                    scope[name] = scope.get(name, "") + value if assigned["op"] == ".=" else value
                if name == "the_cow" and name in scope:
                    drawn = scope[name]
                if rest.strip() and not _SKIPPED.match(rest.strip()):
                    number -= 1
                    rows[number] = rest
            elif _SKIPPED.match(row.strip()):
                if row.lstrip().startswith("#"):
                    comments.append(row.strip().strip("#").strip())
            else:
                raise UnsupportedPerlError(f"a statement with {row.strip()[:20]!r}")
        except UnsupportedPerlError as error:
            raise UnsupportedPerlError(f"line {number}: {error}") from None
    if drawn is None:
        raise UnsupportedPerlError("nothing is assigned to $the_cow")
    return Cow(drawn, [c for c in comments if c])


def _heredoc(
    rows: list[str], number: int, match: re.Match[str], scope: dict[str, str]
) -> tuple[str, int]:
    literal = match["single"]
    end = next(t for t in (match["double"], literal, match["unquoted"]) if t is not None)
    body: list[str] = []
    while number < len(rows):
        row = rows[number]
        number += 1
        if row == end or (match["indent"] and row.strip(" \t") == end):
            break
        body.append(row)
    else:
        raise UnsupportedPerlError(f"the here-document has no line {end!r}")
    if match["indent"]:
        filled = [row for row in body if row.strip()]
        cut = min((len(r) - len(r.lstrip(" \t")) for r in filled), default=0)
        body = [row[cut:] for row in body]
    text = "".join(f"{row}\n" for row in body)
    return (text if literal is not None else interpolate(text, scope)), number


class CowReader:
    name = "cow"
    rank = 200
    extensions = (".cow",)
    summary = "cowsay's cows: Perl, parsed and never run"
    recognised = "an assignment to $the_cow; .cow"
    oracle = "cowsay"

    def sniff(self, head: bytes, path: str) -> bool:
        return path.lower().endswith(".cow") or b"$the_cow" in head

    def read(self, source: Input) -> Iterator[Item]:
        data = read_whole(source, MAX_FILE)
        if isinstance(data, Rejection):
            yield data
            return
        name = source.options.source_name()
        decoded = decode(data, source.options.encoding)
        try:
            cow = parse_cow(decoded.text)
        except UnsupportedPerlError as error:
            yield Rejection("unsupported-perl", one_line(error, 200) or "", name, source.path)
            return
        stem = file_stem(source.name)
        said = " ".join(cow.comments)
        described = said[:2000] or None
        artist = artist_in_comment(said)
        if "\x1b" in cow.text:
            with contextlib.suppress(ScreenError):
                screen = render_ansi(cow.text.encode(), Dialect("utf-8", MAX_COLUMNS))
                yield screen_item(
                    screen, source, data, encoding=decoded.encoding, title=stem, artist=artist,
                    tags=("cow",), kind="cow", description=described,
                )  # fmt: skip
                return
        yield make_item(
            cow.text, options=source.options, path=source.path, original=data, title=stem,
            description=described, artist=artist, tags=("cow",), kind="cow",
            encoding=decoded.encoding,
        )  # fmt: skip
