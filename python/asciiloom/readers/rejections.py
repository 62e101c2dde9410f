"""Few rejections for many failures: what one input may leave behind is bounded.

A table of half a million rows without an art column fails half a million times for the same reason.
Neighbouring rows that fail for the same thing are one rejection that names them all ("rows 1-500000").
Of what remains, an input keeps ``KEPT`` rejections of each reason with their own place; all further ones
are one more, at the place of the first of them. ``Rejection.count`` says how many each stands for, so
their sum is what it was.

Condensing what was condensed in parts gives what condensing the whole gives: a worker condenses its
stretch of a long file, and the writer condenses the stretches.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from asciiloom.piece import Rejection

KEPT = 100
_ROWS = re.compile(r"(.*\b)?rows? (\d{1,18})(?:-(\d{1,18}))?\Z", re.DOTALL)


def names_rows(locator: str) -> bool:
    """Whether ``locator`` is that of a row of a table, or of several."""
    return _ROWS.match(locator) is not None


# Source and reason: rejections are counted apart for each.
Key = tuple[str, str]


@dataclass(slots=True)
class _Run:
    """``item`` and rows after it that failed alike: ``first`` to ``last`` of what ``prefix`` names; both
    -1 where the locator names no rows, or the item stands for more than those."""

    item: Rejection
    prefix: str
    first: int
    last: int

    @classmethod
    def of(cls, item: Rejection) -> "_Run":
        match = _ROWS.match(item.locator)
        if match is not None:
            first, last = int(match[2]), int(match[3] or match[2])
            if last - first + 1 == item.count:
                return cls(item, match[1] or "", first, last)
        return cls(item, "", -1, -1)

    def takes(self, other: "_Run") -> bool:
        """Whether ``other`` follows without a gap and failed alike; then it is part of this one."""
        if (
            0 <= self.last == other.first - 1
            and self.prefix == other.prefix
            and self.item.detail == other.item.detail
        ):
            self.last = other.last
            return True
        return False

    def rejection(self) -> Rejection:
        count = self.last - self.first + 1
        if self.first < 0 or count == self.item.count:
            return self.item
        return replace(
            self.item, locator=f"{self.prefix}rows {self.first}-{self.last}", count=count
        )


class Condenser:
    """Takes the rejections of inputs one after the other; holds those of the present input only."""

    def __init__(self) -> None:
        self._path: str | None = None
        # The last run of each key, which the row after it may join.
        self._growing: dict[Key, _Run] = {}
        self._kept: Counter[Key] = Counter()
        self._beyond: dict[Key, Rejection] = {}

    def add(self, rejections: Iterable[Rejection]) -> list[Rejection]:
        """What can be written already of ``rejections`` and those before them."""
        out: list[Rejection] = []
        for item in rejections:
            if item.path != self._path:
                out += self.finish()
                self._path = item.path
            key = (item.source, item.reason)
            run = _Run.of(item)
            before = self._growing.get(key)
            if before is not None and before.takes(run):
                continue
            self._growing[key] = run
            if before is not None:
                out += self._admit(key, before.rejection())
        return out

    def finish(self) -> list[Rejection]:
        """The rest, at the end of an input."""
        out: list[Rejection] = []
        for key, run in self._growing.items():
            out += self._admit(key, run.rejection())
        out += self._beyond.values()
        self._growing, self._beyond, self._kept = {}, {}, Counter()
        return out

    def _admit(self, key: Key, item: Rejection) -> list[Rejection]:
        """``item`` while its reason has room, else nothing: it is counted with the others."""
        if self._kept[key] < KEPT:
            self._kept[key] += 1
            return [item]
        first = self._beyond.setdefault(key, item)
        if first is not item:
            self._beyond[key] = replace(first, count=first.count + item.count)
        return []


def condense(rejections: Iterable[Rejection]) -> list[Rejection]:
    """``rejections`` of whole inputs, or of a stretch of one, as few."""
    condenser = Condenser()
    return condenser.add(rejections) + condenser.finish()
