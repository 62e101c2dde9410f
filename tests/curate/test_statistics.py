"""Statistics are pandas frames; what is said of a corpus is read from them."""

from pathlib import Path

import pandas
import pytest

from asciiloom.corpus import Corpus
from asciiloom.curate.statistics import COUNTED, MEASURES, plain, stats
from asciiloom.piece import Piece
from asciiloom.store import Selection


def test_frames_are_what_pandas_finds_in_the_pieces(corpus: Corpus) -> None:
    selection = Selection(width=(10, 60))
    found, pieces = corpus.stats(selection), corpus.frame(selection)
    assert set(found) == {"total", "percentiles", *COUNTED}
    assert found["total"].loc[0, ["pieces", "ink"]].tolist() == [len(pieces), pieces["ink"].sum()]
    assert found["total"].loc[0, "clusters"] == pieces["cluster_id"].nunique()
    assert found["percentiles"].loc["ink", "p50"] in set(pieces["ink"])
    assert list(found["percentiles"].index) == list(MEASURES)
    for group, column in (("kinds", "kind"), ("sources", "source"), ("charsets", "charset")):
        counts = found[group].set_index(group)["pieces"]
        assert counts.to_dict() == pieces[column].value_counts().to_dict()
        assert counts.is_monotonic_decreasing
    tags = pieces["tags"].explode().dropna().value_counts()
    assert found["tags"].set_index("tags")["pieces"].to_dict() == tags.to_dict()
    lint = pieces["flags"].explode().dropna().value_counts()
    assert len(lint) and found["lint"].set_index("lint")["pieces"].to_dict() == lint.to_dict()


def test_plain_numbers_are_heads_of_the_frames(corpus: Corpus) -> None:
    found = corpus.stats()
    numbers = plain(found)
    assert numbers == stats(corpus.connection)
    assert len(numbers["tags"]) == 25 < len(found["tags"])
    assert all(type(count) is int for count in numbers["tags"].values())
    assert {type(v) for v in numbers["percentiles"]["width"].values()} == {int}
    assert type(numbers["pieces"]) is int


def test_what_is_missing_is_counted_as_such(tmp_path: Path) -> None:
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece("o-o", artist="unknown"), Piece("x=x", licence="MIT"), Piece("+++--")])
        found = stats(corpus.connection)
        assert found["artists"] == {"unknown": 3} and found["with_artist"] == 1
        assert found["licences"] == {"none stated": 2, "MIT": 1}
        assert found["splits"] == {"not assigned": 3} and found["clusters"] == 0


@pytest.mark.parametrize("name", COUNTED)
def test_nothing_is_an_empty_frame(corpus: Corpus, name: str) -> None:
    found = corpus.stats(Selection(tags=("no such tag",)))
    assert found["total"].loc[0, "pieces"] == 0
    assert isinstance(found[name], pandas.DataFrame) and found[name].empty
    assert stats(corpus.connection, Selection(tags=("no such tag",)))["percentiles"]["ink"] == {}
