"""Seeded generators of labelled pieces: data without anyone's copyright, as much as is needed.

Piece number i of seed s is always the same drawing, so a corpus made from it can be named by
two numbers. Duplicates are dropped on the way, so ``count`` distinct pieces come out.
"""

from asciiloom.synth.lettering import FONTS
from asciiloom.synth.recipes import RECIPES, generate

__all__ = ["FONTS", "RECIPES", "generate"]
