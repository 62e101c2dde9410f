"""The lines between the same picture, a variant and another picture.

They were drawn by looking at pairs on either side of them, and can be moved: the scores of every
measured pair are stored.
"""

import json
import sqlite3
from dataclasses import dataclass

import numpy as np

from asciiloom.corpus.arrays import F32, F64, I64, Flags

# Low pictures of hardly more than one glyph are lettering, whatever they are called.
LETTERING_ROWS = 9
LETTERING_BITS = 1.6
VERDICTS = ("apart", "variant", "same")


@dataclass(frozen=True, slots=True)
class Lines:
    """Least agreement (equal / union of ink) and containment (equal / smaller ink) of each verdict.

    ``contained``: the smaller one lies whole in the larger, which is not much more than it
    (``contained_union``). Where agreement comes cheap, more of it is asked for: below ``poor_bits``
    a glyph (walls, mazes, fills) ``poor``, below ``tiny_ink`` cells ``tiny``, and of words set in a
    font, which differ by a letter, ``banner`` or, where they are built of hardly more than one glyph
    (``mono_bits``), ``mono``. A poor drawing of little ink that is another's mirror image (XI and
    IX) is a variant.
    """

    same: float = 0.80
    contained: float = 0.95
    contained_union: float = 0.75
    contained_poor: float = 0.985
    variant: float = 0.50
    variant_contained: float = 0.90
    variant_union: float = 0.25
    poor: float = 0.90
    poor_bits: float = 2.8
    mono: float = 0.985
    mono_bits: float = LETTERING_BITS
    mirror_ink: int = 60
    banner: float = 0.95
    tiny: float = 0.95
    tiny_ink: int = 24

    def judge(
        self,
        agreement: F32 | F64,
        contained: F32 | F64,
        ink: I64,
        bits: F64,
        banners: Flags,
        mirrored: Flags,
    ) -> list[str]:
        """A verdict for each pair; ``ink`` and ``bits`` (entropy of a glyph) of the lesser side."""
        whole = (contained >= self.contained) & (agreement >= self.contained_union)
        needed = np.where(bits < self.poor_bits, self.poor, self.same)
        strict = np.where(bits < self.mono_bits, self.mono, self.banner)
        needed = np.where(banners, strict, needed)
        needed = np.where(ink < self.tiny_ink, self.tiny, needed)
        whole &= ~banners
        whole &= (needed == self.same) | (
            (needed == self.poor) & (contained >= self.contained_poor)
        )
        same = (agreement >= needed) | whole
        same &= ~(mirrored & (bits < self.poor_bits) & (ink < self.mirror_ink))
        variant = (agreement >= self.variant) | (
            (contained >= self.variant_contained) & (agreement >= self.variant_union)
        )
        variant &= ink >= self.tiny_ink
        return [VERDICTS[k] for k in np.where(same, 2, variant.astype(np.int8)).tolist()]

    def judge_again(
        self, connection: sqlite3.Connection, pair: tuple[int, int] | None = None
    ) -> None:
        """Judge ``pair``, or every pair, that no person has, from its stored scores."""
        one, params = (" AND a = ? AND b = ?", pair) if pair else ("", ())
        rows = connection.execute(
            f"SELECT agreement, contained, ink, bits, banners, evidence = 'mirror', a, b FROM twin"
            f" WHERE NOT reviewed{one}",
            params,
        ).fetchall()
        table = np.array(rows, np.float64).reshape(-1, 8)
        verdicts = self.judge(
            table[:, 0],
            table[:, 1],
            table[:, 2].astype(np.int64),
            table[:, 3],
            table[:, 4] > 0,
            table[:, 5] > 0,
        )
        connection.executemany(
            "UPDATE twin SET verdict = ?1 WHERE a = ?2 AND b = ?3 AND verdict <> ?1",
            [(v, r[6], r[7]) for v, r in zip(verdicts, rows, strict=True)],
        )


def kept_lines(connection: sqlite3.Connection) -> Lines:
    """The lines of the last dedup, or the usual ones."""
    row = connection.execute("SELECT value FROM setting WHERE name = 'lines'").fetchone()
    return Lines(**json.loads(row[0])) if row else Lines()
