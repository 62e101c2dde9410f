"""Drawings without a signature: what a model learned of its artists' names is not its own to write.

A model that saw ``jgs`` under every second piece signs its drawings too. Whose drawing it is said to be
is then wrong, so what ``piece.credit`` recognises as credit is taken out, unless it was asked for.
"""

from asciiloom.generate.constraint import Constraint
from asciiloom.piece import blank_credits, canonicalize, find_credits


def unsigned(text: str, limits: Constraint, words: str = "") -> str:
    """Canonical ``text`` without the credits in it that ``words`` do not ask for.

    Limits go first: a credit stays where the drawing would break one of ``limits`` without it, as a
    drawing of exact size does whose widest row is signed at its end.
    """
    asked = words.lower()
    while True:
        for span in find_credits(text):
            bare = canonicalize(blank_credits(text, (span,))).text
            if span.text.lower() not in asked and not limits.violations(bare):
                text = bare
                break  # the rows moved: what else is credit is found anew
        else:
            return text
