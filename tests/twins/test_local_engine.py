"""Crops are found in a corpus, also of scenes that came before, and join a split; ornaments join nobody."""

from pathlib import Path
from random import Random

from asciiloom.corpus import Corpus
from asciiloom.piece import Piece, Rejection, canonicalize
from asciiloom.readers import read_path
from asciiloom.similarity.crops import CROWD

GLYPHS = "/\\|_-()<>oO.'#*=+^v~:;"


def _picture(rng: Random, height: int, width: int) -> list[str]:
    """A drawing with strokes and gaps that is like no other."""
    rows = [
        "".join(rng.choice(GLYPHS) if rng.random() < 0.6 else " " for _ in range(width))
        for _ in range(height)
    ]
    return ["#" + row[1:-1] + "#" for row in rows]  # its corners are ink, so that it is tight


def _placed(small: list[str], scene: list[str], y: int, x: int) -> str:
    out = list(scene)
    for k, row in enumerate(small):
        out[y + k] = out[y + k][:x] + row + out[y + k][x + len(row) :]
    return "\n".join(row.rstrip() for row in out)


def _verdicts(corpus: Corpus) -> dict[tuple[int, int], tuple[str, str]]:
    rows = corpus.connection.execute("SELECT a, b, verdict, evidence FROM twin")
    return {(a, b): (verdict, evidence) for a, b, verdict, evidence in rows}


def test_crops_are_variants_also_of_scenes_that_came_before(tmp_path: Path) -> None:
    rng = Random(7)
    figures = [_picture(rng, 9, 18) for _ in range(12)]
    scenes = [
        _placed(f, _picture(rng, 26, 70), rng.randrange(17), rng.randrange(50)) for f in figures
    ]
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece(text) for text in scenes])
        corpus.add([Piece("\n".join(figures[0]))])
        corpus.dedup()
        corpus.add([Piece("\n".join(f)) for f in figures[1:]])
        corpus.dedup()
        found = _verdicts(corpus)
        right = {(k + 1, k + 13) for k in range(12)}
        assert {pair for pair, (verdict, _) in found.items() if verdict != "apart"} <= right
        hit = [pair for pair in right if found.get(pair) == ("variant", "crop")]
        assert len(hit) >= 11, (
            found
        )  # a sample of the patches decides: now and then one has too few
        split = dict(corpus.connection.execute("SELECT id, split FROM piece"))
        assert all(split[a] == split[b] for a, b in hit)
        assert corpus.connection.execute("SELECT min(canonical) FROM piece").fetchone() == (1,)
        again = corpus.dedup()
        assert again.signed == 0 and _verdicts(corpus) == found


def test_an_ornament_of_many_is_no_crop(tmp_path: Path) -> None:
    rng = Random(3)
    figure = _picture(rng, 9, 18)
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        for _ in range(CROWD):
            corpus.add([Piece(_placed(figure, _picture(rng, 26, 70), rng.randrange(17), 3))])
        corpus.add([Piece("\n".join(figure))])
        corpus.dedup()
        assert not any(evidence == "crop" for _, evidence in _verdicts(corpus).values())


def test_parts_cut_from_real_art_are_found(real_files: list[Path], tmp_path: Path) -> None:
    """Every scene of a public collection that is large enough, and its middle part as a piece of its own."""
    (file,) = (f for f in real_files if f.name.startswith("oldcompcz_jgs"))
    items = read_path(file)
    texts = list(dict.fromkeys(i.text for i in items if not isinstance(i, Rejection)))
    big = []
    for text in texts:
        rows = text.split("\n")
        wide = max(map(len, rows))
        if 24 <= len(rows) <= 60 and 50 <= wide <= 120 and sum(c not in " \n" for c in text) > 500:
            big.append([row.ljust(wide) for row in rows])
    assert len(big) > 5
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        parts = []
        for rows in big:
            y, x = len(rows) // 4, len(rows[0]) // 4
            part = "\n".join(row[x : 3 * x] for row in rows[y : 3 * y])
            parts.append(canonicalize(part).text)
        scenes = [canonicalize("\n".join(rows)).text for rows in big]
        corpus.add([Piece(text) for text in scenes])
        corpus.dedup()
        corpus.add([Piece(text) for text in parts])
        corpus.dedup()
        number = dict(corpus.connection.execute("SELECT text, id FROM piece"))
        joined = {pair for pair, (verdict, _) in _verdicts(corpus).items() if verdict != "apart"}
        hits = sum(
            (number[a], number[b]) in joined or number[a] == number[b]
            for a, b in zip(scenes, parts, strict=True)
        )
        assert hits >= 0.75 * len(big), (hits, len(big))
