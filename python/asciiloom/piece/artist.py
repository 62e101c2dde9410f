"""Names of artists: what two spellings have in common, and how many people a byline names.

"Joan G. Stark" and "joan g stark" are one name, written twice; "jgs" is another name of the same person,
which no rule can know: that is what the authority of a corpus is for (``asciiloom artist``). A byline may
name several people ("jgs/TT", "RaD Man + irokos"), each of whom drew the piece.
"""

import re
import unicodedata
from collections.abc import Iterable

_ADDRESS = re.compile(r"<[^<>]*@[^<>]*>|\([^()]*@[^()]*\)")
# What stands between co-artists. A letter or a word does so only between blanks.
_BETWEEN = re.compile(r"\s*[/&+,;]\s*|\s+(?:and|with|x)\s+", re.IGNORECASE)
_DROPPED = re.compile(r"[.'\u2019\"]")
# "by the ...", "drawn by me": words behind "by" that begin a sentence and no name.
_NO_NAMES = frozenset(
    "a all an anonymous anyone her him himself his hand it me my myself nobody one other our ourselves some"
    " someone that the their them this unknown us various who you your yours".split()
)


def fold(name: str) -> str:
    """The key under which the spellings of one name meet: without case, dots, quotes and mail address."""
    key = unicodedata.normalize("NFKC", name).casefold()
    bare = _DROPPED.sub("", _ADDRESS.sub(" ", key))
    return " ".join(re.sub(r"[\s_-]+", " ", bare).split()) or key.strip()


def co_artists(byline: str) -> tuple[str, ...]:
    """The names in ``byline``, one an artist, as they are spelled there."""
    return tuple(filter(None, map(str.strip, _BETWEEN.split(byline))))


def artist_keys(byline: str) -> tuple[str, ...]:
    """The keys (``fold``) that ``byline`` is found under: its own as a whole, then each co-artist's."""
    return tuple(dict.fromkeys(filter(None, map(fold, (byline, *co_artists(byline))))))


def joint_byline(artists: Iterable[str]) -> str | None:
    """The byline of a piece that carries the signatures of ``artists``; None where none of them is a name."""
    from asciiloom.piece.credit import plain_name  # many patterns to compile: when called

    named: dict[str, str] = {}
    for artist in (name for byline in artists for name in co_artists(byline)):
        if (key := fold(artist)) and key not in _NO_NAMES and plain_name(artist):
            named.setdefault(key, artist)
    return " & ".join(named.values()) or None
