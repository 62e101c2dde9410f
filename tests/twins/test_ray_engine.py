"""Both engines on one corpus: the same signatures, pairs, clusters and splits, also when it grows."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from asciiloom import synth
from asciiloom.corpus import Corpus
from asciiloom.piece import Piece, mirror_text
from asciiloom.twins.signature_store import SignatureStore

QUESTIONS = (
    "SELECT a, b, verdict, evidence, agreement, contained, jaccard, ink, bits, banners FROM twin"
    " ORDER BY a, b",
    "SELECT id, cluster_id, canonical, split FROM piece ORDER BY id",
    "SELECT name, run, buckets FROM band ORDER BY name, run",
    "SELECT pieces, blocks, flat FROM signature ORDER BY id",
)


def _edited(text: str, number: int) -> str:
    rows = text.split("\n")
    wide = max(map(len, rows))
    if number % 3 == 0:
        return mirror_text("\n".join(row.ljust(wide) for row in rows))
    return (
        "\n".join([*rows, "", f"a drawing {number}"]) if number % 3 == 1 else text.replace("o", "u")
    )


def test_ray_and_local_agree(tmp_path: Path) -> None:
    art = [p for p in synth.generate(700, seed=5) if len(p.text) > 100]
    half = len(art) // 2
    with Corpus(tmp_path / "local.db", create=True) as local:
        local.add(art[:half])
        local.add([Piece(_edited(p.text, k)) for k, p in enumerate(art[: half // 2])])
        local.dedup()
        local.add(art[half:])
        local.add([Piece(_edited(p.text, k)) for k, p in enumerate(art[half : half + half // 2])])
        local.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(tmp_path / "local.db", tmp_path / "ray.db")
        report = local.dedup()
        assert report.same_pairs > 50
        bands = tmp_path / "shards" / "bands"
        bands.mkdir(parents=True)
        for ids, columns in SignatureStore(local.connection).runs():
            # What a former, larger run in the same folder left behind is not read.
            left = pa.table({"id": ids + 1_000_000, "is_new": np.ones(len(ids), bool), **columns})
            pq.write_table(left, bands / f"9{ids[0]:05}.parquet")
        with Corpus(tmp_path / "ray.db") as there:
            again = there.dedup(engine="ray", shards=tmp_path / "shards")
            assert again.candidates == report.candidates and again.splits == report.splits
            for question in QUESTIONS:
                ours = local.connection.execute(question).fetchall()
                assert there.connection.execute(question).fetchall() == ours, question
    assert list((tmp_path / "shards").glob("text-*.parquet"))  # a folder of one's own is kept
