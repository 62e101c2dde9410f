"""The leak estimate, which believes nothing that dedup says."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asciiloom import synth
from asciiloom.corpus import Corpus
from asciiloom.piece import Piece
from asciiloom.twins.leaks import LEAK, estimate_leak, wilson


def _edited(text: str, rng: Random) -> str:
    """A tenth of the ink exchanged, and a row put in."""
    cells = [c if c.isspace() or rng.random() > 0.1 else rng.choice("~=o") for c in text]
    return "".join(cells) + "\n^v^v^"


def test_what_dedup_missed_is_found_and_what_is_alike_by_chance_is_not(tmp_path: Path) -> None:
    rng = Random(4)
    drawn = [p.text for p in synth.generate(400, seed=7) if p.kind != "banner"]
    pieces = [f"{one}\n{two}" for one, two in zip(drawn[::2], drawn[1::2], strict=False)]
    held_out, train = pieces[:40], pieces[40:140]
    copied = [_edited(text, rng) for text in held_out[:6]]
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add(Piece(text) for text in (*held_out, *train, *copied))
        count = corpus.count()
        # As if dedup had seen no pair at all.
        corpus.connection.execute("UPDATE piece SET split = 'train'")
        corpus.connection.execute("UPDATE piece SET split = 'test' WHERE id <= 40")
        found = estimate_leak(corpus.connection, sample=40)
    pairs = {(n.held_out, n.train) for n in found.neighbours if n.similarity >= LEAK}
    assert pairs >= {(k + 1, count - 5 + k) for k in range(6)}
    assert found.leaked + found.plain_leaked == len(pairs) and found.train == count - 40
    assert found.sampled + found.plain_sampled == 40
    assert found.low < found.rate < found.high
    assert all(n.verdict is None for n in found.neighbours)


def test_the_similarity_is_one_less_edits_by_ink(tmp_path: Path) -> None:
    art = "\n".join("abcdefghij" for _ in range(10))
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add(
            [Piece(art), Piece(art.replace("e", "", 3).replace("j", "!", 4)), Piece("zz\nyy")]
        )
        corpus.connection.execute("UPDATE piece SET split = 'train'")
        corpus.connection.execute("UPDATE piece SET split = 'validation' WHERE id = 1")
        (near,) = estimate_leak(corpus.connection).neighbours
    assert (near.held_out, near.split, near.train) == (1, "validation", 2)
    assert near.similarity == pytest.approx(1 - 7 / 100)


def test_a_corpus_without_splits_has_no_rate(tmp_path: Path) -> None:
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece("(o.o)")])
        found = estimate_leak(corpus.connection)
    assert (found.sampled, found.leaked, found.low, found.high) == (0, 0, 0.0, 1.0)


@given(st.integers(0, 500), st.integers(1, 500))
def test_limits_hold_the_rate(found: int, of: int) -> None:
    low, high = wilson(min(found, of), of)
    assert 0 <= low <= min(found, of) / of <= high <= 1


def test_limits_are_those_of_the_tables() -> None:
    assert wilson(0, 100) == pytest.approx((0, 0.0370), abs=1e-4)
    assert wilson(5, 100) == pytest.approx((0.0215, 0.1118), abs=1e-4)
