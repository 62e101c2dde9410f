import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from asciiloom import synth
from asciiloom.corpus import Corpus
from asciiloom.curate.upkeep import check
from asciiloom.errors import ReaderError
from asciiloom.piece import Piece, Rejection
from asciiloom.readers import ReadOptions
from asciiloom.store import Selection

CAT = "/\\_/\\\n(o.o)\n > ^"


def _table(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    return path


def _counts(corpus: Corpus) -> dict[str, int]:
    tables = (
        "piece",
        "origin",
        "source",
        "tag",
        "credit",
        "original",
        "rejection",
        "piece_fts",
        "piece_art",
    )
    return {t: corpus.connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables}


def test_what_takes_up_no_cell_is_a_rejection(tmp_path: Path) -> None:
    path = _table(
        tmp_path / "in.jsonl", [{"text": t} for t in ("\u0301", CAT, "\u200d", "(o)\n/|")]
    )
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        tally = corpus.ingest([path])
        assert tally.row() == {"read": 4, "new": 2, "duplicate": 0, "rejected": 2}
        assert tally.reasons == {"empty": 2}
        # Loading holds no row against the constraints of the schema; a check does, and is content.
        assert corpus.connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert corpus.connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert corpus.connection.execute("PRAGMA foreign_keys").fetchone() == (1,)
        with pytest.raises(sqlite3.IntegrityError):
            corpus.connection.execute("UPDATE piece SET width = 0")


def test_tags_are_stored_as_they_are_called(tmp_path: Path) -> None:
    """Those of a new piece, and those that another place of it brings."""
    names = [
        'say "hi"',
        "back\\slash",
        "[1]",
        "null",
        "7",
        "日本 \U0001f408",
        "e\u0301",
        "a,b",
        "{}",
    ]
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece(CAT, tags=tuple(names[:5]), path="a"), Piece("|_|\n/ \\", path="a")])
        corpus.add([Piece(CAT, tags=tuple(names[3:]), path="b")])
        stored = corpus.connection.execute(
            "SELECT piece_id, name FROM tag ORDER BY name"
        ).fetchall()
        assert stored == [(1, name) for name in sorted(names)]
        assert [record["tags"] for record in corpus.select()] == [sorted(names), []]
        assert check(corpus.connection, deep=True) == []


def test_names_that_are_no_unicode_are_kept_as_escapes(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in (b"cat\xff.txt", b"none\xfe.txt"):
        (folder / os.fsdecode(name)).write_text(CAT if b"cat" in name else "")
    (folder / "t.jsonl").write_text(
        '{"text": "(o)\\n/|", "path": "a\\udcff", "source": "\\ud800s"}\n'
    )
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        assert corpus.ingest([folder]).row()["new"] == 2
        paths = {row[0] for row in corpus.connection.execute("SELECT path FROM origin")}
        assert paths == {f"{folder}/cat\\udcff.txt", f"{folder}/t.jsonl!a\\udcff"}
        rejected = corpus.connection.execute("SELECT path FROM rejection").fetchall()
        assert rejected == [(f"{folder}/none\\udcfe.txt",)]


def test_every_row_is_accounted_for_and_a_second_run_adds_nothing(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"text": CAT, "source": "a", "tags": ["cat"], "license": "MIT"},
        {"text": CAT + "  \n", "source": "b", "artist": "Ada", "title": "a cat", "tags": ["pet"]},
        {"text": "  ", "source": "a"},
        {"text": "><>", "source": "b"},
    ]
    path = _table(tmp_path / "in.jsonl", rows)
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        tally = corpus.ingest([path])
        assert tally.row() == {"read": 4, "new": 2, "duplicate": 1, "rejected": 1}
        assert tally.row("a") == {"read": 2, "new": 1, "duplicate": 0, "rejected": 1}
        before = _counts(corpus)
        again = corpus.ingest([path])
        assert again.row() == {"read": 4, "new": 0, "duplicate": 3, "rejected": 1}
        assert _counts(corpus) == before
        cat = corpus.get(1)
        # The duplicate is an origin that taught tags, title and artist; the text stays one row.
        assert [o["source"] for o in cat["origins"]] == ["a", "b"]
        assert (cat["title"], cat["artist"], cat["tags"]) == ("a cat", "Ada", ["cat", "pet"])
        log = list(corpus.db["ingest"].rows)
        assert [(r["read"], r["new"], r["duplicate"], r["rejected"]) for r in log] == [
            (4, 2, 1, 1),
            (4, 0, 3, 1),
        ]
        assert all(r["finished"] for r in log)


def test_a_removed_tag_stays_removed(tmp_path: Path) -> None:
    path = _table(tmp_path / "in.jsonl", [{"text": CAT, "tags": ["cat", "wrong"]}])
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.ingest([path])
        corpus.tag([1], remove=["wrong"])
        corpus.ingest([path])
        assert corpus.get(1)["tags"] == ["cat"]


def test_original_bytes_come_back(tmp_path: Path) -> None:
    raw = "╔═╗\r\n║ ║\t\r\n╚═╝\r\n".encode("cp437") + b"\x1aSAUCE00"
    (tmp_path / "box.txt").write_bytes(raw)
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.ingest([tmp_path / "box.txt"], ReadOptions(source="s"))
        assert corpus.get(1)["text"] == "╔═╗\n║ ║\n╚═╝"
        assert corpus.original(1) == raw
        steps = corpus.get(1)["origins"][0]
        assert (steps["encoding"], json.loads(steps["steps"])) == (
            "cp437",
            ["newlines", "tabs", "trim"],
        )


def test_signatures_are_credit(tmp_path: Path) -> None:
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece(CAT + "  hjw"), Piece("><>")])
        signed, unsigned = corpus.select()
        assert signed["artist"] == signed["signed"] == "Hayley Jane Wakenshaw"
        assert unsigned["artist"] is unsigned["signed"] is None
        (span,) = corpus.get(1)["credits"]
        assert (span["row"], span["col"], span["text"]) == (2, 6, "hjw")


def test_rejections_are_rows(tmp_path: Path) -> None:
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Rejection("prose", "once upon a time", "s", "p", "lines 1-3"), Piece("x")])
        (row,) = corpus.db["rejection"].rows
        assert (row["reason"], row["path"], row["locator"]) == ("prose", "p", "lines 1-3")


_INGEST = "import sys; from asciiloom.corpus import Corpus; Corpus(sys.argv[1], create=True).ingest([sys.argv[2]])"
# The same with a transaction every 250 pieces, so that there is much to cut off between the first and the last.
_INGEST_SLOWLY = f"from asciiloom.ingest import pipeline; pipeline.BATCH_ITEMS = 250; {_INGEST}"


def _many(tmp_path: Path, count: int) -> Path:
    return _table(
        tmp_path / "many.jsonl",
        [{"text": p.text, "source": "s", "tags": list(p.tags)} for p in synth.generate(count)],
    )


def _committed(db: Path) -> int:
    """Pieces that another process sees."""
    try:
        with closing(sqlite3.connect(f"file:{db}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM piece").fetchone()[0])
    except sqlite3.OperationalError:
        return 0  # not there yet


def _wait_for(db: Path, count: int, process: "subprocess.Popen[bytes]") -> None:
    """Until ``count`` pieces are committed, while ``process`` goes on."""
    deadline = time.monotonic() + 100
    while _committed(db) < count and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.005)


def test_kill_loses_nothing_committed_and_resumes(tmp_path: Path) -> None:
    path = _many(tmp_path, 6000)
    for least in (1, 1000, 2500):
        db = tmp_path / f"{least}.db"
        process = subprocess.Popen([sys.executable, "-c", _INGEST_SLOWLY, str(db), str(path)])
        _wait_for(db, least, process)
        seen = _committed(db)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        with Corpus(db, create=True) as corpus:
            assert corpus.connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            there = corpus.count()
            assert least <= seen <= there < 6000  # in the middle, and nothing that was seen is gone
            logged = corpus.connection.execute(
                "SELECT coalesce(sum(new), 0) FROM ingest"
            ).fetchone()[0]
            assert there == logged  # batches are whole: text, index and log together
            corpus.ingest([path])
            assert corpus.count() == 6000
            indexed = corpus.connection.execute(
                "SELECT count(*) FROM piece_fts WHERE piece_fts MATCH 'banner'"
            ).fetchone()[0]
            tagged = corpus.count(Selection(tags=("banner",)))
            assert indexed >= tagged > 100


def test_a_stalled_input_holds_no_lock(tmp_path: Path) -> None:
    rows = _many(tmp_path, 6000).read_text().splitlines(keepends=True)
    db = tmp_path / "a.db"
    process = subprocess.Popen([sys.executable, "-c", _INGEST, str(db), "-"], stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write("".join(rows[:5500]).encode())  # a whole batch and some more, then silence
    process.stdin.flush()
    _wait_for(db, 5000, process)
    assert _committed(db) == 5000 and process.poll() is None
    with Corpus(db) as corpus:
        corpus.connection.execute("PRAGMA busy_timeout = 1000")
        assert corpus.add([Piece("written\nmeanwhile")]).row()["new"] == 1
    process.stdin.write("".join(rows[5500:]).encode())
    process.stdin.close()
    assert process.wait(timeout=100) == 0
    assert _committed(db) == 6001


def test_all_paths_are_one_run(tmp_path: Path) -> None:
    one = _table(tmp_path / "one.jsonl", [{"text": f"{CAT}{n}"} for n in range(5)])
    two = _table(tmp_path / "two.jsonl", [{"text": f"{CAT} {n}"} for n in range(5)])
    seen: list[str] = []
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        tally = corpus.ingest([one, two], progress=lambda _, path: seen.append(path), limit=7)
        assert tally.row()["new"] == corpus.count() == 7
        (row,) = corpus.db["ingest"].rows
        assert json.loads(row["inputs"]) == [str(one), str(two)]
        assert (row["read"], row["new"]) == (7, 7) and row["finished"]
        assert seen == [str(two)]
        with pytest.raises(ReaderError, match="nothing"):
            corpus.ingest([one, two, tmp_path / "nothing.jsonl"])
        assert corpus.count() == 7 and corpus.db["ingest"].count == 1  # before anything was written


def test_two_ingests_at_once_both_finish(tmp_path: Path) -> None:
    path = _many(tmp_path, 2000)
    db = tmp_path / "a.db"
    Corpus(db, create=True).close()
    running = [
        subprocess.Popen([sys.executable, "-c", _INGEST, str(db), str(path)]) for _ in range(2)
    ]
    assert [p.wait(timeout=120) for p in running] == [0, 0]
    with Corpus(db) as corpus:
        assert corpus.count() == 2000
        total = corpus.connection.execute("SELECT sum(new), sum(duplicate) FROM ingest").fetchone()
        assert total == (2000, 2000)


def test_other_tools_read_the_file(tmp_path: Path) -> None:
    path = _table(tmp_path / "in.jsonl", [{"text": CAT, "tags": ["cat"], "title": "t"}])
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.ingest([path])
    with sqlite3.connect(tmp_path / "a.db") as db:
        # Plain SQL keeps tags, their JSON image and the word index together.
        db.execute("INSERT INTO tag VALUES (1, 'feline')")
        assert json.loads(db.execute("SELECT tags FROM piece").fetchone()[0]) == ["cat", "feline"]
        assert db.execute(
            "SELECT rowid FROM piece_fts WHERE piece_fts MATCH 'feline'"
        ).fetchall() == [(1,)]
        db.execute("DELETE FROM tag WHERE name = 'cat'")
        assert (
            db.execute("SELECT rowid FROM piece_fts WHERE piece_fts MATCH 'cat'").fetchall() == []
        )
        db.execute("INSERT INTO piece_fts (piece_fts, rank) VALUES ('integrity-check', 1)")
        db.execute("INSERT INTO piece_art (piece_art) VALUES ('integrity-check')")
    db.close()


def test_real_collections_add_up(tmp_path: Path, real_files: list[Path]) -> None:
    small = sorted(real_files, key=lambda f: f.stat().st_size)[:12]
    with Corpus(tmp_path / "real.db", create=True) as corpus:
        tally = corpus.ingest(small)
        row = tally.row()
        assert row["read"] == row["new"] + row["duplicate"] + row["rejected"] > 1000
        again = corpus.ingest(small).row()
        assert again["new"] == 0 and again["read"] == row["read"]


def test_a_source_of_one_or_two_characters_is_told(tmp_path: Path, cli) -> None:  # type: ignore[no-untyped-def]
    letters = [{"caption": "x", "text": text} for text in ("GM", "A", "B", CAT)]
    path = _table(tmp_path / "letters.jsonl", letters)
    with Corpus(tmp_path / "art.db", create=True) as corpus:
        assert corpus.ingest([path]).mostly_tiny() == ["letters"]
        assert corpus.ingest([_table(tmp_path / "cats.jsonl", letters[3:] * 2)]).mostly_tiny() == []
    said = cli("ingest", tmp_path / "art.db", path).stderr
    assert "3 pieces of letters" in said and "--column text=NAME" in said
    assert "warning" not in cli("ingest", tmp_path / "art.db", tmp_path / "cats.jsonl").stderr
