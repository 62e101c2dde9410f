"""Lettering: banners in many fonts, boxes with words, cards, charts, tables."""

import functools
from random import Random

from asciiloom.synth.geometry import Drawing
from asciiloom.synth.sheet import Sheet
from asciiloom.synth.words import NAMES, NOUNS, PHRASES, SHOUTS, invented

# pyfiglet fonts that set plain ASCII, differ from one another and stay legible.
FONTS = (
    "standard", "small", "big", "block", "banner", "slant", "shadow", "mini", "smslant", "lean",
    "digital", "bubble", "script", "smscript", "smshadow", "speed", "doom", "ogre", "rectangles",
    "stop", "straight", "thin", "univers", "colossal", "cybermedium", "graceful", "ivrit",
    "larry3d", "nancyj", "puffy", "rounded", "rowancap", "serifcap", "stampatello", "starwars",
    "threepoint", "ticks", "twopoint", "weird", "avatar", "chunky", "contessa", "cosmic",
    "drpepper", "epic", "fourtops", "gothic", "jazmine", "kban", "madrid", "maxfour", "pepper",
    "pawp", "sblood", "shimrod", "slide", "tombstone", "computer", "bell", "bulbhead", "calgphy2",
    "catwalk", "coinstak", "crawford", "cricket", "diamond", "eftifont", "eftiwater", "fuzzy",
    "goofy", "hollywood", "invita", "isometric1", "letters", "linux", "lockergnome", "marquee",
    "mirror", "nipples", "ntgreek", "o8", "peaks", "pebbles", "relief", "roman", "rev", "rozzo",
    "santaclara", "skateord", "slscript", "stellar", "swan", "tanja", "thick", "tinker-toy",
    "tsalagi", "usaflag", "wavy", "whimsy", "xhelvi", "yie-ar",
)  # fmt: skip
MAX_WIDTH = 110


@functools.lru_cache(maxsize=256)
def _font(name: str) -> object | None:
    from pyfiglet import Figlet, FontNotFound

    try:
        found: object = Figlet(font=name, width=400)
    except FontNotFound:
        return None
    return found


def set_in_font(word: str, font: str) -> str | None:
    """``word`` set by pyfiglet, or None where the font is missing or has no such letters."""
    from pyfiglet import Figlet

    figlet = _font(font)
    if not isinstance(figlet, Figlet):
        return None
    text = "\n".join(row.rstrip() for row in str(figlet.renderText(word)).split("\n"))
    return text if text.strip() and text.isascii() else None


def banner(rng: Random, fonts: tuple[str, ...] = FONTS) -> Drawing | None:
    """A word in a font; None where the pair does not work."""
    # Invented words keep a model from learning a list by heart instead of the letters.
    word = rng.choice(NOUNS + SHOUTS) if rng.random() < 0.5 else invented(rng)
    word = rng.choice((word, word.upper(), word.capitalize()))
    font = rng.choice(fonts)
    text = set_in_font(word, font)
    if text is None or max(map(len, text.split("\n"))) > MAX_WIDTH:
        return None
    return text, word, ("banner", f"font:{font}", f"text:{word.lower()}")


# corners and edges: top left, top, top right, left, right, bottom left, bottom, bottom right
_FRAMES = {
    "plain": "+-+||+-+",
    "double": "#=#HH#=#",
    "round": ".-.||'-'",
    "stars": "********",
    "hash": "########",
    "dotted": ".:.::':'",
    "wave": "/~\\||\\~/",
    "slash": "/-\\||\\-/",
    "bracket": "[=][][=]",
    "curly": "{~}{}{~}",
}


def framed(rows: list[str], frame: str, pad: int, shadow: bool = False) -> str:
    """``rows`` in a frame named in ``_FRAMES``, with ``pad`` cells of air."""
    tl, top, tr, left, right, bl, bottom, br = list(_FRAMES[frame])
    inner = max(map(len, rows)) + 2 * pad
    out = [tl + top * inner + tr]
    out += [left + (" " * pad + row).ljust(inner) + right for row in rows]
    out.append(bl + bottom * inner + br)
    if shadow:
        out = [out[0], *(row + "#" for row in out[1:]), " " + "#" * len(out[0])]
    return "\n".join(out)


def box(rng: Random) -> Drawing:
    """Words in a frame."""
    frame = rng.choice(list(_FRAMES))
    rows = [rng.choice((*PHRASES, *NOUNS, *SHOUTS)) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
    rows = [rng.choice((str.upper, str.capitalize, str))(row) for row in rows]
    if rng.random() < 0.4:
        wide = max(map(len, rows))
        rows = [row.center(wide) for row in rows]
    if rng.random() < 0.3:
        rows = ["", *rows, ""]
    text = framed(rows, frame, rng.randint(1, 4), shadow=rng.random() < 0.2)
    said = " ".join(row.strip() for row in rows if row.strip())
    return text, said[:40], ("box", frame, "frame")


_SUITS = {"hearts": " .. .. \n(  Y  )\n \\   / \n   v   ", "diamonds": "   ^   \n /   \\ \n \\   / \n   v   ",
          "spades": "   ^   \n / . \\ \n(_/|\\_)\n  _|_  ", "clubs": "   _   \n  (_)  \n (_|_) \n  _|_  "}  # fmt: skip


def card(rng: Random) -> Drawing:
    """A playing card or a name card."""
    if rng.random() < 0.5:
        suit = rng.choice(list(_SUITS))
        rank = rng.choice("A23456789TJQK").replace("T", "10")
        pad = rng.randint(1, 3)
        inner = [rank.ljust(7), *_SUITS[suit].split("\n"), rank.rjust(7)]
        names = {"A": "ace", "J": "jack", "Q": "queen", "K": "king"}
        text = framed(inner, rng.choice(("round", "plain")), pad)
        return text, f"{names.get(rank, rank)} of {suit}", ("card", "playing card", suit)
    name = rng.choice(NAMES)
    job = rng.choice(NOUNS) + rng.choice((" maker", " keeper", " painter", " finder", " shop"))
    line = rng.choice(("-", "=", "~")) * rng.randint(10, 18)
    text = framed([name.upper(), line, job], rng.choice(list(_FRAMES)), rng.randint(1, 3))
    return text, f"name card {name}", ("card", "name card")


def chart(rng: Random) -> Drawing:
    """A bar chart, column chart, progress bar or table."""
    kind = rng.choice(("bars", "columns", "progress", "table", "line chart"))
    if kind == "bars":
        glyph = rng.choice("#=*>")
        names = rng.sample(NOUNS, rng.randint(3, 7))
        wide = max(map(len, names))
        rows = []
        for name in names:
            n = rng.randint(1, 24)
            rows.append(f"{name.rjust(wide)} |{glyph * n} {n}")
        return "\n".join(rows), "bar chart", ("chart", "bars")
    if kind == "columns":
        values = [rng.randint(1, 8) for _ in range(rng.randint(4, 9))]
        glyph = rng.choice(("##", "[]", "||", "**"))
        rows = []
        for level in range(max(values), 0, -1):
            cells = " ".join(glyph if v >= level else "  " for v in values)
            rows.append(f"{level} | {cells}".rstrip())
        rows.append("--+" + "---" * len(values))
        return "\n".join(rows), "column chart", ("chart", "columns")
    if kind == "progress":
        wide = rng.randint(10, 30)
        done = rng.randint(0, wide)
        left, full, rest, right = list(rng.choice(("[#.]", "[=-]", "(* )", "|> |")))
        name = rng.choice(NOUNS)
        text = f"{name} {left}{full * done}{rest * (wide - done)}{right} {100 * done // wide}%"
        return text, "progress bar", ("chart", "progress")
    if kind == "table":
        across = rng.randint(2, 4)
        rows_of = [rng.sample(NOUNS, across) for _ in range(rng.randint(2, 5))]
        for row in rows_of[1:]:
            row[1:] = [str(rng.randint(0, 999)) for _ in row[1:]]
        sizes = [max(len(row[c]) for row in rows_of) for c in range(across)]
        rule = "+" + "+".join("-" * (w + 2) for w in sizes) + "+"
        body = [
            "|" + "|".join(f" {cell.ljust(w)} " for cell, w in zip(row, sizes, strict=True)) + "|"
            for row in rows_of
        ]
        return "\n".join([rule, body[0], rule, *body[1:], rule]), "table", ("chart", "table")
    sheet = Sheet(rng.randint(16, 36), rng.randint(6, 10))
    level = rng.randint(1, sheet.height - 2)
    for x in range(2, sheet.width):
        step = rng.choice((-1, 0, 0, 1))
        if not 0 <= level + step < sheet.height - 1:
            step = 0
        sheet.put(x, level + max(0, step), {-1: "/", 0: "_", 1: "\\"}[step])
        level += step
    for y in range(sheet.height):
        sheet.put(0, y, "|")
    sheet.put(0, sheet.height - 1, "+" + "-" * (sheet.width - 1))
    return str(sheet), "line chart", ("chart", "line")
