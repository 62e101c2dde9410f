#!/usr/bin/env python3
"""Near-twins on drawings whose truth is known (planted.py), beside the usual text deduplicators.

Pair precision: share of the pairs within clusters that are of one family. Twin recall: share of the
edited copies that are in their original's cluster; "or variant": or are held to be a variant of it.
Leaked: edited copies that are on another side (train, validation, test) than their original, which is
drawn in one of five. Originals lost: originals that a clean-up would drop in favour of another family's
piece. The peers get the same texts; --peers names the Python of an environment with datasketch, rensa,
text-dedup and datatrove, or they are left out.

Example: python scripts/bench/twins.py --count 100000 --edits all-over --peers /tmp/peers/bin/python
"""

import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from _common import options, report
from planted import Planted, add_options, pieces_of

from asciiloom import synth
from asciiloom.corpus import Corpus
from asciiloom.piece import Piece
from asciiloom.store.shapes import index_shapes

PEERS = ("datasketch", "rensa", "text-dedup", "datatrove")


def score(pieces: list[Planted], label: list[int], keeper: list[int]) -> dict[str, float]:
    """Precision, recall and loss of a clustering: ``label`` and the kept place of each piece."""
    clusters: dict[int, Counter[int]] = {}
    for piece, cluster in zip(pieces, label, strict=True):
        clusters.setdefault(cluster, Counter())[piece.family] += 1
    pairs = right = 0
    for families in clusters.values():
        size = families.total()
        pairs += size * (size - 1) // 2
        right += sum(n * (n - 1) // 2 for n in families.values())
    original = {p.family: k for k, p in enumerate(pieces) if not p.edit}
    twins = [k for k, p in enumerate(pieces) if p.edit]
    found = sum(label[k] == label[original[pieces[k].family]] for k in twins)
    lost = sum(pieces[keeper[k]].family != pieces[k].family for k in original.values())
    return {
        "precision": right / max(1, pairs),
        "recall": found / max(1, len(twins)),
        "lost": lost,
        "lost_share": lost / max(1, len(original)),
    }


def by_edit(pieces: list[Planted], label: list[int]) -> dict[str, float]:
    """Recall of each way of editing."""
    original = {p.family: k for k, p in enumerate(pieces) if not p.edit}
    seen: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for k, piece in enumerate(pieces):
        if piece.edit:
            seen[piece.edit] += 1
            found[piece.edit] += label[k] == label[original[piece.family]]
    return {edit: found[edit] / n for edit, n in sorted(seen.items())}


def clusters_of(corpus: Corpus, count: int) -> tuple[list[int], list[int]]:
    """(cluster, kept place) of each planted piece; equal canonical texts are one piece."""
    rows = corpus.connection.execute(
        "SELECT origin.locator, piece.id, piece.cluster_id, piece.canonical"
        " FROM origin JOIN piece ON piece.id = origin.piece_id ORDER BY origin.id"
    ).fetchall()
    label, keeper = [0] * count, [0] * count
    first_of_piece: dict[int, int] = {}
    kept: dict[int, int] = {}
    for locator, number, cluster, canonical in rows:
        label[int(locator)] = cluster
        place = first_of_piece.setdefault(number, int(locator))
        if canonical:
            kept[cluster] = place
    for locator, _, cluster, _ in rows:
        keeper[int(locator)] = kept[cluster]
    return label, keeper


def related(corpus: Corpus, pieces: list[Planted]) -> tuple[float, int]:
    """Share of the edited copies that are of their original's cluster or a variant of it; and how many are
    on another side."""
    number, cluster, split = {}, {}, {}
    for locator, n, of, side in corpus.connection.execute(
        "SELECT origin.locator, piece.id, cluster_id, split FROM origin"
        " JOIN piece ON piece.id = origin.piece_id"
    ):
        number[int(locator)], cluster[int(locator)], split[int(locator)] = n, of, side
    pairs = set(corpus.connection.execute("SELECT a, b FROM twin WHERE verdict <> 'apart'"))
    original = {p.family: k for k, p in enumerate(pieces) if not p.edit}
    found = leaked = twins = 0
    for k, piece in enumerate(pieces):
        if piece.edit:
            first = original[piece.family]
            twins += 1
            low, high = sorted((number[first], number[k]))
            found += cluster[first] == cluster[k] or (low, high) in pairs
            leaked += split[first] != split[k]
    return found / max(1, twins), leaked


def main() -> None:
    parser = options(__doc__)
    add_options(parser)
    parser.add_argument("--more", type=int, default=0, help="Then add so many, and dedup again.")
    parser.add_argument("--peers", help="Python with the other libraries.")
    parser.add_argument("--keep", type=Path, help="Keep the corpus here.")
    parser.add_argument("--name", default="twins", help="Of the kept result.")
    told = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        with Corpus(Path(folder) / "warm.db", create=True) as corpus:
            corpus.add(synth.generate(300, seed=9))
            corpus.dedup()  # compiles on a fresh machine
        pieces = list(pieces_of(told, told.count + told.more))
        gc.freeze()  # the benchmark's own objects are no work of the collector's
        path = told.keep or Path(folder) / "planted.db"
        with Corpus(path, create=True) as corpus:
            base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

            def add(low: int, high: int) -> None:
                corpus.add(
                    Piece(p.text, source="planted", locator=str(k))
                    for k, p in enumerate(pieces[low:high], low)
                )
                # The ingest is not what is timed: neither its index nor what is still to reach the file,
                # which a process of its own does when it ends.
                index_shapes(corpus.connection)
                corpus.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                os.sync()

            add(0, told.count)
            start, worked = time.perf_counter(), time.process_time()
            done = corpus.dedup()
            seconds, worked = time.perf_counter() - start, time.process_time() - worked
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            print(done)
            print(f"{worked:.1f} CPU seconds")
            print(f"peak memory {peak} MB, of which {base} MB held before (the benchmark's pieces)")
            first = pieces[: told.count]
            label, keeper = clusters_of(corpus, len(first))
            print({k: round(v, 4) for k, v in by_edit(first, label).items()})
            found = score(first, label, keeper)
            family = related(corpus, first)
            rows.append(("asciiloom", told.count, *_figures(found, family), round(seconds, 1)))
            if told.more:
                add(told.count, len(pieces))
                start = time.perf_counter()
                print(corpus.dedup())
                more = time.perf_counter() - start
                label, keeper = clusters_of(corpus, len(pieces))
                found = score(pieces, label, keeper)
                rows.append(
                    (
                        f"asciiloom, {told.more:,} more",
                        len(pieces),
                        *_figures(found, related(corpus, pieces)),
                        round(more, 1),
                    )
                )
        if told.peers:
            texts = Path(folder) / "planted.jsonl"
            with texts.open("w") as stream:
                stream.writelines(json.dumps({"text": p.text}) + "\n" for p in pieces[: told.count])
            rows += [
                (peer, told.count, *_peer(told.peers, peer, texts, pieces[: told.count]))
                for peer in PEERS
            ]
    header = ("method", "pieces", "pair precision", "twin recall", "or variant", "leaked",
              "originals lost", "seconds")  # fmt: skip
    report(told.name, header, rows)


def _figures(
    found: dict[str, float], family: tuple[float, int] | None = None
) -> tuple[object, ...]:
    """The figures of a row; a peer knows no variants and no sides."""
    or_variant, leaked = (round(family[0], 4), family[1]) if family else ("", "")
    recall = round(found["recall"], 4)
    return round(found["precision"], 4), recall, or_variant, leaked, int(found["lost"])


def _peer(python: str, name: str, texts: Path, pieces: list[Planted]) -> tuple[object, ...]:
    script = Path(__file__).parent / "twins_peer.py"
    done = subprocess.run([python, str(script), name, str(texts)], capture_output=True, text=True)
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
        return ("failed", "", "", "", "", "")
    answer = json.loads(done.stdout.splitlines()[-1])
    label = answer["label"]
    first: dict[int, int] = {}
    keeper = [first.setdefault(cluster, k) for k, cluster in enumerate(label)]
    return *_figures(score(pieces, label, keeper)), round(answer["seconds"], 1)


if __name__ == "__main__":
    main()
