"""Near-twin pairs laid out for a person: both pieces side by side, what differs, and what speaks for the
verdict."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from wcwidth import wcswidth

from asciiloom.piece import mirror_text
from asciiloom.twins.clusters import reason
from asciiloom.twins.marks import ranks_of
from asciiloom.twins.verdict_store import VerdictStore

_GAP = "  |  "


@dataclass(frozen=True, slots=True)
class Review:
    """A pair: ids, texts, verdict, scores, the one to keep and why."""

    a: int
    b: int
    texts: tuple[str, str]
    verdict: str
    evidence: str
    agreement: float
    contained: float
    reviewed: bool
    keep: int
    because: str

    @property
    def why(self) -> str:
        """One line of what was found."""
        seen = " in the mirror" if self.evidence == "mirror" else ""
        return (
            f"{self.verdict}, {self.agreement:.0%} of the ink agrees{seen}, {self.contained:.0%} of the"
            f" smaller one (by {self.evidence}); #{self.keep} is kept: {self.because}"
        )

    def to_dict(self) -> dict[str, Any]:
        names = (
            "a",
            "b",
            "verdict",
            "evidence",
            "agreement",
            "contained",
            "reviewed",
            "keep",
            "because",
        )
        return {name: getattr(self, name) for name in names} | {"texts": list(self.texts)}

    def side_by_side(self) -> list[str]:
        """Rows of both pieces beside each other."""
        left, right = (text.split("\n") for text in self.texts)
        wide = max(max(0, wcswidth(row)) for row in left)
        count = max(len(left), len(right))
        rows = []
        for one, two in zip(
            left + [""] * (count - len(left)), right + [""] * (count - len(right)), strict=True
        ):
            rows.append((one + " " * (wide - max(0, wcswidth(one))) + _GAP + two).rstrip())
        return rows

    def differences(self) -> tuple[list[list[bool]], list[list[bool]]]:
        """For each character of each row of both: whether the other has another one there.

        At the alignment of rows and columns that agrees best, within a few cells.
        """
        two = mirror_text(_padded(self.texts[1])) if self.evidence == "mirror" else self.texts[1]
        left, right = self.texts[0].split("\n"), two.split("\n")
        reach = range(-3, 4)
        dy, dx = max(
            ((y, x) for y in reach for x in reach),
            key=lambda s: (_agree(left, right, *s), -abs(s[0]) - abs(s[1])),
        )
        marks_left = [
            [_at(right, y - dy, x - dx) != c for x, c in enumerate(row)]
            for y, row in enumerate(left)
        ]
        marks_right = [
            [_at(left, y + dy, x + dx) != c for x, c in enumerate(row)]
            for y, row in enumerate(right)
        ]
        if self.evidence == "mirror":
            marks_right = [row[::-1] for row in marks_right]
        return marks_left, marks_right


def _padded(text: str) -> str:
    rows = text.split("\n")
    wide = max(map(len, rows))
    return "\n".join(row.ljust(wide) for row in rows)


def _at(rows: list[str], y: int, x: int) -> str:
    return rows[y][x] if 0 <= y < len(rows) and 0 <= x < len(rows[y]) else " "


def _agree(left: list[str], right: list[str], dy: int, dx: int) -> int:
    return sum(
        c != " " and _at(right, y - dy, x - dx) == c
        for y, row in enumerate(left)
        for x, c in enumerate(row)
    )


def reviews(
    connection: sqlite3.Connection,
    verdict: str = "variant",
    limit: int = 10,
    everything: bool = False,
    offset: int = 0,
) -> list[Review]:
    """Pairs of one verdict, those nearest to another verdict first."""
    order = "DESC" if verdict in ("variant", "apart") else "ASC"
    thresholds = VerdictStore(connection).thresholds
    min_agreement = thresholds.contained_union if verdict == "same" else 0.0
    rows = connection.execute(
        "SELECT a, b, one.text, two.text, verdict, evidence, agreement, contained, reviewed FROM"
        " (SELECT * FROM twin INDEXED BY twin_review WHERE verdict = ? AND reviewed"
        f" {'IN (0, 1)' if everything else '= 0'} AND agreement >= ?"
        f" ORDER BY agreement {order}, a, b LIMIT ? OFFSET ?)"
        " JOIN piece AS one ON one.id = a JOIN piece AS two ON two.id = b"
        f" ORDER BY agreement {order}, a, b",
        [verdict, min_agreement, limit, offset],
    ).fetchall()
    return [_review(connection, *row) for row in rows]


def review_pair(connection: sqlite3.Connection, a: int, b: int) -> Review | None:
    """The pair ``a``, ``b``, None where it was never measured."""
    row = connection.execute(
        "SELECT a, b, one.text, two.text, verdict, evidence, agreement, contained, reviewed FROM twin"
        " JOIN piece AS one ON one.id = a JOIN piece AS two ON two.id = b WHERE a = ? AND b = ?",
        (min(a, b), max(a, b)),
    ).fetchone()
    return _review(connection, *row) if row else None


def _review(
    connection: sqlite3.Connection,
    a: int,
    b: int,
    one: str,
    two: str,
    verdict: str,
    evidence: str,
    agreement: float,
    contained: float,
    reviewed: int,
) -> Review:
    ranks = ranks_of(connection, [a, b])
    keep, other = (a, b) if ranks[a] > ranks[b] else (b, a)
    because = reason(ranks[keep], ranks[other])
    return Review(
        a, b, (one, two), verdict, evidence, agreement, contained, bool(reviewed), keep, because
    )
