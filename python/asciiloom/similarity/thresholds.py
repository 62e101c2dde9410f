"""The thresholds between the same picture, a variant and another picture.

They were set by looking at pairs on either side of them, and can be moved: the scores of every
measured pair are stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from asciiloom.similarity.arrays import F32, F64, I64, Flags

# Low pictures of hardly more than one glyph are lettering, whatever they are called.
LETTERING_ROWS = 9
LETTERING_BITS = 1.6
VERDICTS = ("apart", "variant", "same")
# What was the default in former versions.
_FORMER = {"poor": 0.90}


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What a pair must reach for each verdict. The names are those under which a corpus keeps them.

    Agreement is equal / union of ink, but for what strays (``alignment``), containment equal / the ink of the smaller piece.

    *Same* is a pair that agrees (``same``), or whose smaller piece lies whole in the larger
    (``contained``), which is not much more than it (``contained_union``, of agreement). *Variant* is the
    same with ``variant``, ``variant_contained`` and ``variant_union``.

    Where agreement is had cheaply, more of it is asked for. ``poor`` and ``contained_poor``: pieces that
    say fewer than ``poor_bits`` a glyph (walls, mazes, fills). ``tiny``: fewer than ``tiny_ink`` cells of
    ink. ``banner``: words set in a font, which may differ by a letter only; ``mono`` where the letters are
    built of hardly more than one glyph (``mono_bits``). Letters share half their ink by chance, and lie whole
    in words: variants among them go by agreement alone (``banner_variant``), and where both pieces are known
    to be words, by most of it (``word_variant``). A mirror image of a poor piece with less than
    ``mirror_ink`` is a variant: XI is not IX.

    A crop is a variant where its own ink is found in the scene (``crop``), also as a share of the ink that
    stands there (``crop_box``), and it is enough to go by: ``crop_ink`` cells, and ``crop_bits`` of ink
    times bits a glyph.
    """

    same: float = 0.80
    contained: float = 0.95
    contained_union: float = 0.75
    contained_poor: float = 0.985
    variant: float = 0.50
    variant_contained: float = 0.90
    variant_union: float = 0.25
    poor: float = 0.92
    poor_bits: float = 2.8
    mono: float = 0.985
    mono_bits: float = LETTERING_BITS
    mirror_ink: int = 60
    banner: float = 0.95
    banner_variant: float = 0.65
    word_variant: float = 0.85
    tiny: float = 0.95
    tiny_ink: int = 24
    crop: float = 0.90
    crop_box: float = 0.75
    crop_ink: int = 40
    crop_bits: float = 120.0

    @classmethod
    def kept(cls, record: Mapping[str, Any]) -> "Thresholds":
        """The thresholds that a corpus kept by their names.

        Where another version wrote them, what it did not know and what was the default once are as they
        are today, and what is unknown here is left out.
        """
        known = {field.name for field in fields(cls)}
        former = {} if record.keys() == known else _FORMER
        chosen = {n: x for n, x in record.items() if n in known and former.get(n) != x}
        return cls(**chosen)

    def judge(
        self,
        scores: F32 | F64,
        ink: I64,
        bits: F64,
        lettering: Flags,
        words: Flags,
        mirrored: Flags,
        cropped: Flags,
    ) -> list[str]:
        """A verdict for each pair.

        ``scores`` (pairs, 3) are agreement, containment and Jaccard, or of a crop the share of ink under it
        that agrees. ``ink`` in cells and ``bits`` a glyph are those of the side with less. ``lettering``:
        both sides are words set in a font, or look like it; ``words``: they are known to be.
        """
        agreement, contained, box = scores.T
        whole = (contained >= self.contained) & (agreement >= self.contained_union)
        needed = np.where(bits < self.poor_bits, self.poor, self.same)
        strict = np.where(bits < self.mono_bits, self.mono, self.banner)
        needed = np.where(lettering, strict, needed)
        needed = np.where(ink < self.tiny_ink, self.tiny, needed)
        whole &= ~lettering
        whole &= (needed == self.same) | (
            (needed == self.poor) & (contained >= self.contained_poor)
        )
        same = (agreement >= needed) | whole
        same &= ~(mirrored & (bits < self.poor_bits) & (ink < self.mirror_ink))
        in_a_font = np.where(words, self.word_variant, self.banner_variant)
        variant = (contained >= self.variant_contained) & (agreement >= self.variant_union)
        variant = (variant & ~lettering) | (
            agreement >= np.where(lettering, in_a_font, self.variant)
        )
        variant &= ink >= self.tiny_ink
        part = (contained >= self.crop) & (box >= self.crop_box)
        part &= (ink >= self.crop_ink) & (ink * bits >= self.crop_bits)
        part &= (bits >= self.mono_bits) & ~lettering
        same, variant = same & ~cropped, np.where(cropped, part, variant)
        return [VERDICTS[k] for k in np.where(same, 2, variant.astype(np.int8)).tolist()]
