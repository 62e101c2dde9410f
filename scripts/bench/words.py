"""How many drawings say what they show, and at what size it is planned: before the word table and with it.

Pieces of the train split that are canonical ASCII drawings up to 40x20, for each common subject: "one word"
names it by that very word (or with an s) in title or tags; "any name" shows it by what its title or tags
name (kittens are cats, hot dogs are no dogs); "relatives" has its concept among the topics of its full
prompt. Then five sizes planned for each subject within 40x14: from 2,000 pieces that share a word of the
title, as before, and from the table of natural sizes.

Usage: python scripts/bench/words.py CORPUS
"""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from _common import options, report

from asciiloom.corpus import Corpus
from asciiloom.evaluate.words import SUBJECTS, subject_of
from asciiloom.model import Sizes, natural_size, sizes_of
from asciiloom.store import Selection
from asciiloom.tokens import meanings, thing_of, words_of

DRAWINGS = Selection(
    split="train", canonical_only=True, charset="ascii", width=(None, 40), height=(None, 20)
)
LETTERING = ("banner", "card", "chart", "sheet")
ROOM = (40, 14)
Row = tuple[str, int, int, str]


def by_one_word(title: str | None, tags: list[str]) -> int | None:
    """The subject that was known before: a word of the title or of any tag, singular or with an s."""
    said = set(re.findall("[a-z]+", " ".join([title or "", *tags]).lower()))
    named = [n for n, word in enumerate(SUBJECTS) if said & {word, f"{word}s"}]
    return named[0] if len(named) == 1 else None


def counts(corpus: Corpus) -> list[tuple[str, int, int, int]]:
    """(subject, pieces by one word, by any name, by relatives)."""
    found = np.zeros((len(SUBJECTS), 3), np.int64)
    statement, params = DRAWINGS.sql("piece.title, piece.tags, piece.kind")
    for title, packed, kind in corpus.connection.execute(statement, params):
        if kind in LETTERING:
            continue
        tags = json.loads(packed)
        for column, subject in enumerate(
            (by_one_word(title, tags), subject_of(title, tags, SUBJECTS))
        ):
            if subject is not None:
                found[subject, column] += 1
        said = set(meanings(words_of(title, tags, kind=kind)))
        found[:, 2] += [f"~{thing_of(subject)}" in said for subject in SUBJECTS]
    return [(s, *map(int, row)) for s, row in zip(SUBJECTS, found, strict=True)]


def former_size(rows: list[Row], word: str, rng: np.random.Generator) -> tuple[int, int]:
    """As sizes were planned before: of a fitting piece of the sample that shares most words of the title."""
    fitting = [r for r in rows if r[1] <= ROOM[0] and r[2] <= ROOM[1]]
    shared = [word in re.findall(r"\w+", r[3]) for r in fitting]
    fitting = [r for r, s in zip(fitting, shared, strict=True) if s == max(shared)]
    fitting.sort(key=lambda r: r[1] * r[2])
    fitting = fitting[len(fitting) // 2 :]
    return fitting[int(rng.integers(len(fitting)))][1:3]


def planned(plan: Callable[[str, np.random.Generator], tuple[int, int] | None], word: str) -> str:
    """Five planned sizes in one text."""
    sizes = [plan(word, np.random.default_rng(seed)) for seed in range(5)]
    return " ".join("none" if s is None else f"{s[0]}x{s[1]}" for s in sizes)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("corpus", type=Path)
    with Corpus(parser.parse_args().corpus) as corpus:
        rows = counts(corpus)
        train = Selection(split="train")
        sizes = sizes_of(corpus, train)
        sample = train.replace(order="random", limit=2000)
        statement, params = sample.sql(
            "piece.kind, piece.width, piece.height, lower(coalesce(piece.title, ''))"
        )
        former = corpus.connection.execute(statement, params).fetchall()

    def natural(word: str, rng: np.random.Generator) -> tuple[int, int] | None:
        return natural_size(sizes, word, None, lambda w, h: w <= ROOM[0] and h <= ROOM[1], rng)

    rows.append(("all", *(sum(row[k] for row in rows) for k in (1, 2, 3))))
    table = [
        (
            *row,
            planned(lambda w, rng: former_size(former, w, rng), row[0]) if row[0] != "all" else "",
            planned(natural, row[0]) if row[0] != "all" else "",
        )
        for row in rows
    ]
    header = ("subject", "one word", "any name", "relatives", "sizes before", "sizes now")
    report("words", header, table)
    print(_told(sizes))


def _told(sizes: Sizes) -> str:
    plain = json.dumps(sizes.to_plain(), indent=1)
    things = sum(map(len, sizes.table.values()))
    return f"table of sizes: {things:,} entries, {len(plain):,} bytes in config.json"


if __name__ == "__main__":
    main()
