"""What was rejected is listed, shown in full, and taken all the same."""

import json
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

CAT = " /\\_/\\\n( o.o )\n > ^ <\n"
PROSE = (
    "This is a page of prose which nobody would take for a drawing, and it goes on\n"
    "for several lines so that the reader knows it for what it is, which is prose\n"
    "about nothing at all and with words in it that are quite usual in English.\n"
)


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page of a drawing and of prose, in the folder that commands run in."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "page.txt"
    path.write_text(f"{CAT}\n\n\n{PROSE}")
    return path


def test_rejections_are_listed_shown_and_accepted(cli, page: Path) -> None:  # type: ignore[no-untyped-def]
    said = cli("ingest", "a.db", page.name).stderr
    assert "asciiloom rejections a.db" in said
    (row,) = json.loads(cli("rejections", "a.db", "--json").stdout)
    assert (row["reason"], row["path"], row["locator"]) == ("prose", "page.txt", "lines 7-9")
    assert "prose" in cli("rejections", "a.db").stdout
    assert cli("rejections", "a.db", "--reason", "binary").stdout == ""
    shown = cli("rejections", "a.db", row["id"])
    assert shown.stdout == PROSE and "page.txt lines 7-9" in shown.stderr
    assert "new 1" in cli("rejections", "a.db", row["id"], "--accept").stderr
    records = json.loads(cli("search", "a.db", "--json").stdout)
    assert [record["text"] for record in records] == [CAT.rstrip(), PROSE.rstrip()]
    # Nobody is asked again, also after the same page was read again.
    cli("ingest", "a.db", page.name)
    assert "nothing was rejected" in cli("rejections", "a.db").stderr
    assert "no rejection" in cli("rejections", "a.db", row["id"], exits=1).stderr


def test_an_ingest_of_which_nothing_came_fails_with_a_hint(cli, page: Path) -> None:  # type: ignore[no-untyped-def]
    page.write_text(PROSE)
    done = cli("ingest", "a.db", page.name, exits=1)
    assert "all 1 items were rejected" in done.stderr and "asciiloom rejections a.db" in done.stderr
    assert json.loads(cli("ingest", "a.db", page.name, "--json", exits=1).stdout)["rejected"] == 1
    assert "new 1" in cli("rejections", "a.db", "--reason", "prose", "--accept").stderr


def test_what_was_rejected_is_read_again_from_wherever_it_is(cli, page: Path) -> None:  # type: ignore[no-untyped-def]
    """From the bytes that the corpus keeps, from an archive, or from where the file was moved."""
    cli("ingest", "a.db", page.name)
    with zipfile.ZipFile("b.zip", "w") as archive:
        archive.writestr("in/poem.txt", PROSE)
        archive.writestr("in/cat.txt", CAT)
    cli("ingest", "a.db", "b.zip")
    Path("alone.txt").write_text(PROSE.replace("prose", "poetry"))
    cli("ingest", "a.db", "alone.txt", exits=1)
    page.unlink()
    assert cli("rejections", "a.db", 1).stdout == PROSE
    assert cli("rejections", "a.db", 2).stdout == PROSE
    Path("alone.txt").rename("moved.txt")
    gone = cli("rejections", "a.db", 3, exits=1).stderr
    assert "not where it was read" in gone and "--from" in gone
    assert "poetry" in cli("rejections", "a.db", 3, "--from", "moved.txt").stdout
    assert "new 1" in cli("rejections", "a.db", 3, "--accept", "--from", "moved.txt").stderr
    record = json.loads(cli("show", "a.db", 2, "--json").stdout)
    assert [origin["path"] for origin in record["origins"]] == ["alone.txt"]


def test_what_can_be_no_piece_is_not_accepted(cli, page: Path) -> None:  # type: ignore[no-untyped-def]
    page.write_bytes(b"\x00" * 100 + b"\x1b]0;title\x07")
    cli("ingest", "a.db", page.name, exits=1)
    done = cli("rejections", "a.db", 1, "--accept", exits=1)
    assert "cannot be a piece: binary" in done.stderr
    assert "nothing found" in cli("search", "a.db").stderr


def test_no_control_character_of_what_was_rejected_is_printed(cli, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    table = tmp_path / "in.jsonl"
    table.write_text(json.dumps({"text": "", "title": "\x1b]0;x\x07\x9b2J"}) + "\n" + "{\x1b[31m\n")
    cli("ingest", tmp_path / "a.db", table, exits=1)
    for form in ("", "--json", "--nl", "--csv"):
        out = cli("rejections", tmp_path / "a.db", *filter(None, [form])).output
        assert out and not any((ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160 for c in out)


def test_an_address_is_not_a_file(cli, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for more in ((), ("--workers", 1)):
        done = cli("ingest", tmp_path / "a.db", "http://example.com//a.txt", *more, exits=1)
        assert "http://example.com//a.txt: it is an address" in done.stderr
        assert "curl -LO http://example.com//a.txt" in done.stderr


@pytest.mark.parametrize("name", ["in.jsonl", "in.csv", "in.parquet"])
def test_a_row_of_a_table_is_shown_and_accepted(cli, tmp_path: Path, name: str) -> None:  # type: ignore[no-untyped-def]
    """It is read again from the table, though of another row of it the text is kept as it was."""
    texts = [f"\t{CAT}", "\x01\x02 /\\\n\x03\x04/__\\", CAT.replace("o", "-")]
    table = pa.table({"text": texts, "title": ["cat", "hut", "asleep"]})
    if name == "in.parquet":
        pq.write_table(table, tmp_path / name)
    else:
        frame = table.to_pandas()
        text = (
            frame.to_csv(index=False)
            if name == "in.csv"
            else frame.to_json(orient="records", lines=True)
        )
        (tmp_path / name).write_text(text)
    db = tmp_path / "a.db"
    cli("ingest", db, tmp_path / name)
    (row,) = json.loads(cli("rejections", db, "--json").stdout)
    assert (row["reason"], row["locator"]) == ("binary", "row 2")
    assert cli("rejections", db, row["id"]).stdout == " /\\\n/__\\\n"
    assert "new 1" in cli("rejections", db, row["id"], "--accept").stderr
    record = json.loads(cli("show", db, 3, "--json").stdout)
    assert (record["text"], record["title"]) == (" /\\\n/__\\", "hut")
    assert "nothing was rejected" in cli("rejections", db).stderr
    assert cli("show", db, 3, "--original").stdout_bytes == texts[1].encode()


def test_rows_that_hold_no_piece_say_what_to_do(cli, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    table = tmp_path / "in.jsonl"
    table.write_text(json.dumps({"drawn": CAT}) + "\n" + json.dumps({"text": " "}) + "\n")
    cli("ingest", tmp_path / "a.db", table, exits=1)
    done = cli("rejections", tmp_path / "a.db", "--reason", "no-text", "--accept", exits=1)
    assert "--column text=NAME" in done.stderr
    done = cli("rejections", tmp_path / "a.db", "--reason", "empty", "--accept", exits=1)
    assert "cannot be a piece: empty" in done.stderr
    table.write_text("{}\n{}\n")
    cli("ingest", tmp_path / "b.db", table, exits=1)
    assert (
        "a file of their own" in cli("rejections", tmp_path / "b.db", 1, "--accept", exits=1).stderr
    )
