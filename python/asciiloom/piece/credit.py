"""Who drew it: every rule by which an artist's name is found, in a drawing or in words about it.

Credit is data: a signature inside a drawing is found and its place kept, never deleted. Signatures in
text art are short (``jgs``, ``hjw``, ``VK``) and touch the drawing, so a word list of known artists
goes first and a few unmistakable phrases (``Art by ...``) second. Positions are (row, column) in code
points of the canonical text, so that a view can blank exactly them.

Around a drawing more is told: credit lines below it, titles, comments of a file. The less a place is
made for credit, the stricter its rule.
"""

import functools
import re
from dataclasses import dataclass

# Initials that well-known ASCII artists sign with, and whom they stand for: as the credit lines of
# public collections have it. Where those give no name, the initials are the name.
SIGNATURES: dict[str, str] = {
    "jgs": "Joan G. Stark",
    "hjw": "Hayley Jane Wakenshaw",
    "VK": "Veronica Karlsson",
    "Veilleux": "Normand Veilleux",
    "snd": "Shanaka Dias",
    "ejm": "ejm",
    "ejm97": "ejm",
    "ejm96": "ejm",
    "ejm98": "ejm",
    "Valkyrie": "Valkyrie",
    "valkyrie": "Valkyrie",
    "Valky": "Valkyrie",
    **{
        initials: initials
        for initials in (
            "ARV", "b'ger", "BP", "cjr", "ctr", "dp", "dwb", "FFS", "fsc", "hjm", "hrr", "itz", "jrei",
            "jro", "JRO", "kOs", "Krogg", "ldb", "LGB", "lka", "llizard", "LS", "mab", "mga", "MJP",
            "mrf", "nabis", "pb", "PjP", "sjw", "SSt", "tbk", "teb",
        )
    },
}  # fmt: skip

_NAME = r"[A-Z][A-Za-z.'-]{1,24}(?: [A-Z][A-Za-z.'-]{0,24}){0,3}"
_PHRASE = re.compile(
    rf"(?i:art by|drawn by|created by|ascii by|artist:|by:) {{0,3}}(?P<artist>{_NAME}|[A-Za-z0-9_]{{2,20}})"
    rf"|\([cC]\) {{0,2}}(?:\d{{4}} {{0,2}})?(?P<holder>{_NAME})"
    rf"|(?P<mailed>{_NAME}) {{1,2}}<[\w.+-]{{1,64}}@[\w.-]{{1,64}}>"
)
_LISTED = frozenset(SIGNATURES)
_SIGNERS = frozenset(SIGNATURES.values())
_TOKEN = re.compile(r"[A-Za-z]+\d*(?:'[A-Za-z]+)*")
# Initials joined to a signature (jgs/TT): a second artist, who need not be on the list.
_SIGNED_BEFORE = re.compile(r"(?<![A-Za-z0-9'])(?:[A-Za-z]{2,4}[/&+])+\Z")
_SIGNED_BEHIND = re.compile(r"(?:[/&+][A-Za-z]{2,4})+(?![A-Za-z0-9'/])")
# Without one of these in its row no phrase can match.
_HINT = re.compile(r"by[: ]|\(c\)|artist:|<[\w.+-]{1,64}@", re.IGNORECASE)
# A row that is a credit and nothing else; with nobody named ("Arranged by:") the name is on another row.
_CREDIT_LINE = re.compile(
    r"\s*(?:[-~*(]{1,3}\s*)?(?:(?:original |ascii |modified |drawn )?(?:art|ascii|picture|drawing|design|image|graphic)? ?"
    r"(?:by|from)|artist:|author:|(?:created|arranged|compiled|collected|typed) by)"
    r"(?:[: ]\s*(?P<name>[^\s].*?))?[\s:]*[-~*)]{0,3}\s*\Z",
    re.IGNORECASE,
)
# --- Ada M. Lovelace, --handle: dashes and a name at the end of a drawing.
_DASHED_NAME = re.compile(
    r"-{2,3}(?: ?(?P<name>[A-Z][a-z'-]+(?: [A-Z]\.)?(?: [A-Z][A-Za-z'-]+){1,2})|(?P<handle>[a-z]{4,20}))\Z"
)
# A name and the address it writes from.
_MAIL_NAME = re.compile(
    r"\s*(?P<name>[A-Z][\w.'-]*(?: [A-Z\"(][\w.'\")-]*){0,3})\s*[<(]\s*[\w.+-]+@[\w.-]+\s*[>)]\s*\Z"
)
# "Art by" with nobody after it: a name was cut off.
_CUT_CREDIT = re.compile(
    r"(?:art|drawn|created|ascii) by:?[ .]{0,3}$", re.IGNORECASE | re.MULTILINE
)
_AFTER_BY = re.compile(r"\b(?:modified |drawn |art )?by:? (?P<name>[\w.' /&-]{2,200})")
_FULL_NAME_AFTER_BY = re.compile(r"\bby (?P<name>[A-Z][\w.'-]+(?: [A-Z][\w.'-]+){0,3})")
_IN_COMMENT = re.compile(
    r"\b(?:by[:\s]|(?:author|artist|credit)\s*:)\s*(?P<name>[@/]?[^\W_][^\n,;]{1,200})",
    re.IGNORECASE,
)
_MONTHS = "|".join(
    f"{name[:3]}(?:{name[3:]})?"
    for name in (
        "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December",
    )
)  # fmt: skip
# Where a name ends: an address, a remark behind a dash or in brackets, a date, a rule of the page.
_NAME_END = re.compile(
    r"[\s<(\[:,-]*(?:https?://|ftp://|www\.)"
    r"|[\s<(\"]*[\w.+-]+@\w"
    r"|\s+-{1,3}\s|\s?[<(\[={]|\s+(?:aka|in|on|from|for|based|using|with|via|at|of)\s"
    r"|\.\s"
    r"|[\s,]+\d{1,4}[-/.]\d|[\s,]+(?:19|20)\d\d\b"
    rf"|[\s,]*(?:{_MONTHS})[\s.]+\d"
)
_SHORTENED = re.compile(
    r"(?:^|[\s.])(?:[A-Z]|Dr|Mrs?|Ms|St|Jr)\Z"
)  # the dot behind it ends no name
_NOBODY = re.compile(
    r"(?:author |artist )?(?:unknown|anonymous|anon|nobody|none|n/a|\?+)(?: artist| author)?\Z",
    re.IGNORECASE,
)
# Begins no name, but a phrase: by the sea, one of them, from here.
_NO_NAME = re.compile(r"(?:the|an?|my|me|your?|this|that|one|some|here|hand|many|to|us|it)\b(?!\.)")
_FULL_NAME = re.compile(
    r"(?:[A-Z]\. )?[A-Z][a-z][A-Za-z'-]*(?: [A-Z]\.?)?(?: [A-Z][a-z][A-Za-z'-]*){1,2}\Z"
)
# A longer row is no credit line. The patterns have several free lengths: on long rows their time grows
# with a power of the length.
_LONGEST_LINE = 200
_LONGEST_ENDING = 70
# Two-letter initials are common words and strokes; they count only at the lower right of a drawing.
_SHORT = 2


@dataclass(frozen=True, slots=True)
class CreditSpan:
    """One signature: 0-based ``row`` and ``column``, ``length`` in code points, its text, whose."""

    row: int
    column: int
    length: int
    text: str
    artist: str


@functools.lru_cache(1024)
def _signed(words: tuple[str, ...]) -> re.Pattern[str]:
    """The pattern of ``words`` that stand alone: no letter, digit or apostrophe on either side. A year
    behind one (jgs'96) is part of it."""
    longest_first = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
    return re.compile(rf"(?<![A-Za-z0-9'])({longest_first})(?:'\d\d)?(?![A-Za-z0-9'])")


def find_credits(text: str, artist: str | None = None) -> tuple[CreditSpan, ...]:
    """Signature spans in canonical ``text``; a stated ``artist`` wins over the word list's name."""
    # Most art is unsigned: its words against the list are far cheaper than one pattern of all, and
    # only rows with the beginning of a phrase are read as one.
    words = tuple(sorted(_LISTED.intersection(_TOKEN.findall(text))))
    hinted = {text.count("\n", 0, match.start()) for match in _HINT.finditer(text)}
    if not words and not hinted:
        return ()
    spans: list[CreditSpan] = []
    rows = text.split("\n")
    pattern = _signed(words) if words else None
    for number in range(len(rows)) if words else sorted(hinted):
        row = rows[number]
        taken: set[int] = set()
        for match in _PHRASE.finditer(row) if number in hinted else ():
            name = match["artist"] or match["holder"] or match["mailed"]
            spans.append(CreditSpan(number, match.start(), len(match[0]), match[0], name.strip()))
            taken.update(range(match.start(), match.end()))
        for match in pattern.finditer(row) if pattern else ():
            if match.start() in taken:
                continue
            word, signed = match[1], match[0]
            if len(word) <= _SHORT and (number < len(rows) - 2 or row[match.end() :].strip()):
                continue
            whose = artist or "/".join((SIGNATURES[word], *_co_signers(row, *match.span())))
            spans.append(CreditSpan(number, match.start(), len(signed), signed, whose))
    return tuple(spans)


def _co_signers(row: str, start: int, end: int) -> list[str]:
    """Unlisted initials that are joined to the signature in ``row[start:end]``; a listed one has its own span."""
    before, behind = _SIGNED_BEFORE.search(row[:start]), _SIGNED_BEHIND.match(row, end)
    joined = re.findall("[A-Za-z]+", " ".join(m[0] for m in (before, behind) if m is not None))
    return [initials for initials in joined if initials not in _LISTED]


def blank_credits(text: str, spans: tuple[CreditSpan, ...]) -> str:
    """``text`` with every span overwritten by spaces; rows keep their place."""
    if not spans:
        return text
    rows = text.split("\n")
    for span in spans:
        row = rows[span.row]
        end = span.column + span.length
        rows[span.row] = row[: span.column] + " " * span.length + row[end:]
    return "\n".join(rows)


def names_nobody(said: str) -> bool:
    """Whether ``said`` says that nobody knows: unknown, anonymous."""
    return _NOBODY.match(said) is not None


def plain_name(said: str) -> str | None:
    """The name that ``said`` begins with, without the address, date or remark behind it; None where it
    names nobody ("unknown", "one of them"). Several names in one ("jgs/TT", "Ada & Bob") stay together."""
    end, start = len(said), 0
    while match := _NAME_END.search(said, start):
        start = match.end()
        if match[0].strip() == "." and _SHORTENED.search(said, 0, match.start()):
            continue  # Joan G. Stark
        end = match.start()
        break
    name = " ".join(said[:end].split()).strip(' -:;,*~|"')
    if not _SHORTENED.search(name.removesuffix(".")):
        name = name.removesuffix(".")
    if not any(map(str.isalnum, name)) or names_nobody(name) or _NO_NAME.match(name):
        return None
    return name


def credit_line(row: str) -> str | None:
    """The artist of a row that only gives credit ("art by NAME", or a name with its address), "" where
    such a row names nobody ("From unknown:"), None for any other row."""
    said = row.strip()
    if not 3 <= len(said) <= _LONGEST_LINE:
        return None
    if match := _DASHED_NAME.match(said) or _MAIL_NAME.match(said):
        return str(next(filter(None, match.groups())))
    match = _CREDIT_LINE.match(said)
    if match is None:
        return None
    named = match["name"] or ""
    name = plain_name(named)
    is_phrase = name is None and not names_nobody(named) and named[:1].isalpha()
    return None if is_phrase else name or ""


def ends_signed(row: str) -> bool:
    """Whether the last row of a drawing is a credit line, or ends in a name with its address."""
    ending = row[-_LONGEST_ENDING:].lstrip()
    return _MAIL_NAME.search(ending) is not None or bool(credit_line(row))


def artist_in_title(title: str, full_name: bool = False) -> str | None:
    """Whom a title names behind "by"; with ``full_name`` only what is written as a name."""
    match = (_FULL_NAME_AFTER_BY if full_name else _AFTER_BY).search(title)
    return plain_name(match["name"]) if match else None


def artist_in_comment(comment: str) -> str | None:
    """Whom the comment of a file names behind "by", "author", "artist" or "credit"."""
    return next(filter(None, (plain_name(m["name"]) for m in _IN_COMMENT.finditer(comment))), None)


def artist_in_note(note: str) -> str | None:
    """Whom a note below a drawing names: a row that is a credit, else the first full name behind "by"."""
    for row in note.split("\n"):
        if name := credit_line(row):
            return name
    return artist_in_title(" ".join(note.split()), full_name=True)


def name_row(row: str) -> str | None:
    """Who is named by a row below a drawing that is a full name and nothing else but dashes around it and
    a place behind it, "" where it says that nobody knows, None for any other row."""
    said = row[:_LONGEST_LINE].strip().strip("-~* ")
    name = " ".join(said.partition(",")[0].split())
    if names_nobody(name):
        return ""
    return name if _FULL_NAME.match(name) else None


def is_signature(said: str) -> bool:
    """Whether ``said`` is one of the signatures that are known."""
    return said in _LISTED


def is_signer(name: str, drawing: str) -> bool:
    """Whether ``name`` is a full name and the drawing is signed with its initials, or is one that known
    signatures stand for."""
    if _FULL_NAME.match(name) is None:
        return False
    initials = "".join(word[0] for word in name.split())
    alone = rf"(?<![A-Za-z]){initials}(?![A-Za-z])"
    return name in _SIGNERS or re.search(alone, drawing, re.IGNORECASE) is not None


def has_cut_credit(text: str) -> bool:
    """Whether a credit line ends before its name."""
    return " by" in text.lower() and _CUT_CREDIT.search(text) is not None
