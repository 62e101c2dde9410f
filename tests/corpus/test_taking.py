"""What a file or another corpus says beyond its pieces: decisions of people stand, hostile rows do not."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asciiloom.corpus import Corpus
from asciiloom.corpus.importing import import_rows
from asciiloom.corpus.merging import merge
from asciiloom.corpus.taking import Taken, take
from asciiloom.curate.artists import add_aliases, people, remove_aliases, rename_person
from asciiloom.curate.edits import Change, history
from asciiloom.curate.upkeep import check
from asciiloom.piece import ColourPlane, Piece, canonicalize, content_hash
from asciiloom.store import Selection, schema
from asciiloom.twins.marks import check_splits

HOUSE = canonicalize(
    "    _______\n   /       \\\n  /_________\\\n  |  _   _  |\n  | |_| | | |\n  |_____|_|_|\n ~~~~~~~~~~~~~"
).text
HOUSE_SIZE = (HOUSE.count("\n") + 1, max(map(len, HOUSE.split("\n"))))
TWIN = HOUSE.replace("|  _   _  |", "|  _   o  |")
SHIP = canonicalize(
    "      |\n     /|\\\n    / | \\\n   /__|__\\\n _____|_____\n \\  o o o  /\n~~\\_______/~~"
).text


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """Two twins and a ship, deduplicated."""
    path = tmp_path / "theirs.db"
    with Corpus(path, create=True) as corpus:
        corpus.add([Piece(HOUSE, source="a"), Piece(TWIN, source="a"), Piece(SHIP, source="a")])
        corpus.dedup()
        pair = corpus.connection.execute("SELECT verdict FROM twin WHERE a = 1 AND b = 2")
        assert pair.fetchone() == ("same",)
    return path


@pytest.fixture
def ours(theirs: Path, tmp_path: Path) -> Path:
    """The same pieces, gathered on its own."""
    path = tmp_path / "ours.db"
    shutil.copy(theirs, path)
    return path


def _verdict(corpus: Corpus) -> tuple[str, int]:
    a, b = (_number(corpus, text) for text in (HOUSE, TWIN))
    row: tuple[str, int] = corpus.connection.execute(
        "SELECT verdict, reviewed FROM twin WHERE a = ? AND b = ?", (min(a, b), max(a, b))
    ).fetchone()
    return row


def _number(corpus: Corpus, text: str) -> int:
    row = corpus.connection.execute("SELECT id FROM piece WHERE hash = ?", (content_hash(text),))
    return int(row.fetchone()[0])


def _bring(corpus: Corpus, other: Path, form: str, cli: Any) -> Taken:
    """``other`` into ``corpus``, by a merge or through a file."""
    if form == "merge":
        return merge(corpus, other)
    target = other.with_suffix(f".{form}")
    cli("export", target, "--corpus", other)
    return take(corpus.connection, import_rows(target), f"import {target}")


@pytest.mark.parametrize("form", ["merge", "jsonl", "parquet"])
def test_a_persons_verdict_survives_and_can_be_taken_back(theirs: Path, ours: Path, form: str, cli: Any) -> None:  # fmt: skip
    with Corpus(theirs) as other:
        other.edit([Change(1, "twin 2", "apart")], "review")
    with Corpus(ours) as corpus:
        assert corpus.count(Selection(canonical_only=True)) == 2
        _bring(corpus, theirs, form, cli)
        assert _verdict(corpus) == ("apart", 1)
        assert corpus.count(Selection(canonical_only=True)) == 3
        corpus.dedup()
        assert _verdict(corpus) == ("apart", 1) and check(corpus.connection) == []
        commands = [edit["command"] for edit in history(corpus.connection)]
        assert "review" in commands and any(form in c for c in commands)
        newest = next(e for e in history(corpus.connection) if e["command"] != "review")
        corpus.undo(newest["id"])
        assert _verdict(corpus) == ("same", 0)


def test_what_people_decided_here_stays(theirs: Path, ours: Path) -> None:
    with Corpus(theirs) as other:
        other.edit([Change(1, "twin 2", "apart"), Change(3, "withdrawn", "there")])
        other.edit([Change(1, "title", "their house")])
    with Corpus(ours) as corpus:
        corpus.edit([Change(1, "twin 2", "variant"), Change(1, "title", "our house")])
        corpus.edit([Change(3, "withdrawn", "here")])
        taken = merge(corpus, theirs)
        assert taken.withdrawn == 0 and _verdict(corpus) == ("variant", 1)
        assert corpus.get(1)["title"] == "our house"
        reason = corpus.connection.execute("SELECT reason FROM withdrawn").fetchall()
        assert reason == [("here",)]


@pytest.mark.parametrize("form", ["merge", "jsonl", "parquet"])
def test_what_was_withdrawn_there_is_withdrawn_here(theirs: Path, tmp_path: Path, form: str, cli: Any) -> None:  # fmt: skip
    with Corpus(theirs) as other:
        other.edit([Change(1, "withdrawn", "asked for"), Change(3, "withdrawn", "not free")])
    with Corpus(tmp_path / "ours.db", create=True) as corpus:
        corpus.add([Piece(SHIP, source="b", path="ship.txt")])
        assert _bring(corpus, theirs, form, cli).withdrawn == 2
        out = {record["text"] for record in corpus.select(Selection(withdrawn=True))}
        assert out == {HOUSE, SHIP} and corpus.count() == 1
        corpus.undo(history(corpus.connection)[0]["id"])  # of the piece that was here
        assert corpus.count() == 2


def test_two_corpora_with_splits_become_one_without_a_leak(theirs: Path, tmp_path: Path) -> None:
    with Corpus(theirs) as other:
        other.connection.execute("UPDATE piece SET split = 'test'")
    with Corpus(tmp_path / "ours.db", create=True) as corpus:
        corpus.add([Piece(HOUSE.replace("_|_|_|", "_|o|_|"), source="b")])
        corpus.dedup()
        corpus.connection.execute("UPDATE piece SET split = 'train'")
        merge(corpus, theirs)
        splits = "SELECT split, count(*) FROM piece GROUP BY split ORDER BY split"
        assert corpus.connection.execute(splits).fetchall() == [("test", 3), ("train", 1)]
        corpus.dedup()
        assert check_splits(corpus.connection) == [] and check(corpus.connection) == []
        # The ship has no relative here: it stays where it was.
        assert corpus.connection.execute(splits).fetchall() == [("test", 1), ("train", 3)]


def test_an_edit_made_there_is_taken_back_here(theirs: Path, tmp_path: Path, cli: Any) -> None:
    with Corpus(theirs) as other:
        other.edit([Change(3, "title", "a ship"), Change(3, "tags", ["sea"])], "by hand")
    with Corpus(tmp_path / "ours.db", create=True) as corpus:
        corpus.add([Piece("first|\n|_|")])
        _bring(corpus, theirs, "jsonl", cli)
        number = _number(corpus, SHIP)
        assert number != 3 and corpus.get(number)["tags"] == ["sea"]
        (edit,) = (e for e in history(corpus.connection) if e["command"] == "by hand")
        assert corpus.undo(edit["id"]).changes == 2
        record = corpus.get(number)
        assert (record["title"], record["tags"]) == (None, [])


def test_a_file_that_contradicts_itself_says_one_thing(theirs: Path, ours: Path, tmp_path: Path) -> None:  # fmt: skip
    pair = _PAIR | {"b": content_hash(TWIN)}
    records = [{"text": SHIP, "withdrawn": {"reason": why, "made": "x"}} for why in ("one", "two")]
    rows = [{"table": "twin", "rows": [pair | {"verdict": v}]} for v in ("variant", "apart")]
    path = tmp_path / "x.jsonl"
    path.write_text("\n".join(map(json.dumps, (*records, *rows))))
    with Corpus(ours) as corpus:
        taken = take(corpus.connection, import_rows(path), "import")
        assert _verdict(corpus) == ("variant", 1) and taken.tally.rejected.total() == 0
        assert corpus.connection.execute("SELECT reason FROM withdrawn").fetchall() == [("one",)]


# -- rows that are not what they seem

_RUN = {"id": 7, "started": "x", "inputs": "[]", "version": "0", "read": 1, "new": 1, "duplicate": 0, "rejected": 0}  # fmt: skip
_PAIR = {
    "a": content_hash(HOUSE), "b": content_hash(SHIP), "verdict": "same", "evidence": "minhash", "agreement": 0.9,
    "contained": 0.9, "jaccard": 0.9, "ink": 40, "bits": 3.0, "banners": 0, "reviewed": 1,
}  # fmt: skip
_CHANGE = {
    "edit_id": 5,
    "piece_id": content_hash(HOUSE),
    "field": "kind",
    "before": '"art"',
    "after": '"box"',
}
_JUDGED = {k: v for k, v in _PAIR.items() if k not in ("a", "b")} | {"hash": content_hash(SHIP)}
_GONE = _CHANGE | {"field": "belongings", "after": "null"}


def _kept(twin: dict[str, Any], colour: str | None = None) -> str:
    """What went with a former text."""
    return json.dumps({"colour": colour, "flags": [], "twins": [twin]})


# Table -> a row of it that is taken.
SOUND: dict[str, dict[str, Any]] = {
    "ingest": _RUN,
    "edit": {"id": 5, "made": "2026-01-01", "command": "by hand", "pieces": 1, "undone": 0},
    "source": {"id": 1, "name": "a", "url": "http://x", "note": None},
    "artist": {"id": 4, "name": "Somebody"},
    "alias": {"key": "sb", "spelling": "sb", "artist_id": 4},
    "setting": {"name": "lines", "value": '{"same": 0.7}'},
    "twin": _PAIR,
    "change": _CHANGE,
    "rejection": {"ingest_id": 7, "source_id": 1, "path": "p", "locator": "", "reason": "prose", "detail": ""},
}  # fmt: skip
REFUSED: dict[str, tuple[str, Any]] = {
    "no object": ("twin", 3),
    "an unknown table": ("sqlite_master", {"name": "x"}),
    "a table of pieces' parts": ("origin", {"piece_id": content_hash(HOUSE), "path": "x"}),
    "a search index": ("piece_fts", {"title": "x"}),
    "a derived table": ("signature", {"id": 1}),
    "counts that do not add up": ("ingest", _RUN | {"new": 9}),
    "counts that are texts": ("ingest", _RUN | {"read": "1"}),
    "inputs that are no JSON": ("ingest", _RUN | {"inputs": "{"}),
    "a command a list": ("edit", SOUND["edit"] | {"command": ["rm"]}),
    "undone twice": ("edit", SOUND["edit"] | {"command": "other", "undone": 2}),
    "a change of a field that no piece has": ("change", _CHANGE | {"field": "hash"}),
    "a change back to a kind that is none": ("change", _CHANGE | {"before": '"\\u001b[2J"'}),
    "a change back to a text of control characters": ("change", _CHANGE | {"field": "text", "before": '"\\u001b|"'}),
    "belongings that name columns": ("change", _GONE | {"before": _kept({"a, b) SELECT 1; --": 1})}),
    "belongings that nobody judged": ("change", _GONE | {"before": _kept(_JUDGED | {"reviewed": 0})}),
    "belongings with an invented verdict": ("change", _GONE | {"before": _kept(_JUDGED | {"verdict": "x"})}),
    "belongings with colours that are none": ("change", _GONE | {"before": _kept(_JUDGED, "AAAA")}),
    "belongings that are a list": ("change", _GONE | {"before": "[]"}),
    "an artist without a name": ("artist", {"id": 9}),
    "a name of nobody": ("alias", SOUND["alias"] | {"artist_id": 44}),
    "a licence that says what it allows": ("licence", {"name": "x", "spdx": 0, "redistributable": 1}),
    "a change without its edit": ("change", _CHANGE | {"edit_id": 99}),
    "a change that is no JSON": ("change", _CHANGE | {"before": "{"}),
    "a pair of one piece": ("twin", _PAIR | {"b": _PAIR["a"]}),
    "an invented verdict": ("twin", _PAIR | {"verdict": "maybe"}),
    "an invented evidence": ("twin", _PAIR | {"evidence": "\x1b[2J"}),
    "a score beyond one": ("twin", _PAIR | {"agreement": 1e9}),
    "a score that is no number": ("twin", _PAIR | {"agreement": float("nan")}),
    "ink of 65 bits": ("twin", _PAIR | {"ink": 1 << 64}),
    "thresholds of another kind": ("setting", {"name": "lines", "value": '{"evil": 1}'}),
    "thresholds that are no numbers": ("setting", {"name": "lines", "value": '{"same": "x"}'}),
    "a setting that is no JSON": ("setting", {"name": "other", "value": "{"}),
    "a source without a name": ("source", {"id": 9, "url": "http://x"}),
    "a rejection of an unknown source": ("rejection", SOUND["rejection"] | {"source_id": 44}),
    "a rejection of nothing": ("rejection", SOUND["rejection"] | {"path": "q", "count": 0}),
    "a text of megabytes": ("rejection", SOUND["rejection"] | {"detail": "x" * (9 << 20)}),
}  # fmt: skip
FIRST = ("ingest", "edit", "source", "setting", "artist", "alias")


def _lines(rows: list[tuple[str, Any]]) -> bytes:
    """A file of two pieces, with ``rows`` of tables around them."""
    told = [{"table": table, "rows": [row]} for table, row in rows]
    pieces: list[dict[str, Any]] = [{"text": HOUSE, "source": "a"}, {"text": SHIP, "source": "a"}]
    before = [row for row in told if row["table"] in FIRST]
    after = [row for row in told if row["table"] not in FIRST]
    return b"\n".join(json.dumps(row).encode() for row in (*before, *pieces, *after))


def _imported(tmp_path: Path, rows: list[tuple[str, Any]]) -> Corpus:
    path = tmp_path / "x.jsonl"
    path.write_bytes(_lines(rows))
    corpus = Corpus(tmp_path / "a.db", create=True)
    take(corpus.connection, import_rows(path), "import")
    return corpus


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_row_is_one_rejection_and_costs_no_neighbour(tmp_path: Path, name: str) -> None:
    with _imported(tmp_path, [*SOUND.items(), REFUSED[name]]) as corpus:
        db = corpus.connection
        rejected = db.execute("SELECT reason, path FROM rejection WHERE path <> 'p'").fetchall()
        assert rejected == [("not-a-record", str(tmp_path / "x.jsonl"))]
        for table in SOUND:
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] >= 1, table
        assert corpus.count() == 2 and check(db, deep=True) == []
        corpus.undo(1)
        assert corpus.get(1)["kind"] == "art"
        corpus.dedup()


def test_a_source_is_not_free_because_it_says_so(tmp_path: Path) -> None:
    """As exports of an older schema have it: what a piece may be used for follows from its own licence."""
    row = SOUND["source"] | {"licence": "MIT", "redistributable": 1}
    with _imported(tmp_path, [("source", row)]) as corpus:
        assert corpus.count() == 2 and corpus.count(Selection(redistributable=True)) == 0


def test_an_edited_licence_means_what_it_says(tmp_path: Path) -> None:
    """Under whatever name the record states it, and wherever the piece was seen."""
    origins = [{"path": "x", "licence": "All rights reserved"}]
    said = {"text": HOUSE, "licence": "GPLv2 or later", "artist": "jgs/TT", "origins": origins}
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(said))
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        take(corpus.connection, import_rows(path), "import")
        for found in (Selection(redistributable=True), Selection(licences=("GPL-2.0-or-later",)),
                      Selection(artists=("Joan Stark",)), Selection(artists=("tt",))):  # fmt: skip
            assert corpus.count(found) == 1, found


@pytest.mark.parametrize("form", ["db", "jsonl"])
def test_what_went_with_a_former_text_comes_back_with_it_elsewhere(tmp_path: Path, form: str, cli: Any) -> None:  # fmt: skip
    """Colours, and what a person said of a twin that has another number there."""
    one, two, path = tmp_path / "one.db", tmp_path / "two.db", tmp_path / f"one.{form}"
    plane = ColourPlane(*np.zeros((2, *HOUSE_SIZE), np.int32)).pack()
    with Corpus(one, create=True) as corpus:
        corpus.add([Piece(HOUSE, colour=plane), Piece(SHIP)])
        pair = {**_PAIR, "a": 1, "b": 2, "verdict": "variant"}
        corpus.connection.execute(
            f"INSERT INTO twin ({', '.join(pair)}) VALUES ({', '.join('?' * len(pair))})",
            [*pair.values()],
        )
        corpus.edit([Change(1, "text", HOUSE + "\n====")], "other text")
        corpus.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with Corpus(two, create=True) as corpus:
        corpus.add([Piece(f"({n})") for n in range(5)])
    if form == "jsonl":
        cli("export", path, "--corpus", one)
        cli("import", two, path)
    else:
        cli("merge", two, path)
    with Corpus(two) as corpus:
        corpus.undo(1)
        db = corpus.connection
        number, other = (
            db.execute("SELECT id FROM piece WHERE hash = ?", (content_hash(t),)).fetchone()[0]
            for t in (HOUSE, SHIP)
        )
        assert db.execute("SELECT piece_id, plane FROM colour").fetchall() == [(number, plane)]
        assert db.execute("SELECT a, b, verdict, reviewed FROM twin").fetchall() == [
            (*sorted((number, other)), "variant", 1)
        ]
        assert check(db, deep=True) == []


def test_clusters_without_their_verdicts_are_for_the_next_dedup(theirs: Path, tmp_path: Path, cli: Any) -> None:  # fmt: skip
    """A data set says which pieces are twins, and not why."""
    cli("export", tmp_path / "x.jsonl", "--corpus", theirs, "--plain")
    cli("import", tmp_path / "a.db", tmp_path / "x.jsonl")
    with Corpus(tmp_path / "a.db") as corpus:
        assert check(corpus.connection, deep=True) == []


# -- names of artists


def _people(corpus: Corpus) -> dict[str, list[str]]:
    return {row["name"]: row["aliases"] for row in people(corpus.connection)}


@pytest.mark.parametrize("form", ["jsonl", "parquet", "hf", "db"])
def test_names_of_artists_travel(tmp_path: Path, form: str, cli: Any) -> None:
    """A corpus that knows nobody yet knows what the other one does; one that does keeps what it knows."""
    one = tmp_path / "one.db"
    with Corpus(one, create=True) as corpus:
        corpus.add([Piece(HOUSE, artist="jd")])
        add_aliases(corpus.connection, "Jane Doe", ["jd", "Jane D."])
        rename_person(corpus.connection, "ejm", "E. J. M.")
        remove_aliases(corpus.connection, ["VK"])
        known = _people(corpus)
        corpus.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with Corpus(tmp_path / "two.db", create=True) as corpus:
        corpus.add([Piece(SHIP, artist="jd")])
        add_aliases(corpus.connection, "John Dow", ["jd"])
    path = one if form == "db" else tmp_path / f"x.{form}"
    if form != "db":
        cli("export", path, "--corpus", one, "--format", form)
    for name in ("new", "two"):
        cli("merge" if form == "db" else "import", tmp_path / f"{name}.db", path)
    with Corpus(tmp_path / "new.db") as corpus:
        assert _people(corpus) == known and known["E. J. M."][0] == "ejm"
        assert corpus.count(Selection(artists=("Jane Doe",))) == 1
    with Corpus(tmp_path / "two.db") as corpus:
        ours = _people(corpus)
        assert ours["John Dow"] == ["Jane D.", "Jane Doe", "jd"]  # one of the names is his
        assert "E. J. M." in ours["ejm"] and "VK" in ours["Veronica Karlsson"]
        assert corpus.count(Selection(artists=("John Dow",))) == 2


def test_a_verdict_on_a_piece_that_is_not_there_is_left_out(tmp_path: Path) -> None:
    with _imported(tmp_path, [("twin", _PAIR | {"b": "f" * 32})]) as corpus:
        assert corpus.connection.execute("SELECT count(*) FROM twin").fetchone() == (0,)
        assert corpus.connection.execute("SELECT count(*) FROM rejection").fetchone() == (0,)


# -- a schema that grows


def test_new_columns_and_tables_travel_by_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Any) -> None:  # fmt: skip
    folder = tmp_path / "schema"
    shutil.copytree(schema.resource_dir("schema"), folder)
    (folder / "900_grown.sql").write_text(
        "ALTER TABLE piece ADD COLUMN mood TEXT;\nALTER TABLE origin ADD COLUMN page INTEGER;\n"
        "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;\n"
        "CREATE TABLE nickname (alias TEXT PRIMARY KEY, person_id INTEGER NOT NULL REFERENCES person (id)) STRICT;\n"
    )
    monkeypatch.setattr(schema, "resource_dir", lambda name: folder)
    caches = (schema._wanted, schema.schema_of, schema.tables_of)
    for cache in caches:
        cache.cache_clear()
    try:
        with Corpus(tmp_path / "a.db", create=True) as corpus:
            corpus.add([Piece(HOUSE), Piece(SHIP)])
            for statement in (
                "UPDATE piece SET mood = 'calm' WHERE id = 2",
                "UPDATE origin SET page = 3",
                "INSERT INTO person VALUES (7, 'Joan G. Stark')",
                "INSERT INTO nickname VALUES ('jgs', 7), ('Joan Stark', 7)",
            ):
                corpus.connection.execute(statement)
        for form in ("jsonl", "parquet", "hf"):
            with Corpus(tmp_path / f"{form}.db", create=True) as corpus:
                corpus.connection.execute("INSERT INTO person VALUES (1, 'somebody else')")
            cli("export", tmp_path / f"x.{form}", "--corpus", tmp_path / "a.db", "--format", form)
            cli("import", tmp_path / f"{form}.db", tmp_path / f"x.{form}")
            with Corpus(tmp_path / f"{form}.db") as corpus:
                db = corpus.connection
                assert db.execute("SELECT mood FROM piece ORDER BY id").fetchall() == [
                    (None,),
                    ("calm",),
                ]
                assert db.execute("SELECT page FROM origin").fetchall() == [(3,), (3,)]
                named = "SELECT alias, name FROM nickname JOIN person ON person.id = person_id ORDER BY 1"
                joan = "Joan G. Stark"
                assert db.execute(named).fetchall() == [("Joan Stark", joan), ("jgs", joan)]
    finally:
        monkeypatch.undo()
        for cache in caches:
            cache.cache_clear()
