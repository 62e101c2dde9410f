import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from asciiloom.corpus import Corpus
from asciiloom.piece import Piece
from asciiloom.similarity.pairs import MINHASH, Candidates, Measured
from asciiloom.similarity.thresholds import Thresholds
from asciiloom.twins.verdict_store import VerdictStore

CAT = "/\\_/\\\n(o.o)\n > ^ <"


def _pair(agreement: float) -> Measured:
    pair = Candidates(np.array([1]), np.array([2]), np.array([MINHASH], np.uint8))
    no = np.zeros(1, np.bool_)
    scores = np.array([[agreement, agreement, 0.5]])
    return Measured(pair, scores, np.array([100]), np.array([3.5]), no, no)


def _verdict(corpus: Corpus) -> tuple[str, float]:
    row: tuple[str, float] = corpus.connection.execute(
        "SELECT verdict, agreement FROM twin"
    ).fetchone()
    return row


def test_thresholds_are_kept_under_the_name_that_files_have(tmp_path: Path) -> None:
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        store = VerdictStore(corpus.connection)
        assert store.thresholds == Thresholds()
        assert store.settle(None) is False  # nothing was judged by others
        (kept,) = corpus.connection.execute(
            "SELECT value ->> 'same' FROM setting WHERE name = 'lines'"
        ).fetchone()
        assert kept == Thresholds().same
        again = VerdictStore(corpus.connection)
        assert again.settle(Thresholds(same=0.9)) is True and again.settle(None) is False
        assert VerdictStore(corpus.connection).thresholds.same == 0.9


def test_a_pair_keeps_its_better_score_and_a_persons_verdict(tmp_path: Path) -> None:
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece(CAT), Piece(CAT + "\n ~")])
        store = VerdictStore(corpus.connection)
        for agreement, wanted in ((0.6, 0.6), (0.9, 0.9), (0.5, 0.9)):
            store.write_measured(_pair(agreement))
            assert _verdict(corpus) == ("same" if wanted > 0.8 else "variant", wanted)
        store.thresholds = Thresholds(same=0.95)
        store.judge_again()
        assert _verdict(corpus) == ("variant", 0.9)
        corpus.connection.execute("UPDATE twin SET verdict = 'apart', reviewed = 1")
        store.judge_again()
        store.write_measured(_pair(1.0))
        assert _verdict(corpus) == ("apart", 0.9)


def test_letters_are_judged_as_letters_where_both_are(tmp_path: Path) -> None:
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece(CAT, kind="banner"), Piece(CAT + "\n ~", kind="art")])
        store = VerdictStore(corpus.connection)
        store.write_measured(_pair(0.9))
        assert _verdict(corpus)[0] == "same"
        corpus.connection.execute("UPDATE piece SET kind = 'banner'")
        corpus.connection.execute("DELETE FROM twin")
        store.write_measured(_pair(0.9))
        assert _verdict(corpus)[0] == "variant"


def test_words_are_judged_as_words_now_and_again(tmp_path: Path) -> None:
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece(CAT, kind="banner"), Piece(CAT + "\n ~", kind="banner")])
        store = VerdictStore(corpus.connection)
        store.write_measured(_pair(0.7))
        assert _verdict(corpus)[0] == "apart"
        corpus.connection.execute("UPDATE twin SET verdict = 'variant'")
        store.judge_again()
        assert _verdict(corpus)[0] == "apart"
        corpus.connection.execute("UPDATE piece SET kind = 'art' WHERE id = 2")
        store.judge_again((1, 2))
        assert _verdict(corpus)[0] == "variant"


def test_a_corpus_of_a_former_version_is_judged_by_todays_thresholds(tmp_path: Path) -> None:
    """Its record knows fewer thresholds, and has defaults that nobody chose."""
    record = asdict(Thresholds(variant=0.6)) | {"poor": 0.90}
    del record["word_variant"]
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.connection.execute("INSERT INTO setting VALUES ('lines', ?)", (json.dumps(record),))
        store = VerdictStore(corpus.connection)
        assert store.thresholds == Thresholds(variant=0.6)
        assert store.settle(None) is True and store.settle(None) is False
        assert VerdictStore(corpus.connection).settle(None) is False


def test_another_version_measures_all_pairs_anew(tmp_path: Path) -> None:
    """A better score of before is no longer believed, nor a pair that is none now; a person's verdict stays."""
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece(CAT), Piece(CAT + "\n ~"), Piece("[###]\n[o o]"), Piece("~~~~\n<==>")])
        corpus.dedup()
        (true,) = corpus.connection.execute("SELECT agreement FROM twin").fetchall()
        corpus.connection.execute("UPDATE twin SET agreement = 1")
        corpus.connection.execute(
            "INSERT INTO twin (a, b, verdict, evidence, agreement, contained, jaccard, ink, bits, banners,"
            " reviewed) VALUES (1, 3, 'variant', 'minhash', 0.6, 0.6, 0, 40, 3, 0, 0),"
            " (3, 4, 'variant', 'minhash', 0.6, 0.6, 0, 40, 3, 0, 1)"
        )
        corpus.connection.execute("UPDATE signature SET version = version - 1")
        corpus.dedup()
        pairs = corpus.connection.execute("SELECT a, b, agreement FROM twin ORDER BY a").fetchall()
        assert pairs == [(1, 2, *true), (3, 4, 0.6)]
