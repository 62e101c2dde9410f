import json
from pathlib import Path

import pytest

from asciiloom.errors import AsciiloomError, SettingsError
from asciiloom.model import PRESETS
from asciiloom.train import DEFAULT_SELECTION, Settings, load_settings


def test_settings_tree(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text(
        '[run]\nsteps = 5\nsamples = ["dog"]\n[model]\npreset = "nano"\nlayers = 3\n[selection]\ntags = ["cat"]\n'
    )
    tree = load_settings(file, ["optim.lr=0.001", "model.rope=1d", "dropout.words=0.5"])
    settings = Settings.from_dict(tree)
    assert settings.model.layers == 3 and settings.model.d_model == PRESETS["nano"].d_model
    assert (
        settings.model.rope == "1d" and settings.optim.lr == 0.001 and settings.dropout.words == 0.5
    )
    assert settings.selection == DEFAULT_SELECTION.replace(
        tags=("cat",)
    ) and settings.run.samples == ("dog",)
    assert Settings.from_dict(settings.to_dict()) == settings
    json_file = tmp_path / "s.json"
    json_file.write_text(json.dumps(settings.to_dict()))
    assert Settings.from_dict(load_settings(json_file)) == settings


def test_part_of_a_selection_changes_only_what_it_names() -> None:
    tree = load_settings(None, ["run.steps=1", "selection.min_quality=0.7", "selection.tags=cat"])
    assert Settings.from_dict(tree).selection == DEFAULT_SELECTION.replace(
        min_quality=0.7, tags=("cat",)
    )
    tree = load_settings(
        None, ["run.steps=1", 'selection.tags=["cat", "dog"]', "selection.text=fat cat"]
    )
    assert Settings.from_dict(tree).selection == DEFAULT_SELECTION.replace(
        tags=("cat", "dog"), text="fat cat"
    )


def test_settings_of_former_checkpoints_are_read() -> None:
    tree = Settings.from_dict({"run": {"steps": 1}}).to_dict()
    tree["model"]["place"] = tree["model"].pop("position_inputs")
    assert Settings.from_dict(tree).to_dict()["model"]["position_inputs"] is True


@pytest.mark.parametrize(
    ("tree", "says"),
    [
        ({}, "how long"),
        ([], "table"),
        ({"run": []}, "run must be a table"),
        ({"run": 3}, "run must be a table"),
        ({"run": {"steps": 0}}, "run.steps"),
        ({"run": {"steps": "abc"}}, "run.steps must be a whole number"),
        ({"run": {"steps": 2.0}}, "run.steps"),
        ({"run": {"steps": True}}, "run.steps"),
        ({"run": {"steps": 10**30}}, "about 31 digits"),
        ({"run": {"minutes": -1}}, "run.minutes"),
        ({"run": {"minutes": float("inf")}}, "run.minutes"),
        ({"run": {"steps": 1, "precision": "fp8"}}, "auto, bf16, fp32"),
        ({"run": {"steps": 1, "tokens": 3}}, "run.tokens"),
        ({"run": {"steps": 1, "log_every": 0}}, "run.log_every"),
        ({"run": {"steps": 1, "seed": -1}}, "run.seed"),
        ({"run": {"steps": 1, "samples": "cat"}}, "run.samples must be a list"),
        ({"run": {"steps": 1, "samples": [1]}}, "run.samples"),
        ({"run": {"steps": 1, "step": 1}}, "did you mean 'steps'"),
        ({"run": {"steps": 1}, "optim": {"matrix": "sgd"}}, "muon, adamw"),
        ({"run": {"steps": 1}, "optim": {"nope": 1}}, "optim has no 'nope'"),
        ({"run": {"steps": 1}, "optim": {"lr": "fast"}}, "optim.lr"),
        ({"run": {"steps": 1}, "optim": {"lr": [1]}}, "optim.lr"),
        ({"run": {"steps": 1}, "dropout": {"words": 2}}, "dropout.words"),
        ({"run": {"steps": 1}, "selection": {"split": "test"}}, "held out"),
        ({"run": {"steps": 1}, "selection": {"tags": 3}}, "selection.tags must be a list"),
        ({"run": {"steps": 1}, "selection": {"width": 5}}, "selection.width"),
        ({"run": {"steps": 1}, "selection": {"ids": [1.5]}}, "selection.ids"),
        ({"run": {"steps": 1}, "selection": {"limit": 10**30}}, "selection.limit"),
        ({"run": {"steps": 1}, "selection": ["cat"]}, "selection must be a table"),
        ({"run": {"steps": 1}, "selection": {"order": "up"}}, "no order"),
        ({"nope": {}}, "no 'nope'"),
        ({"modle": {}}, "did you mean 'model'"),
        ({"run": {"steps": 1}, "model": {"preset": "huge"}}, "no preset 'huge'"),
        ({"run": {"steps": 1}, "model": {"preset": ["small"]}}, "no preset"),
        ({"run": {"steps": 1}, "model": {"layers": 6.5}}, "model.layers"),
        ({"run": {"steps": 1}, "model": 6}, "model must be a table"),
    ],
)
def test_nonsense_settings_are_refused_in_one_line(tree: object, says: str) -> None:
    with pytest.raises(AsciiloomError, match=says) as caught:
        Settings.from_dict(tree)
    assert "\n" not in str(caught.value)


def test_unreadable_settings_are_refused(tmp_path: Path) -> None:
    for name, data in (
        ("bad.toml", b"["),
        ("latin.toml", b"a = '\xe9'"),
        ("deep.toml", b"a = " + b"[" * 100_000),
        ("deep.json", b"[" * 100_000),
        ("list.json", b"[]"),
        ("twice.json", b'{"run": {}, "run": {}}'),
        ("large.json", b" " * 2_000_000),
        ("flat.json", b'{"run": 3}'),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SettingsError) as caught:
            load_settings(tmp_path / name)
        assert "\n" not in str(caught.value)
    with pytest.raises(SettingsError, match="settings file"):
        load_settings(tmp_path / "none.json")


@pytest.mark.parametrize("override", ["lr=3", "optim.lr", ".lr=3", "optim.=3", "\ud800"])
def test_overrides_that_name_no_setting_are_refused(override: str) -> None:
    with pytest.raises(SettingsError, match=r"section\.name"):
        load_settings(None, [override])


def test_an_override_is_one_value() -> None:
    tree = load_settings(None, ['run.samples=["a"]', "run.device=cpu", 'run.seed=1, "steps": 2'])
    assert tree == {"run": {"samples": ["a"], "device": "cpu", "seed": '1, "steps": 2'}}
