"""Verdicts in the database: measured pairs with their scores, and the thresholds they were judged by."""

import json
import sqlite3
from dataclasses import asdict

import numpy as np

from asciiloom.similarity.arrays import I64
from asciiloom.similarity.pairs import CROP, EVIDENCE, MIRROR, Measured
from asciiloom.similarity.thresholds import Thresholds
from asciiloom.store.chosen import chosen_ids
from asciiloom.store.transaction import transaction

_NEW_TWIN = (
    "INSERT INTO twin (a, b, verdict, evidence, agreement, contained, jaccard, ink,"
    " bits, banners) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (a, b) DO UPDATE SET verdict = excluded.verdict, evidence = excluded.evidence,"
    " agreement = excluded.agreement, contained = excluded.contained, jaccard = excluded.jaccard,"
    " ink = excluded.ink, bits = excluded.bits, banners = excluded.banners"
    " WHERE NOT reviewed AND excluded.agreement > agreement"
)


class VerdictStore:
    """The measured pairs of a corpus. ``thresholds`` are those of the last dedup, or the usual ones."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        # "lines" is what the thresholds are called in files.
        row = connection.execute("SELECT value FROM setting WHERE name = 'lines'").fetchone()
        self._stored: dict[str, float] | None = json.loads(row[0]) if row else None
        self.thresholds = Thresholds.kept(self._stored) if self._stored else Thresholds()

    def settle(self, asked: Thresholds | None) -> bool:
        """Judge by ``asked``, where given, from now on; whether stored verdicts were judged by others."""
        self.thresholds = asked or self.thresholds
        former, self._stored = self._stored, asdict(self.thresholds)
        if self._stored != former:
            with transaction(self._db):
                self._db.execute(
                    "INSERT OR REPLACE INTO setting (name, value) VALUES ('lines', ?)",
                    (json.dumps(self._stored),),
                )
        return former is not None and self._stored != former

    def write_measured(self, found: Measured) -> None:
        """Judge measured pairs and write them down; within a transaction.

        A pair that is there already gets the better of both scores, unless a person judged it.
        """
        left, right, evidence = found.pairs.left, found.pairs.right, found.pairs.evidence
        banners = self._banners(np.union1d(left, right))
        left_words, right_words = np.isin(left, banners), np.isin(right, banners)
        lettering = found.left_lettering | left_words
        lettering &= found.right_lettering | right_words
        flags = (lettering, left_words & right_words, evidence == MIRROR, evidence == CROP)
        verdicts = self.thresholds.judge(found.scores, found.ink, found.bits, *flags)
        self._db.executemany(
            _NEW_TWIN,
            zip(
                left.tolist(), right.tolist(), verdicts, [EVIDENCE[e] for e in evidence],
                *found.scores.T.tolist(), found.ink.tolist(), np.round(found.bits, 3).tolist(),
                lettering.astype(np.int64).tolist(),
                strict=True,
            ),
        )  # fmt: skip

    def judge_again(self, pair: tuple[int, int] | None = None) -> None:
        """Judge ``pair``, or every pair, from its stored scores; what a person judged stays."""
        one, params = (" AND a = ? AND b = ?", pair) if pair else ("", ())
        rows = self._db.execute(
            "SELECT agreement, contained, jaccard, twin.ink, bits, banners,"
            " one.kind = 'banner' AND two.kind = 'banner', evidence = 'mirror', evidence = 'crop', a, b"
            " FROM twin JOIN piece AS one ON one.id = a JOIN piece AS two ON two.id = b"
            f" WHERE NOT reviewed{one}",
            params,
        ).fetchall()
        table = np.array(rows, np.float64).reshape(-1, 11)
        flags = (table[:, 5:9] > 0).T
        verdicts = self.thresholds.judge(
            table[:, :3], table[:, 3].astype(np.int64), table[:, 4], *flags
        )
        self._db.executemany(
            "UPDATE twin SET verdict = ?1 WHERE a = ?2 AND b = ?3 AND verdict <> ?1",
            [(v, *row[-2:]) for v, row in zip(verdicts, rows, strict=True)],
        )

    def _banners(self, ids: I64) -> I64:
        """Those of the pieces ``ids`` that are words set in a font."""
        with chosen_ids(self._db, ids) as table:
            rows = self._db.execute(
                f"SELECT piece.id FROM {table} CROSS JOIN piece ON piece.id = {table}.id"
                " WHERE kind = 'banner'"
            )
            return np.fromiter((row[0] for row in rows), np.int64)
