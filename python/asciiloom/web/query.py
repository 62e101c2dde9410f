"""What a gallery address asks for, and the numbers in addresses and forms."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from asciiloom.errors import SelectionError
from asciiloom.piece import CHARSETS, KINDS
from asciiloom.store.selection import Selection

PAGE = 24
LAST_PAGE = 10**6
MOST_CELLS = 10**6  # that a side of a picture is asked for with
_CHARACTERS = 200  # of a value; a search is not a document
_DIGITS = frozenset("0123456789")


def whole_number(text: str | None, most: int) -> int | None:
    """``text`` as a number 0 to ``most``; None for anything else, other scripts' digits included."""
    if not text or not _DIGITS.issuperset(text) or len(text) > len(str(most)):
        return None
    number = int(text)
    return number if number <= most else None


@dataclass(frozen=True, slots=True)
class Query:
    """What a gallery address asks for, as typed; unknown or impossible values are left out."""

    q: str = ""
    glyphs: str = ""
    size: str = ""
    tag: str = ""
    source: str = ""
    kind: str = ""
    charset: str = ""
    order: str = ""
    canonical: str = ""
    page: int = 1

    @classmethod
    def of(cls, args: Any) -> "Query":
        """The query of an address's arguments."""
        values = {
            name: (args.get(name) or "").strip()[:_CHARACTERS]
            for name in cls.__slots__
            if name != "page"
        }
        return cls(**values, page=whole_number(args.get("page"), LAST_PAGE) or 1)

    def link(self, **changes: Any) -> str:
        """The address of this query with some values changed (and the first page, unless said)."""
        values = {name: getattr(self, name) for name in self.__slots__ if name != "page"} | changes
        return "?" + urlencode({k: v for k, v in values.items() if v})

    def selection(self) -> Selection:
        """One piece more than a page holds, to know whether there is a next one."""
        width, _, height = self.size.partition("x")
        wide, high = whole_number(width, MOST_CELLS), whole_number(height, MOST_CELLS)
        fits = wide is not None and high is not None
        orders = ("small", "large", "newest", "random")
        fallback = "rank" if self.q else "id"
        try:
            return Selection(
                text=self.q or None,
                glyphs=self.glyphs or None,
                tags=(self.tag,) if self.tag else (),
                sources=(self.source,) if self.source else (),
                kinds=(self.kind,) if self.kind in KINDS else (),
                charset=self.charset if self.charset in CHARSETS else None,
                width=(None, wide) if fits else (None, None),
                height=(None, high) if fits else (None, None),
                canonical_only=bool(self.canonical),
                order=self.order if self.order in orders else fallback,
                limit=PAGE + 1,
                offset=(self.page - 1) * PAGE,
            )
        except SelectionError:
            return Selection(limit=PAGE + 1)
