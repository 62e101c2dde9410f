"""Checkpoints: nothing spoils the former one, and what is damaged is refused in one line."""

import dataclasses
import errno
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from asciiloom.corpus import Corpus
from asciiloom.errors import CheckpointError, OutputError
from asciiloom.model import Card, ModelConfig, untrained_model
from asciiloom.train import OptimSettings, RunSettings, Settings, Trainer, find_checkpoint
from asciiloom.train import checkpoint as checkpoints
from asciiloom.train.checkpoint import RunState, save_checkpoint

TINY = ModelConfig(
    d_model=8, layers=1, heads=1, head=8, context=512, neighbours=((1, 0),), pairs=(),
)  # fmt: skip
SETTINGS = Settings(
    model=TINY,
    run=RunSettings(
        steps=4, tokens=1024, log_every=1, eval_every=100, eval_pieces=5, save_every=2, threads=1,
        precision="fp32", samples=(),
    ),
)  # fmt: skip
MORE = dataclasses.replace(SETTINGS, run=dataclasses.replace(SETTINGS.run, steps=6))
STATE = RunState(1, 0.0, 0, 0, {}, {}, (), {}, {}, "")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, corpus_file: Path) -> Path:
    folder = tmp_path_factory.mktemp("finished") / "run"
    with Corpus(corpus_file) as corpus:
        Trainer(corpus, SETTINGS, folder).train()
    return folder


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy of a finished run to spoil."""
    return Path(shutil.copytree(finished, tmp_path / "run", symlinks=True))


def test_find_checkpoint(run: Path, tmp_path: Path) -> None:
    assert find_checkpoint(run) == run / "latest"
    assert find_checkpoint(run, best=True) == run / "best"
    assert find_checkpoint(run / "best") == run / "best"
    (tmp_path / "empty").mkdir()
    with pytest.raises(CheckpointError, match="asciiloom train"):
        find_checkpoint(tmp_path / "empty")


@pytest.mark.parametrize(("link", "best"), [("latest", False), ("best", True)])
@pytest.mark.parametrize("target", ["step-0000099", None])
def test_links_that_lead_nowhere_are_named(
    run: Path, link: str, best: bool, target: str | None
) -> None:
    (run / link).unlink()
    (run / link).symlink_to(target or link)  # without a target: a link to itself
    with pytest.raises(CheckpointError, match=f"{link} points to a checkpoint that is gone"):
        find_checkpoint(run, best)


def test_a_run_whose_last_checkpoint_is_gone_is_not_begun_anew(run: Path, corpus: Corpus) -> None:
    shutil.rmtree((run / "latest").resolve())
    with pytest.raises(CheckpointError, match="is gone"):
        Trainer(corpus, MORE, run).train()


def _change(name: str, value: object) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        file = folder / "state.json"
        state = json.loads(file.read_text())
        *parents, last = name.split(".")
        inner = state
        for parent in parents:
            inner = inner[parent]
        inner[last] = value
        file.write_text(json.dumps(state))

    return spoil


def _write(name: str, data: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(data) and None


def _tensors(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        tensors = torch.load(folder / "training.pt", weights_only=True)
        change(tensors)
        torch.save(tensors, folder / "training.pt")

    return spoil


def _moments(name: str, value: Any) -> Callable[[Path], None]:
    def change(tensors: dict[str, Any]) -> None:
        states = tensors["optim"][0]["state"]
        first = states[next(iter(states))]
        first[name] = value(first[name]) if callable(value) else value

    return _tensors(change)


def _cut(folder: Path) -> None:
    data = (folder / "training.pt").read_bytes()
    (folder / "training.pt").write_bytes(data[: len(data) // 2])


def _gone(folder: Path) -> None:
    (folder / "training.pt").unlink()


def _packed(folder: Path) -> None:
    """A file of a few kilobytes that unpacks to a gigabyte."""
    with zipfile.ZipFile(folder / "training.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"")
        archive.writestr("archive/data/0", bytes(50_000_000))


def _pickle(folder: Path) -> None:
    torch.save({"optim": Path("/")}, folder / "training.pt")


SPOILS: dict[str, Callable[[Path], None]] = {
    "state junk": _write("state.json", b"\xff\x00"),
    "state a list": _write("state.json", b"[]"),
    "state empty": _write("state.json", b"{}"),
    "state large": _write("state.json", b" " * 20_000_000),
    "step of text": _change("step", "4"),
    "step negative": _change("step", -4),
    "step huge": _change("step", 10**30),
    "another version": _change("version", 1),
    "machine a list": _change("machine", []),
    "machine of text": _change("machine.threads", "1"),
    "changes a table": _change("changes", {}),
    "changes of nothing": _change("changes", [{}]),
    "changes of another thing": _change("changes", [{"step": 1, "why": "", "set": {"optim.x": 1}}]),
    "held out of numbers": _change("held_out", 1),
    "seconds of text": _change("seconds", "x"),
    "characters half": _change("characters", 1.5),
    "loader a list": _change("loader", [0, 0, 0]),
    "loader negative": _change("loader.pool", -1),
    "loader beyond the corpus": _change("loader.pool", 10**6),
    "loader of text": _change("loader.epoch", "0"),
    "loader with more": _change("loader.row", 0),
    "settings a list": _change("settings", []),
    "settings of text": _change("settings.model.layers", "1"),
    "unknown section": _change("settings.models", {}),
    "fingerprint a list": _change("fingerprint", []),
    "unknown name": _change("stepp", 4),
    "tensors junk": _write("training.pt", os.urandom(5000)),
    "tensors empty": _write("training.pt", b""),
    "tensors cut": _cut,
    "tensors gone": _gone,
    "tensors packed": _packed,
    "another object": _pickle,
    "a tensor alone": lambda folder: torch.save(torch.zeros(3), folder / "training.pt"),
    "no moments": _tensors(lambda t: t.pop("optim")),
    "moments of nothing": _tensors(lambda t: t.update(optim=[])),
    "moments of text": _tensors(lambda t: t.update(optim=["a", "b"])),
    "moments of another shape": _moments("exp_avg", torch.zeros(3, 3)),
    "moments not finite": _moments("exp_avg", lambda m: torch.full_like(m, torch.nan)),
    "moments of numbers": _moments("exp_avg", 3),
    "no random state": _tensors(lambda t: t.pop("torch_rng")),
    "a short random state": _tensors(lambda t: t.update(torch_rng=torch.zeros(3, dtype=torch.uint8))),
    "a random state of numbers": _tensors(lambda t: t.update(torch_rng=[1, 2])),
}  # fmt: skip


@pytest.mark.parametrize("case", SPOILS)
def test_damaged_checkpoints_are_refused_in_one_line(run: Path, corpus: Corpus, case: str) -> None:
    SPOILS[case]((run / "latest").resolve())
    with pytest.raises(CheckpointError) as caught:
        Trainer(corpus, MORE, run).train()
    line = str(caught.value)
    assert "\n" not in line and len(line) < 700 and str(run) in line


def test_a_run_killed_before_its_first_checkpoint_begins_its_curve_anew(
    corpus: Corpus, tmp_path: Path
) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"kind": "log", "step": 1}\n{"kind": "lo')
    Trainer(corpus, SETTINGS, tmp_path).train()
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if line["kind"] == "log"] == [1, 2, 3, 4]


def test_a_sound_copy_is_resumed(run: Path, corpus: Corpus) -> None:
    """What the test above spoils would go on otherwise."""
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"kind": "log", "step": 5, "train_bits": 1}\n[]\n{"step": "x"}\n{"kind": "l')
    assert Trainer(corpus, MORE, run).train()["step"] == 6
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if line["kind"] == "log"] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("name", ["save_model", "torch.save", "flush"])
def test_a_failed_write_leaves_the_former_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    model = untrained_model(TINY)
    save_checkpoint(tmp_path, model, Card(), {}, STATE, 2)
    monkeypatch.setattr(f"asciiloom.train.checkpoint.{name}", full)
    with pytest.raises(
        CheckpointError, match="No space left on device; the last checkpoint is kept"
    ):
        save_checkpoint(tmp_path, model, Card(), {}, dataclasses.replace(STATE, step=2), 2)
    assert find_checkpoint(tmp_path).resolve().name == "step-0000001"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["latest", "step-0000001"]


def test_an_interrupt_while_writing_leaves_nothing_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints, "flush", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(tmp_path, untrained_model(TINY), Card(), {}, STATE, 2)
    assert list(tmp_path.iterdir()) == []


_FULL_DISK = """
import json, resource, sys
from pathlib import Path
from asciiloom.corpus import Corpus
from asciiloom.errors import CheckpointError
from asciiloom.train import Settings, Trainer
def fill(event):
    if event.kind == "checkpoint" and event.step == 2:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
with Corpus(sys.argv[1]) as corpus:
    try:
        Trainer(corpus, Settings.from_dict(json.loads(sys.argv[4])), Path(sys.argv[2]), fill).train()
    except CheckpointError as error:
        print(error, file=sys.stderr)
        sys.exit(7)
"""


@pytest.mark.parametrize("limit", [20_000, 1_100_000])
def test_a_full_disk_leaves_the_former_checkpoint(
    corpus_file: Path, tmp_path: Path, limit: int
) -> None:
    """A real failure to write: in the weights, and in the moments, which are larger."""
    run = tmp_path / "run"
    settings = json.dumps(SETTINGS.to_dict())
    done = subprocess.run(
        [sys.executable, "-c", _FULL_DISK, str(corpus_file), str(run), str(limit), settings],
        capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 7, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and "checkpoint is kept" in done.stderr
    assert find_checkpoint(run).resolve().name == "step-0000002"
    assert not list(run.glob(".building*")) and not list(run.glob("step-0000004"))


def test_a_folder_that_cannot_be_made_is_one_line(corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file" / "run", tmp_path / ("x" * 300)):
        with pytest.raises(OutputError) as caught:
            Trainer(corpus, SETTINGS, out).train()
        assert "\n" not in str(caught.value)


def test_other_optimizers_are_not_resumed(run: Path, corpus: Corpus) -> None:
    other = dataclasses.replace(MORE, optim=OptimSettings(matrix="adamw"))
    with pytest.raises(CheckpointError, match=r"optim\.matrix"):
        Trainer(corpus, other, run).train()
