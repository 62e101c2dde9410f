"""The lines between the same picture, a variant and another picture.

They were drawn by looking at pairs on either side of them, and can be moved: the scores of every
measured pair are stored.
"""

import sqlite3
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asciiloom.corpus.grids import I64

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
VERDICTS = ("apart", "variant", "same")


@dataclass(frozen=True, slots=True)
class Lines:
    """Least agreement (equal / union of ink) and containment (equal / smaller ink) of each verdict.

    ``contained``: the smaller one lies whole in the larger, which is not much more than it
    (``contained_union``). Few ink cells agree by chance: below ``tiny_ink`` cells almost all must
    (``tiny``); words set in a font differ by a letter, so by few cells (``banner``).
    """

    same: float = 0.80
    contained: float = 0.95
    contained_union: float = 0.60
    variant: float = 0.50
    variant_contained: float = 0.90
    variant_union: float = 0.25
    banner: float = 0.95
    tiny: float = 0.95
    tiny_ink: int = 24

    def judge(
        self,
        agreement: F32 | F64,
        contained: F32 | F64,
        ink: I64,
        banners: NDArray[np.bool_],
    ) -> list[str]:
        """A verdict for each pair; ``ink`` of the smaller side."""
        whole = (contained >= self.contained) & (agreement >= self.contained_union)
        same = (agreement >= self.banner) | (~banners & ((agreement >= self.same) | whole))
        variant = (agreement >= self.variant) | (
            (contained >= self.variant_contained) & (agreement >= self.variant_union)
        )
        tiny = ink < self.tiny_ink
        same = np.where(tiny, agreement >= self.tiny, same)
        variant &= ~tiny
        return [VERDICTS[k] for k in np.where(same, 2, variant.astype(np.int8)).tolist()]

    def judge_again(self, connection: sqlite3.Connection) -> None:
        """Judge every pair that no person has, from its stored scores."""
        rows = connection.execute(
            "SELECT agreement, contained, ink, banners, a, b FROM twin WHERE NOT reviewed"
        ).fetchall()
        table = np.array(rows, np.float64).reshape(-1, 6)
        verdicts = self.judge(
            table[:, 0], table[:, 1], table[:, 2].astype(np.int64), table[:, 3] > 0
        )
        connection.executemany(
            "UPDATE twin SET verdict = ?1 WHERE a = ?2 AND b = ?3 AND verdict <> ?1",
            [(v, r[4], r[5]) for v, r in zip(verdicts, rows, strict=True)],
        )
