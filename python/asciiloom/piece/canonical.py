"""The canonical form: one text for one picture, however it was typed or sent.

Two files that look the same on a terminal become the same string, so that a content hash
finds the duplicate. The idea is a fixed pipeline of small total functions; each that changed
something leaves its name in ``Canonical.steps``, so nothing happens to a piece silently.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from wcwidth import wcswidth

from asciiloom.piece.kernels.codes import CodeArray

TAB_STOP = 8

# Complete terminal sequences go as a whole: dropping the ESC alone would leave "[31m" as art.
# Every repetition is bounded, so a hostile input cannot make matching quadratic.
_ESCAPES = re.compile(
    r"\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]"  # CSI
    r"|\x1b\][^\x07\x1b\n]{0,1024}(?:\x07|\x1b\\)"  # OSC
    r"|\x1b[PX^_][^\x1b\n]{0,1024}\x1b\\"  # DCS, SOS, PM, APC
    r"|\x1b[ -/]{0,8}[0-~]"  # two-byte escapes
)
_NEWLINES = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_CONTROLS = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f"  # C0 and C1, without the ones handled before
    "\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0001]"
)
_SURROGATES = re.compile("[\ud800-\udfff]")
_SPACES = re.compile("[\u00a0\u2007\u202f]")
# A row without an indent, after the first: then there is no common one.
_FLUSH = re.compile(r"\n[^ \n]")
_PLAIN = re.compile(r"[\n -~]*\Z")


@dataclass(frozen=True, slots=True)
class Canonical:
    """A canonical text and the names of the steps that changed something, in order."""

    text: str
    steps: tuple[str, ...] = ()


def _expand_tabs(text: str) -> str:
    """Replace each tab by spaces up to the next multiple of 8 *cells* (not code points)."""
    if text.isascii():
        return text.expandtabs(TAB_STOP)
    rows = []
    for row in text.split("\n"):
        parts = row.split("\t")
        cells = 0
        out: list[str] = []
        for part in parts[:-1]:
            cells += max(0, wcswidth(part))
            pad = TAB_STOP - cells % TAB_STOP
            cells += pad
            out += (part, " " * pad)
        rows.append("".join(out) + parts[-1])
    return "\n".join(rows)


def _trim(text: str) -> str:
    """Right-strip rows, drop blank edge rows, remove the common indent (spaces only)."""
    rows = [row.rstrip(" ") for row in text.split("\n")]
    first, last = 0, len(rows)
    while first < last and not rows[first]:
        first += 1
    while last > first and not rows[last - 1]:
        last -= 1
    rows = rows[first:last]
    indent = min((len(row) - len(row.lstrip(" ")) for row in rows if row), default=0)
    return "\n".join(row[indent:] for row in rows) if indent else "\n".join(rows)


def is_canonical(text: str) -> bool:
    """A cheap test that most text passes: printable, in NFC, with nothing to trim or change. What it
    refuses may be canonical all the same (full-width spaces, joined emoji)."""
    return (
        (text.isascii() or unicodedata.is_normalized("NFC", text))
        and text[:1] not in ("", "\n")
        and text[-1] not in " \n"
        and " \n" not in text
        and (text[0] != " " or _FLUSH.search(text) is not None)
        and text.replace("\n", "").isprintable()
    )


def are_canonical(texts: Sequence[str]) -> NDArray[np.bool_]:
    """``is_canonical`` of a batch in one compiled pass, but True for ASCII only: bool (texts,)."""
    from asciiloom.piece.kernels.whitespace import mark_canonical  # numba: when called

    array = CodeArray.of(texts)
    out = np.zeros(len(texts), np.bool_)
    mark_canonical(array.codes, array.first, out)
    return out


def canonicalize(text: str) -> Canonical:
    """Bring ``text`` to canonical form.

    NFC, LF line ends, no-break spaces to spaces, tabs expanded at 8 cells, no control
    characters, rows right-stripped, blank edge rows dropped, common indent removed. Total
    (any ``str`` is fine, lone surrogates become U+FFFD) and idempotent.
    """
    if is_canonical(text):
        return Canonical(text)
    steps: list[str] = []
    if not _PLAIN.match(text):
        for name, step in (
            ("surrogates", lambda t: _SURROGATES.sub("\ufffd", t)),
            ("escapes", lambda t: _ESCAPES.sub("", t)),
            ("newlines", lambda t: _NEWLINES.sub("\n", t)),
            ("controls", lambda t: _CONTROLS.sub("", t)),
            ("spaces", lambda t: _SPACES.sub(" ", t)),
            ("nfc", lambda t: unicodedata.normalize("NFC", t)),
            ("tabs", _expand_tabs),
        ):
            changed = step(text)
            if changed != text:
                steps.append(name)
                text = changed
    trimmed = _trim(text)
    if trimmed != text:
        steps.append("trim")
    return Canonical(trimmed, tuple(steps))
