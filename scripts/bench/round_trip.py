#!/usr/bin/env python3
"""Whether a corpus comes back whole: every table of it, compared by hash, after JSONL, Parquet, a Hugging
Face folder and a merge.

Makes a corpus of the given files (an SQLite file is copied and added to), lets a curator work on it (titles,
tags, texts, withdrawals, verdicts on twins, names of artists, an edit taken back, pieces that no dedup has seen), sends it out
and takes it in again, each time into a new file. Rows are compared by what they say: a piece is its hash, a
source its name, a cluster its members. ``added`` are rows that only the new file has: its own run.

Example: python scripts/bench/round_trip.py ../shared/corpus ../shared/native
"""

import hashlib
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from _common import options, report

# Made anew from the other tables, by the writer and the next dedup.
DERIVED = ("size", "signature", "band", "stale", "unindexed", "licence", "byline")
_NAME_OF = {
    "piece": "(SELECT hash FROM piece WHERE id = {0})",
    "source": "(SELECT name FROM source WHERE id = {0})",
    "original": "(SELECT hash FROM original WHERE id = {0})",
    "ingest": "(SELECT json_array(started, finished, inputs, version, read) FROM ingest WHERE id = {0})",
    "artist": "(SELECT name FROM artist WHERE id = {0})",
    "edit": "(SELECT json_array(made, command, pieces) FROM edit WHERE id = {0})",
}
_SPECIAL = {
    ("change", "piece_id"): _NAME_OF["piece"].format("change.piece_id"),
    ("change", "field"): "CASE WHEN field GLOB 'twin *' THEN"
    " (SELECT hash FROM piece WHERE id = CAST(substr(field, 6) AS INTEGER)) ELSE field END",
    ("piece", "cluster_id"): "(SELECT group_concat(hash) FROM (SELECT hash FROM piece AS other"
    " WHERE other.cluster_id = piece.cluster_id ORDER BY hash))",
    # A piece that waits for the next dedup stands for itself.
    ("piece", "canonical"): "CASE WHEN cluster_id IS NULL THEN 1 ELSE canonical END",
    ("piece", "tags"): "json(tags)",  # however it is spaced
    ("original", "bytes"): "size",  # packed; the hash tells them apart
}


def tables(db: sqlite3.Connection) -> list[str]:
    """Tables that hold what was not computed."""
    rows = db.execute(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
        " AND name NOT GLOB 'sqlite_*' ORDER BY name"
    )
    return [name for (name,) in rows if name not in DERIVED]


def digests(db: sqlite3.Connection, table: str) -> Counter[bytes]:
    """A hash of each row of ``table``, references by what they refer to."""
    refers = dict(db.execute('SELECT "from", "table" FROM pragma_foreign_key_list(?)', (table,)))
    terms = []
    for name, pk in db.execute("SELECT name, pk FROM pragma_table_info(?)", (table,)):
        if name == "id" and pk:
            continue
        term = _SPECIAL.get((table, name))
        if term is None and refers.get(name) in _NAME_OF:
            term = _NAME_OF[refers[name]].format(f"{table}.{name}")
        terms.append(term or f'{table}."{name}"')
    found: Counter[bytes] = Counter()
    for row in db.execute(f"SELECT {', '.join(terms)} FROM {table}"):
        if table == "twin":  # which of a pair comes first is a matter of numbers
            row = (*sorted(row[:2]), *row[2:])
        found[hashlib.blake2b(repr(row).encode(), digest_size=12).digest()] += 1
    return found


def compare(before: Path, after: Path) -> list[tuple[str, int, int, int]]:
    """(table, rows kept, lost, added) of each table."""
    with sqlite3.connect(before) as one, sqlite3.connect(after) as two:
        found = [(name, digests(one, name), digests(two, name)) for name in tables(one)]
    return [(name, (a & b).total(), (a - b).total(), (b - a).total()) for name, a, b in found]


def curate(db: Path) -> None:
    """A curator's afternoon: something of everything that people decide."""
    from asciiloom.corpus import Corpus
    from asciiloom.curate.artists import add_aliases, remove_aliases, rename_person
    from asciiloom.curate.edits import Change
    from asciiloom.piece import Piece, Rejection

    with Corpus(db) as corpus:
        ids = corpus.ids()
        every = ids[:: max(1, len(ids) // 60)]
        corpus.edit([Change(n, "title", f"named by hand {n}") for n in every[:10]], "title")
        corpus.edit([Change(n, "title", None) for n in every[8:14]], "no title")
        corpus.edit([Change(n, "artist", "Jane Doe") for n in every[10:20]], "artist")
        corpus.edit([Change(n, "licence", "CC-BY-4.0") for n in every[20:24]], "licence")
        corpus.tag(every[:30], add=["seen by hand"])
        alone = corpus.connection.execute(
            "SELECT id, text FROM piece WHERE id NOT IN (SELECT a FROM twin UNION SELECT b FROM twin)"
            " AND id NOT IN (SELECT piece_id FROM colour) LIMIT 4"
        ).fetchall()
        corpus.edit([Change(n, "text", f"{text}\n-- {n}") for n, text in alone], "text")
        corpus.edit([Change(n, "withdrawn", "asked for") for n in every[30:40]], "reject")
        pairs = corpus.connection.execute(
            "SELECT a, b, verdict FROM twin WHERE a NOT IN (SELECT piece_id FROM withdrawn)"
            " ORDER BY agreement, a, b LIMIT 400"
        ).fetchall()
        turned = {"same": "variant", "variant": "apart", "apart": "variant"}
        some = pairs[:: max(1, len(pairs) // 20)]
        corpus.edit([Change(a, f"twin {b}", turned[v]) for a, b, v in some], "review")
        # Texts that had colours, or twins that a person judged: what goes with them is in the history.
        coloured = corpus.connection.execute(
            "SELECT id, text FROM piece JOIN colour ON piece_id = id LIMIT 1"
        ).fetchall()
        judged = [(a, corpus.get(a)["text"]) for a, *_ in some[-1:]]
        for n, text in (*coloured, *judged):
            corpus.edit([Change(n, "text", f"{text}\n-- again {n}")], "text")
        add_aliases(corpus.connection, "Jane Doe", ["jd", "Jane D."])
        rename_person(corpus.connection, "ejm", "E. J. M.")
        remove_aliases(corpus.connection, ["VK"])
        undone = corpus.tag(every[40:44], add=["a mistake"])
        corpus.undo(undone.id)
        # After the last dedup: no split, no cluster.
        corpus.add(
            [
                Piece("came\n|late|", source="by hand", path="late.txt"),
                Rejection("prose", "a letter", "by hand", "letter.txt", "lines 1-9"),
            ],
            "by hand",
        )


def ways(db: Path, folder: Path) -> dict[str, Any]:
    """How a corpus goes out and comes in again: a function by name that makes the file it is given."""
    from asciiloom.cli import main

    def run(*words: object) -> None:
        main([str(word) for word in words], standalone_mode=False)

    def through(target: Path, form: str) -> Any:
        def make(new: Path) -> None:
            run("export", target, "--corpus", db, "--format", form)
            run("import", new, target)

        return make

    return {
        "JSONL": through(folder / "all.jsonl", "jsonl"),
        "Parquet": through(folder / "all.parquet", "parquet"),
        "HF folder": through(folder / "hf", "hf"),
        "merge": lambda new: run("merge", new, db),
    }


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("paths", nargs="+", type=Path, help="Files or folders; one corpus at most.")
    parser.add_argument("--keep", type=Path, help="Work in this folder, and leave the files there.")
    args = parser.parse_args()
    from asciiloom.corpus import Corpus

    with tempfile.TemporaryDirectory() as made:
        folder = args.keep or Path(made)
        folder.mkdir(exist_ok=True)
        db = folder / "whole.db"
        for path in args.paths:
            if path.suffix == ".db":
                shutil.copy(path, db)
        with Corpus(db, create=True) as corpus:
            corpus.ingest([path for path in args.paths if path.suffix != ".db"])
            corpus.dedup()
        curate(db)
        rows: list[tuple[Any, ...]] = []
        lost = 0
        for way, make in ways(db, folder).items():
            new = folder / f"{way.split()[0].lower()}.db"
            start = time.perf_counter()
            make(new)
            took = time.perf_counter() - start
            for name, kept, gone, added in compare(db, new):
                rows.append((way, name, kept, gone, added))
                lost += gone
            size = sum(p.stat().st_size for p in _files(folder, way))
            rows.append((way, f"in {took:.0f} s, {size / 1e6:.1f} MB", "", "", ""))
        report("round_trip", ("way", "table", "kept", "lost", "added"), rows)
        print(f"the corpus: {db.stat().st_size / 1e6:.1f} MB")
    sys.exit(bool(lost))


def _files(folder: Path, way: str) -> list[Path]:
    names = {"JSONL": "all.jsonl", "Parquet": "all.parquet", "HF folder": "hf/**/*"}
    return [path for path in folder.glob(names.get(way, "whole.db")) if path.is_file()]


if __name__ == "__main__":
    main()
