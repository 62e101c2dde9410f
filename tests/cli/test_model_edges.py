"""Numbers, names and prompts at the edges, in the commands that use models: one clear line each."""

from pathlib import Path

import pytest

from asciiloom.model import ModelConfig, save_model, untrained_model

BIG = "1" * 30


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("edges") / "model"
    save_model(folder, untrained_model(ModelConfig(d_model=8, layers=1, heads=1, head=8, pairs=())))
    return folder


@pytest.mark.parametrize(
    ("args", "exits", "says"),
    [
        (("generate", "{model}", "cat", "--seed", BIG), 2, "not in the range"),
        (("generate", "{model}", "cat", "--seed", str(2**64)), 2, "not in the range"),
        (("generate", "{model}", "caf\udce9"), 1, "no UTF-8"),
        (("generate", "{model}", "cat", "--temperature", "nan"), 2, "no number"),
        (("generate", "{model}", "cat", "--size", "9999x9999"), 1, "draws at most"),
        (("generate", "{model}", "cat", "--allow", "\udce9"), 1, "no glyph"),
        (("generate", "x" * 300, "cat"), 2, "does not exist"),
        (("train", "{db}", "--seed", BIG), 1, "run.seed"),
        (("train", "{db}", "--seed", "-1"), 1, "run.seed"),
        (("train", "{db}", "--steps", BIG), 1, "run.steps"),
        (("train", "{db}", "--minutes", "nan"), 2, "no number"),
        (("train", "{db}", "--set", "run.steps=abc"), 1, "run.steps must be a whole number"),
        (("train", "{db}", "--set", "selection.tags=3"), 1, "selection.tags must be a list"),
        (("train", "{db}", "--set", "model.layers=6.5"), 1, "model.layers must be a whole number"),
        (("train", "{db}", "--set", "modle.layers=6"), 1, "did you mean 'model'"),
        (("train", "{db}", "--steps", "1", "--device", "abacus"), 1, "no device"),
        (("eval", "{db}", "{model}", "--tag", "none such"), 1, "no piece that fits"),
        (("export", "{tmp}/out", "--preset", "nano", "--model-charset", "x"), 1, "model.charset"),
    ],
)
def test_edges_are_one_line(
    cli,
    corpus_file: Path,
    model: Path,
    tmp_path: Path,
    args: tuple[str, ...],
    exits: int,
    says: str,
) -> None:  # type: ignore[no-untyped-def]
    result = cli(*(a.format(model=model, db=corpus_file, tmp=tmp_path) for a in args), exits=exits)
    assert says in result.stderr
    if exits == 1:
        assert len(result.stderr.strip().splitlines()) == 1


def test_limits_without_end_and_long_prompts_draw(cli, model: Path) -> None:  # type: ignore[no-untyped-def]
    assert cli("generate", model, "cat", "--width", BIG, "--height", 2, "--chars", BIG).stdout
    long = cli("generate", model, "word " * 1000, "--max", "5x3")
    assert long.stdout and "the first 48 characters" in long.stderr
