#!/usr/bin/env python3
"""Hold what the readers make of native files against public collections of the same files.

For every file of NATIVE that the collections in CORPUS also list, pieces are matched one to one as
near-twins on the grid (the corpus's own judgement of "the same"): recall is the share of the
collection's pieces that found a match, precision the share of ours. Where one side cut finer than the
other, no pair agrees; "with cuts" also counts a piece whose rows the other side has all the same, in
one piece or several (95 % of its inked characters).

Example: python scripts/bench/recall.py ../shared/native ../shared/corpus --worst 10
"""

import gzip
import json
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from _common import options, report

from asciiloom.piece import Piece, canonicalize
from asciiloom.readers import read_path
from asciiloom.readers.pages.rows import title_line
from asciiloom.similarity.alignment import align_pairs
from asciiloom.similarity.grids import GridBatch, entropy
from asciiloom.similarity.thresholds import Thresholds

# Collection file -> (folder of its native files, what the group is called).
GROUPS = {
    "oldcompcz_jgs": "html",
    "kaysonli_ascii": "markdown",
    "cowsay-org_cowsay": "cow",
    "paulkaefer_cowsay-files": "cow",
    "possatti_pokemonsay": "cow (colour)",
    "fastfetch-cli_fastfetch": "logo",
    "o2sh_onefetch": "onefetch",
    "gitpan_Acme-EyeDrops": "eyedrops",
    "shlomif_fortune-mod": "fortune",
    "blocktronics_artpacks": "ansi",
    "PhMajerus_ANSI-art": "ansi (modern)",
    "NuSkooler_enigma-bbs": "ansi",
    "AmigaTextFiles_demo": "amiga text",
}
COVERED = 0.95


@dataclass(slots=True)
class Tally:
    """Pieces on both sides, matched one to one, and found at all: matched, or cut otherwise."""

    files: int = 0
    theirs: int = 0
    ours: int = 0
    matched: int = 0
    found_theirs: int = 0
    found_ours: int = 0
    worst: list[tuple[float, str, int, int, int]] = field(default_factory=list)


def _ink(text: str) -> int:
    return sum(not c.isspace() for c in text)


def _rows(texts: list[str]) -> Counter[str]:
    """Rows without their indent: a cut elsewhere moves the common indent. Title lines are left out:
    one side lifts them into the title, the other may keep them."""
    stripped = (row.strip() for text in texts for row in text.split("\n"))
    return Counter(row for row in stripped if row and title_line(row) is None)


def covered(texts: list[str], others: list[str]) -> set[int]:
    """Which of ``texts`` have nearly all their rows among those of ``others``."""
    there = _rows(others)
    out = set()
    for number, text in enumerate(texts):
        ink = found = 0
        for row, times in _rows([text]).items():
            ink += _ink(row) * times
            found += _ink(row) * min(times, there[row])
        if found >= COVERED * max(1, ink):
            out.add(number)
    return out


def matches(theirs: list[str], ours: list[str]) -> tuple[set[int], set[int]]:
    """Which of both are near-twins of one another, one to one, the best pairs first."""
    if not theirs or not ours:
        return set(), set()
    texts = [text[:100_000] for text in (*theirs, *ours)]
    batch = GridBatch.from_texts(texts)
    ink = np.array([_ink(text) for text in texts], np.int64)
    pairs = [
        (a, len(theirs) + b)
        for a in range(len(theirs))
        for b in range(len(ours))
        if min(ink[a], ink[len(theirs) + b]) * 2 >= max(ink[a], ink[len(theirs) + b])
    ]
    if not pairs:
        return set(), set()
    left, right = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
    scores = align_pairs(batch, left, right)
    bits = entropy(*batch.histograms())
    verdicts = Thresholds().judge(
        scores,
        np.minimum(ink[left], ink[right]),
        np.minimum(bits[left], bits[right]),
        *np.zeros((4, len(left)), np.bool_),
    )
    taken: set[int] = set()
    for k in np.argsort(-scores[:, 0], kind="stable").tolist():
        a, b = int(left[k]), int(right[k])
        if a in taken or b in taken:
            continue
        if texts[a] == texts[b] or verdicts[k] == "same":
            taken |= {a, b}
    first = {n for n in taken if n < len(theirs)}
    return first, {n - len(theirs) for n in taken - first}


def compare(native: Path, corpus: Path) -> dict[str, Tally]:
    """A tally for each group that both folders have."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    for name, group in GROUPS.items():
        packed = corpus / f"{name}.jsonl.gz"
        root = native / name
        if not packed.exists() or not root.exists():
            continue
        listed: dict[str, list[str]] = defaultdict(list)
        with gzip.open(packed, "rt", encoding="utf-8") as stream:
            for line in stream:
                row: dict[str, Any] = json.loads(line)
                text = canonicalize(row["text"]).text
                if text:
                    listed[row["path"].partition("#")[0]].append(text)
        tally = tallies[group]
        for path in sorted(p for p in root.rglob("*") if p.is_file()):
            theirs = listed.get(str(path.relative_to(root)))
            if not theirs:
                continue
            ours = [item.text for item in read_path(path) if isinstance(item, Piece)]
            found_theirs, found_ours = matches(theirs, ours)
            found = len(found_theirs)
            tally.files += 1
            tally.theirs += len(theirs)
            tally.ours += len(ours)
            tally.matched += found
            tally.found_theirs += len(found_theirs | covered(theirs, ours))
            tally.found_ours += len(found_ours | covered(ours, theirs))
            missed = len(theirs) + len(ours) - 2 * found
            if missed:
                tally.worst.append(
                    (missed / (len(theirs) + len(ours)), path.name, len(theirs), len(ours), found)
                )
    return tallies


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("native", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--worst", type=int, default=0, help="pages to name in each group")
    told = parser.parse_args()
    tallies = compare(told.native, told.corpus)
    rows = [
        (group, t.files, t.theirs, t.ours, round(t.matched / max(1, t.theirs), 4),
         round(t.matched / max(1, t.ours), 4), round(t.found_theirs / max(1, t.theirs), 4),
         round(t.found_ours / max(1, t.ours), 4))
        for group, t in tallies.items()
    ]  # fmt: skip
    header = ("group", "files", "theirs", "ours", "recall", "precision", "recall with cuts",
              "precision with cuts")  # fmt: skip
    report("recall", header, rows)
    for group, t in tallies.items():
        for share, name, theirs, ours, found in sorted(t.worst, reverse=True)[: told.worst]:
            print(
                f"  {group}: {name}: {theirs} theirs, {ours} ours, {found} matched ({share:.2f} apart)"
            )


if __name__ == "__main__":
    main()
