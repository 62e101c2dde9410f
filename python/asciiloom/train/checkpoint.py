"""Checkpoints that a kill at any moment cannot spoil.

A checkpoint is a folder, written under a temporary name, flushed to disk and renamed: it is
there in full or not at all. ``latest`` and ``best`` are links, replaced in one step.
"""

import json
import os
import shutil
import struct
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from asciiloom.errors import CheckpointError, OutputError
from asciiloom.model import Card, GridTransformer, save_model
from asciiloom.outputs import check_output_file, flush

_STATE, _TENSORS = "state.json", "training.pt"
LATEST, BEST = "latest", "best"
METRICS, CURVE = "metrics.jsonl", "loss.png"


def save_checkpoint(
    run: Path,
    step: int,
    model: GridTransformer,
    card: Card,
    tensors: dict[str, Any],
    state: dict[str, Any],
    keep: int,
) -> Path:
    """Write ``run/step-N``, point ``latest`` at it, and drop older ones beyond ``keep`` (never ``best``)."""
    run.mkdir(parents=True, exist_ok=True)
    final = run / f"step-{step:07d}"
    building = run / f".building-{step:07d}-{os.getpid()}"
    shutil.rmtree(building, ignore_errors=True)
    try:
        save_model(building, model, card)
        torch.save(tensors, building / _TENSORS)
        (building / _STATE).write_text(json.dumps(state, indent=1) + "\n", encoding="utf-8")
        for file in building.iterdir():
            flush(file)
        flush(building)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    if final.exists():
        shutil.rmtree(final)
    building.replace(final)
    point(run, LATEST, final)
    _prune(run, keep)
    return final


def point(run: Path, name: str, target: Path) -> None:
    """Make the link ``run/name`` mean ``target``, atomically."""
    link = run / f".{name}-{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(target.name)
    link.replace(run / name)
    flush(run)


def prepare_run(run: Path) -> None:
    """Make the folder ``run``; ``OutputError`` where training would write over what is no run's."""
    try:
        run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {run}: {error.strerror}") from error
    for name in (METRICS, CURVE):
        check_output_file(run / name, force=True)
    for name in (LATEST, BEST):
        if (run / name).exists() and not (run / name).is_symlink():
            raise _foreign(run / name)
    if (run / CURVE).exists() and not (run / METRICS).exists():
        raise _foreign(run / CURVE)
    if (run / METRICS).exists():
        with (run / METRICS).open("rb") as stream:
            first = stream.readline(1 << 16)
        if first and not first.startswith(b'{"kind": '):
            raise _foreign(run / METRICS)


def _foreign(path: Path) -> OutputError:
    return OutputError(
        f"{path} is no training run's, but would be written over; choose another --out"
    )


def _prune(run: Path, keep: int) -> None:
    kept = {(run / name).resolve() for name in (LATEST, BEST) if (run / name).exists()}
    steps = sorted(run.glob("step-*"))
    for folder in steps[: max(0, len(steps) - max(1, keep))]:
        if folder.resolve() not in kept:
            shutil.rmtree(folder)
    for left in run.glob(".building-*"):
        shutil.rmtree(left, ignore_errors=True)


def find_checkpoint(path: Path) -> Path:
    """The folder with the model that ``path`` means: itself, or a run's ``latest``."""
    if (path / _STATE).exists() or (path / "model.safetensors").exists():
        return path
    if (path / LATEST).exists():
        return path / LATEST
    raise CheckpointError(
        f"{path} holds no checkpoint; train one with: asciiloom train DB --out {path}"
    )


def load_training_state(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """(tensors, state) of a checkpoint; tensors are read with ``weights_only``."""
    try:
        state: dict[str, Any] = json.loads((folder / _STATE).read_text(encoding="utf-8"))
        tensors = torch.load(folder / _TENSORS, map_location="cpu", weights_only=True)
    except (OSError, ValueError, RuntimeError, EOFError, struct.error, UnpicklingError) as error:
        raise CheckpointError(f"the checkpoint in {folder} cannot be resumed: {error}") from error
    return tensors, state
