from pathlib import Path

import numpy as np
import pytest

from asciiloom.corpus import Corpus
from asciiloom.errors import AsciiloomError
from asciiloom.piece import Piece
from asciiloom.store import Selection
from asciiloom.tokens import CorpusLoader, GridTokenizer, PackedBatch, PromptDropout

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
