"""Malformed models: generate and export refuse each with a line."""

import json
import math
import os
import random
import shutil
import struct
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from .scene import Scene
from .trial import Bench, Group, judge

MEMORY_MB = 1500
Change = Callable[[Path, random.Random], None]
SHAPE = {
    "layers": (1_000_000, 10_000, 0, -1, 1.5, "two", None, [1], True, 10**30),
    "d_model": (10**9, 0, -128, 127.5, "x", None, 2**63),
    "heads": (10**6, 0, -2, "2", None, 3.5), "head": (10**8, 0, -4, 6, "64", None),
    "kv_heads": (0, 7, -1, "1", None, 1.0), "mlp": (1e12, 0, -4, "nan", None, math.nan, math.inf),
    "context": (10**12, 0, -1, "2048", None, 1.5), "rope": ("none of these", 5, None, ["axial"], {}),
    "rope_base": (0, -1, math.nan, math.inf, "1000", None, 1e308),
    "neighbours": (5, "abc", [[1]], [[1, 2, 3]], [[0, 0]], [[10**9, 0]], [["a", "b"]], None, [[1, 0]] * 100_000),
    "pairs": (5, [[99, 100]], [["a"]], [[0, 1]] * 100_000, None, [[-1, 0]]),
    "pair_dimensions": (10**9, 0, -1, "8", None), "charset": ("klingon", 5, None, "", "../../etc", ["ascii"]),
    "place": ("yes", None, 5), "tied": ("yes", None, 5),
}  # fmt: skip
ARCHITECTURE = {
    "model": (None, 5, [], "x", {}), "format": (99, None, "1", [1]), "model_type": ("gpt2", None, 5),
    "sizes": (5, "abc", [[1]], [["art", "wide", 3, "x"]], [["art", 10**30, 1, "t"]], [["art", -5, -5, 7]], {"a": 1}),
    "training": (5, "x", [1], None, {"corpus": 5}, {"corpus": {"licences": 7}}, {"characters": "x"}),
    "vocab_size": (10**12, "x"),
}  # fmt: skip


def _config(path: tuple[str, ...], value: Any) -> Change:
    def change(model: Path, rng: random.Random) -> None:
        file = model / "config.json"
        config = json.loads(file.read_text())
        inner = config
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        file.write_text(json.dumps(config))

    return change


def _file(name: str, data: bytes) -> Change:
    return lambda model, rng: (model / name).write_bytes(data) and None


def _weights(change: Callable[[bytearray, random.Random], bytes | bytearray]) -> Change:
    def changed(model: Path, rng: random.Random) -> None:
        file = model / "model.safetensors"
        file.write_bytes(change(bytearray(file.read_bytes()), rng))

    return changed


def _header(change: Callable[[dict[str, Any]], Any]) -> Change:
    """The header of the weights, changed; the numbers stay."""

    def changed(data: bytearray, rng: random.Random) -> bytes:
        (size,) = struct.unpack("<Q", data[:8])
        header = json.loads(data[8 : 8 + size])
        text = json.dumps(change(header) or header).encode()
        return struct.pack("<Q", len(text)) + text + data[8 + size :]

    return _weights(changed)


def _tensors(change: Callable[[dict[str, Any]], None]) -> Change:
    """The tensors themselves, changed with NumPy."""

    def changed(model: Path, rng: random.Random) -> None:
        from safetensors.numpy import load_file, save_file

        file = model / "model.safetensors"
        tensors = {k: v.copy() for k, v in load_file(file).items()}
        change(tensors)
        save_file(tensors, file, metadata={"format": "pt"})

    return changed


def _fill(value: float, share: float) -> Change:
    def change(tensors: dict[str, Any]) -> None:
        for tensor in tensors.values():
            flat = tensor.reshape(-1)
            flat[: max(1, int(flat.size * share))] = value

    return _tensors(change)


def _one(value: float) -> Change:
    def change(tensors: dict[str, Any]) -> None:
        tensors[sorted(tensors)[0]].reshape(-1)[0] = value

    return _tensors(change)


def _flip(count: int) -> Change:
    def change(data: bytearray, rng: random.Random) -> bytearray:
        for _ in range(count):
            data[rng.randrange(0, 3000)] ^= 1 << rng.randrange(8)
        return data

    return _weights(change)


def _set(header: dict[str, Any], key: str, value: Any, tensors: int = 1) -> None:
    for name in [k for k in header if k != "__metadata__"][:tensors]:
        header[name][key] = value


def _linked(name: str, to: str) -> Change:
    def change(model: Path, rng: random.Random) -> None:
        (model / name).unlink()
        (model / name).symlink_to(to)

    return change


def _folder_for(name: str) -> Change:
    def change(model: Path, rng: random.Random) -> None:
        (model / name).unlink()
        (model / name).mkdir()

    return change


def _pipe(name: str) -> Change:
    def change(model: Path, rng: random.Random) -> None:
        (model / name).unlink()
        os.mkfifo(model / name)

    return change


def _large_config(model: Path, rng: random.Random) -> None:
    """200 MB of config: true JSON with a long string, a hole in the file as its spaces would not be JSON."""
    file = model / "config.json"
    text = file.read_text().rstrip()[:-1]
    with file.open("w") as stream:
        stream.write(text + ', "more": "')
        for _ in range(200):
            stream.write("x" * (1 << 20))
        stream.write('"}')


def changes() -> Iterator[tuple[str, Change, bool]]:
    """(what is wrong, how it is done, whether it must be refused), the most telling first."""
    yield "a million layers", _config(("model", "layers"), 1_000_000), True
    yield "weights that are NaN", _fill(math.nan, 1.0), True
    yield "cut weights", _weights(lambda d, r: d[: len(d) // 2]), True
    yield "a config of 200 MB", _large_config, True
    yield "no weights", lambda model, rng: (model / "model.safetensors").unlink(), True
    yield "one NaN", _one(math.nan), True
    yield "one infinity", _one(math.inf), True
    yield "weights that are infinite", _fill(math.inf, 0.5), True
    for at, (key, values) in enumerate(SHAPE.items()):
        for value in values:
            # A value that is its default in other words may pass: 1 head as 1.0, true or "yes".
            yield (
                f"model.{key} = {str(value)[:30]}",
                _config(("model", key), value),
                (at, value) != (4, 1.0),
            )
    for key, given in ARCHITECTURE.items():
        for value in given:
            yield (
                f"{key} = {str(value)[:30]}",
                _config((key,), value),
                key in ("model", "format", "model_type"),
            )
    yield "an unknown setting", _config(("model", "extra"), 5), True
    for name, data in (
        ("empty", b""), ("no JSON", b"{"), ("a list", b"[]"), ("null", b"null"), ("a number", b"5"), ("noise", bytes(range(256))),
        ("nesting", b'{"model": ' + b"[" * 200_000), ("UTF-16", "{}".encode("utf-16")), ("NUL", bytes(5000)), ("5000 digits", b'{"format": ' + b"9" * 5000 + b"}"),
    ):  # fmt: skip
        yield f"config: {name}", _file("config.json", data), True
        yield f"weights: {name}", _file("model.safetensors", data), True
    for name in ("config.json", "model.safetensors"):
        yield f"{name} links to nowhere", _linked(name, "nowhere"), True
        yield f"{name} links to itself", _linked(name, name), True
        yield f"{name} links to /dev/zero", _linked(name, "/dev/zero"), True
        yield f"{name} is a folder", _folder_for(name), True
        yield f"{name} is a pipe", _pipe(name), True
    for size in (0, 1, 7, 8, 9, 100, 1000):
        yield f"weights of {size} bytes", _weights(lambda d, r, size=size: d[:size]), True  # type: ignore[misc]
    yield "weights a byte short", _weights(lambda d, r: d[:-1]), True
    yield "weights a byte long", _weights(lambda d, r: d + b"x"), True
    for length in (2**63, 2**40, 2**31, 10**8 + 1):
        yield (
            f"a header of {length:,}",
            _weights(lambda d, r, n=length: struct.pack("<Q", n) + d[8:]),
            True,
        )  # type: ignore[misc]
    for count in (1, 5, 40, 400):
        yield f"{count} flips in the header", _flip(count), False
    for key, value in (
        ("shape", [1]), ("shape", [-1, 2]), ("shape", [2**40, 2**40]), ("shape", []), ("shape", "x"), ("dtype", "F64"),
        ("dtype", "I8"), ("dtype", "X"), ("data_offsets", [0, 2**50]), ("data_offsets", [10, 0]), ("data_offsets", [0, 0]), ("data_offsets", []),
    ):  # fmt: skip
        yield f"{key} = {value}", _header(lambda h, k=key, v=value: _set(h, k, v)), True  # type: ignore[misc]
    yield "a tensor is missing", _tensors(lambda t: t.pop(sorted(t)[0]) is None or None), True
    yield "no tensor at all", _tensors(lambda t: t.clear()), True
    yield "a tensor too many", _tensors(lambda t: t.update(extra=t[sorted(t)[0]])), True
    yield (
        "tensors renamed",
        _tensors(lambda t: t.update({"x" + k: t.pop(k) for k in sorted(t)})),
        True,
    )
    yield (
        "tensors as bytes",
        _tensors(lambda t: t.update({k: v.astype("int8") for k, v in t.items()})),
        True,
    )
    yield "weights of 1e38", _fill(3e38, 1.0), False
    yield "weights of zero", _fill(0.0, 1.0), False


def attack(bench: Bench, scene: Scene, group: Group, quick: bool) -> None:
    """Each malformed model under generate and export."""
    found = list(changes())
    if quick:
        found = found[:8] + found[8::5]
    bench.each(
        partial(_try, bench, scene, group, number, *item) for number, item in enumerate(found)
    )
    group.notes.append(f"{len(found)} models under generate and export")


def _try(
    bench: Bench, scene: Scene, group: Group, number: int, name: str, change: Change, refused: bool
) -> None:
    room = bench.room()
    model = room / "model"
    shutil.copytree(scene.model, model)
    change(model, random.Random(number))
    for words in (
        ["generate", model, "cat", "--max", "8x3", "-q"],
        ["export", room / "out", "--model", model],
    ):
        outcome = bench.run(*[str(w) for w in words], kind="torch", timeout=25)
        problems = judge(outcome, statuses=(0, 1), memory=MEMORY_MB)
        if refused and outcome.status == 0:
            problems.append(("other", "taken as if it were a sound model"))
        if outcome.status and (room / "out").exists() and any((room / "out").iterdir()):
            problems.append(("other", "left a part of an export"))
        group.record(f"{outcome.command}   [{name}]", problems, outcome.tail)
    shutil.rmtree(room)
