#!/usr/bin/env python3
"""A benchmark of near-twins whose truth is known: drawings composed at random, and edited copies of some.

Of COUNT pieces 15 % are twins: another drawing with its indent shifted, 2-5 % of its ink changed, its
signature removed, a caption or a border added, mirrored, or two of these. The originals are made to be
confusable: figures that many share, walls of a few glyphs, mazes, words in one font. Piece n of a
seed is always the same.

Example: python scripts/bench/planted.py --count 1000 > planted.jsonl
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from asciiloom import synth
from asciiloom.piece import mirror_text
from asciiloom.synth.geometry import maze

TWIN_SHARE = 0.15
EDITS = ("indent", "cells", "signature", "caption", "border", "mirror")
_NAMES = ("jgs", "hjw", "ejm97", "snd", "VK", "mrx", "kd", "Tom B", "zaq")
_WORDS = (
    "old quiet river lantern crow and the a my morning over seven paper cats drawn small".split()
)
_BORDERS = (("+", "-", "|"), ("#", "#", "#"), ("*", "*", "*"), (".", ".", ":"), ("o", "=", "|"))
_WALLS = ("/\\_", "#.", "|-+ ", "()o ", "<>=", "~^ ", "01", "█▓░ ")


@dataclass(frozen=True, slots=True)
class Planted:
    """A piece; ``family`` is the number of the original it is, or was made from, ``edit`` how."""

    text: str
    family: int
    edit: str


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
    elif how == "signature":
        if rows[-1].strip() in _NAMES:
            rows.pop()
        else:
            rows.append(" " * rng.randrange(max(map(len, rows))) + rng.choice(_NAMES))
    elif how == "caption":
        caption = " ".join(rng.choice(_WORDS) for _ in range(rng.randrange(2, 6)))
        rows = [caption, "", *rows] if rng.random() < 0.5 else [*rows, "", caption]
    elif how == "border":
        corner, side, post = rng.choice(_BORDERS)
        wide = max(map(len, rows))
        edge = corner + side * (wide + 2) + corner
        rows = [edge, *(f"{post} {row.ljust(wide)} {post}" for row in rows), edge]
    elif how == "mirror":
        rows = mirror_text("\n".join(_block(rows))).split("\n")
    return "\n".join(row.rstrip() for row in rows)


def planted(count: int, seed: int = 0) -> Iterator[Planted]:
    """``count`` pieces in random order, all of them distinct texts."""
    make = Maker(seed)
    rng = Random(f"planted {seed}")
    originals: list[str] = []
    seen: set[str] = set()
    made = 0
    while made < count:
        if originals and rng.random() < TWIN_SHARE:
            family = rng.randrange(len(originals))
            ways = [rng.choice((*EDITS, "combination"))]
            if ways == ["combination"]:
                ways = rng.sample(EDITS, 2)
            text = originals[family]
            for how in ways:
                text = edit(text, how, rng)
            piece = Planted(text, family, "+".join(ways) if len(ways) == 1 else "combination")
        else:
            piece = Planted(make.original(rng), len(originals), "")
        if piece.text.strip() in seen or not piece.text.strip():
            continue
        seen.add(piece.text.strip())
        if not piece.edit:
            originals.append(piece.text)
        made += 1
        yield piece


def main() -> None:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    told = parser.parse_args()
    for piece in planted(told.count, told.seed):
        row = {"text": piece.text, "family": piece.family, "edit": piece.edit, "source": "planted"}
        sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
