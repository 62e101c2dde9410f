"""Models on disk: what is written is read back, and what strangers wrote is bounded and refused in one line."""

import dataclasses
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from asciiloom.errors import CheckpointError, SettingsError
from asciiloom.model import (
    PRESETS,
    Card,
    ModelConfig,
    Sizes,
    load_model,
    save_model,
    untrained_model,
)

TINY = ModelConfig(
    d_model=8, layers=2, heads=2, head=4, context=64,
    neighbours=((1, 0),), pairs=((0, 1),), pair_dimensions=1,
)  # fmt: skip
CARD = Card(Sizes({"shape": {"": ((3, 4),)}}), {"step": 3, "corpus": {"pieces": 2, "digest": "ab"}})


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model that loads."""
    folder = tmp_path_factory.mktemp("sound")
    save_model(folder, untrained_model(TINY), CARD)
    return folder


@pytest.fixture
def model(sound: Path, tmp_path: Path) -> Path:
    """A copy of it to spoil."""
    return Path(shutil.copytree(sound, tmp_path / "model"))


def _refused(folder: Path) -> str:
    """The one line that loading the model in ``folder`` ends with."""
    with pytest.raises(CheckpointError) as caught:
        load_model(folder)
    line = str(caught.value)
    assert "\n" not in line and len(line) < 700, line
    assert str(folder) in line, line
    return line


def test_files_round_trip(model: Path) -> None:
    again, card = load_model(model)
    assert again.config == TINY and card == CARD
    for name, value in untrained_model(TINY).state_dict().items():
        assert torch.equal(value, again.state_dict()[name])
    assert not again.training


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_weights_in_half_precision_are_read(model: Path, kind: torch.dtype) -> None:
    file = model / "model.safetensors"
    save_file({name: value.to(kind) for name, value in load_file(file).items()}, file)
    again, _ = load_model(model)
    assert all(p.dtype == torch.float32 for p in again.parameters())


def test_devices(model: Path) -> None:
    assert next(load_model(model, "cpu")[0].parameters()).device.type == "cpu"
    for name in ("abacus", "meta", "cpu:x", *([] if torch.cuda.is_available() else ["cuda"])):
        with pytest.raises(SettingsError):
            load_model(model, name)


# -- malformed configs: (what is done to the content of config.json)

Spoil = Callable[[dict[str, Any]], object]
WRONG = {
    "true": True, "text": "7", "null": None, "list": [], "table": {}, "minus": -1, "zero": 0,
    "half": 6.5, "huge": 10**30, "million": 10**6, "float": 2.0, "overflow": 1e300,
}  # fmt: skip
# Values that some setting may have.
_FINE = {
    ("mlp", "float"), ("rope_base", "half"), ("rope_base", "million"), ("rope_base", "float"),
    ("neighbours", "list"), ("pairs", "list"), ("position_inputs", "true"), ("tied", "true"), ("relatives", "true"),
    ("reference", "true"),
}  # fmt: skip


def _set(path: str, value: object) -> Spoil:
    def spoil(config: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        for name in parents:
            config = config[name]
        config[last] = value

    return spoil


SETTINGS = [field.name for field in dataclasses.fields(ModelConfig)]
CONFIGS: dict[str, Spoil] = {
    f"model.{name} {label}": _set(f"model.{name}", value)
    for name in SETTINGS
    for label, value in WRONG.items()
    if (name, label) not in _FINE
} | {
    f"{name} {label}": _set(name, value)
    for name in ("model_type", "format", "architectures", "model", "vocab_size", "parameters", "sizes", "training")
    for label, value in WRONG.items()
    if (name, label) not in {("sizes", "list"), ("sizes", "table"), ("training", "table"), ("format", "true"), ("model", "table")}
} | {
    "format true": _set("format", True),
    "format future": _set("format", 5),
    "model empty": _set("model", {}),
    "no model": lambda c: c.pop("model"),
    "unknown name": _set("modle", {}),
    "unknown setting": _set("model.layer", 2),
    "other vocabulary": _set("vocab_size", 537),
    "other count": _set("parameters", 5),
    "both names": _set("model.place", True),
    "charset": _set("model.charset", "ebcdic"),
    "neighbour of three": _set("model.neighbours", [[1, 0, 0]]),
    "neighbour of text": _set("model.neighbours", [["1", "0"]]),
    "neighbours without end": _set("model.neighbours", [[1, 0]] * 17),
    "pairs without end": _set("model.pairs", [[0, 1]] * 33),
    "sizes without end": _set("sizes", [["art", 3, 3, "x"]] * 10_001),
    "size of three": _set("sizes", [["art", 3, 3]]),
    "size of text": _set("sizes", [["art", "3", 3, "x"]]),
    "size of nothing": _set("sizes", [["art", 0, 3, "x"]]),
    "size of a mountain": _set("sizes", [["art", 3, 10**9, "x"]]),
    "size with a long title": _set("sizes", [["art", 3, 3, "x" * 300]]),
    "sizes of a kind no table": _set("sizes", {"art": "3x4"}),
    "sizes of a thing no text": _set("sizes", {"art": {"cat": [[3, 4]]}}),
    "sizes of three sides": _set("sizes", {"art": {"cat": "3x4x5"}}),
    "sizes of words": _set("sizes", {"art": {"cat": "3x4 big"}}),
    "sizes of nothing": _set("sizes", {"art": {"cat": "0x4"}}),
    "sizes of a mountain": _set("sizes", {"art": {"cat": "3x" + "9" * 300}}),
    "sizes of a minus": _set("sizes", {"art": {"cat": "-3x4"}}),
    "sizes of a long kind": _set("sizes", {"k" * 300: {"": "3x4"}}),
    "sizes beyond measure": _set("sizes", {"art": {"cat": "3x4 " * 5000}}),
    "things without end": _set("sizes", {"art": {str(n): "3x4" for n in range(10_001)}}),
    "size with half a surrogate": _set("sizes", [["art", 3, 3, "\ud800"]]),
    "step of text": _set("training.step", "3"),
    "negative seconds": _set("training.seconds", -1),
    "corpus a list": _set("training.corpus", []),
    "licences a list": _set("training.corpus", {"licences": ["MIT"]}),
    "licences of text": _set("training.corpus", {"licences": {"MIT": "3"}}),
    "pieces true": _set("training.corpus", {"pieces": True}),
    "settings a list": _set("training.settings", []),
}  # fmt: skip


@pytest.mark.parametrize("case", CONFIGS)
def test_malformed_configs_are_refused_in_one_line(sound: Path, tmp_path: Path, case: str) -> None:
    config = json.loads((sound / "config.json").read_text())
    CONFIGS[case](config)
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").symlink_to(sound / "model.safetensors")
    _refused(tmp_path)


TEXTS: dict[str, bytes] = {
    "empty": b"",
    "junk": bytes(range(256)),
    "null": b"null",
    "a list": b"[]",
    "a number": b"1e9999",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"model_type": "asciiloom"}'.encode("utf-16"),
    "Latin-1": b'{"model_type": "\xe9"}',
    "a name twice": b'{"format": 1, "format": 2}',
    "NaN": b'{"format": NaN}',
    "infinity": b'{"format": 1e999}',
    "5,000 digits": b'{"format": ' + b"1" * 5000 + b"}",
    "100,000 brackets": b"[" * 100_000,
    "40 brackets": b'{"training": ' + b"[" * 40 + b"]" * 40 + b"}",
    "another program's": b'{"model_type": "bert"}',
    "a line cut short": b'{"model_type": "asciiloom", "format": 2, "mod',
}


@pytest.mark.parametrize("case", TEXTS)
def test_files_that_are_no_config_are_refused_in_one_line(model: Path, case: str) -> None:
    (model / "config.json").write_bytes(TEXTS[case])
    _refused(model)


def _truncated(model: Path) -> None:
    data = (model / "config.json").read_bytes()
    (model / "config.json").write_bytes(data[: len(data) // 2])


def test_unknown_names_are_refused_with_the_nearest(model: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    config["model"]["layer"] = 2
    (model / "config.json").write_text(json.dumps(config))
    assert "did you mean 'layers'?" in _refused(model)


# -- weights


def _header(data: bytes) -> tuple[dict[str, Any], bytes]:
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def _with_header(header: object, body: bytes) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def _headed(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    def spoil(data: bytes) -> bytes:
        header, body = _header(data)
        change(header)
        return _with_header(header, body)

    return spoil


WEIGHTS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda d: b"",
    "junk": lambda d: os.urandom(4096),
    "seven bytes": lambda d: d[:7],
    "half": lambda d: d[: len(d) // 2],
    "one byte less": lambda d: d[:-1],
    "one byte more": lambda d: d + b"\0",
    "header beyond the file": lambda d: b"\xff" * 8 + d[8:],
    "no header": lambda d: bytes(8) + d[8:],
    "header a list": lambda d: _with_header([], _header(d)[1]),
    "tensor missing": _headed(lambda h: h.pop("norm.weight")),
    "tensor too many": _headed(lambda h: h.update({"more": h["norm.weight"]})),
    "tensor renamed": _headed(lambda h: h.update({"norm": h.pop("norm.weight")})),
    "entry no table": _headed(lambda h: h.update({"norm.weight": 3})),
    "shape turned": _headed(lambda h: h["head.weight"]["shape"].reverse()),
    "shape of text": _headed(lambda h: h["norm.weight"].update(shape="8")),
    "shape without end": _headed(lambda h: h["norm.weight"].update(shape=[10**18, 10**18])),
    "type of integers": _headed(lambda h: h["norm.weight"].update(dtype="I32")),
    "type of a list": _headed(lambda h: h["norm.weight"].update(dtype=["F32"])),
    "type of doubles": _headed(lambda h: h["norm.weight"].update(dtype="F64")),
    "place beyond the file": _headed(lambda h: h["norm.weight"].update(data_offsets=[0, 10**18])),
    "place of another": _headed(
        lambda h: h["norm.weight"].update(data_offsets=h["head.weight"]["data_offsets"])
    ),
    "place of text": _headed(lambda h: h["norm.weight"].update(data_offsets="ab")),
}  # fmt: skip


@pytest.mark.parametrize("case", WEIGHTS)
def test_malformed_weights_are_refused_in_one_line(model: Path, case: str) -> None:
    file = model / "model.safetensors"
    file.write_bytes(WEIGHTS[case](file.read_bytes()))
    assert "model.safetensors" in _refused(model)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_weights_that_are_not_finite_are_refused_by_name(model: Path, value: str) -> None:
    file = model / "model.safetensors"
    weights = load_file(file)
    weights["blocks.1.up.weight"][3, 2] = float(value)
    save_file(weights, file)
    assert "blocks.1.up.weight" in _refused(model)


def test_flipped_bits_in_the_header_are_refused_or_harmless(model: Path) -> None:
    """Every refusal is one line; what still loads has the shapes that its config says."""
    file = model / "model.safetensors"
    data = bytearray(file.read_bytes())
    length = int.from_bytes(data[:8], "little")
    refused = 0
    for number in range(0, 8 * (8 + length), 61):
        data[number // 8] ^= 1 << number % 8
        file.write_bytes(data)
        try:
            loaded, _ = load_model(model)
        except CheckpointError as error:
            refused += 1
            assert "\n" not in str(error)
        else:
            shapes = {n: tuple(t.shape) for n, t in loaded.state_dict().items()}
            assert shapes == TINY.tensor_shapes()
        data[number // 8] ^= 1 << number % 8
    assert refused > 100


def _folder_for_file(model: Path, name: str) -> None:
    (model / name).unlink()
    (model / name).mkdir()


def _loop(model: Path, name: str) -> None:
    (model / name).unlink()
    (model / name).symlink_to(model / name)


def _pipe(model: Path, name: str) -> None:
    (model / name).unlink()
    os.mkfifo(model / name)


def _gone(model: Path, name: str) -> None:
    (model / name).unlink()


def _device(model: Path, name: str) -> None:
    (model / name).unlink()
    (model / name).symlink_to("/dev/zero")


def _dangling(model: Path, name: str) -> None:
    (model / name).unlink()
    (model / name).symlink_to(model / "nowhere")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
@pytest.mark.parametrize("spoil", [_folder_for_file, _loop, _pipe, _gone, _device, _dangling])
def test_what_is_no_file_is_refused(
    model: Path, spoil: Callable[[Path, str], None], name: str
) -> None:
    spoil(model, name)
    assert name in _refused(model)


def test_a_folder_without_a_model_says_what_is_missing(tmp_path: Path) -> None:
    assert "config.json is missing" in _refused(tmp_path)
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_model(tmp_path / ("x" * 300))


def test_there_are_enough_malformed_models() -> None:
    assert len(CONFIGS) + len(TEXTS) + len(WEIGHTS) >= 250


# -- memory, and the real command

_MEASURED = """
import resource, sys
from asciiloom.cli import main
import torch, safetensors.torch, asciiloom.generate
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    main(sys.argv[1:])
except SystemExit as end:
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"grown {grown // 1024} MB", file=sys.stderr)
    raise
"""


def _generate(folder: Path) -> tuple[int, str, int]:
    """(exit code, the error line, MB taken beyond the imports) of ``asciiloom generate`` with 6 GB at most."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))

    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, "generate", str(folder), "cat", "--max", "9x4"],
        capture_output=True, text=True, timeout=120, preexec_fn=limit,
    )  # fmt: skip
    line, grown = done.stderr.strip().rsplit("\n", 1)
    return done.returncode, line, int(grown.split()[1])


def _million_layers(model: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    config["model"]["layers"] = 10**6
    (model / "config.json").write_text(json.dumps(config))


def _wide(model: Path) -> None:
    """As large as a config may be, with the weights of a small one."""
    config = json.loads((model / "config.json").read_text())
    config["model"]["d_model"] = 3000
    del config["parameters"]
    (model / "config.json").write_text(json.dumps(config))


def _half_a_gigabyte(model: Path) -> None:
    with (model / "config.json").open("r+b") as file:
        file.truncate(500_000_000)


def _not_a_number(model: Path) -> None:
    weights = load_file(model / "model.safetensors")
    weights["embed.weight"].fill_(float("nan"))
    save_file(weights, model / "model.safetensors")


@pytest.mark.parametrize(
    "spoil", [_million_layers, _wide, _half_a_gigabyte, _not_a_number, _truncated]
)
def test_the_command_refuses_at_a_bounded_cost(model: Path, spoil: Callable[[Path], None]) -> None:
    spoil(model)
    code, line, grown = _generate(model)
    assert code == 1
    assert line.startswith("Error: ") and "\n" not in line
    assert grown < 100


def test_presets_are_within_the_bounds_of_files(tmp_path: Path) -> None:
    for name in ("nano", "tiny"):
        save_model(tmp_path / name, untrained_model(PRESETS[name]))
        assert load_model(tmp_path / name)[0].config == PRESETS[name]
