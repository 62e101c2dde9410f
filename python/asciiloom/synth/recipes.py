"""Which drawings are made, how often each, and the stream of distinct pieces that comes of it."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from random import Random

from asciiloom.piece import Piece, canonicalize, clean_tags
from asciiloom.synth.figures import animal, face, house, robot, rocket, scene, tree
from asciiloom.synth.geometry import Drawing, maze, pattern, shape
from asciiloom.synth.lettering import banner, box, card, chart

SOURCE = "asciiloom/synth"
LICENCE = "CC0-1.0"

# (kind, generator, share of the pieces)
RECIPES: tuple[tuple[str, Callable[[Random], Drawing | None], int], ...] = (
    ("banner", banner, 18),
    ("box", box, 11),
    ("shape", shape, 27),
    ("chart", chart, 9),
    ("maze", maze, 5),
    ("pattern", pattern, 8),
    ("card", card, 5),
    ("face", face, 10),
    ("art", animal, 6),
    ("art", robot, 5),
    ("tree", tree, 6),
    ("art", house, 4),
    ("art", rocket, 4),
    ("scene", scene, 7),
)
# Give up on a recipe mix that no longer yields anything new.
_STALE = 2000
_SECONDS = 600


def generate(
    count: int, seed: int = 0, kinds: tuple[str, ...] = (), fonts: tuple[str, ...] = ()
) -> Iterator[Piece]:
    """``count`` distinct pieces (fewer where the chosen ``kinds`` have no more).

    ``fonts`` asks for banners in these fonts only.
    """
    chosen = [r for r in RECIPES if not kinds or r[0] in kinds]
    if fonts:
        chosen = [("banner", partial(banner, fonts=fonts), 1)]
    weights = [share for _, _, share in chosen]
    seen: set[str] = set()
    number = stale = 0
    until = time.monotonic() + _SECONDS
    while chosen and len(seen) < count and stale < _STALE and time.monotonic() < until:
        rng = Random(f"{seed}:{number}")
        number += 1
        kind, make, _ = rng.choices(chosen, weights)[0]
        made = make(rng)
        if made is None:
            continue
        text = canonicalize(made[0]).text
        if text in seen or not text:
            stale += 1
            continue
        stale = 0
        seen.add(text)
        yield Piece(
            text=text,
            title=made[1],
            tags=clean_tags(made[2]),
            kind=kind,
            source=SOURCE,
            licence=LICENCE,
            path=f"seed {seed}",
            locator=str(number - 1),
        )
