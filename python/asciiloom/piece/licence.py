"""Licences: what a stated one is called, and whether a copy may be passed on.

People write a licence in many ways ("CC BY-SA 4.0", its address, "GPLv3 or later"). Each known way leads
to one identifier of the SPDX list (https://spdx.org/licenses/), several of them to an SPDX expression. A
statement is known as a whole or not at all: "MIT not granted to anyone" is not MIT, and "MIT (designs:
somebody else)" says that there is more to it. The identifiers themselves are ``packaging``'s, which carries
the list; which of them are open, and what else they are called, is told here.
"""

import functools
import re

# Longer statements are prose.
_LONGEST = 200

# Identifiers of licences that let everybody pass on copies, changed or not, for any purpose.
_OPEN = """
0BSD AFL-3.0 AGPL-3.0-only AGPL-3.0-or-later Apache-1.1 Apache-2.0 Artistic-1.0 Artistic-1.0-Perl
Artistic-2.0 Beerware BSD-1-Clause BSD-2-Clause BSD-3-Clause BSD-4-Clause BSL-1.0 CC-PDDC CC0-1.0 CDDL-1.0
CDDL-1.1 EPL-1.0 EPL-2.0 EUPL-1.1 EUPL-1.2 HPND ISC LAL-1.2 LAL-1.3 MIT MIT-0 MIT-CMU MPL-1.1 MPL-2.0 MS-PL
NCSA ODbL-1.0 ODC-By-1.0 OFL-1.0 OFL-1.1 OSL-3.0 PDDL-1.0 PostgreSQL PSF-2.0 Python-2.0 Ruby Unlicense UPL-1.0
Vim WTFPL X11 Zlib ZPL-2.1
""".split()
_OPEN += [f"CC-BY-{v}" for v in ("1.0", "2.0", "2.5", "3.0", "4.0")]
_OPEN += [f"CC-BY-SA-{v}" for v in ("1.0", "2.0", "2.5", "3.0", "4.0")]
_OPEN += [f"GPL-{v}-{or_later}" for v in ("1.0", "2.0", "3.0") for or_later in ("only", "or-later")]
_OPEN += [
    f"LGPL-{v}-{or_later}" for v in ("2.0", "2.1", "3.0") for or_later in ("only", "or-later")
]
# Names, as ``_plain`` writes them, that are usual and no identifier.
_NAMES = {
    "public domain": "CC-PDDC", "pd": "CC-PDDC", "cc0": "CC0-1.0", "cc 0": "CC0-1.0",
    "cc 0 1.0": "CC0-1.0", "cc0 1.0": "CC0-1.0", "cc zero": "CC0-1.0", "expat": "MIT", "x11/mit": "MIT",
    "apache 2": "Apache-2.0", "apache software 2.0": "Apache-2.0", "asl 2.0": "Apache-2.0",
    "mozilla public 2.0": "MPL-2.0", "simplified bsd": "BSD-2-Clause", "bsd 2": "BSD-2-Clause",
    "freebsd": "BSD-2-Clause", "new bsd": "BSD-3-Clause", "modified bsd": "BSD-3-Clause",
    "bsd 3": "BSD-3-Clause", "2 clause bsd": "BSD-2-Clause", "3 clause bsd": "BSD-3-Clause",
    "sil open font 1.1": "OFL-1.1", "boost software 1.0": "BSL-1.0", "psf": "Python-2.0",
    "free art 1.3": "LAL-1.3",
}  # fmt: skip
# Names of whole families, every member of which is open; which member is meant they do not say.
_FAMILIES = frozenset(["agpl", "apache", "artistic", "bsd", "gpl", "lgpl", "mpl", "ofl"])
_CLOSED = re.compile(r"(?:none|no licen[cs]e|unknown|unlicensed|proprietary|all rights reserved)\b")
_CREATIVE_COMMONS = re.compile(
    r"cc by(?P<nc> nc)?(?P<nd> nd)?(?P<sa> sa)?(?: (?P<version>[1-4])(?:\.(?P<minor>[05]))?)?"
    r"(?: (?:international|unported|generic))?"
)
_GNU = re.compile(
    r"(?:gnu )?(?P<kind>[al]?gpl) (?P<version>[123])(?:\.(?P<minor>[01]))?"
    r"(?P<later>\+| or later| or newer| or any later version)?(?: only)?"
)
_WORDS = (
    (r"creative commons|creativecommons", "cc"),
    (r"attribution", "by"),
    (r"non ?commercial", "nc"),
    (r"no ?deriv(?:ative)?s?", "nd"),
    (r"share ?alike", "sa"),
    (r"(?:gnu )?affero general public", "agpl"),
    (r"(?:gnu )?(?:lesser|library) general public", "lgpl"),
    (r"(?:gnu )?general public", "gpl"),
    (r"universal|public domain dedication", ""),
)
_IDENTIFIER = re.compile(r"(?!LicenseRef)[\w.+-]+(?: with [\w.+-]+)?", re.IGNORECASE | re.ASCII)
_ADDRESS = re.compile(r"https?://(?:www\.)?(?P<host>[a-z.]+)/*(?P<path>[\w./-]*)", re.IGNORECASE)
# The file that holds the text, as a remark behind the name.
_FILE = re.compile(
    r"(?:see )?(?:the )?(?:licen[cs]e|copying|gpl|mit|unlicense)(?: file)?(?:\.(?:txt|md))?"
)


def redistributable(stated: str | None) -> bool | None:
    """Whether everybody may pass a copy on: True, False, or None where the statement does not tell.

    The rule is for corpora, which are changed (art is brought to canonical form), merged, trained from
    and passed on by anyone for anything: True asks for leave to do all of that. So a licence that
    forbids changed copies (ND) or commercial ones (NC) is False, as is one that is not stated. Of
    "A OR B" one that is open will do, of "A AND B" both must be.
    """
    if stated is None or not stated.strip():
        return False
    return (
        _redistributable(_spaced(stated)) if len(stated) <= _LONGEST else _closed_or_unclear(stated)
    )


def spdx(stated: str | None) -> str | None:
    """The SPDX expression of what ``stated`` names, else None ("GPL" names several licences).

    Nearly always that is one identifier; "MIT or GPLv2+" is "MIT OR GPL-2.0-or-later".
    """
    return _expression(_spaced(stated)) if stated and len(stated) <= _LONGEST else None


def licence_name(stated: str | None) -> str | None:
    """The name by which a piece keeps its licence: the SPDX expression, or, of what is not known, all that
    was stated."""
    return spdx(stated) or stated or None


def _spaced(stated: str) -> str:
    return " ".join(stated.split())


def states_public_domain(words: str) -> bool:
    """Whether a remark says that a work is in the public domain ("not" makes it unclear)."""
    lowered = words.lower()
    return "public domain" in lowered and re.search(r"\b(?:not|no|non)\b", lowered) is None


@functools.lru_cache(4096)
def _redistributable(stated: str) -> bool | None:
    if (name := _identify(stated)) is not None:
        return _is_open(name)
    plain = _plain(stated)
    if plain in _FAMILIES:
        return True
    if (cc := _CREATIVE_COMMONS.fullmatch(plain)) is not None:  # of no stated version
        return not (cc["nc"] or cc["nd"])
    for operator in ("or", "and"):
        if len(parts := _split(stated, operator)) > 1:
            return _combine(operator, [_redistributable(part) for part in parts])
    return _closed_or_unclear(stated)


def _is_open(name: str) -> bool | None:
    """What the licence of this identifier allows; None of one that nobody has judged here."""
    name = name.partition(" WITH ")[0]  # an exception only allows more
    if (commons := re.match(r"CC-BY(?P<terms>(?:-NC|-ND|-SA)*)-\d", name)) is not None:
        return not {"NC", "ND"} & set(commons["terms"].split("-"))
    return True if name in _OPEN else None


@functools.lru_cache(4096)
def _expression(stated: str) -> str | None:
    """The SPDX expression of a licence, or of several joined by "or" and "and"."""
    if (name := _identify(stated)) is not None:
        return name
    for operator in ("or", "and"):
        if len(parts := _split(stated, operator)) > 1:
            names = [name for part in parts if (name := _expression(part)) is not None]
            if len(names) < len(parts):
                return None
            return f" {operator.upper()} ".join(
                f"({name})" if operator == "and" and " OR " in name else name for name in names
            )
    return None


def _closed_or_unclear(stated: str) -> bool | None:
    return False if _CLOSED.match(stated.strip().lower()) else None


def _combine(operator: str, found: list[bool | None]) -> bool | None:
    """What "A or B" or "A and B" allows. A part that is not known may take back what the others say."""
    if operator == "and" and False in found:
        return False
    return None if None in found else True in found


def _split(expression: str, operator: str) -> list[str]:
    """The parts of an SPDX expression between ``operator``, outside parentheses."""
    parts, depth, start = [], 0, 0
    if expression.startswith("(") and expression.find(")") == len(expression) - 1:
        expression = expression[1:-1]
    between = rf"[()]|\s{operator}\s(?!(?:any )?(?:later|newer))"
    for match in re.finditer(between, expression, re.IGNORECASE):
        if match[0] in "()":
            depth += 1 if match[0] == "(" else -1
        elif depth == 0:
            parts.append(expression[start : match.start()].strip())
            start = match.end()
    return [*parts, expression[start:].strip()]


@functools.lru_cache(4096)
def _identify(stated: str) -> str | None:
    plain = _plain(stated)
    if plain in _BY_NAME:
        return _BY_NAME[plain]
    if (gnu := _GNU.fullmatch(plain)) is not None:
        version = f"{gnu['version']}.{gnu['minor'] or 0}"
        name = f"{gnu['kind'].upper()}-{version}-{'or-later' if gnu['later'] else 'only'}"
        return name if name in _OPEN else None
    cc = _CREATIVE_COMMONS.fullmatch(plain)
    if cc is not None and cc["version"]:
        terms = "".join(f"-{term.upper()}" for term in ("nc", "nd", "sa") if cc[term])
        return f"CC-BY{terms}-{cc['version']}.{cc['minor'] or 0}"
    return _listed(stated)


def _listed(stated: str) -> str | None:
    """``stated`` as the SPDX list writes it, where it is an identifier of that list, maybe with an exception."""
    if not _IDENTIFIER.fullmatch(stated):
        return None
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        return canonicalize_license_expression(stated)
    except InvalidLicenseExpression:
        return None


def _plain(stated: str) -> str:
    """A statement in lower case with single spaces for all that separates, and without the words that
    change nothing; addresses as the name that they hold."""
    if (address := _ADDRESS.fullmatch(stated.strip())) is not None:
        stated = _of_address(address["host"].lower(), address["path"])
    name, remark, rest = stated.strip().partition("(")
    if remark and rest.endswith(")") and _adds_nothing(name, rest[:-1].strip()):
        stated = name
    return _words(stated)


def _adds_nothing(name: str, remark: str) -> bool:
    """Whether a remark behind a licence takes nothing back: its file, its name again, another open one."""
    if _FILE.fullmatch(remark.lower()) or _words(remark) == _words(name):
        return True
    also = re.fullmatch(r"also (?P<other>[^()]+)", remark, re.IGNORECASE)
    return also is not None and _redistributable(also["other"]) is True


def _words(text: str) -> str:
    text = re.sub(r"[\s_,-]+", " ", text.lower())
    for pattern, word in _WORDS:
        text = re.sub(rf"\b(?:{pattern})\b", word, text)
    text = re.sub(r"\b(?:the|licen[cs]e[sd]?|version|deed)\b", " ", text)
    text = re.sub(r"\bv(?:\.| )?(?=\d)|(?<=gpl)v(?=\d)", " ", text)
    text = " ".join(text.split())
    return re.sub(r"(?<=gpl)(?=\d)", " ", text)


def _of_address(host: str, path: str) -> str:
    """The name that the address of a licence holds."""
    path = re.sub(
        r"(?:\.en)?\.(?:html?|txt|php)\Z|/(?:legalcode|deed)[\w.]*\Z", "", path.strip("/")
    )
    last = path.rsplit("/", 1)[-1]
    if host == "creativecommons.org":
        kind, _, terms = path.partition("/")
        if kind == "publicdomain":
            return "public domain" if terms.startswith("mark") else "CC0-1.0"
        return f"CC {terms.replace('/', ' ')}" if kind == "licenses" else path
    if host == "apache.org":
        return last.replace("LICENSE", "Apache")
    if host == "unlicense.org":
        return "Unlicense"
    return last if host in ("opensource.org", "spdx.org", "gnu.org", "mozilla.org") else path


_BY_NAME = {_words(name): name for name in _OPEN} | _NAMES
