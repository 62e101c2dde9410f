#!/usr/bin/env python3
"""Contact sheets of near-twins, to be judged by eye: random clusters, and random pairs just below the line.

Each tile has the piece that is kept on the left and another of its cluster (or the pair's other side) on
the right, under their numbers and scores.

Example: python scripts/bench/contact_sheets.py art.db sheets --count 60 --seed 1
"""

import argparse
import random
import sqlite3
from pathlib import Path

from matplotlib import get_data_path
from PIL import Image, ImageDraw, ImageFont

from asciiloom.corpus import Corpus
from asciiloom.curate.review import Review, review_pair

TILE = (640, 300)
ACROSS, DOWN = 3, 5


def _art(text: str, size: tuple[int, int], font: Path) -> Image.Image:
    """``text`` drawn as large as it fits."""
    rows = text.split("\n")
    columns = max(map(len, rows))
    points = max(3, min(13, int(size[0] / max(1, columns) / 0.602), int(size[1] / len(rows) / 1.1)))
    face = ImageFont.truetype(str(font), points)
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    for y, row in enumerate(rows):
        pen.text((0, y * points * 1.1), row, fill="black", font=face)
    return image


def sheet(pairs: list[Review], path: Path) -> None:
    """One image of up to ``ACROSS * DOWN`` pairs."""
    font = Path(get_data_path()) / "fonts/ttf/DejaVuSansMono.ttf"
    image = Image.new("RGB", (TILE[0] * ACROSS, TILE[1] * DOWN), "white")
    pen = ImageDraw.Draw(image)
    label = ImageFont.truetype(str(font), 12)
    half = (TILE[0] // 2 - 12, TILE[1] - 28)
    for k, pair in enumerate(pairs):
        x, y = k % ACROSS * TILE[0], k // ACROSS * TILE[1]
        pen.rectangle((x, y, x + TILE[0] - 1, y + TILE[1] - 1), outline="grey")
        seen = f"{k + 1}: #{pair.a} #{pair.b} {pair.verdict} {pair.agreement:.2f}/{pair.contained:.2f} {pair.evidence}"
        pen.text((x + 6, y + 4), seen, fill="blue", font=label)
        for n, text in enumerate(pair.texts):
            image.paste(_art(text, half, font), (x + 6 + n * (TILE[0] // 2), y + 22))
    image.save(path)


def clusters(db: sqlite3.Connection, count: int, rng: random.Random) -> list[tuple[int, int]]:
    """(kept piece, another member that it was measured with) of random clusters."""
    rows = db.execute(
        "SELECT cluster_id, max(CASE WHEN canonical THEN id END) FROM piece GROUP BY cluster_id"
        " HAVING count(*) > 1"
    ).fetchall()
    out = []
    for cluster, centre in rng.sample(rows, min(count, len(rows))):
        members = [
            r[0]
            for r in db.execute(
                "SELECT id FROM piece WHERE cluster_id = ? AND id <> ?", (cluster, centre)
            )
        ]
        out.append((centre, rng.choice(members)))
    return out


def below(
    db: sqlite3.Connection, count: int, rng: random.Random, low: float, high: float
) -> list[tuple[int, int]]:
    """Random pairs that are variants with an agreement from ``low`` to ``high``."""
    rows = db.execute(
        "SELECT a, b FROM twin WHERE verdict = 'variant' AND agreement BETWEEN ? AND ?", (low, high)
    ).fetchall()
    return rng.sample(rows, min(count, len(rows)))


def main() -> None:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("db")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--range", nargs=2, type=float, default=(0.72, 0.80), help="Of agreement below the line."
    )
    told = parser.parse_args()
    rng = random.Random(told.seed)
    told.folder.mkdir(parents=True, exist_ok=True)
    with Corpus(told.db) as corpus:
        chosen = {
            "clusters": clusters(corpus.connection, told.count, rng),
            "below": below(corpus.connection, told.count, rng, *told.range),
        }
        for name, pairs in chosen.items():
            found = [review for a, b in pairs if (review := review_pair(corpus.connection, a, b))]
            for start in range(0, len(found), ACROSS * DOWN):
                path = told.folder / f"{name}-{start // (ACROSS * DOWN)}.png"
                sheet(found[start : start + ACROSS * DOWN], path)
                print(path)


if __name__ == "__main__":
    main()
