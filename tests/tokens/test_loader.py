from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from asciiloom.corpus import Corpus
from asciiloom.errors import AsciiloomError
from asciiloom.piece import Piece, canonicalize
from asciiloom.store import Selection
from asciiloom.tokens import (
    Augmentation,
    CorpusLoader,
    GridTokenizer,
    Mixing,
    PackedBatch,
    PromptDropout,
)

TOKENIZER = GridTokenizer()
TRAIN = Selection(split="train", charset="ascii")


def _take(loader: CorpusLoader, count: int) -> list[PackedBatch]:
    batches = loader.train()
    return [next(batches) for _ in range(count)]


def _equal(one: PackedBatch, two: PackedBatch) -> bool:
    return np.array_equal(one.ids, two.ids) and np.array_equal(one.pieces, two.pieces)


def test_an_epoch_is_every_piece_once(corpus: Corpus) -> None:
    loader = CorpusLoader(corpus, TRAIN, TOKENIZER, tokens=4096)
    seen: list[int] = []
    fill = []
    for batch in loader.train():
        if loader.state.epoch:
            break
        seen += batch.pieces.tolist()
        fill.append(batch.fill)
    assert sorted(seen) == corpus.ids(loader.selection)
    assert np.mean(fill) > 0.85
    again = [n for batch in loader.epoch() for n in batch.pieces.tolist()]
    assert sorted(again) == sorted(seen)
    assert len(list(loader.texts())) == len(seen) == len(loader)


def test_epochs_differ_and_runs_repeat(corpus_file: Path) -> None:
    def order(seed: int, count: int) -> list[int]:
        with Corpus(corpus_file) as corpus:
            loader = CorpusLoader(corpus, TRAIN, TOKENIZER, tokens=4096, seed=seed)
            return [n for b in _take(loader, count) for n in b.pieces.tolist()]

    assert order(1, 20) == order(1, 20)
    assert order(1, 20) != order(2, 20)


@pytest.mark.parametrize("at", [0, 1, 7, 60])
def test_state_resumes_exactly(corpus_file: Path, at: int) -> None:
    with Corpus(corpus_file) as corpus:
        unbroken = CorpusLoader(corpus, TRAIN, TOKENIZER, tokens=2048, seed=3)
        expected = _take(unbroken, at + 5)[at:]
        first = CorpusLoader(corpus, TRAIN, TOKENIZER, tokens=2048, seed=3)
        _take(first, at)
        second = CorpusLoader(corpus, TRAIN, TOKENIZER, tokens=2048, seed=3)
        second.state = type(first.state)(**first.state.to_dict())
        assert all(map(_equal, _take(second, 5), expected))


def test_ranks_share_the_batches(corpus: Corpus) -> None:
    whole = CorpusLoader(corpus, TRAIN, TOKENIZER, tokens=2048)
    parts = [CorpusLoader(corpus, TRAIN, TOKENIZER, tokens=2048, rank=r, world=2) for r in (0, 1)]
    all_of = _take(whole, 6)
    both = [b for pair in zip(*(_take(p, 3) for p in parts), strict=True) for b in pair]
    assert all(map(_equal, all_of, both))


def test_dropout_of_controls(corpus: Corpus) -> None:
    def shown(dropout: PromptDropout) -> set[str]:
        loader = CorpusLoader(corpus, TRAIN, TOKENIZER, tokens=4096, dropout=dropout)
        batch = _take(loader, 1)[0]
        return {TOKENIZER.tokens[i] for i in np.unique(batch.ids)}

    everything = shown(PromptDropout(0, 0, 0))
    assert any(t.startswith("<w") for t in everything) and any(
        t.startswith("<kind") for t in everything
    )
    nothing = shown(PromptDropout(1, 0, 0))
    assert not any(t.startswith(("<w", "<h", "<kind")) for t in nothing)
    assert not any(t.startswith("<w") for t in shown(PromptDropout(0, 0, 1)))


def _wide_corpus(folder: Path) -> Corpus:
    corpus = Corpus(folder / "wide.db", create=True)
    corpus.add([Piece("☃" * 150)], "me")
    return corpus


def test_long_pieces_are_left_out_and_empty_selections_refused(
    corpus: Corpus, tmp_path: Path
) -> None:
    loader = CorpusLoader(corpus, TRAIN, TOKENIZER, context=200)
    assert max(len(t) for t in loader.texts()) <= 200
    assert 0 < len(loader) < corpus.count(TRAIN)
    # Three bytes a glyph: what fits by its characters need not fit by its ids.
    with pytest.raises(AsciiloomError, match="larger model"):
        wide = CorpusLoader(_wide_corpus(tmp_path), Selection(), TOKENIZER, context=256)
        next(wide.train())
    with pytest.raises(AsciiloomError, match="no piece that fits"):
        CorpusLoader(corpus, TRAIN.replace(tags=("no such tag",)), TOKENIZER)


def _art_of(batch: PackedBatch) -> dict[int, set[str]]:
    """What a batch shows of each piece, as text."""
    out: dict[int, set[str]] = {}
    for ids, targets, number in zip(batch.ids, batch.targets, batch.pieces.tolist(), strict=True):
        art = targets[targets > 0]
        assert len(art) < len(ids)
        out.setdefault(number, set()).add(TOKENIZER.decode(art))
    return out


HOUSE = "   /\\\n  /  \\\n /____\\\n |  []|\n |____|  jgs"
# The same house in another hand: a chimney, no signature.
REDRAWN = "   /\\ _\n  /  \\|\n /____\\\n |  []|\n |____|"


@pytest.fixture
def signed(tmp_path: Path) -> Iterator[Corpus]:
    """A signed house and its redraw in one cluster, and two pieces that cannot be turned."""
    with Corpus(tmp_path / "signed.db", create=True) as corpus:
        pieces = (HOUSE, REDRAWN, "(c)\n/5\\", "HELLO\n-----")
        corpus.add([Piece(text, title=f"piece {n}") for n, text in enumerate(pieces)])
        corpus.connection.execute(
            "UPDATE piece SET cluster_id = 1, canonical = id = 1 WHERE id < 3"
        )
        corpus.connection.execute("UPDATE piece SET split = 'train'")
        corpus.connection.commit()
        yield corpus


CANONICAL = Selection(split="train", canonical_only=True)


def _shown(corpus: Corpus, augmentation: Augmentation, epochs: int) -> dict[int, set[str]]:
    loader = CorpusLoader(corpus, CANONICAL, TOKENIZER, augmentation=augmentation)
    out: dict[int, set[str]] = {}
    for batch in _take(loader, epochs):
        for number, texts in _art_of(batch).items():
            out.setdefault(number, set()).update(texts)
    return out


def test_training_shows_other_looks_and_evaluation_the_pieces(signed: Corpus) -> None:
    bare = canonicalize(HOUSE.replace("jgs", "")).text
    turned = "  /\\\n /  \\\n/____\\\n|[]  |\n|____|"
    plain = {1: {canonicalize(HOUSE).text}, 3: {"(c)\n/5\\"}, 4: {"HELLO\n-----"}}
    assert _shown(signed, Augmentation(), 3) == plain
    assert _shown(signed, Augmentation(blank_credit=1), 3) == {**plain, 1: {bare}}
    assert _shown(signed, Augmentation(mirror=1), 3) == {**plain, 1: {turned}}
    assert _shown(signed, Augmentation(mirror=0.5), 30) == {**plain, 1: plain[1] | {turned}}
    assert _shown(signed, Augmentation(blank_credit=0.5), 30) == {**plain, 1: plain[1] | {bare}}
    redrawn = canonicalize(REDRAWN).text
    assert _shown(signed, Augmentation(twins=1), 3) == {2: {redrawn}, 3: plain[3], 4: plain[4]}
    assert _shown(signed, Augmentation(twins=0.5), 30) == {**plain, 2: {redrawn}}

    everything = Augmentation(mirror=1, twins=1, blank_credit=1)
    loader = CorpusLoader(
        signed, CANONICAL, TOKENIZER, augmentation=everything, mixing=Mixing(small=5)
    )
    assert list(loader.texts()) == [text for n in sorted(plain) for text in plain[n]]
    assert [n for b in loader.epoch() for n in sorted(b.pieces)] == [1, 3, 4]
    assert signed.ids(loader.shown) == [1, 2, 3, 4]
    unsigned = CorpusLoader(signed, CANONICAL, TOKENIZER, blank_credit=True)
    assert list(unsigned.texts()) == [bare, "(c)\n/5\\", "HELLO\n-----"]
    assert bare in _art_of(next(unsigned.epoch()))[1]


def test_sizes_are_of_what_is_shown(signed: Corpus) -> None:
    none = PromptDropout(0, 0, 0)
    for augmentation, width in ((Augmentation(), 11), (Augmentation(blank_credit=1), 6)):
        loader = CorpusLoader(signed, CANONICAL, TOKENIZER, dropout=none, augmentation=augmentation)
        batch = _take(loader, 1)[0]
        assert batch.size[batch.pieces.tolist().index(1)].tolist() == [5, width]


def test_shares_of_what_is_shown(corpus: Corpus) -> None:
    """Over some epochs each kind has the share that the mixing gives it."""
    mixing = Mixing(small=4, lettering=0.02)
    loader = CorpusLoader(corpus, TRAIN, TOKENIZER, mixing=mixing, tokens=8192)
    shown: list[int] = []
    for batch in loader.train():
        if loader.state.epoch == 3:
            break
        shown += batch.pieces.tolist()
    assert len(shown) == 3 * len(loader)
    small = {r["id"] for r in corpus.select(TRAIN) if r["kind"] == "art"}
    plain = sum(n in small for n in corpus.ids(loader.selection)) / len(loader)
    assert plain < 0.9
    assert sum(n in small for n in shown) / len(shown) > plain
    letters = {r["id"] for r in corpus.select(TRAIN) if r["kind"] == "banner"}
    assert 0.01 < sum(n in letters for n in shown) / len(shown) < 0.025
