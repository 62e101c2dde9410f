from pathlib import Path
from random import Random

import numpy as np
import pytest
from datasketch import MinHash

from asciiloom import synth
from asciiloom.corpus import Corpus
from asciiloom.piece import Piece, mirror_text
from asciiloom.similarity.alignment import verify_pairs
from asciiloom.similarity.grids import GridBatch
from asciiloom.similarity.signatures import band_buckets, shingles, sign
from asciiloom.store import Selection
from asciiloom.twins.splits import check_splits, components, draw_split
from asciiloom.twins.thresholds import Lines


def test_signatures_are_datasketchs_own() -> None:
    texts = [p.text for p in synth.generate(30, seed=5)] + ["x", "日本\n/\\/\\/\\", ""]
    batch = GridBatch.from_texts(texts)
    for flat in (False, True):
        ours = sign(batch, flat)
        for text, values in zip(texts, ours, strict=True):
            theirs = MinHash(num_perm=128, seed=1, hashfunc=int)
            theirs.update_batch(shingles(text, flat).tolist())
            assert np.array_equal(theirs.hashvalues, values), text


def test_bands_differ_by_position_and_set() -> None:
    same = np.zeros((1, 128), np.uint32)
    assert band_buckets(same).shape == (32, 1)


def _scores(a: str, b: str) -> tuple[float, float, float]:
    batch = GridBatch.from_texts([a, b])
    return tuple(verify_pairs(batch, np.array([0]), np.array([1]))[0].tolist())


def test_verification_counts_agreeing_cells() -> None:
    art = "/\\_/\\\n(o.o)\n > ^ <"
    assert _scores(art, art) == (1.0, 1.0, 1.0)
    moved = "\n".join("  " + row for row in art.split("\n"))
    assert _scores(art, moved + "\n.")[1] == 1.0
    changed = art.replace("^", "v")
    agreement = _scores(art, changed)[0]
    assert agreement == pytest.approx(12 / 14)  # 13 ink cells, 12 agree, union 14
    assert _scores("###\n###", "ooo\nooo")[0] == 0


def _judge(
    agreement: float,
    contained: float,
    ink: int,
    bits: float = 3.5,
    banners: bool = False,
    mirrored: bool = False,
    cropped: bool = False,
    box: float = 0.0,
) -> str:
    one = Lines().judge(
        np.array([[agreement, contained, box]]),
        np.array([ink]),
        np.array([bits]),
        np.array([banners]),
        np.array([mirrored]),
        np.array([cropped]),
    )
    return one[0]


def test_judgement() -> None:
    assert _judge(0.85, 0.9, 100) == "same"
    assert _judge(0.85, 0.9, 100, bits=2.0) == "variant"  # a maze: agreement comes cheap
    assert _judge(0.92, 0.95, 100, bits=0.5) == "same"
    assert _judge(0.97, 0.98, 100, bits=0.5, banners=True) == "variant"  # letters of "#"
    assert _judge(1.0, 1.0, 50, bits=2.0, mirrored=True) == "variant"  # XI and IX
    assert _judge(1.0, 1.0, 90, bits=2.0, mirrored=True) == "same"
    assert _judge(0.92, 0.95, 100, banners=True) == "variant"
    assert _judge(0.76, 0.99, 100) == "same"  # one lies whole in the other
    assert _judge(0.70, 0.99, 100) == "variant"
    assert _judge(0.55, 0.7, 100) == "variant"
    assert _judge(0.3, 0.95, 100) == "variant"
    assert _judge(0.2, 0.3, 100) == "apart"
    assert _judge(0.02, 0.95, 60, cropped=True, box=0.9) == "variant"
    assert _judge(0.02, 0.95, 60, cropped=True, box=0.5) == "apart"  # among much else
    assert _judge(0.02, 0.95, 60, cropped=True, box=0.9, banners=True) == "apart"
    assert _judge(0.95, 1.0, 60, cropped=True, box=1.0) == "variant"  # a crop is its own piece
    assert _judge(0.9, 0.9, 10) == "apart" and _judge(1.0, 1.0, 10) == "same"


def _plant(text: str, how: str, rng: Random) -> str:
    rows = text.split("\n")
    if how == "indent":
        return "\n".join(" " * 2 + row for row in rows) + "\n."
    if how == "cells":
        cells = [(y, x) for y, row in enumerate(rows) for x, c in enumerate(row) if c != " "]
        for y, x in rng.sample(cells, max(1, len(cells) * 3 // 100)):
            rows[y] = rows[y][:x] + rng.choice("~^=") + rows[y][x + 1 :]
    elif how == "signature":
        wide = max(map(len, rows))
        rows[-1] = rows[-1].ljust(wide + 2) + "jgs"
    elif how == "caption":
        rows += ["", "my drawing"]
    elif how == "mirror":
        return mirror_text("\n".join(row.ljust(max(map(len, rows))) for row in rows))
    return "\n".join(rows)


@pytest.mark.parametrize("how", ["indent", "cells", "signature", "caption", "mirror"])
def test_planted_twins_are_found_and_strangers_are_not(tmp_path: Path, how: str) -> None:
    """On drawings of enough ink: >= 90 % of the planted twins, no false pair."""
    rng = Random(1)
    originals = [
        p
        for p in synth.generate(700, seed=11, kinds=("art", "scene", "tree", "maze", "face"))
        if len(p.text) >= 150
    ]
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add(originals)
        base = corpus.dedup()
        known = {(r[0], r[1]) for r in corpus.connection.execute("SELECT a, b FROM twin")}
        planted = [Piece(_plant(p.text, how, rng), source="planted") for p in originals[:100]]
        corpus.add(planted)
        report = corpus.dedup()
        assert report.signed == 100 and report.pieces == base.pieces + 100
        found = {
            (r[0], r[1])
            for r in corpus.connection.execute("SELECT a, b FROM twin WHERE verdict = 'same'")
        } - known
        true = {(k + 1, len(originals) + k + 1) for k in range(100)}
        assert len(found & true) >= 90, (how, len(found & true))

        def drawn_as(number: int) -> int:
            return number if number <= len(originals) else number - len(originals)

        # Any other pair must be of drawings that agree on the grid before they were touched.
        for one, two in found - true:
            a, b = (originals[drawn_as(number) - 1].text for number in (one, two))
            agreement, contained, _ = _scores(a, b)
            ink = min(sum(c not in " \n" for c in text) for text in (a, b))
            assert a == b or _judge(agreement, contained, ink) != "apart", (how, one, two)


def test_clusters_have_one_canonical_and_splits_do_not_leak(corpus: Corpus) -> None:
    rows = corpus.connection.execute(
        "SELECT cluster_id, sum(canonical), count(DISTINCT split) FROM piece GROUP BY 1"
    ).fetchall()
    assert all(canonical == 1 and splits == 1 for _, canonical, splits in rows)
    assert check_splits(corpus.connection) == []


def test_canonical_is_the_credited_one(tmp_path: Path) -> None:
    robot = next(p.text for p in synth.generate(50, seed=2, kinds=("art",)) if p.title == "robot")
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece(robot), Piece(robot + "\n ~", artist="Ada")])
        corpus.dedup()
        assert [r["canonical"] for r in corpus.select()] == [0, 1]
        assert corpus.get(1)["twins"][0]["id"] == 2


def test_dedup_again_changes_nothing_and_no_piece_moves(tmp_path: Path) -> None:
    pieces = list(synth.generate(500, seed=4))
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add(pieces[:250])
        corpus.dedup()
        before = dict(corpus.connection.execute("SELECT id, split FROM piece"))
        twins = corpus.connection.execute("SELECT * FROM twin").fetchall()
        again = corpus.dedup()
        assert (
            again.signed == 0
            and corpus.connection.execute("SELECT * FROM twin").fetchall() == twins
        )
        corpus.add(pieces[250:])
        corpus.dedup(seed=99)
        after = dict(corpus.connection.execute("SELECT id, split FROM piece"))
        assert {k: after[k] for k in before} == before and len(after) == 500


def test_frames_of_a_film_stay_together(tmp_path: Path) -> None:
    frames = [
        Piece(p.text, kind="frame", sequence="s/film")
        for p in synth.generate(120, seed=8, kinds=("scene", "maze"))
    ]
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add(frames)
        corpus.dedup()
        assert {r["split"] for r in corpus.select()} == {"train"}  # large families are not held out


def test_split_shares_are_near_their_targets() -> None:
    drawn = [draw_split(0, str(i)) for i in range(4000)]
    assert 0.035 < drawn.count("test") / 4000 < 0.065
    assert 0.035 < drawn.count("validation") / 4000 < 0.065


def test_components() -> None:
    numbers = np.array([2, 3, 5, 9], np.int64)
    pairs = np.array([[9, 3], [2, 5]], np.int64)
    assert components(numbers, pairs).tolist() == [2, 3, 2, 3]
    assert components(np.empty(0, np.int64), np.empty((0, 2), np.int64)).tolist() == []


def test_stored_signature_is_a_minhash(corpus: Corpus) -> None:
    number = corpus.ids(Selection(text="dragon", limit=1))[0]
    stored = corpus.minhash(number)
    assert stored is not None
    fresh = MinHash(num_perm=128, seed=1, hashfunc=int)
    fresh.update_batch(shingles(corpus.get(number)["text"], False).tolist())
    assert stored.jaccard(fresh) == 1.0
    assert corpus.minhash(number, flat=True) is not None
    plain = corpus.ids(Selection(text="check mark", limit=1))[0]
    assert corpus.minhash(plain, flat=True) is None  # one glyph only: all its runs are alike
