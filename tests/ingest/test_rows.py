"""A table that is no art leaves a row or two in the corpus, not half a million."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import Result

from asciiloom.corpus import Corpus
from asciiloom.curate.statistics import stats
from asciiloom.ingest import pipeline
from asciiloom.readers import ReadOptions
from asciiloom.readers.rejections import KEPT
from asciiloom.readers.tables import lines

ROWS = 30_000


def rejections(path: Path) -> list[tuple[str, str, str, int]]:
    """(locator, reason, detail, count) of each, whose counts add up to what the log says."""
    with sqlite3.connect(path) as db:
        found = db.execute(
            "SELECT locator, reason, detail, count FROM rejection ORDER BY id"
        ).fetchall()
        read, new, duplicate, rejected = db.execute(
            "SELECT read, new, duplicate, rejected FROM ingest"
        ).fetchone()
    db.close()
    assert read == new + duplicate + rejected
    assert rejected == sum(count for *_, count in found)
    return found


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_a_table_without_art_is_one_rejection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, workers: int
) -> None:
    monkeypatch.setattr(pipeline, "_LONG_FILE", 20_000)
    monkeypatch.setattr(lines, "CHUNK", 50_000)
    path = tmp_path / name
    if name == "a.parquet":
        pq.write_table(pa.table({"price": list(range(ROWS))}), path)
    elif name == "a.csv":
        path.write_text("price\n" + "".join(f"{n}\n" for n in range(ROWS)))
    else:
        path.write_text("".join(f'{{"price": {n}}}\n' for n in range(ROWS)))
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        tally = corpus.ingest([path], ReadOptions(source="s"), workers=workers)
    assert tally.row() == {"read": ROWS, "new": 0, "duplicate": 0, "rejected": ROWS}
    assert tally.reasons == {"no-text": ROWS}
    ((locator, reason, detail, count),) = rejections(tmp_path / "a.db")
    assert (locator, reason) == (f"rows 1-{ROWS}", "no-text")
    assert detail.startswith("no text column") and count == ROWS
    with Corpus(tmp_path / "a.db") as corpus:
        assert stats(corpus.connection)["rejections"] == {"no-text": ROWS}


@pytest.mark.parametrize("workers", [1, 2])
def test_bad_rows_among_good_ones_keep_their_place_up_to_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr(pipeline, "_LONG_FILE", 2_000)
    monkeypatch.setattr(lines, "CHUNK", 4_000)
    rows = [json.dumps({"text": f"<{n}>\n/|\\"}) for n in range(1000)]
    rows[6] = "{broken"
    for n in range(100, 1000, 3):
        rows[n] = '{"text": " "}'
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(rows))
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        tally = corpus.ingest([path], workers=workers)
    assert tally.row() == {"read": 1000, "new": 699, "duplicate": 0, "rejected": 301}
    found = rejections(tmp_path / "a.db")
    empty = [(locator, count) for locator, reason, _, count in found if reason == "empty"]
    assert [locator for locator, _ in empty] == [f"row {101 + 3 * n}" for n in range(KEPT + 1)]
    assert [count for _, count in empty] == [1] * KEPT + [200]
    assert [r[0] for r in found if r[1] == "bad-json"] == ["row 7"]


def test_the_command_says_how_many(tmp_path: Path, cli: Callable[..., Result]) -> None:
    path = tmp_path / "a.csv"
    path.write_text("price\n" + "1\n" * 2000)
    shown = cli("ingest", tmp_path / "a.db", path, exits=1).output
    assert "2,000 no-text" in shown
    assert len(rejections(tmp_path / "a.db")) == 1
