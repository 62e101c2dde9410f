import json
from pathlib import Path

import pytest

from asciiloom.corpus import Corpus
from asciiloom.corpus.merging import merge
from asciiloom.curate.artists import add_aliases, merge_people, others, people, remove_aliases
from asciiloom.errors import CorpusError
from asciiloom.piece import Piece, fold
from asciiloom.piece.credit import SIGNATURES
from asciiloom.store import Selection


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "a.db"
    bylines = [
        "jgs",
        "Joan G. Stark",
        "Filth",
        "filth",
        "Filth",
        "RaD Man + irokos",
        "irokos",
        None,
    ]
    with Corpus(path, create=True) as corpus:
        corpus.add([Piece(f"(o {k})", artist=byline) for k, byline in enumerate(bylines)])
    return path


def _found(corpus: Corpus, *artists: str) -> list[int]:
    return corpus.ids(Selection(artists=artists))


def test_a_new_corpus_knows_the_signatures_that_readers_know(tmp_path: Path) -> None:
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        rows = corpus.connection.execute("SELECT key, spelling FROM alias").fetchall()
        assert all(key == fold(spelling) for key, spelling in rows)
        names = {row["name"]: row["aliases"] for row in people(corpus.connection)}
        for initials, name in SIGNATURES.items():
            if fold(initials) != fold(name):
                assert initials in names[name], initials


def test_a_curator_tells_who_is_who(db: Path) -> None:
    with Corpus(db) as corpus:
        assert _found(corpus, "rad man") == [6] and _found(corpus, "Radman") == []
        assert add_aliases(corpus.connection, "RaD Man", ["Radman", "RM"]) == 2
        assert add_aliases(corpus.connection, "rm", ["radman", "Brad"]) == 1
        assert _found(corpus, "Radman") == _found(corpus, "brad") == [6]
        with pytest.raises(CorpusError, match=r"a name of RaD Man; .*unalias"):
            add_aliases(corpus.connection, "irokos", ["ir", "RM"])
        assert _found(corpus, "ir") == []  # all of it or nothing
        add_aliases(corpus.connection, "irokos", ["ir"])
        assert merge_people(corpus.connection, "RaD Man", ["ir"]) == 1
        assert _found(corpus, "brad") == [6, 7]
        assert remove_aliases(corpus.connection, ["irokos", "ir"]) == 2
        assert _found(corpus, "brad") == [6] and _found(corpus, "irokos") == [6, 7]
        with pytest.raises(CorpusError, match="artist rename"):
            remove_aliases(corpus.connection, ["RaD Man"])
        with pytest.raises(CorpusError, match="artist list"):
            remove_aliases(corpus.connection, ["nobody"])
        remove_aliases(corpus.connection, ["radman", "rm", "brad", "RaD Man"])
        assert "RaD Man" not in [row["name"] for row in people(corpus.connection)]


def test_whom_nobody_listed(db: Path) -> None:
    with Corpus(db) as corpus:
        assert others(corpus.connection) == [
            {"name": "Filth", "aliases": ["filth"], "pieces": 3},
            {"name": "irokos", "aliases": [], "pieces": 2},
            {"name": "RaD Man", "aliases": [], "pieces": 1},
        ]
        known = {row["name"]: row["pieces"] for row in people(corpus.connection)}
        assert known["Joan G. Stark"] == 2 and known["ejm"] == 0


def test_through_the_command_line(cli, db: Path) -> None:  # type: ignore[no-untyped-def]
    cli("artist", "alias", db, "Filth", "f1L7H", "The Filth")
    rows = json.loads(cli("artist", "list", db, "--json").stdout)
    assert rows[0] == {"name": "Filth", "aliases": ["f1L7H", "The Filth"], "pieces": 3}
    assert cli("search", db, "--artist", "the filth", "--count").stdout == "3\n"
    assert cli("artist", "list", db, "--others", "--nl").stdout.count("\n") == 2
    assert cli("artist", "list", db, "--csv").stdout.startswith("name,aliases,pieces\n")
    assert "f1L7H, The Filth" in cli("artist", "list", db).stdout
    cli("artist", "rename", db, "jgs", "Joan Stark")
    cli("artist", "merge", db, "Joan Stark", "Filth")
    assert cli("search", db, "--artist", "Joan G. Stark", "--count").stdout == "5\n"
    cli("artist", "unalias", db, "f1l7h", "the filth", "filth")
    assert cli("search", db, "--artist", "JOAN STARK", "--count").stdout == "2\n"
    error = cli("artist", "unalias", db, "joan stark", exits=1).stderr
    assert error.count("\n") == 1 and "artist rename" in error
    assert "needs a name" in cli("artist", "alias", db, "\x1b", "x", exits=1).stderr


def test_a_merge_brings_names_along(db: Path, tmp_path: Path) -> None:
    """Those of people here join them; a name that is somebody's here stays that person's."""
    with Corpus(db) as theirs:
        add_aliases(theirs.connection, "Filth", ["f1L7H", "irokos"])
        add_aliases(theirs.connection, "Joan G. Stark", ["Joanie"])
    with Corpus(tmp_path / "ours.db", create=True) as ours:
        add_aliases(ours.connection, "Irokos", ["ir"])
        merge(ours, db)
        assert _found(ours, "joanie") == [1, 2]
        assert _found(ours, "ir") == _found(ours, "f1l7h")
        names = {row["name"]: row["aliases"] for row in people(ours.connection)}
        assert names["Irokos"] == ["f1L7H", "Filth", "ir"] and "Filth" not in names
        before = people(ours.connection)
        merge(ours, db)
        assert people(ours.connection) == before
