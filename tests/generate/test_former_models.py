"""Models of formats 1 and 2 are read, and draw what they drew."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from asciiloom.generate import Constraint, Generator, Sampling
from asciiloom.model import ModelConfig, load_model, save_model, untrained_model
from asciiloom.model.card import former_name
from asciiloom.tokens import Prompt

CONFIG = ModelConfig(d_model=16, layers=2, heads=2, head=8, context=256, pair_dimensions=2, mlp=2.0)
# Formats 1 and 2 knew none of these.
SINCE = {"relatives": False, "word_rank": 0, "reference": False}
FORMER = replace(CONFIG, **SINCE)  # type: ignore[arg-type]
SIZES = [["shape", 9, 4, "ring"], ["art", 7, 3, "cat"]]


@pytest.fixture(scope="module")
def former(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model as version 1 wrote it: weights by a formula, tensors and one setting by their former names."""
    folder = tmp_path_factory.mktemp("former")
    shapes = {former_name(name): shape for name, shape in FORMER.tensor_shapes().items()}
    weights = {}
    for number, (name, shape) in enumerate(sorted(shapes.items())):
        count = torch.Size(shape).numel()
        angle = torch.arange(count, dtype=torch.float64) * (0.37 + 0.011 * number) + number
        weights[name] = (0.6 * torch.sin(angle)).float().view(shape)
    assert {"near.weight", "place.weight", "say.weight", "widen.weight"} < weights.keys()
    save_file(weights, folder / "model.safetensors")
    said = {k: v for k, v in FORMER.to_dict().items() if k not in SINCE}
    model = {"place" if k == "position_inputs" else k: v for k, v in said.items()}
    config = {
        "model_type": "asciiloom", "architectures": ["GridTransformer"], "format": 1, "model": model,
        "vocab_size": 536, "parameters": 387144, "sizes": SIZES, "training": {},
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize(
    ("words", "kind", "seed", "sampling", "drawn"),
    [
        ("cat", "art", 0, Sampling(0.0), "7777777"),
        ("ring", "shape", 1, Sampling(0.0), "*********"),
    ],
)
def test_they_draw_what_they_drew(
    former: Path, words: str, kind: str, seed: int, sampling: Sampling, drawn: str
) -> None:
    generator = Generator.load(former)
    limits = Constraint(12, 5)
    (drawing,) = generator.draw(words, kind=kind, seed=seed, constraint=limits, sampling=sampling)
    assert drawing.text == drawn


def test_they_are_written_anew_in_the_present_format(former: Path, tmp_path: Path) -> None:
    model, card = load_model(former)
    assert card.sizes.to_plain() == {
        "art": {"": "7x3", "animal": "7x3", "cat": "7x3", "feline": "7x3"},
        "shape": {"": "9x4", "ring": "9x4", "shape": "9x4"},
    }
    save_model(tmp_path, model, card)
    again, same = load_model(tmp_path)
    assert same == card
    assert json.loads((tmp_path / "config.json").read_text())["format"] == 4
    for name, value in model.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])


def test_their_words_have_no_relatives(former: Path, tmp_path: Path) -> None:
    model, card = load_model(former)
    assert model.config == FORMER
    assert model.config.tokenizer.topics(Prompt("kitten")).tolist() == [4006, *[0] * 11]
    save_model(tmp_path, model, card)
    assert load_model(tmp_path)[0].config == FORMER  # nor when they are written anew
    save_model(tmp_path, untrained_model(CONFIG))
    file = tmp_path / "config.json"
    config = json.loads(file.read_text())
    for version, has_them in ((3, True), (2, False)):
        config["format"] = version
        config["model"].pop("relatives", None)
        file.write_text(json.dumps(config))
        assert load_model(tmp_path)[0].config.relatives is has_them


def test_same_seed_same_untrained_model() -> None:
    weights = untrained_model(CONFIG, 3).state_dict()
    assert sum(map(torch.numel, weights.values())) == CONFIG.parameter_count
    one = untrained_model(CONFIG, 3).state_dict()
    other = untrained_model(CONFIG, 4).state_dict()
    assert all(torch.equal(weights[n], one[n]) for n in weights)
    assert not torch.equal(weights["embed.weight"], other["embed.weight"])
