from pathlib import Path

import numpy as np
import pytest
from datasketch import MinHash

from asciiloom import synth
from asciiloom.corpus import Corpus
from asciiloom.errors import CorpusError
from asciiloom.piece import Piece
from asciiloom.similarity.columns import BLOCKS
from asciiloom.similarity.signatures import shingles
from asciiloom.store import Selection
from asciiloom.twins.signature_store import SignatureStore


def test_stored_signature_is_a_minhash(corpus: Corpus) -> None:
    number = corpus.ids(Selection(text="dragon", limit=1))[0]
    stored = corpus.minhash(number)
    assert stored is not None
    fresh = MinHash(num_perm=128, seed=1, hashfunc=int)
    fresh.update_batch(shingles(corpus.get(number)["text"], "blocks").tolist())
    assert stored.jaccard(fresh) == 1.0
    assert corpus.minhash(number, flat=True) is not None


def test_a_piece_without_shingles_has_no_signature(tmp_path: Path) -> None:
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece("o\n\no")])  # no run or block has two cells of ink
        corpus.dedup()
        assert corpus.minhash(1) is None and corpus.minhash(1, flat=True) is None


def test_what_is_unsigned_is_new_or_changed_or_of_another_version(tmp_path: Path) -> None:
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add(list(synth.generate(12, seed=1)))
        store = SignatureStore(corpus.connection)
        assert store.unsigned(store.new_pieces()).tolist() == list(range(1, 13))
        corpus.dedup()
        assert store.new_pieces().tolist() == []
        corpus.add([Piece("(o.o)\n/|_|\\\n < >")])
        corpus.connection.execute("UPDATE piece SET text = text || char(10) || '.' WHERE id = 4")
        assert store.unsigned(store.all_pieces()).tolist() == [4, 13]
        assert len(store.column(BLOCKS[0])) == len(store.signed_pieces()) == 12
        corpus.connection.execute("UPDATE signature SET version = version - 1")
        store.drop_outdated()
        assert store.new_pieces().tolist() == list(range(1, 14))
        assert len(store.signed_pieces()) == len(store.column(BLOCKS[0])) == 0


def test_texts_come_without_credits_and_only_those_asked_for(tmp_path: Path) -> None:
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece("/\\_/\\\n(o.o)\n > ^ <  jgs"), Piece("#"), Piece("[###]\n[o o]")])
        rows = SignatureStore(corpus.connection).texts(np.array([1, 3, 9]))
        assert [row.id for row in rows] == [1, 3]
        assert rows[0].text.endswith("jgs") and "jgs" not in rows[0].comparable()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE signature SET pieces = x'0102030405'",
        "UPDATE band SET buckets = x'0102030405'",
        "UPDATE band SET buckets = zeroblob(4000)",
    ],
)
def test_damaged_signatures_are_named(tmp_path: Path, damage: str) -> None:
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add(list(synth.generate(12, seed=1)))
        corpus.dedup()
        corpus.connection.execute(damage)
        with pytest.raises(CorpusError, match="signatures are damaged"):
            corpus.alike(1)
