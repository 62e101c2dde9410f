"""Shapes, patterns and mazes: drawings that follow from a formula."""

import math
from collections.abc import Callable
from random import Random

from asciiloom.synth.sheet import Sheet

Drawing = tuple[str, str, tuple[str, ...]]  # text, title, tags

# A terminal cell is about twice as tall as wide.
ASPECT = 2.0
FILLS = "#*@o.+x%"


def _circle(x: float, y: float) -> bool:
    return x * x + y * y <= 1


def _ring(x: float, y: float) -> bool:
    return 0.45 <= x * x + y * y <= 1


def _square(x: float, y: float) -> bool:
    return True


def _diamond(x: float, y: float) -> bool:
    return abs(x) + abs(y) <= 1


def _triangle(x: float, y: float) -> bool:
    return abs(x) <= (y + 1) / 2


def _hexagon(x: float, y: float) -> bool:
    return abs(x) + abs(y) / 2 <= 1


def _cross(x: float, y: float) -> bool:
    return abs(x) < 0.34 or abs(y) < 0.34


def _heart(x: float, y: float) -> bool:
    x, y = x * 1.2, 0.35 - y * 1.2
    return (x * x + y * y - 1) ** 3 - x * x * y**3 <= 0


def _star(x: float, y: float) -> bool:
    """Five tips, one up: below the line from a tip to the notch beside it."""
    x, y = x * 1.02, y * 0.95 + 0.09
    sector = 2 * math.pi / 5
    turn = abs((math.atan2(x, -y) + sector / 2) % sector - sector / 2)
    along, aside = math.hypot(x, y) * math.cos(turn), math.hypot(x, y) * math.sin(turn)
    notch_x, notch_y = 0.42 * math.cos(sector / 2), 0.42 * math.sin(sector / 2)
    return aside * (1 - notch_x) <= (1 - along) * notch_y


def _moon(x: float, y: float) -> bool:
    return x * x + y * y <= 1 and (x - 0.5) ** 2 + y * y > 0.72


def _arrow_right(x: float, y: float) -> bool:
    return abs(y) < 0.34 if x < 0.1 else abs(y) <= (1 - x) / 0.9


def _hourglass(x: float, y: float) -> bool:
    return abs(x) <= abs(y) + 0.06


def _drop(x: float, y: float) -> bool:
    if y < 0:
        return abs(x) <= (y + 1) * 0.72
    return (x / 0.72) ** 2 + y * y <= 1


FORMS: dict[str, Callable[[float, float], bool]] = {
    "circle": _circle,
    "ring": _ring,
    "square": _square,
    "diamond": _diamond,
    "triangle": _triangle,
    "hexagon": _hexagon,
    "cross": _cross,
    "heart": _heart,
    "star": _star,
    "moon": _moon,
    "arrow": _arrow_right,
    "hourglass": _hourglass,
    "drop": _drop,
}


def shape(rng: Random) -> Drawing:
    """A filled or hollow form, in one glyph."""
    name = rng.choice(list(FORMS))
    inside = FORMS[name]
    height = rng.randint(5, 17)
    width = max(5, round(height * ASPECT * rng.uniform(0.85, 1.15))) | 1
    glyph = rng.choice(FILLS)
    hollow = rng.random() < 0.45

    def lit(x: int, y: int) -> bool:
        u = 2 * (x + 0.5) / width - 1
        v = 2 * (y + 0.5) / height - 1
        return 0 <= x < width and 0 <= y < height and inside(u, v)

    sheet = Sheet(width, height)
    for y in range(height):
        for x in range(width):
            around = all(lit(x + dx, y + dy) for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)))
            if lit(x, y) and not (hollow and around):
                sheet.put(x, y, glyph)
    look = "hollow" if hollow else "filled"
    return str(sheet), f"{look} {name}", ("shape", name, look)


def _tile(rng: Random) -> tuple[str, list[str]]:
    """A pattern's name and the tile that repeats."""
    a, b = rng.sample("#*+o.:=x~", 2)
    tiles = {
        "checkerboard": [f"{a}{a}{b}{b}", f"{b}{b}{a}{a}"],
        "bricks": ["__|__", "|____"],
        "waves": [rng.choice([" .-. ", " ,-. "]), f"{rng.choice('~-')}   '"],
        "zigzag": ["/\\", "\\/"],
        "scales": ["(_)", ")_("],
        "dots": [f"{a} . ", f" . {a}"],
        "net": ["\\ / ", " X  ", "/ \\ "],
        "weave": [f"|{a}|--", f"--|{a}|"],
        "stripes": [f"{a}{a}  "],
        "rain": ["'  ,", " ;  ", "  ' "],
        "honeycomb": ["/ \\_", "\\_/ "],
        "diamonds": [" /\\ ", "/  \\", "\\  /", " \\/ "],
        "tiles": ["+--", "|  "],
    }
    name = rng.choice(list(tiles))
    return name, tiles[name]


def pattern(rng: Random) -> Drawing:
    """A tile repeated over a rectangle."""
    name, tile = _tile(rng)
    width, height = rng.randint(10, 44), rng.randint(3, 12)
    rows = [(tile[y % len(tile)] * width)[:width].rstrip() for y in range(height)]
    return "\n".join(rows), name, ("pattern", name)


def maze(rng: Random) -> Drawing:
    """A perfect maze (one way between any two cells), carved depth first."""
    columns, rows = rng.randint(3, 13), rng.randint(3, 8)
    wide = rng.choice([2, 3])
    sheet = Sheet(columns * (wide + 1) + 1, rows * 2 + 1)
    for y in range(rows + 1):
        sheet.put(0, 2 * y, ("+" + "-" * wide) * columns + "+")
        if y < rows:
            sheet.put(0, 2 * y + 1, ("|" + " " * wide) * columns + "|")
    seen = {(0, 0)}
    way = [(0, 0)]
    while way:
        x, y = way[-1]
        neighbours = [(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)]
        neighbours = [
            c for c in neighbours if 0 <= c[0] < columns and 0 <= c[1] < rows and c not in seen
        ]
        if not neighbours:
            way.pop()
            continue
        nx, ny = rng.choice(neighbours)
        if nx != x:
            sheet.put(max(x, nx) * (wide + 1), 2 * y + 1, " ")
        else:
            sheet.put(x * (wide + 1) + 1, 2 * max(y, ny), " " * wide)
        seen.add((nx, ny))
        way.append((nx, ny))
    sheet.put(1, 0, " " * wide)
    sheet.put((columns - 1) * (wide + 1) + 1, 2 * rows, " " * wide)
    return str(sheet), "maze", ("maze", "puzzle")
