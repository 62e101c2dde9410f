"""Suggestions, columns and totals: what a person would have had to look up."""

import csv
import io
import json

from asciiloom.corpus import Corpus


def test_mistyped_commands_and_sources_are_answered_with_the_nearest(cli, corpus: Corpus) -> None:  # type: ignore[no-untyped-def]
    db = corpus.path
    assert "Did you mean 'search'?" in cli("serach", db, exits=2).stderr
    assert "Did you mean 'add'?" in cli("tag", "ad", db, exits=2).stderr
    assert "No such command 'qqq'." in cli("qqq", exits=2).stderr
    for command in (
        ("search", db, "--source", "Defualt"),
        ("stats", db, "--source", "default"),
        ("reject", db, "--source", "asciilom/default"),
        ("rejections", db, "--source", "asciiloom/defaults"),
        ("export", "-", "--corpus", db, "--source", "asciiloom/DEFAULT"),
    ):
        said = cli(*command, exits=1).stderr
        assert "has no source" in said and "did you mean 'asciiloom/default'?" in said, command
    assert (
        "it has asciiloom/default, asciiloom/synth"
        in cli("search", db, "--source", "x", exits=1).stderr
    )
    assert "nothing found" in cli("search", db, "--source", "x*").stderr


def test_only_the_columns_that_are_asked_for(cli, corpus: Corpus) -> None:  # type: ignore[no-untyped-def]
    db = corpus.path
    given = ("search", db, "cat", "--columns", "title, id,tags", "-n", 2)
    shown = cli(*given).stdout.splitlines()
    assert shown[0].split() == ["title", "id", "tags"] and len(shown) == 4
    rows = json.loads(cli(*given, "--json").stdout)
    assert [list(row) for row in rows] == [["title", "id", "tags"]] * 2
    (header, *_) = csv.reader(io.StringIO(cli(*given, "--csv").stdout))
    assert header == ["title", "id", "tags"]
    wrong = cli("search", db, "--columns", "id,titel", exits=2).stderr
    assert "no column 'titel'; did you mean 'title'?" in wrong
    assert "no column 'bare_hash'" in cli("search", db, "--columns", "bare_hash", exits=2).stderr


def test_the_total_of_what_is_near_is_not_the_page(cli, corpus: Corpus) -> None:  # type: ignore[no-untyped-def]
    number, total = next(
        (n, len(near)) for n in corpus.ids() if len(near := corpus.alike(n, 200)) > 4
    )
    assert int(cli("search", corpus.path, "--like", number, "-n", 3, "--count").stdout) == total
    assert f"3 of {total:,};" in cli("search", corpus.path, "--like", number, "-n", 3).stderr
