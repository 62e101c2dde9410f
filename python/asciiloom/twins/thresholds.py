"""The lines between the same picture, a variant and another picture.

They were drawn by looking at pairs on either side of them, and can be moved: the scores of every
measured pair are stored.
"""

import json
import sqlite3
from dataclasses import dataclass

import numpy as np

from asciiloom.similarity.arrays import F32, F64, I64, Flags

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
    IX) is a variant. A crop that was found inside a larger scene is one where so much of it is there
    (``crop``), also of the ink that stands in its place (``crop_box``), and it says enough
    (``crop_bits``, ink times bits a glyph).
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
    crop: float = 0.90
    crop_box: float = 0.75
    crop_ink: int = 40
    crop_bits: float = 120.0

    def judge(
        self,
        scores: F32 | F64,
        ink: I64,
        bits: F64,
        banners: Flags,
        mirrored: Flags,
        cropped: Flags,
    ) -> list[str]:
        """A verdict for each pair: ``scores`` are (pairs, 3) agreement, containment and Jaccard (of a crop, of
        the ink in its place); ``ink`` and ``bits`` (entropy of a glyph) of the lesser side."""
        agreement, contained, box = scores.T
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
        part = (contained >= self.crop) & (box >= self.crop_box)
        part &= (ink >= self.crop_ink) & (ink * bits >= self.crop_bits)
        part &= (bits >= self.mono_bits) & ~banners
        same, variant = same & ~cropped, np.where(cropped, part, variant)
        return [VERDICTS[k] for k in np.where(same, 2, variant.astype(np.int8)).tolist()]

    def judge_again(
        self, connection: sqlite3.Connection, pair: tuple[int, int] | None = None
    ) -> None:
        """Judge ``pair``, or every pair, that no person has, from its stored scores."""
        one, params = (" AND a = ? AND b = ?", pair) if pair else ("", ())
        rows = connection.execute(
            "SELECT agreement, contained, jaccard, ink, bits, banners, evidence = 'mirror',"
            f" evidence = 'crop', a, b FROM twin WHERE NOT reviewed{one}",
            params,
        ).fetchall()
        table = np.array(rows, np.float64).reshape(-1, 10)
        verdicts = self.judge(
            table[:, :3],
            table[:, 3].astype(np.int64),
            table[:, 4],
            table[:, 5] > 0,
            table[:, 6] > 0,
            table[:, 7] > 0,
        )
        connection.executemany(
            "UPDATE twin SET verdict = ?1 WHERE a = ?2 AND b = ?3 AND verdict <> ?1",
            [(v, *r[-2:]) for v, r in zip(verdicts, rows, strict=True)],
        )


def kept_lines(connection: sqlite3.Connection) -> Lines:
    """The lines of the last dedup, or the usual ones."""
    row = connection.execute("SELECT value FROM setting WHERE name = 'lines'").fetchone()
    return Lines(**json.loads(row[0])) if row else Lines()
