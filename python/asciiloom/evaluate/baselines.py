"""What a model has to beat: counting models and general compressors on the same held-out text.

Two counting models with Witten-Bell interpolation: *order-3* sees the three characters before,
*2D-count* the character to the left and those above. They learn from the train split and are
scored on the held-out one, exactly like the network. The compressors see the held-out text alone
and, fairer, after the training text ("primed": size of both minus size of training text).

Source: Witten & Bell, "The zero-frequency problem" (1991).
"""

import lzma
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asciiloom.errors import AsciiloomError
from asciiloom.tokens import IGNORE, GridTokenizer, PackedBatch

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]

# Columns of a context, the most telling last: interpolation drops from the front.
ORDER_3 = ("left3", "left2", "left")
GRID = ("above_left", "above_right", "above", "left")
# The neighbours a loader must lay out for ``contexts``: (rows up, columns right).
OFFSETS = ((1, -1), (1, 0), (1, 1))
PACKER_SECONDS = 600


def contexts(batches: Iterable[PackedBatch]) -> dict[str, I64]:
    """Flat columns over every predicted position: ``symbol`` and what stands around it."""
    parts: dict[str, list[I64]] = {}
    for batch in batches:
        ids = batch.ids.astype(np.int64)
        art = batch.targets != IGNORE
        lefts = {"left": ids}
        for name, back in (("left2", 1), ("left3", 2)):
            moved = np.zeros_like(ids)
            moved[:, back:] = ids[:, :-back]
            lefts[name] = moved
        above = batch.layout.above.astype(np.int64)
        columns = {
            "symbol": batch.targets,
            **lefts,
            "above_left": above[:, :, 0],
            "above": above[:, :, 1],
            "above_right": above[:, :, 2],
        }
        for name, column in columns.items():
            parts.setdefault(name, []).append(column[art])
    return {name: np.concatenate(column) for name, column in parts.items()}


def counting_bits(
    train: dict[str, I64],
    held_out: dict[str, I64],
    columns: tuple[str, ...],
    tokenizer: GridTokenizer,
) -> float:
    """Total bits of ``held_out`` under Witten-Bell counts of ``train`` in the context ``columns``."""
    base = tokenizer.size
    probability: F64 = np.full(len(held_out["symbol"]), 1.0 / tokenizer.outputs)
    for depth in range(len(columns) + 1):
        chosen = columns[len(columns) - depth :]
        seen, asked = (_key(side, chosen, base) for side in (train, held_out))
        pair_keys, pair_counts = np.unique(seen * base + train["symbol"], return_counts=True)
        context_keys, first = np.unique(pair_keys // base, return_index=True)
        totals = np.add.reduceat(pair_counts, first)
        distinct = np.diff(np.append(first, len(pair_keys)))
        count = _look_up(pair_keys, pair_counts, asked * base + held_out["symbol"])
        n, d = (_look_up(context_keys, values, asked) for values in (totals, distinct))
        known = n > 0
        probability[known] = (count[known] + d[known] * probability[known]) / (n[known] + d[known])
    return float(-np.log2(probability).sum())


def _key(side: dict[str, I64], chosen: tuple[str, ...], base: int) -> I64:
    key = np.zeros(len(side["symbol"]), np.int64)
    for name in chosen:
        key = key * base + side[name]
    return key


def _look_up(keys: I64, values: I64, asked: I64) -> I64:
    """values[keys == asked], 0 where there is none; ``keys`` ascending."""
    at = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    return np.where(keys[at] == asked, values[at], 0)


def xz_bits(text: bytes) -> float:
    """Bits of ``xz -9e``'s stream without container (raw LZMA2)."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME}]
    return 8.0 * len(lzma.compress(text, lzma.FORMAT_RAW, filters=filters))


def zpaq_bits(text: bytes, method: int = 5) -> float | None:
    """Bits of a zpaq archive of ``text``; None where the program is not installed."""
    program = shutil.which("zpaq")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "text").write_bytes(text)
        try:
            subprocess.run(
                [program, "add", "out.zpaq", "text", f"-m{method}"],
                cwd=folder, check=True, capture_output=True, timeout=PACKER_SECONDS,
            )  # fmt: skip
        except (subprocess.SubprocessError, OSError) as error:
            raise AsciiloomError(f"zpaq failed: {error}") from error
        return 8.0 * (Path(folder) / "out.zpaq").stat().st_size


def packer_bits(train: bytes, held_out: bytes) -> dict[str, float | None]:
    """Total bits of the held-out text under each compressor, alone and primed with the training text."""
    out: dict[str, float | None] = {
        "xz -9e": xz_bits(held_out),
        "xz -9e, primed": xz_bits(train + held_out) - xz_bits(train),
        "zpaq -m5": zpaq_bits(held_out),
    }
    primed, alone = zpaq_bits(train + held_out), zpaq_bits(train)
    out["zpaq -m5, primed"] = None if primed is None or alone is None else primed - alone
    return out
