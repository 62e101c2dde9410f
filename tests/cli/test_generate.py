"""Best of several, signatures and examples to draw after, through the real command."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from asciiloom.corpus import Corpus
from asciiloom.generate import BEST_OF
from asciiloom.model import ModelConfig, save_model, untrained_model

CONFIG = ModelConfig(d_model=8, layers=1, heads=1, head=8, pairs=())


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generate") / "model"
    save_model(folder, untrained_model(CONFIG))
    return folder


def test_the_parts_of_the_score_are_told(cli, model: Path) -> None:  # type: ignore[no-untyped-def]
    ask = ("generate", model, "cat", "--max", "9x4", "-n", 8, "--json")
    best = json.loads(cli(*ask, "--best-of", 4).stdout)
    assert [d["index"] for d in best] == [*range(8)] and {d["candidate"] for d in best} != {0}
    for drawing in best:
        assert {"words", "initials", "open", "cut"} < drawing["score"].keys()
        assert drawing["width"] <= 9 and drawing["height"] <= 4 and drawing["credit"] is None
    again = json.loads(cli(*ask, "--best-of", 4).stdout)
    assert again == best
    one = json.loads(cli(*ask, "--best-of", 1).stdout)
    assert all(d["score"] is None and d["candidate"] == 0 for d in one)
    assert json.loads(cli(*ask).stdout) == json.loads(cli(*ask, "--best-of", BEST_OF).stdout)
    assert "range" in cli(*ask, "--best-of", 0, exits=2).stderr


def test_signatures_are_left_in_only_where_asked(cli, model: Path) -> None:  # type: ignore[no-untyped-def]
    ask = (
        "generate",
        model,
        "--size",
        "3x1",
        "--allow",
        "jgs",
        "-n",
        20,
        "--temperature",
        10,
        "--json",
    )
    # Of exact size there is nothing to take out; with room there is.
    assert len(json.loads(cli(*ask).stdout)) == 20
    roomy = ("generate", model, "--max", "14x2", "--allow", "jgs #", "-n", 100, "--temperature", 10, "--best-of", 1, "--json")  # fmt: skip
    signed = {d["index"]: d["text"] for d in json.loads(cli(*roomy, "--signature").stdout)}
    bare = {d["index"]: d["text"] for d in json.loads(cli(*roomy).stdout)}
    changed = [n for n in signed if signed[n] != bare[n]]
    assert changed and all("jgs" in signed[n] for n in changed)
    assert all(bare[n].count("jgs") < signed[n].count("jgs") for n in changed)


def test_a_model_without_references_refuses_before_it_looks(
    cli, tmp_path: Path, corpus_file: Path
) -> None:  # type: ignore[no-untyped-def]
    model = tmp_path / "model"
    save_model(model, untrained_model(replace(CONFIG, reference=False)))
    result = cli("generate", model, "cat", "--corpus", corpus_file, exits=1)
    assert "takes no example" in result.stderr and result.stderr.count("\n") == 1
    for more in (("--like", 1), ("--tag", "cat"), ("--redistributable",)):
        assert "give --corpus DB" in cli("generate", model, "cat", *more, exits=2).stderr


def test_whom_a_drawing_follows_is_told(  # type: ignore[no-untyped-def]
    cli, model: Path, corpus_file: Path
) -> None:
    ask = ("generate", model, "filled star", "--corpus", corpus_file, "--max", "20x9")
    result = cli(*ask, "-n", 2)
    lines = result.stderr.splitlines()
    assert len(lines) == 2 and all(line.startswith('after "filled star"') for line in lines)
    told = json.loads(cli(*ask, "-n", 2, "--json").stdout)
    assert [f", {d['credit']['id']})" in line for d, line in zip(told, lines, strict=True)] == [
        True
    ] * 2
    number = told[0]["credit"]["id"]
    with Corpus(corpus_file) as corpus:
        record = corpus.get(number)
    assert told[0]["credit"] == {
        key: record[key] for key in ("id", "title", "artist", "source", "licence")
    }
    assert record["width"] <= 20 and record["height"] <= 9
    like = cli(*ask[:3], "--corpus", corpus_file, "--like", number, "--format", "json")
    assert json.loads(like.stdout)["credit"]["id"] == number and f", {number})" in like.stderr
    assert "larger than" in cli(*ask[:5], "--like", number, "--max", "2x2", exits=1).stderr
    assert "no piece 999999" in cli(*ask, "--like", 999999, exits=1).stderr
    none = cli(*ask, "--tag", "no such tag")
    assert "drawn without an example" in none.stderr and none.stdout
