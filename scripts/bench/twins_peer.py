#!/usr/bin/env python3
"""One of the usual text deduplicators on a JSONL of texts, as twins.py asks for it: prints a cluster number
for each text and the seconds it took. Runs in an environment that has that library.

Example: python scripts/bench/twins_peer.py rensa planted.jsonl
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

THRESHOLD = 0.7


def _joined(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """The least member of each one's component."""
    parent = list(range(count))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    for a, b in pairs:
        low, high = sorted((root(a), root(b)))
        parent[high] = low
    return [root(k) for k in range(count)]


def _grams(text: str) -> set[str]:
    return {text[k : k + 5] for k in range(max(1, len(text) - 4))}


def with_datasketch(texts: list[str], _: Path) -> list[int]:
    """MinHash LSH over character 5-grams, candidates held to their exact Jaccard index."""
    from datasketch import MinHash, MinHashLSH

    lsh = MinHashLSH(threshold=THRESHOLD, num_perm=128)
    grams = [_grams(text) for text in texts]
    pairs = []
    for k, own in enumerate(grams):
        signature = MinHash(num_perm=128)
        signature.update_batch([g.encode() for g in own])
        for other in lsh.query(signature):
            theirs = grams[other]
            if len(own & theirs) >= THRESHOLD * len(own | theirs):
                pairs.append((other, k))
        lsh.insert(k, signature)
    return _joined(len(texts), pairs)


def with_rensa(texts: list[str], _: Path) -> list[int]:
    """RMinHash LSH over character 5-grams, as its README has it."""
    from rensa import RMinHash, RMinHashLSH

    lsh = RMinHashLSH(threshold=THRESHOLD, num_perm=128, num_bands=16)
    pairs = []
    signatures = []
    for k, text in enumerate(texts):
        signature = RMinHash(num_perm=128, seed=42)
        signature.update(list(_grams(text)))
        pairs += [
            (other, k)
            for other in lsh.query(signature)
            if signature.jaccard(signatures[other]) >= THRESHOLD
        ]
        lsh.insert(k, signature)
        signatures.append(signature)
    return _joined(len(texts), pairs)


def with_text_dedup(texts: list[str], path: Path) -> list[int]:
    """text_dedup.minhash with its usual settings."""
    from text_dedup import minhash

    with tempfile.TemporaryDirectory() as folder:
        minhash.main(
            ["--path", "json", "--data_files", str(path), "--split", "train", "--column", "text",
             "--cache_dir", f"{folder}/cache", "--output", f"{folder}/out", "--num_proc", "2"],
            standalone_mode=False,
        )  # fmt: skip
    return [int(minhash.uf.find(k)) for k in range(len(texts))]


def with_datatrove(texts: list[str], path: Path) -> list[int]:
    """datatrove's MinHash pipeline with its usual settings."""
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import (
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter
    from datatrove.utils.hashing import HashConfig

    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "data"
        data.mkdir()
        with (data / "x.jsonl").open("w") as stream:
            for k, text in enumerate(texts):
                stream.write(json.dumps({"text": text, "id": str(k)}) + "\n")
        # Its xxhash does not take strings with every version of that library.
        config = MinhashConfig(hash_config=HashConfig(hash_fc="sha1"))
        reader = JsonlReader(str(data))
        stages = [
            [reader, MinhashDedupSignature(output_folder=f"{name}/sig", config=config)],
            [MinhashDedupBuckets(f"{name}/sig", f"{name}/buckets", config=config)],
            [
                MinhashDedupCluster(
                    f"{name}/buckets", f"{name}/remove", config=config, save_cluster_id=True
                )
            ],
            [
                reader,
                MinhashDedupFilter(
                    f"{name}/remove",
                    exclusion_writer=JsonlWriter(f"{name}/gone", compression=None),
                    load_cluster_ids=True,
                ),
                JsonlWriter(f"{name}/kept", compression=None),
            ],
        ]
        for number, stage in enumerate(stages):
            tasks = config.num_buckets if number == 1 else 1
            LocalPipelineExecutor(
                stage, tasks=tasks, workers=2, logging_dir=f"{name}/log{number}"
            ).run()
        label = list(range(len(texts)))
        first: dict[int, int] = {}
        for part in ("kept", "gone"):
            for file in sorted(Path(f"{name}/{part}").rglob("*.jsonl")):
                for line in file.open():
                    row = json.loads(line)
                    cluster = row["metadata"].get("minhash_cluster_id", -1)
                    if cluster != -1:
                        label[int(row["id"])] = first.setdefault(cluster, int(row["id"]))
        return label


PEERS = {
    "datasketch": with_datasketch,
    "rensa": with_rensa,
    "text-dedup": with_text_dedup,
    "datatrove": with_datatrove,
}


def main() -> None:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("texts", type=Path)
    told = parser.parse_args()
    texts = [json.loads(line)["text"] for line in told.texts.open()]
    start = time.perf_counter()
    label = PEERS[told.peer](texts, told.texts)
    seconds = time.perf_counter() - start
    sys.stdout.write("\n" + json.dumps({"seconds": seconds, "label": label}) + "\n")


if __name__ == "__main__":
    main()
