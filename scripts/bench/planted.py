#!/usr/bin/env python3
"""A benchmark of near-twins whose truth is known: drawings composed at random, and edited copies of some.

Of COUNT pieces 15 % are twins: another drawing with its indent shifted, 2-5 % of its ink changed, its
signature removed, a caption or a border added, mirrored, or two of these. With --edits all-over they are
such as touch the whole drawing: 2-5 % of all cells changed, blank ones too (alone, and with the indent
or the signature changed), a frame of another size, another handle, some rows a column aside. The
originals are made to be confusable: figures that many share, walls of a few glyphs, mazes, words in one
font. --kinds apart draws other ones, which no threshold was set by (planted_apart.py). Piece n of a seed
is always the same.

Example: python scripts/bench/planted.py --count 1000 --edits all-over > planted.jsonl
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Protocol

from asciiloom import synth
from asciiloom.piece import mirror_text
from asciiloom.synth.geometry import maze

TWIN_SHARE = 0.15
EDITS = {
    "usual": ("indent", "cells", "signature", "caption", "border", "mirror"),
    "all-over": ("noise", "noise+indent", "noise+signature", "frame", "handle", "rows"),
}
# Of originals that are to be edited all over so many stand in a frame.
FRAMED_SHARE = 0.15
_NAMES = ("jgs", "hjw", "ejm97", "snd", "VK", "mrx", "kd", "Tom B", "zaq")
_WORDS = (
    "old quiet river lantern crow and the a my morning over seven paper cats drawn small".split()
)
_BORDERS = (("+", "-", "|"), ("#", "#", "#"), ("*", "*", "*"), (".", ".", ":"), ("o", "=", "|"))
_PRINTABLE = [chr(c) for c in range(33, 127)]
_WALLS = ("/\\_", "#.", "|-+ ", "()o ", "<>=", "~^ ", "01", "█▓░ ")


@dataclass(frozen=True, slots=True)
class Planted:
    """A piece; ``family`` is the number of the original it is, or was made from, ``edit`` how."""

    text: str
    family: int
    edit: str


class Kinds(Protocol):
    """What draws originals."""

    def original(self, rng: Random) -> str:
        """One drawing, with its signature where it has one."""


def _block(rows: list[str]) -> list[str]:
    wide = max(map(len, rows))
    return [row.ljust(wide) for row in rows]


class Maker:
    """Drawings composed of synthetic figures: several each, so that no two are alike by chance alone."""

    def __init__(self, seed: int) -> None:
        figures = [p for p in synth.generate(9000, seed=seed) if 30 <= len(p.text) <= 350]
        self._all = [p.text.split("\n") for p in figures]
        self._words = [p.text.split("\n") for p in figures if p.kind == "banner"]

    def original(self, rng: Random) -> str:
        """One drawing, with its signature where it has one."""
        make = rng.choices(
            (self._stack, self._scene, self._lettering, self._labyrinth, self._wall),
            (35, 35, 12, 9, 9),
        )[0]
        rows = make(rng)
        if rng.random() < 0.35:
            rows = [*rows, " " * rng.randrange(max(map(len, rows))) + rng.choice(_NAMES)]
        return "\n".join(row.rstrip() for row in rows)

    def _stack(self, rng: Random) -> list[str]:
        rows: list[str] = []
        for _ in range(rng.randrange(3, 6)):
            indent = " " * rng.randrange(20)
            rows += [indent + row for row in rng.choice(self._all)]
        return rows

    def _scene(self, rng: Random) -> list[str]:
        wide, high = rng.randrange(36, 76), rng.randrange(10, 22)
        cells = [[" "] * wide for _ in range(high)]
        for _ in range(rng.randrange(4, 9)):
            figure = rng.choice(self._all)
            left, top = rng.randrange(-2, wide - 9), rng.randrange(-2, high - 4)
            for y, row in enumerate(figure, top):
                for x, c in enumerate(row, left):
                    if 0 <= y < high and 0 <= x < wide and c != " ":
                        cells[y][x] = c
        return ["".join(row) for row in cells]

    def _lettering(self, rng: Random) -> list[str]:
        return [row for _ in range(rng.randrange(3, 5)) for row in rng.choice(self._words)]

    def _labyrinth(self, rng: Random) -> list[str]:
        made = None
        while made is None:
            made = maze(rng)
        return [*made[0].split("\n"), *rng.choice(self._all)]

    def _wall(self, rng: Random) -> list[str]:
        glyphs = rng.choice(_WALLS)
        wide, high = rng.randrange(16, 60), rng.randrange(6, 16)
        return ["".join(rng.choice(glyphs) for _ in range(wide)) for _ in range(high)]


def edit(text: str, how: str, rng: Random) -> str:
    """``text`` edited in one of the ways of ``EDITS``."""
    rows = text.split("\n")
    if how == "indent":
        if rows[0][:1] == " " and rng.random() < 0.5:  # what strip() does to a page
            return "\n".join([rows[0].lstrip(), *rows[1:]])
        shift = " " * rng.randrange(1, 4)
        return "\n".join([*(shift + row for row in rows), rng.choice(".'-")])
    if how == "cells":
        ink = [(y, x) for y, row in enumerate(rows) for x, c in enumerate(row) if c != " "]
        for y, x in rng.sample(ink, max(1, round(len(ink) * rng.uniform(0.02, 0.05)))):
            rows[y] = rows[y][:x] + rng.choice("~^=oX.") + rows[y][x + 1 :]
    elif how == "noise":
        rows = _noisy(_block(rows), rng)
    elif how == "rows":
        rows = _aside(rows, rng)
    elif how == "handle":
        if rows[-1].strip() in _NAMES:
            rows.pop()
        rows.append(" " * rng.randrange(max(map(len, rows))) + rng.choice(_NAMES))
    elif how == "signature":
        if rows[-1].strip() in _NAMES:
            rows.pop()
        else:
            rows.append(" " * rng.randrange(max(map(len, rows))) + rng.choice(_NAMES))
    elif how == "caption":
        caption = " ".join(rng.choice(_WORDS) for _ in range(rng.randrange(2, 6)))
        rows = [caption, "", *rows] if rng.random() < 0.5 else [*rows, "", caption]
    elif how == "border":
        rows = _bordered(rows, rng.choice(_BORDERS), 0, 0)
    elif how == "frame":
        rows = _bordered(rows, rng.choice(_BORDERS), rng.randrange(8), rng.randrange(4))
    elif how == "mirror":
        rows = mirror_text("\n".join(_block(rows))).split("\n")
    return "\n".join(row.rstrip() for row in rows)


def _bordered(rows: list[str], border: tuple[str, str, str], wider: int, higher: int) -> list[str]:
    """``rows`` in a border with room for so many more columns to the right, and rows below."""
    corner, side, post = border
    wide = max(map(len, rows)) + wider
    edge = corner + side * (wide + 2) + corner
    inside = [*rows, *[""] * higher]
    return [edge, *(f"{post} {row.ljust(wide)} {post}" for row in inside), edge]


def _noisy(rows: list[str], rng: Random) -> list[str]:
    """2-5 % of all cells are another glyph: any, one of the drawing's own, or a blank."""
    cells = [list(row) for row in rows]
    places = [(y, x) for y, row in enumerate(cells) for x in range(len(row))]
    own = sorted({c for row in rows for c in row})
    for y, x in rng.sample(places, max(1, round(len(places) * rng.uniform(0.02, 0.05)))):
        glyphs = rng.choice((_PRINTABLE, own))
        cells[y][x] = rng.choice([c for c in glyphs if c != cells[y][x]] or ["."])
    return ["".join(row) for row in cells]


def _aside(rows: list[str], rng: Random) -> list[str]:
    """5-30 % of the rows stand a column to the right, or to the left where they begin with a blank."""
    rows = [*rows]
    for y in rng.sample(range(len(rows)), max(1, round(len(rows) * rng.uniform(0.05, 0.3)))):
        rows[y] = rows[y][1:] if rows[y][:1] == " " and rng.random() < 0.5 else " " + rows[y]
    return rows


def planted(
    count: int, seed: int = 0, edits: str = "usual", kinds: Kinds | None = None
) -> Iterator[Planted]:
    """``count`` pieces in random order, all of them distinct texts; ``edits`` are one of ``EDITS``."""
    make = kinds or Maker(seed)
    rng = Random(f"planted {seed}")
    ways_of = EDITS[edits]
    originals: list[str] = []
    pictures: list[str] = []  # of each original, without its frame
    seen: set[str] = set()
    made = 0
    while made < count:
        if originals and rng.random() < TWIN_SHARE:
            family = rng.randrange(len(originals))
            name = rng.choice((*ways_of, "combination"))
            ways = rng.sample(ways_of, 2) if name == "combination" else [name]
            text = (pictures if "frame" in ways else originals)[family]
            for how in dict.fromkeys("+".join(ways).split("+")):  # noise, for one, only once
                text = edit(text, how, rng)
            piece = Planted(text, family, name)
        else:
            picture = text = make.original(rng)
            if edits == "all-over" and rng.random() < FRAMED_SHARE:
                text = edit(picture, "frame", rng)
            piece = Planted(text, len(originals), "")
        if piece.text.strip() in seen or not piece.text.strip():
            continue
        seen.add(piece.text.strip())
        if not piece.edit:
            originals.append(piece.text)
            pictures.append(picture)
        made += 1
        yield piece


def kinds_of(name: str, seed: int) -> Kinds:
    """What draws the originals: "usual" ones, or those kept "apart"."""
    if name == "usual":
        return Maker(seed)
    from planted_apart import Apart

    return Apart()


def pieces_of(told: argparse.Namespace, count: int) -> Iterator[Planted]:
    """The pieces that a command line asks for."""
    return planted(count, told.seed, told.edits, kinds_of(told.kinds, told.seed))


def add_options(parser: argparse.ArgumentParser) -> None:
    """What is to be planted, as options of a command."""
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--edits", choices=tuple(EDITS), default="usual")
    parser.add_argument("--kinds", choices=("usual", "apart"), default="usual")


def main() -> None:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    add_options(parser)
    told = parser.parse_args()
    for piece in pieces_of(told, told.count):
        row = {"text": piece.text, "family": piece.family, "edit": piece.edit, "source": "planted"}
        sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
