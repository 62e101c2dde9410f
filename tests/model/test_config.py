import dataclasses

import pytest

from asciiloom.errors import SettingsError
from asciiloom.model import PRESETS, GridTransformer, ModelConfig

SMALL = ModelConfig(d_model=16, layers=2, heads=2, head=8, context=64, pair_dimensions=2)


def test_presets_span_three_to_twenty_nine_million() -> None:
    counts = {name: config.parameter_count for name, config in PRESETS.items()}
    assert list(counts.values()) == sorted(counts.values())
    assert 2.8e6 < counts["nano"] < 2.9e6 and 2.8e7 < counts["large"] < 2.9e7


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"tied": True},
        {"position_inputs": False},
        {"neighbours": (), "pairs": ()},
        {"pairs": ()},
        {"charset": "cp437", "kv_heads": 2, "mlp": 2.5},
        {"charset": "bytes", "rope": "1d"},
    ],
)
def test_tensor_shapes_are_those_of_the_network(changes: dict[str, object]) -> None:
    config = dataclasses.replace(SMALL, **changes)
    network = GridTransformer(config)
    assert {n: tuple(t.shape) for n, t in network.state_dict().items()} == config.tensor_shapes()
    assert config.parameter_count == network.parameter_count()


@pytest.mark.parametrize("preset", PRESETS)
def test_tensor_shapes_of_presets(preset: str) -> None:
    assert GridTransformer(PRESETS[preset]).parameter_count() == PRESETS[preset].parameter_count


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"heads": 3, "kv_heads": 2}, "do not divide"),
        ({"head": 18}, "divide by 4"),
        ({"rope": "alibi!"}, "axial, 1d, none"),
        ({"neighbours": ((0, 0),)}, "neighbour"),
        ({"neighbours": ((9, 0),)}, "neighbour"),
        ({"pairs": ((0, 9),)}, "pairs"),
        ({"layers": 10**6}, "from 1 to 128"),
        ({"layers": True}, "whole number"),
        ({"layers": 2.0}, "whole number"),
        ({"layers": "2"}, "whole number"),
        ({"kv_heads": 0}, "from 1"),
        ({"rope_base": float("inf")}, "number"),
        ({"mlp": float("nan")}, "number"),
        ({"tied": 1}, "true or false"),
        ({"neighbours": "abc"}, "list"),
        ({"d_model": 8192, "layers": 128}, "too large"),
    ],
)
def test_impossible_shapes_are_refused(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        ModelConfig(**wrong)  # type: ignore[arg-type]


def test_from_dict() -> None:
    assert ModelConfig.from_dict(SMALL.to_dict()) == SMALL
    # What a setting was called in files of format 1.
    former = {"place" if k == "position_inputs" else k: v for k, v in SMALL.to_dict().items()}
    assert ModelConfig.from_dict({**former, "place": False}) == dataclasses.replace(
        SMALL, position_inputs=False
    )
    assert ModelConfig.from_dict({"layers": 3}, SMALL) == dataclasses.replace(SMALL, layers=3)
    with pytest.raises(SettingsError, match="did you mean 'layers'"):
        ModelConfig.from_dict({"layer": 1})
    with pytest.raises(SettingsError, match="former and its present name"):
        ModelConfig.from_dict({"place": True, "position_inputs": True})
