"""Drawings of five other kinds than planted.py's, kept apart: no threshold was set by looking at them."""

import math
from collections.abc import Callable
from random import Random

_RAMPS = (" .:-=+*#%@", " .,;!vlLFE$", " ░▒▓█", " .oO@")
_LABELS = ("input", "cache", "worker", "queue", "store", "user", "log", "index", "proxy", "disk")
_NAMES = ("jgs", "hjw", "ejm97", "snd", "VK", "mrx", "kd", "Tom B", "zaq")
_STEPS = {"/": (1, -1), "\\": (1, 1), "|": (0, 1), "_": (1, 0), "-": (1, 0)}
_STARS = ".*+'`o"


class Apart:
    """Shaded forms, lines that wander, diagrams, skies with little in them, sprites of two glyphs."""

    def original(self, rng: Random) -> str:
        """One drawing, with its signature where it has one."""
        makers: tuple[Callable[[Random], list[str]], ...] = (
            self._shaded, self._wandering, self._diagram, self._sky, self._sprites,
        )  # fmt: skip
        rows = rng.choice(makers)(rng)
        if rng.random() < 0.35:
            rows = [*rows, " " * rng.randrange(max(map(len, rows))) + rng.choice(_NAMES)]
        return "\n".join(row.rstrip() for row in rows)

    def _shaded(self, rng: Random) -> list[str]:
        """Light falling on a few balls."""
        ramp = rng.choice(_RAMPS)
        wide, high = rng.randrange(24, 70), rng.randrange(9, 24)
        balls = [
            (rng.uniform(0, wide), rng.uniform(0, high), rng.uniform(5, 16), rng.uniform(0.5, 1))
            for _ in range(rng.randrange(2, 6))
        ]

        def light(x: int, y: int) -> float:
            return max(
                bright * math.sqrt(max(0.0, 1 - ((x - u) ** 2 + 4 * (y - v) ** 2) / r**2))
                for u, v, r, bright in balls
            )

        top = len(ramp) - 1
        return [
            "".join(ramp[min(top, int(light(x, y) * len(ramp)))] for x in range(wide))
            for y in range(high)
        ]

    def _wandering(self, rng: Random) -> list[str]:
        """A few lines, each of which goes on for some cells before it turns."""
        wide, high = rng.randrange(24, 72), rng.randrange(8, 22)
        cells = [[" "] * wide for _ in range(high)]
        for _ in range(rng.randrange(6, 16)):
            x, y = rng.randrange(wide), rng.randrange(high)
            for _ in range(rng.randrange(2, 7)):
                glyph, (dx, dy) = rng.choice([*_STEPS.items()])
                way = rng.choice((-1, 1))
                for _ in range(rng.randrange(2, 9)):
                    if 0 <= x < wide and 0 <= y < high:
                        cells[y][x] = glyph
                    x, y = x + way * dx, y + way * dy
        return ["".join(row) for row in cells]

    def _diagram(self, rng: Random) -> list[str]:
        """Boxes with a word each, rows of them joined by arrows."""
        rows: list[str] = []
        for _ in range(rng.randrange(2, 5)):
            top = middle = " " * rng.randrange(12)
            for k in range(rng.randrange(2, 5)):
                label = f" {rng.choice(_LABELS)} {rng.randrange(1000)} "
                join = rng.choice(("-->", "<--", "...", "==>")) if k else ""
                top += " " * len(join) + "+" + "-" * len(label) + "+"
                middle += join + "|" + label + "|"
            rows += [top, middle, top]
            rows += [" " * rng.randrange(4, 30) + rng.choice("|v^")] * rng.randrange(1, 3)
        return rows

    def _sky(self, rng: Random) -> list[str]:
        """Stars far apart: little ink in many cells."""
        wide, high = rng.randrange(40, 76), rng.randrange(9, 20)
        share = rng.uniform(0.06, 0.14)
        return [
            "".join(rng.choice(_STARS) if rng.random() < share else " " for _ in range(wide))
            for _ in range(high)
        ]

    def _sprites(self, rng: Random) -> list[str]:
        """Symmetrical figures of a screen's own squares, side by side."""
        full, half = rng.choice((("#", "."), ("█", "▄"), ("@", "o"), ("X", "x")))
        rows = [""] * rng.randrange(8, 15)
        for _ in range(rng.randrange(3, 6)):
            for y in range(len(rows)):
                side = "".join(rng.choice((full, full, half, " ", " ")) for _ in range(6))
                rows[y] += side + side[::-1] + "  "
        return rows
