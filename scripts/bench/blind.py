#!/usr/bin/env python3
"""A blind test: drawings of a model shuffled among real held-out pieces, to be named by who has not seen the key.

``make`` writes sheet-1.png ... (twenty numbered tiles each) and sheet.txt into FOLDER, and the key to KEY, which
is to be kept apart. ``score`` takes the answers, a line each: ``12: cat``. Signatures and words are blanked in
real pieces, for they would tell. Drawings come from MODEL, or with --drawings from the JSON of
``asciiloom eval DB MODEL --subjects --json``.

Example: python scripts/bench/blind.py make art.db sheets key.json --model runs/first --guidance 3 --best-of 4
         python scripts/bench/blind.py score key.json answers.txt
"""

import argparse
import json
import random
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from _common import options

from asciiloom.errors import AsciiloomError
from asciiloom.outputs import output_folder, output_stream

PAGE = 20
ACROSS, DOWN = 4, 5
TILE = (420, 300)
MARGIN = 10
# Other names that are right, too. Kinds of a thing are the thing; a thing's kin are not.
SYNONYMS = {
    "cat": "kitten kitty feline",
    "dog": "puppy pup hound doggy",
    "bird": "eagle parrot crow sparrow pigeon swan chicken seagull",
    "fish": "goldfish shark",
    "horse": "pony foal stallion mare",
    "rabbit": "bunny hare",
    "butterfly": "moth",
    "snake": "serpent cobra",
    "tree": "pine fir palm oak christmastree",
    "flower": "tulip daisy sunflower blossom",
    "house": "home cottage hut building",
    "castle": "fortress palace",
    "car": "automobile truck van jeep",
    "boat": "ship sailboat yacht",
    "airplane": "plane aeroplane aircraft jet airliner",
    "heart": "love",
    "cow": "bull calf ox",
    "bear": "teddy teddybear panda",
    "pig": "hog piglet",
    "frog": "toad",
    "turtle": "tortoise",
    "mouse": "rat",
    "duck": "duckling",
    "ghost": "spook phantom",
    "train": "locomotive engine",
    "computer": "pc laptop monitor terminal",
    "moon": "crescent",
}
_ANSWER = re.compile(r"\s*(\d+)\s*[:.)]\s*(.*)")


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture of the sheet: its number, what it shows, "drawn" or "real", and the text as shown."""

    number: int
    subject: str
    source: str
    text: str


def same_thing(said: str, subject: str) -> bool:
    """Whether an answer names the subject: the word itself, a synonym, or the plural of either."""
    right = {subject, *SYNONYMS.get(subject, "").split()}
    words = re.findall("[a-z]+", said.lower())
    named = {*words, "".join(words)}
    return any(name in right or any(name in _plurals(r) for r in right) for name in named)


def _plurals(word: str) -> set[str]:
    out = {f"{word}s", f"{word}es"}
    if word.endswith("y"):
        out.add(f"{word[:-1]}ies")
    if word == "mouse":
        out.add("mice")
    return out


def read_answers(text: str) -> dict[int, str]:
    """Names by number; lines of another form are an error, empty ones and comments (#) are left out."""
    out: dict[int, str] = {}
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _ANSWER.fullmatch(line)
        if match is None:
            raise AsciiloomError(f"no answer: {line[:60]!r}; write lines such as 12: cat")
        if int(match[1]) in out:
            raise AsciiloomError(f"tile {match[1]} has two answers; leave one")
        out[int(match[1])] = match[2]
    return out


def score(tiles: Sequence[Tile], answers: dict[int, str]) -> dict[str, Any]:
    """How many of the drawings and of the real pieces were named rightly; a tile without an answer is wrong."""
    unknown = set(answers) - {tile.number for tile in tiles}
    if unknown:
        raise AsciiloomError(f"there is no tile {min(unknown)}; numbers go to {len(tiles)}")
    chance = 1 / len({tile.subject for tile in tiles})
    out: dict[str, Any] = {"chance": chance}
    for source in ("drawn", "real"):
        own = [t for t in tiles if t.source == source]
        right = [t for t in own if same_thing(answers.get(t.number, ""), t.subject)]
        out[source] = {
            "tiles": len(own),
            "answered": sum(bool(answers.get(t.number, "").strip()) for t in own),
            "right": len(right),
            "share": len(right) / len(own) if own else None,
            "by_chance": chance * len(own),
            "named": [
                {"number": t.number, "subject": t.subject, "said": answers.get(t.number, ""), "right": t in right}
                for t in own
            ],
        }  # fmt: skip
    return out


def shuffle(
    drawn: Sequence[tuple[str, str]], real: Sequence[tuple[str, str]], seed: int
) -> list[Tile]:
    """Numbered tiles of (subject, text) pairs, in a seeded order that tells nothing."""
    both = [(*pair, "drawn") for pair in drawn] + [(*pair, "real") for pair in real]
    random.Random(seed).shuffle(both)
    return [Tile(n, subject, source, text) for n, (subject, text, source) in enumerate(both, 1)]


def text_sheet(tiles: Sequence[Tile]) -> str:
    """Every tile under its number, without names."""
    return "\n".join(f"--- {tile.number} ---\n{tile.text}\n" for tile in tiles)


def page(tiles: Sequence[Tile]) -> Any:
    """One image of up to ``PAGE`` tiles, each drawn as large as it fits in a monospace face."""
    from matplotlib import get_data_path
    from PIL import Image, ImageDraw, ImageFont

    font = str(Path(get_data_path()) / "fonts/ttf/DejaVuSansMono.ttf")
    rows = -(-len(tiles) // ACROSS)
    image = Image.new("RGB", (TILE[0] * ACROSS, TILE[1] * rows), "white")
    pen = ImageDraw.Draw(image)
    label = ImageFont.truetype(font, 16)
    for place, tile in enumerate(tiles):
        left, top = place % ACROSS * TILE[0], place // ACROSS * TILE[1]
        pen.rectangle((left, top, left + TILE[0] - 1, top + TILE[1] - 1), outline="grey")
        pen.text((left + 6, top + 4), str(tile.number), fill="blue", font=label)
        lines = tile.text.split("\n")
        wide, high = TILE[0] - 2 * MARGIN, TILE[1] - 24 - 2 * MARGIN
        # A cell of this face is 0.602 of its size wide; rows stand 1.17 of it apart, as in a terminal.
        most = min(wide / max(1, *map(len, lines)) / 0.602, high / len(lines) / 1.17, 22)
        face = ImageFont.truetype(font, max(4, int(most)))
        step, cell = max(4, int(most)) * 1.17, max(4, int(most)) * 0.602
        indent = left + (TILE[0] - cell * max(map(len, lines))) / 2
        for y, line in enumerate(lines):
            pen.text((indent, top + 24 + MARGIN + y * step), line, fill="black", font=face)
    return image


def real_pieces(
    db: str, subjects: Sequence[str], count: int, most: tuple[int, int], split: str, seed: int
) -> list[tuple[str, str]]:
    """``count`` held-out pieces, spread over the subjects that have any, without signatures and words."""
    from asciiloom.corpus import Corpus
    from asciiloom.evaluate import shown
    from asciiloom.evaluate.subject_classifier import drawn_part
    from asciiloom.piece import canonicalize
    from asciiloom.train import DEFAULT_SELECTION

    chosen = DEFAULT_SELECTION.replace(split=split, width=(None, most[0]), height=(4, most[1]))
    rng = random.Random(seed)
    with Corpus(db) as corpus:
        found = list(shown(corpus, chosen, subjects))
    rng.shuffle(found)
    heaps = [[p for p in found if p.subject == place] for place in range(len(subjects))]
    rng.shuffle(heaps)
    spread = [heap[turn] for turn in range(len(found)) for heap in heaps if turn < len(heap)]
    return [(subjects[p.subject], canonicalize(drawn_part(p.text)).text) for p in spread[:count]]


def drawings(told: argparse.Namespace, subjects: Sequence[str]) -> list[tuple[str, str]]:
    """(subject, text) of ``--each`` drawings a subject."""
    if told.drawings is not None:
        stored = json.loads(told.drawings.read_text())
        rows = stored["drawings"] if isinstance(stored, dict) else stored
        left = dict.fromkeys(subjects, told.each)
        out = []
        for row in rows:
            if left.get(row["subject"], 0):
                left[row["subject"]] -= 1
                out.append((row["subject"], row["text"]))
        return out
    from asciiloom.corpus import Corpus
    from asciiloom.generate import NEAR, Constraint, Generator, Sampling, exemplars
    from asciiloom.train import find_checkpoint

    generator = Generator.load(find_checkpoint(told.model))
    how = Sampling(told.temperature, 0, told.top_p, 0.0, told.guidance)
    limits = Constraint(*told.max)
    out = []
    with Corpus(told.db) as corpus:
        for word in subjects:
            wanted = told.each * told.best_of
            after = (
                exemplars(
                    corpus, word, kind="art", limits=limits, count=wanted, seed=told.seed, near=NEAR
                )
                if told.variation
                else None
            )
            drawn = generator.draw(
                word, kind="art", constraint=limits, count=told.each, seed=told.seed, sampling=how,
                best_of=told.best_of, reference=after, variation=told.variation or 1,
            )  # fmt: skip
            out += [(word, drawing.text) for drawing in drawn]
    return out


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(width), int(height)


def make(told: argparse.Namespace) -> None:
    from asciiloom.evaluate import COMMON, read_subjects

    if told.key.resolve().parent == told.folder.resolve():
        raise AsciiloomError(
            "the key is to be kept apart: name a place outside of the sheets' folder"
        )
    listed = read_subjects(told.subjects_file) if told.subjects_file else COMMON
    subjects = listed[: told.subjects]
    drawn = drawings(told, subjects)
    real = real_pieces(told.db, subjects, told.real, told.max, told.split, told.seed)
    tiles = shuffle(drawn, real, told.seed)
    pages = [tiles[start : start + PAGE] for start in range(0, len(tiles), PAGE)]
    names = ("sheet-*.png", "sheet.txt")
    with output_folder(told.folder, names=names, force=told.force) as folder:
        (folder / "sheet.txt").write_text(text_sheet(tiles))
        for number, part in enumerate(pages, 1):
            page(part).save(folder / f"sheet-{number}.png")
    with output_stream(told.key, force=told.force) as stream:
        stream.write(json.dumps([asdict(tile) for tile in tiles], indent=1).encode())
    print(
        f"{len(drawn)} drawings and {len(real)} real pieces on {len(pages)} pages in {told.folder}"
    )
    print(f"the names are one of: {', '.join(sorted(subjects))}\nanswers, a line each: 12: cat")


def main() -> None:
    parser = options(__doc__)
    commands = parser.add_subparsers(required=True)
    made = commands.add_parser("make", help="Sheets and key.")
    made.add_argument("db")
    made.add_argument("folder", type=Path)
    made.add_argument("key", type=Path)
    whose = made.add_mutually_exclusive_group(required=True)
    whose.add_argument("--model", type=Path, help="A run, checkpoint or export to draw with.")
    whose.add_argument("--drawings", type=Path, help="JSON with subject and text of each.")
    made.add_argument(
        "--variation", type=int, choices=range(5), default=0,
        help="Draw after pieces of DB, so freely; 0: from the words alone.",
    )  # fmt: skip
    made.add_argument("--subjects", type=int, default=20, help="So many of the list.")
    made.add_argument("--subjects-file", type=Path, help="A list of one's own, one a line.")
    made.add_argument("--each", type=int, default=2, help="Drawings of each subject.")
    made.add_argument("--real", type=int, default=20, help="Real pieces among them.")
    made.add_argument("--split", default="validation", help="Of the real pieces.")
    made.add_argument("--max", type=_size, default=(40, 14), help="At most this size.")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--temperature", type=float, default=0.8)
    made.add_argument("--top-p", type=float, default=0.95)
    made.add_argument("--guidance", type=float, default=1.0)
    made.add_argument("--best-of", type=int, default=1)
    made.add_argument("--force", action="store_true", help="Replace former sheets and key.")
    made.set_defaults(run=make)
    scored = commands.add_parser("score", help="How many were named rightly.")
    scored.add_argument("key", type=Path)
    scored.add_argument("answers", type=Path)
    scored.add_argument("--json", action="store_true")
    scored.set_defaults(run=_score)
    told = parser.parse_args()
    try:
        told.run(told)
    except AsciiloomError as error:
        sys.exit(f"Error: {error}")


def _score(told: argparse.Namespace) -> None:
    tiles = [Tile(**row) for row in json.loads(told.key.read_text())]
    result = score(tiles, read_answers(told.answers.read_text()))
    if told.json:
        print(json.dumps(result, indent=1))
        return
    for source, what in (("drawn", "drawings"), ("real", "real pieces")):
        own = result[source]
        print(
            f"{what}: {own['right']} of {own['tiles']} named rightly (chance {own['by_chance']:.1f})"
        )
        for row in own["named"]:
            said = row["said"] or "nothing"
            print(f"  {row['number']:3} {row['subject']:12} {'right' if row['right'] else said}")


if __name__ == "__main__":
    main()
