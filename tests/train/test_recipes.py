"""Settings from recipes, files and overrides: what is typed is what is trained, or it is refused in one line."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from asciiloom import synth
from asciiloom.cli.demo.run import FONTS
from asciiloom.errors import SettingsError
from asciiloom.model import PRESETS
from asciiloom.train import DEFAULT_SELECTION, RECIPES, Settings, load_settings, to_yaml


def test_every_recipe_is_whole_and_named_in_the_help(cli) -> None:  # type: ignore[no-untyped-def]
    assert set(RECIPES) == {
        "smoke", "demo", "production", "pretrain", "tune", "pipeline", "text",
    }  # fmt: skip
    said = " ".join(cli("train", "--help").stdout.split())
    for name in RECIPES:
        settings = Settings.from_dict(load_settings(name))
        assert Settings.from_dict(settings.to_dict()) == settings
        assert name in said
    assert Settings.from_dict(load_settings("production")).run.steps == 50_000


def test_the_demo_trains_on_one_font_of_all() -> None:
    settings = Settings.from_dict(load_settings("demo"))
    without = {f"font:{font}" for font in synth.FONTS if font not in FONTS}
    assert set(settings.selection.without_tags) == without
    assert settings.model == replace(PRESETS["tiny"], word_rank=0, reference=False)
    assert settings.run.minutes == 2.5


def test_toml_yaml_and_json_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(
        '[run]\nsteps = 7\nsamples = ["owl"]\n[optim]\nlr = 1e-3\n[selection]\ntags = ["cat"]\n'
    )
    (tmp_path / "a.yaml").write_text(
        "run: {steps: 7, samples: [owl]}\noptim:\n  lr: 1e-3\nselection:\n  tags: [cat]\n"
    )
    (tmp_path / "a.json").write_text(
        '{"run": {"steps": 7, "samples": ["owl"]}, "optim": {"lr": 1e-3}, "selection": {"tags": ["cat"]}}'
    )
    trees = [load_settings(tmp_path / f"a.{end}") for end in ("toml", "yaml", "json")]
    assert trees[0] == trees[1] == trees[2] and trees[0]["optim"]["lr"] == 0.001


def test_a_partial_selection_changes_only_what_it_names() -> None:
    tree = load_settings("smoke", ['selection.tags=["cat"]', "selection.charset=null"])
    selection = Settings.from_dict(tree).selection
    assert selection == DEFAULT_SELECTION.replace(tags=("cat",), charset=None)
    assert selection.canonical_only and selection.width == (None, 100)
    # Stored, it is complete: what was taken out of the default stays out.
    assert Settings.from_dict(Settings.from_dict(tree).to_dict()).selection == selection


def test_print_config_is_read_back_as_it_is(cli, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """And no corpus is needed for it."""
    given = ("--config", "text", "--set", "optim.lr=1e-5", "--max", "30x20", "--epochs", 2)
    printed = cli("train", tmp_path / "none.db", *given, "--print-config").stdout
    (tmp_path / "printed.yaml").write_text(printed)
    again = cli("train", "none.db", "--config", tmp_path / "printed.yaml", "--print-config").stdout
    assert again == printed
    tree = yaml.safe_load(printed)
    assert tree["optim"]["lr"] == 1e-5 and tree["run"]["epochs"] == 2
    assert tree["selection"]["width"] == [None, 30] and tree["selection"]["grid_only"] is False
    assert json.loads(json.dumps(tree)) == tree and to_yaml(tree).rstrip() == printed.rstrip()


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("alias.yaml", "a: &x [1]\nrun: {samples: *x}\n", "alias"),
        ("twice.yaml", "run: {steps: 1, steps: 2}\n", "twice"),
        ("object.yaml", "run: !!python/object/apply:os.getcwd []\n", "tag"),
        ("list.yaml", "- run\n", "table"),
        ("flat.yaml", "run: 3\n", "table"),
        ("deep.yaml", "run: " + "[" * 5000, "nested|flow"),
        ("date.yaml", "run: {steps: 2020-01-01}\n", "run.steps must be a whole number"),
        ("no.yaml", "run: {steps: 1, device: no}\n", "run.device must be text, not False"),
        ("nan.toml", "[optim]\nlr = nan\n", "optim.lr must be a number from 0 to 100, not nan"),
    ],
)
def test_traps_of_files_are_refused_in_one_line(
    tmp_path: Path, name: str, data: str, says: str
) -> None:
    (tmp_path / name).write_text(data)
    with pytest.raises(SettingsError, match=says) as caught:
        Settings.from_dict(load_settings(tmp_path / name))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


WRONG = {
    "optim.lr=fast": "optim.lr must be a number from 0 to 100, not 'fast'",
    "optim.lr=NaN": "optim.lr must be a number",
    "optim.lr=Infinity": "optim.lr must be a number",
    "optim.lr=1e999": "optim.lr must be a number",
    "optim.lr=-1": "optim.lr must be a number from 0 to 100, not -1",
    "optim.lr=true": "optim.lr must be a number from 0 to 100, not True",
    "optim.lr=": "optim.lr must be a number",
    "optim.lr=null": "optim.lr must be a number from 0 to 100, not None",
    "optim.lr=[0.1]": "optim.lr must be a number",
    "optim.beta1=1": "optim.beta1 must be a number from 0 to 0.999999",
    "optim.learning_rate=1": "optim has no 'learning_rate'",
    "optim.warmpu=1": "did you mean 'warmup'?",
    "optim.matrix=sgd": "one of muon, adamw, not 'sgd'",
    "run.steps=2.0": "run.steps must be a whole number or null from 1 to",
    "run.steps=true": "not True",
    "run.steps=0": "not 0",
    "run.steps=1e3": "not 1000.0",
    f"run.steps={10**30}": "about 31 digits",
    f"run.seed={2**63}": "run.seed",
    "run.seed=-1": "run.seed",
    "run.minutes=0": "run.minutes",
    "run.epochs=0.5": "run.epochs must be a whole number",
    "run.precision=fp8": "one of auto, bf16, fp32",
    "run.eval_split=train": "one of validation, test",
    "run.samples=cat": "run.samples must be a list",
    'run.samples=["' + "cat " * 20 + '"]': "run.samples[0] must be text of length <= 48",
    "selection.tags=3": "selection.tags must be a list, not 3",
    "selection.tags=[1]": "selection.tags[0] must be text, not 1",
    "selection.width=40": "selection.width must be a list, not 40",
    "selection.width=[1,2,3]": "selection.width must be a list of length 2",
    "selection.width=[9,3]": "width 9..3 is empty",
    "selection.canonical_only=1": "must be true or false, not 1",
    "selection.split=test": "held out",
    "selection.tag=cat": "did you mean 'tags'?",
    "model.layers=6.5": "model.layers must be a whole number from 1 to 128, not 6.5",
    "model.preset=smal": "no preset 'smal'",
    "model.rope=alibi": "one of axial, 1d, none",
    "dropout.words=2": "dropout.words must be a number from 0 to 1, not 2",
    "guard.skips=0": "guard.skips",
    "modle.layers=6": "did you mean 'model'?",
    "lr=0.1": "not of the form section.name=value",
    "optim.lr": "not of the form section.name=value",
}


@pytest.mark.parametrize("override", WRONG)
def test_wrong_overrides_are_refused_in_one_line(cli, override: str) -> None:  # type: ignore[no-untyped-def]
    done = cli("train", "none.db", "--set", override, "--print-config", exits=1)
    line = done.stderr.rstrip("\n")
    assert WRONG[override] in line and "\n" not in line and len(line) < 400
    assert done.stdout == ""


@pytest.mark.parametrize(("name", "says"), [("demoo", "did you mean demo"), ("zzz", "smoke")])
def test_an_unknown_recipe_is_refused(name: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        load_settings(name)
