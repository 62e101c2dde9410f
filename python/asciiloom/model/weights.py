"""``model.safetensors``: held against the config before a byte of its tensors is loaded.

The file begins with the length of a JSON header, then the header: name, type, shape and place of every tensor.
Source of the format: https://huggingface.co/docs/safetensors (Format).
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from asciiloom.json_file import parse_object

MAX_HEADER = 4 << 20
# Bytes of a number of the types that weights are kept in.
_BYTES = {"F32": 4, "F16": 2, "BF16": 2}

Shapes = Mapping[str, tuple[int, ...]]


def read_weights(path: Path, shapes: Shapes) -> dict[str, torch.Tensor]:
    """The tensors in ``path``, float32: exactly those of ``shapes``, and every number finite.

    ``OSError`` or ``ValueError`` (one line) says what is wrong.
    """
    _check_header(path, shapes)
    try:
        weights: dict[str, torch.Tensor] = load_file(path)
    except SafetensorError as error:
        raise ValueError(f"its header does not fit its data ({error})") from error
    for name, tensor in weights.items():
        if not bool(torch.isfinite(tensor).all()):
            raise ValueError(
                f"the tensor {name} holds numbers that are not finite (NaN or infinity)"
            )
    return {name: tensor.float() for name, tensor in weights.items()}


def _check_header(path: Path, shapes: Shapes) -> None:
    if not path.is_file():
        # Also raises where there is nothing at all.
        path.stat()
        raise ValueError("it is not an ordinary file")
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(MAX_HEADER, size - 8):
            raise ValueError("it is cut short, or no safetensors file")
        header = parse_object(file.read(length))
    header.pop("__metadata__", None)
    for name in shapes:
        if name not in header:
            raise ValueError(f"the tensor {name} that its config asks for is missing")
    total = 0
    for name, entry in header.items():
        if name not in shapes:
            raise ValueError(f"its config asks for no tensor {ascii(name)[:60]}")
        total += _bytes_of(name, entry, shapes[name])
    if 8 + length + total != size:
        raise ValueError(f"it has {size:,} bytes where its tensors need {8 + length + total:,}")


def _bytes_of(name: str, entry: Any, shape: tuple[int, ...]) -> int:
    """Bytes of one tensor of the header, which must have ``shape``."""
    if not isinstance(entry, dict):
        raise ValueError(f"the header's entry of the tensor {name} is no JSON object")
    if not isinstance(kind := entry.get("dtype"), str) or kind not in _BYTES:
        raise ValueError(f"the tensor {name} is not of a type among {', '.join(_BYTES)}")
    if entry.get("shape") != list(shape):
        raise ValueError(
            f"the tensor {name} has the shape {str(entry.get('shape'))[:60]} where its config asks"
            f" for {list(shape)}"
        )
    return math.prod(shape) * _BYTES[kind]
