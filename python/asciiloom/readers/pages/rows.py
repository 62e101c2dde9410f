"""What rows of a page are, when they are no drawing: prose, code, rulers, captions, title lines."""

import re
from collections.abc import Sequence

from asciiloom.piece import artist_in_title, credit_line, is_signature, names_nobody

WORD = re.compile(r"[^\W\d_][^\W\d_']+")
# Words between decoration on both sides, and perhaps a date: -=[ puffin ]=- 2/97.
_TITLE = re.compile(
    r"\s*(?P<left>[-=~*<>.:+#]{1,8} ?[\[({]{0,2})\s*(?P<title>[^\W_][^\n]{0,60}?)\s*"
    r"(?P<right>[\])}]{0,2} ?[-=~*<>.:+#]{1,8})(?:\s+(?P<rest>\S.{0,40}))?\s*\Z"
)
_DATE = re.compile(
    r"(?<!\d)(?P<month>0?[1-9]|1[0-2])/(?:(?P<day>\d{1,2})/)?(?P<year>\d{4}|\d{2})(?!\d)"
)
_THRICE = re.compile(r"([^\W\d_])\1\1")
_GESTURE = re.compile(r"\*[a-z]{1,8}\*")  # *g*, *sigh*
_MIRRORED = str.maketrans("[](){}<>", "][)(}{><")
# "2 lines:": the size of what follows.
_SIZE = re.compile(r"\d+ ?(?:x ?\d+|lines?|rows?|columns?|chars?|characters?)\b", re.IGNORECASE)
# "(tweaked by llizard)", "bone added by": who changed a drawing, which names neither it nor its artist.
_TOUCHED_UP = re.compile(r" by(?: \S+\))?\Z", re.IGNORECASE)
_LINK_WORDS = frozenset("or and same another more also again likewise ditto".split())
_SPACED = re.compile(r"(?:[^\W_] )(?:\w ){1,29}[^\W_]\Z")  # H E L L O
_COMMON = frozenset(
    "the a an and or of to in is it that was for on are with as at be this have from by not but they"
    " you his her she he we all can will your there their what so if about who which when i me my"
    " has had been were would could just like some than then them these those any out up do does"
    .split()
)  # fmt: skip
_STROKES = "/\\|_<>^~=*@#{}[]`"
_FEW_STROKES = 3
_DRAWN_ROWS = 0.2
_TALE = 300
_PROSE_WORDS = 0.15
_LETTERS = 0.72
# A statement: a keyword, an assignment or a call of a name, or words closed by ; { or }.
_CODE = re.compile(
    r"^\s*(?:#!|import |from \w+ import|def \w|class \w|function \w|return\b|end$|<\?|#include\b"
    r"|[\w.\[\]'\"$@]{2,40}\s*(?:[-+*/|.:]?=[^=]|\().*|.*[A-Za-z_]{3,}.*[;{}]$)"
)
_CODE_LETTERS = 0.45
# Longer rows are no title or statement. Patterns with several free lengths meet only short rows:
# on long ones their time grows with a power of the length.
_LONGEST_LINE = 200


def is_prose(rows: tuple[str, ...]) -> bool:
    """Whether rows read as sentences and nothing is drawn among them."""
    return reads_as_prose(rows) and not is_illustrated(rows)


def is_illustrated(rows: tuple[str, ...]) -> bool:
    """Whether a fair share of the rows, and more than a few, have several strokes of a drawing."""
    drawn = sum(sum(map(row.count, _STROKES)) >= _FEW_STROKES for row in rows)
    return drawn >= 4 and drawn >= _DRAWN_ROWS * len(rows)


def tells_a_tale(rows: Sequence[str]) -> bool:
    """Whether there is a story in the rows, whatever is drawn beside it."""
    words = [word.lower() for word in WORD.findall(" ".join(rows))]
    return len(words) >= _TALE and sum(w in _COMMON for w in words) >= _PROSE_WORDS * len(words)


def reads_as_prose(rows: tuple[str, ...]) -> bool:
    """Whether rows read as sentences: mostly letters, and common words among them."""
    text = " ".join(rows)
    dense = [c for c in text if not c.isspace()]
    words = [w.lower() for w in WORD.findall(text)]
    if len(words) < 5 or not dense:
        return False
    letters = sum(c.isalpha() or c in ",.'\"?!" for c in dense) / len(dense)
    return letters >= _LETTERS and sum(w in _COMMON for w in words) >= _PROSE_WORDS * len(words)


def is_code(rows: tuple[str, ...]) -> bool:
    """Whether most rows look like a program's."""
    filled = [row.rstrip() for row in rows if row.strip()]
    dense = [c for row in filled for c in row if not c.isspace()]
    if len(filled) < 2 or sum(c.isalnum() for c in dense) < _CODE_LETTERS * len(dense):
        return False
    return sum(bool(_CODE.match(row[:_LONGEST_LINE])) for row in filled) >= 0.6 * len(filled)


def is_ruler(row: str) -> bool:
    """A row that repeats a few characters from end to end: ``.:*~*:._.:*~*:._`` as well as ``-----``."""
    stripped = row.strip()
    return len(stripped) >= 16 and _repeats(stripped)


def _repeats(text: str) -> bool:
    """Whether ``text`` is its beginning again and again, two and a half times or more."""
    return any(
        text == (text[:period] * (len(text) // period + 1))[: len(text)]
        for period in range(1, min(12, 2 * len(text) // 5) + 1)
    )


def _is_spelt(title: str) -> bool:
    """Whether letters are words and no texture of a drawing (oOo.oOo.oOo, zeeeeeee)."""
    letters = title.lower()
    return _THRICE.search(letters) is None and not _repeats(letters)


def is_caption(row: str) -> bool:
    """One short row of words: letters, digits and light punctuation only."""
    stripped = _GESTURE.sub("", row).strip()
    if _SPACED.match(stripped):
        return True
    words = WORD.findall(stripped)
    unusual = re.sub(r"[\w ,.'\"!?:;&()/-]", "", stripped)
    return (
        bool(words)
        and not unusual
        and len(stripped) <= 60
        and "   " not in stripped
        and sum(map(len, words)) >= 0.6 * len(stripped.replace(" ", ""))
    )


def caption(row: str) -> tuple[str | None, str | None] | None:
    """(title, artist) of a row of words beside a drawing; either may be None ("2 lines:", "or:" name
    nothing, "From unknown:" nobody). None where the row is no caption."""
    said = row.strip()
    credited = credit_line(said)
    if credited is not None:
        return None, credited or None
    title = said.strip(" :")
    if not (is_caption(said) and _is_spelt(title)):
        return None
    if is_signature(title):
        return None, title
    if (
        _TOUCHED_UP.search(title)
        or _SIZE.match(title)
        or title.lower() in _LINK_WORDS
        or names_nobody(title)
    ):
        return None, None
    return title, None


def _is_lettered(row: str) -> bool:
    """Whether words make up much of a row."""
    return 2 * sum(map(len, WORD.findall(row))) >= len(row.replace(" ", ""))


def is_heading(rows: Sequence[str]) -> bool:
    """Whether the first row is a heading set right upon a drawing: words at its left edge, several or a
    long one, and hardly any in the row below."""
    if len(rows) < 4 or not is_caption(rows[0]) or _is_lettered(rows[1]):
        return False
    said, others = rows[0].strip(), [row for row in rows[1:] if row.strip()]
    edge = min(len(row) - len(row.lstrip()) for row in others)
    words = WORD.findall(said)
    several = len(words) >= 2 and max(map(len, words)) >= 4
    alone = said.isalpha() and len(said) >= 5 and said[1:].islower()
    return len(rows[0]) - len(rows[0].lstrip()) <= edge and (several or alone) and _is_spelt(said)


def title_line(row: str) -> tuple[str, str | None, str | None] | None:
    """(title, ISO month or None, artist or None) of a decorated title line, or None."""
    said = row.strip()
    match = _TITLE.match(said) if 5 <= len(said) <= _LONGEST_LINE else None
    if match is None:
        return None
    title, closing = match["title"], match["right"]
    if closing.startswith(")") and title.count("(") > title.count(")"):
        title, closing = title + ")", closing[1:]  # * stuffed animal (horse) *
    title, rest = title.strip(" []:~-=*"), match["rest"] or ""
    letters = sum(c.isalnum() or c in " '&,.!?-/" for c in title)
    if sum(c.isalpha() for c in title) < 3 or letters < 0.8 * len(title) or "   " in title:
        return None
    if not _is_spelt(title):
        return None
    # Decoration is a mirror image of itself; strokes of a drawing seldom are. Brackets are sure enough
    # for what is around them to come in any order (=-[ bird ]=-).
    left = match["left"].replace(" ", "")
    right = closing[::-1].translate(_MIRRORED).replace(" ", "")
    bracketed = left[-1:] in ("[", "(", "{") and left[-1:] == right[-1:]
    if left != right and not (bracketed and sorted(left) == sorted(right)):
        return None
    made = iso_month(rest)
    artist = artist_in_title(rest)
    if rest and not made and not artist and not is_caption(rest):
        return None
    return title, made, artist


def iso_month(text: str) -> str | None:
    """The first month/year (12/96) or month/day/year in ``text``, as 1996-12."""
    match = _DATE.search(text)
    if match is None:
        return None
    year = int(match["year"])
    if len(match["year"]) == 2:
        year += 1900 if year >= 50 else 2000
    return f"{year:04d}-{int(match['month']):02d}" if 1960 <= year <= 2100 else None
