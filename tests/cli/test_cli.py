"""The commands as a person uses them, end to end, through the real entry point."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from asciiloom.cli import _COMMANDS
from asciiloom.cli.output import progress, table
from asciiloom.corpus import Corpus
from asciiloom.piece import Piece

CAT = " /\\_/\\\n( o.o )\n > ^ <\n"


@pytest.fixture
def db(tmp_path: Path, cli) -> Path:  # type: ignore[no-untyped-def]
    path = tmp_path / "a.db"
    rows = [
        {
            "text": CAT,
            "title": "cat",
            "tags": ["animal"],
            "artist": "Ada",
            "source": "s",
            "license": "MIT",
        },
        {"text": "><(((o>", "title": "fish", "tags": ["animal", "sea"], "source": "s"},
        {"text": "\x1b[31m+--+\n|  |\n+--+", "title": "box \x1b[2J", "source": "t"},
        {"text": " "},
    ]
    table_file = tmp_path / "in.jsonl"
    table_file.write_text("".join(json.dumps(r) + "\n" for r in rows))
    summary = json.loads(cli("ingest", path, table_file, "--json").stdout)
    assert summary["read"] == 4 == summary["new"] + summary["duplicate"] + summary["rejected"]
    assert summary["sources"]["s"] == {"read": 2, "new": 2, "duplicate": 0, "rejected": 0}
    assert summary["reasons"] == {"empty": 1}
    return path


@pytest.mark.parametrize("command", _COMMANDS)
def test_every_command_has_help_with_an_example(cli, command: str) -> None:  # type: ignore[no-untyped-def]
    out = cli(command, "--help").output
    assert f"Example: asciiloom {command}" in out


def test_group_help_lists_all(cli) -> None:  # type: ignore[no-untyped-def]
    out = cli("--help").output
    assert all(command in out for command in _COMMANDS)
    assert "asciiloom, version" in cli("--version").output
    assert "No such command" in cli("nonsense", exits=2).output


def test_init(cli, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert json.loads(cli("init", tmp_path / "x.db", "--json").stdout)["created"] is True
    assert "is a corpus" in cli("init", tmp_path / "x.db").stderr


def test_ingest_tells_people_what_happened(cli, db: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    again = cli("ingest", db, tmp_path / "in.jsonl", "--limit", 3)
    assert again.stdout == "" and "duplicate" in again.stderr
    (tmp_path / "page.txt").write_text(CAT + "\n\n\n" + "o-o-o\n o-o")
    assert (
        "2"
        in cli(
            "ingest",
            db,
            tmp_path / "page.txt",
            "--source",
            "mine",
            "--tag",
            "new",
            "--license",
            "CC0-1.0",
        ).stderr
    )
    rejected = cli(
        "ingest", db, "-", given="not json at all \x00\x00\x00\x00\x00\x00\x00\x00", exits=1
    )
    assert "rejected" in rejected.stderr


def test_search_forms(cli, db: Path) -> None:  # type: ignore[no-untyped-def]
    plain = cli("search", db, "cat")
    assert plain.stdout == CAT.rstrip("\n").replace(" /\\", " /\\") + "\n\n"
    assert "by Ada" in plain.stderr and "MIT" in plain.stderr
    rows = json.loads(cli("search", db, "--tag", "animal", "--json").stdout)
    assert [r["title"] for r in rows] == ["cat", "fish"] and "bare_hash" not in rows[0]
    lines = cli("search", db, "--tag", "animal", "--nl").stdout.splitlines()
    assert [json.loads(line)["tags"] for line in lines] == [["animal"], ["animal", "sea"]]
    read = list(csv.DictReader(io.StringIO(cli("search", db, "--tag", "animal", "--csv").stdout)))
    assert read[0]["text"] == CAT.rstrip("\n") and json.loads(read[1]["tags"]) == ["animal", "sea"]
    assert "fish" in cli("search", db, "--max", "10x1", "--table").stdout
    assert cli("search", db, "--count").stdout == "3\n"
    assert cli("search", db, "--glyphs", "(x", "--count").stdout == "0\n"
    assert (
        cli("search", db, "--width", "7", "--height", "3..", "--min", "2x2", "--count").stdout
        == "1\n"
    )
    assert "nothing found" in cli("search", db, "zebra").stderr
    one = cli("search", db, "--random", "--seed", 1, "-n", 1)
    assert one.stdout == cli("search", db, "--random", "--seed", 1, "-n", 1).stdout
    assert "1 of 3" in one.stderr


def test_nothing_printed_holds_a_control_character(cli, db: Path) -> None:  # type: ignore[no-untyped-def]
    for args in (("search", db), ("search", db, "--table"), ("show", db, 3), ("stats", db)):
        out = cli(*args).output
        assert "\x1b" not in out
    assert "+--+" in cli("search", db).stdout


def test_show(cli, db: Path) -> None:  # type: ignore[no-untyped-def]
    shown = cli("show", db, 1)
    assert shown.stdout == CAT and "found in: s" in shown.stderr
    assert cli("show", db, 3, "--original").stdout_bytes == b"\x1b[31m+--+\n|  |\n+--+"
    record = json.loads(cli("show", db, 1, "--json").stdout)
    assert record["origins"][0]["source"] == "s" and record["credits"] == []
    assert 'CAT = "\\n".join((' in cli("show", db, 1, "--format", "python").stdout


def test_tag(cli, db: Path) -> None:  # type: ignore[no-untyped-def]
    assert json.loads(cli("tag", "add", db, "Pet", 1, 2, "--json").stdout) == {
        "edit": 1,
        "pieces": 2,
        "changed": 2,
        "dry_run": False,
    }
    assert cli("search", db, "--tag", "pet", "--count").stdout == "2\n"
    assert "1 pieces (dry run" in cli("tag", "rm", db, "pet", "--where", "fish", "--dry-run").stderr
    cli("tag", "rm", db, "pet", "--where", "fish")
    assert cli("search", db, "pet", "--count").stdout == "1\n"
    assert "no piece 99" in cli("tag", "add", db, "x", 99, exits=1).output
    cli("tag", "add", db, "x", exits=2)
    cli("tag", "add", db, "x", 1, "--where", "fish", exits=2)
    cli("tag", "merge", db, "creature", "pet", "nothing")
    assert cli("search", db, "--tag", "creature", "--count").stdout == "1\n"
    cli("tag", "rename", db, "creature", "beast")
    assert cli("search", db, "--tag", "beast", "--count").stdout == "1\n"


def test_curating(cli, db: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    cli("edit", db, 1, "--set", "title=A Cat", "--set", "artist=jgs")
    assert json.loads(cli("show", db, 1, "--json").stdout)["title"] == "A Cat"
    cli("edit", db, 1, "--set", "nonsense=1", exits=1)
    cli("edit", db, 1, exits=2)
    cli("reject", db, 2, "--reason", "not art")
    everything = int(cli("search", db, "--count").stdout)
    assert cli("search", db, "--withdrawn", "--count").stdout == "1\n"
    cli("restore", db, exits=2)  # not everything, by mistake
    cli("restore", db, "--where", "fish")
    assert int(cli("search", db, "--count").stdout) == everything + 1
    cli("credit", db, "Some One", "--where", "fish")
    assert not cli("search", db, "fish", "--redistributable", "--nl").stdout
    assert "not to be redistributed" in cli("license", db, "MIT not granted to anyone", 2).stderr
    assert not cli("search", db, "fish", "--redistributable", "--nl").stdout
    cli("license", db, "cc by 4.0", 2)
    assert cli("search", db, "--redistributable", "--count").stdout == "2\n"
    rows = cli("search", db, "fish", "--nl").stdout.splitlines()
    assert [(r["artist"], r["licence"]) for r in map(json.loads, rows)] == [
        ("Some One", "CC-BY-4.0")
    ]
    table = tmp_path / "edits.csv"
    table.write_text('id,title,tags\n1,Renamed,"x,y"\n2,,z\n')
    cli("edit", db, "--from", tmp_path / "none.csv", exits=2)
    for wrong in (b"\xff\xfe\x00", b"[{", b"id,tags\n1,[x\n", b"title\nx\n", b"[3]"):
        bad = tmp_path / "bad"
        bad.write_bytes(wrong)
        assert len(cli("edit", db, "--from", bad, exits=1).stderr.strip().splitlines()) == 1
    cli("edit", db, "--from", table)
    assert json.loads(cli("show", db, 1, "--json").stdout)["tags"] == ["x", "y"]
    assert "edit --from" in cli("history", db).stdout
    cli("undo", db)
    assert json.loads(cli("show", db, 1, "--json").stdout)["title"] == "A Cat"
    assert "does not stand" in cli("undo", db, 99, exits=1).output
    assert "no pair" in cli("review", db).stderr
    cli("review", db, "--set", "x", "2", "same", exits=2)


def test_stats(cli, db: Path) -> None:  # type: ignore[no-untyped-def]
    out = cli("stats", db, "--tag", "animal").stdout
    assert out.startswith("2 pieces") and "median" in out
    assert json.loads(cli("stats", db, "--json").stdout)["rejections"] == {"empty": 1}


def test_dedup(cli, db: Path) -> None:  # type: ignore[no-untyped-def]
    assert json.loads(cli("dedup", db, "--json").stdout)["pieces"] == 3
    again = cli("dedup", db)
    assert "3 pieces in 3 clusters" in again.stderr and "splits:" in again.stderr


@pytest.mark.parametrize(
    ("args", "exits", "says"),
    [
        (("search", "{tmp}/none.db"), 1, "asciiloom init"),
        (("search", "{tmp}/in.jsonl"), 1, "not a corpus"),
        (("search", "{db}", "--width", "9..3"), 1, "above the high"),
        (("search", "{db}", "--width", "wide"), 2, "not a range"),
        (("search", "{db}", "--max", "40by12"), 2, "not a size"),
        (("ingest", "{db}", "{tmp}/none"), 1, "cannot read"),
        (("ingest", "{db}", "{tmp}/in.jsonl", "--column", "x"), 2, "ROLE=NAME"),
        (("show", "{db}", "77"), 1, "no piece 77"),
        (("train", "{db}", "--steps", "1"), 1, "asciiloom dedup"),
        (("train", "{db}", "--steps", "1", "--set", "x"), 1, "section.name"),
        (("export", "{tmp}/out"), 2, "--model"),
        (("export", "{tmp}/out", "--preset", "huge"), 2, "huge"),
        (("generate", "{tmp}", "cat"), 1, "no checkpoint"),
        (("generate", "{tmp}", "cat", "--size", "4x4", "--max", "5x5"), 2, "--size says it all"),
        (("generate", "{tmp}", "cat", "--size", "40x12", "--chars", "9"), 1, "at least"),
    ],
)
def test_errors_are_one_line_that_names_the_fix(
    cli, db: Path, tmp_path: Path, args: tuple[str, ...], exits: int, says: str
) -> None:  # type: ignore[no-untyped-def]
    result = cli(*(a.format(tmp=tmp_path, db=db) for a in args), exits=exits)
    assert says in result.output and "Traceback" not in result.output
    if exits == 1:
        assert len(result.stderr.strip().splitlines()) == 1


def test_train_eval_generate_export(cli, corpus_file: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run = tmp_path / "run"
    common = (
        "--preset",
        "nano",
        "--set",
        "run.tokens=2048",
        "--set",
        "run.eval_pieces=10",
        "--set",
        'run.samples=["cat"]',
    )
    figures = json.loads(
        cli("train", corpus_file, "--steps", 4, "--out", run, *common, "--json").stdout
    )
    assert figures["step"] == 4
    assert figures["evaluation"]["bits_per_character"] == pytest.approx(
        figures["held_out_bits"], rel=0.02
    )
    resumed = cli("train", corpus_file, "--steps", 6, "--out", run, *common)
    assert "step 6: held out" in resumed.stderr and "-- cat" in resumed.stderr
    assert "order-3 counts" in resumed.stdout and "xz -9e" in resumed.stdout
    report = json.loads(
        cli("eval", corpus_file, run, "--split", "test", "--json", "--no-baselines").stdout
    )
    assert report["split"] == "test" and report["bits_per_character"] > 0
    printed = cli("eval", corpus_file, run).stdout
    assert "order-3 counts" in printed and "xz -9e, primed" in printed and "perplexity" in printed

    drawn = cli("generate", run, "cat", "--max", "20x6").stdout
    rows = drawn.rstrip("\n").split("\n")
    assert 1 <= len(rows) <= 6 and max(map(len, rows)) <= 20
    many = json.loads(
        cli("generate", run, "cat", "--size", "9x3", "-n", 3, "--kind", "shape", "--json").stdout
    )
    assert [(d["width"], d["height"]) for d in many] == [(9, 3)] * 3
    assert cli("generate", run, "--width", 7, "--height", 2, "--chars", 12, "--forbid", "`").stdout
    for target in ("markdown", "json", "python", "html"):
        assert cli("generate", run, "cat", "--max", "12x4", "--format", target).stdout.strip()

    out = json.loads(cli("export", tmp_path / "out", "--model", run, "--best", "--json").stdout)
    assert out["files"]["model.safetensors"] > 1_000_000
    assert cli("generate", tmp_path / "out", "--size", "5x2").stdout.count("\n") == 2
    assert "read back and equal" in cli("export", tmp_path / "fresh", "--preset", "nano").stderr


def test_demo_end_to_end(cli, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    result = cli("demo", "--out", tmp_path / "demo", "--minutes", "0.05", "--pieces", 300, "--json")
    summary = json.loads(result.stdout)
    assert summary["misfits"] == 0 and summary["drawings"] >= 15
    page = (tmp_path / "demo" / "gallery.html").read_text()
    assert page.count("<figure>") == summary["drawings"]
    assert (tmp_path / "demo" / "gallery.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "demo" / "model" / "tokenizer.json").exists()
    for number in range(1, 7):
        assert f"== {number}. " in result.stderr


@pytest.mark.parametrize("words", [("--help",), ("search", "a.db", "cat")])
def test_help_and_search_load_nothing_heavy(tmp_path: Path, words: tuple[str, ...]) -> None:
    """No timing here (the benchmark does that): only what is not needed for an answer."""
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece("/\\_/\\\n(o.o)", title="cat", artist="jgs/TT", licence="CC0-1.0")])
    code = (
        "import sys\nfrom asciiloom.cli import main\n"
        f"try:\n    main({list(words)!r})\nexcept SystemExit as end:\n    assert not end.code\n"
        "heavy = {'numpy', 'torch', 'numba', 'pandas', 'rich', 'sqlite_utils', 'asciiloom.piece.credit'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=tmp_path
    )
    assert done.stdout.strip().endswith("[]"), done.stdout + done.stderr


def test_table_and_silent_progress(capsys: pytest.CaptureFixture[str]) -> None:
    assert table([("a", 1000), ("\x1b", 2.5)], ("x", "n")).split("\n")[2:] == [
        "a      1,000",
        "\\x1b  2.5000",
    ]
    with progress("x", 3) as bar:
        bar(1)
        bar(3, 3, "note")
    assert capsys.readouterr().err == ""


def test_formats_lists_every_reader(cli) -> None:  # type: ignore[no-untyped-def]
    rows = json.loads(cli("formats", "--json").stdout)
    assert {"ansi", "xbin", "cow", "html", "archive", "image", "plain"} <= {r["name"] for r in rows}
    assert all(r["recognised"] and r["oracle"] and r["summary"] for r in rows)
    assert len(cli("formats", "--nl").stdout.splitlines()) == len(rows)
    assert "held against: ansilove" in cli("formats").stdout


def test_native_formats_through_the_command_line(cli, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    db = tmp_path / "a.db"
    red = b"\x1b[1;31m" + "█▀█".encode("cp437") + b"\x1b[0m\r\n" + "▀ ▀".encode("cp437")
    (tmp_path / "gate.ans").write_bytes(red)
    summary = json.loads(
        cli("ingest", db, tmp_path / "gate.ans", "--source", "me", "--json").stdout
    )
    assert summary["new"] == 1
    assert cli("show", db, 1, "--format", "plain").stdout == "█▀█\n▀ ▀\n"
    painted = cli("show", db, 1, "--colour").stdout
    assert "\x1b[0;38;2;255;85;85m█▀█" in painted
    assert '<span style="color:#ff5555">' in cli("show", db, 1, "--format", "html").stdout
    assert cli("show", db, 1, "--original").stdout_bytes == red
    assert cli("show", db, 1, "--original", "--path", tmp_path / "gate.ans").stdout_bytes == red
    assert (
        "has no piece 1 that was seen at"
        in cli("show", db, 1, "--original", "--path", "x", exits=1).stderr
    )
    assert "not one that Python knows" in cli("ingest", db, "-", "--encoding", "zz", exits=2).stderr


def test_a_font_file_sets_given_words(cli, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    import pyfiglet

    font = Path(pyfiglet.__file__).parent / "fonts" / "small.flf"
    db = tmp_path / "a.db"
    cli("ingest", db, font, "--word", "Hi", "--source", "fonts")
    found = json.loads(cli("search", db, "--kind", "banner", "--json").stdout)
    assert [r["title"] for r in found] == ["Hi"] and found[0]["flags"] == ["synthetic"]


def test_a_piece_without_colours_says_so(cli, db: Path) -> None:  # type: ignore[no-untyped-def]
    shown = cli("show", db, 2, "--colour")
    assert "no colours of its own" in shown.stderr and "\x1b" not in shown.stdout
