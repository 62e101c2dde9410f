"""Checkpoints that a kill at any moment cannot spoil.

A checkpoint is a folder, written under a temporary name, flushed to disk and renamed: it is
there in full or not at all. ``latest`` and ``best`` are links, replaced in one step.
"""

import json
import math
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
from safetensors import SafetensorError

from asciiloom.errors import CheckpointError, OutputError, SettingsError
from asciiloom.json_file import read_object
from asciiloom.model import Card, GridTransformer, save_model
from asciiloom.outputs import check_output_file, flush, output_stream
from asciiloom.typed import Between, check_fields, from_plain, is_utf8

_STATE, _TENSORS, _WEIGHTS = "state.json", "training.pt", "model.safetensors"
_EVALUATION = "evaluation.json"
# For people, and for --config: nothing here reads them.
_SETTINGS, _OVERRIDES = "settings.json", "overrides.json"
LATEST, BEST = "latest", "best"
METRICS, CURVE = "metrics.jsonl", "loss.png"
MAX_STATE_BYTES = 8 << 20
# Of ``state.json``: 1 had neither machine nor changes, and ``best`` in it was of the evaluation before.
VERSION = 2
_Count = Annotated[int, Between(0, 2**62)]


@dataclass(frozen=True, slots=True)
class RunState:
    """Where a run stood, beside its tensors: step, training seconds, characters and pieces seen, the loader's
    state; the settings as they were given and what was changed on the way; what it computes with; the
    fingerprint of the corpus, and the digest of the held-out pieces that ``best`` compares."""

    step: _Count
    seconds: Annotated[float, Between(0, 1e12)]
    characters: _Count
    pieces: _Count
    loader: dict[str, Any]
    settings: dict[str, Any]
    changes: tuple[dict[str, Any], ...]
    machine: dict[str, Any]
    fingerprint: dict[str, Any]
    held_out: str
    version: Annotated[int, Between(VERSION, VERSION)] = VERSION

    def __post_init__(self) -> None:
        check_fields(self, "state")


def save_checkpoint(
    run: Path,
    model: GridTransformer,
    card: Card,
    tensors: dict[str, Any],
    state: RunState,
    keep: int,
    *,
    settings: dict[str, Any] | None = None,
    overrides: dict[str, Any] | None = None,
) -> Path:
    """Write ``run/step-N``, point ``latest`` at it, and drop older ones beyond ``keep`` (never ``best``) and
    those of later steps, which the run went back behind.

    ``settings``: as they were in force; ``overrides``: what was typed. Where a write fails (a full disk) nothing of it is left, the former checkpoints stay, and a
    ``CheckpointError`` says so.
    """
    final = run / f"step-{state.step:07d}"
    building = run / f".building-{state.step:07d}-{os.getpid()}"
    with writing(run):
        try:
            run.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(building, ignore_errors=True)
            save_model(building, model, card)
            torch.save(tensors, building / _TENSORS)
            written = {_STATE: asdict(state), _SETTINGS: settings, _OVERRIDES: overrides}
            for name, content in written.items():
                text = json.dumps(content or {}, indent=1)
                (building / name).write_text(text + "\n", encoding="utf-8")
            for file in building.iterdir():
                flush(file)
            flush(building)
            if final.exists():
                shutil.rmtree(final)
            building.replace(final)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
        point(run, LATEST, final)
        _prune(run, final, keep)
    return final


@contextmanager
def writing(run: Path) -> Iterator[None]:
    """Failures to write into the folder of a run as one line."""
    try:
        yield
    except (OSError, SafetensorError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise CheckpointError(
            f"cannot write into {run}: {' '.join(why.split())[:200]}; the last checkpoint is kept:"
            " make room (or choose another --out) and run the same command again"
        ) from error


def point(run: Path, name: str, target: Path) -> None:
    """Make the link ``run/name`` mean ``target``, atomically."""
    link = run / f".{name}-{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(target.name)
    link.replace(run / name)
    flush(run)


def prepare_run(run: Path) -> None:
    """Make the folder ``run``; ``OutputError`` where training would write over what is no run's."""
    if not is_utf8(str(run)):
        raise OutputError(
            f"a run's folder needs a name in UTF-8, unlike {run}; choose another --out"
        )
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


def _prune(run: Path, newest: Path, keep: int) -> None:
    kept = {(run / name).resolve() for name in (LATEST, BEST) if (run / name).exists()}
    steps = sorted(run.glob("step-*"))
    behind = [folder for folder in steps if folder.name <= newest.name]
    for folder in {*steps} - {*behind[-keep:]}:
        if folder.resolve() not in kept:
            shutil.rmtree(folder)
    for left in run.glob(".building-*"):
        shutil.rmtree(left, ignore_errors=True)


def record_evaluation(run: Path, folder: Path, figures: dict[str, Any]) -> None:
    """Write the ``figures`` of the checkpoint ``folder`` beside it, and point ``best`` at it where its
    "held_out_bits" are the fewest of those with its "digest".

    A kill at any moment leaves ``best`` with figures of its own: a checkpoint has them before it is linked.
    """
    with writing(run):
        with output_stream(folder / _EVALUATION, force=True) as stream:
            stream.write(json.dumps(figures, indent=1).encode() + b"\n")
        bits = figures["held_out_bits"]
        if bits is not None and bits < best_bits(run, figures["digest"]):
            point(run, BEST, folder)


def best_bits(run: Path, digest: str) -> float:
    """Held-out bits of ``best`` on the pieces of ``digest``; infinity where there are none."""
    figures = read_evaluation(run / BEST)
    bits = figures.get("held_out_bits") if figures.get("digest") == digest else None
    return float(bits) if isinstance(bits, int | float) else math.inf


def read_evaluation(folder: Path) -> dict[str, Any]:
    """The figures that ``record_evaluation`` wrote beside a checkpoint; empty where it has none."""
    try:
        return read_object(folder / _EVALUATION, MAX_STATE_BYTES)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise CheckpointError(
            f"{folder / _EVALUATION} cannot be read: {why}; remove it to have it made anew"
        ) from error


def set_aside(run: Path) -> Path:
    """Give the folder ``run`` another name, so that it can be begun anew; returns that name."""
    number = 1
    while (aside := run.with_name(f"{run.name}-former-{number}")).exists():
        number += 1
    try:
        run.rename(aside)
    except OSError as error:
        raise OutputError(
            f"{run} cannot be set aside: {error.strerror}; choose another --out"
        ) from error
    return aside


def is_started(run: Path) -> bool:
    """Whether there is something in ``run`` to resume, sound or not."""
    try:
        return (run / LATEST).is_symlink() or any((run / n).exists() for n in (_STATE, _WEIGHTS))
    except OSError:
        return False  # ``prepare_run`` says why; and also that a plain file ``latest`` is no run's


def find_checkpoint(path: Path, best: bool = False) -> Path:
    """The folder with the model that ``path`` means: itself, or a run's ``latest`` (or ``best``, where
    it has one). ``CheckpointError`` says why there is none."""
    try:
        if best and os.path.lexists(path / BEST):
            return _linked(path / BEST)
        if (path / _STATE).exists() or (path / _WEIGHTS).exists():
            return path
        if os.path.lexists(path / LATEST):
            return _linked(path / LATEST)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be looked into: {error.strerror}") from error
    raise CheckpointError(
        f"{path} holds no checkpoint; train one with: asciiloom train DB --out {path}"
    )


def _linked(link: Path) -> Path:
    if not link.exists():
        raise CheckpointError(
            f"{link} points to a checkpoint that is gone; name another step-* folder of the run"
        )
    return link


def load_training_state(folder: Path) -> tuple[dict[str, Any], RunState]:
    """(tensors, state) of a checkpoint; tensors are read with ``weights_only``."""
    file = folder / _STATE
    try:
        plain = read_object(file, MAX_STATE_BYTES)
        if "step" in plain and "version" not in plain:
            raise ValueError("an earlier version of asciiloom wrote it; finish it there")
        state = from_plain(RunState, plain, "state")
        file = folder / _TENSORS
        tensors = _read_tensors(file)
    except (OSError, ValueError, SettingsError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise cannot_resume(file, why) from error
    return tensors, state


def cannot_resume(what: Path, why: str) -> CheckpointError:
    """The error of a checkpoint that is damaged."""
    return CheckpointError(
        f"{what} cannot be resumed: {' '.join(why.split())[:300]}; choose another --out"
    )


def _read_tensors(file: Path) -> dict[str, Any]:
    if not file.is_file():
        file.stat()
        raise ValueError("it is not an ordinary file")
    try:
        with zipfile.ZipFile(file) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > 2 * file.stat().st_size:
                raise ValueError("it is packed, which no checkpoint is")
        tensors = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, ValueError):
        raise
    except Exception as error:  # a damaged file can make torch's reader fail in any way
        raise ValueError(f"{type(error).__name__} {error}".split("\n")[0]) from error
    if not isinstance(tensors, dict):
        raise ValueError("it holds no table of tensors")
    return tensors
