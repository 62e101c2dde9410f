"""What a run promises: it goes on as it began, ``best`` is the best, and it helps itself where numbers break."""

import dataclasses
import json
import math
import mmap
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from asciiloom.corpus import Corpus
from asciiloom.errors import CheckpointError, SettingsError
from asciiloom.model import ModelConfig
from asciiloom.tokens import Mixing
from asciiloom.train import (
    DEFAULT_SELECTION,
    Begin,
    GuardSettings,
    OptimSettings,
    RunSettings,
    Settings,
    Trainer,
    find_checkpoint,
)
from asciiloom.train.feed import Feed
from asciiloom.train.machine import MemoryGuard, find_machine

MODEL = ModelConfig(
    d_model=8, layers=1, heads=1, head=8, context=512, neighbours=((1, 0),), pairs=(),
)  # fmt: skip


def _settings(optim: OptimSettings | None = None, **run: Any) -> Settings:
    base: dict[str, Any] = {
        "steps": 4, "tokens": 1024, "log_every": 1, "eval_every": 2, "eval_pieces": 8, "save_every": 2,
        "keep": 20, "threads": 1, "precision": "fp32", "samples": (),
    }  # fmt: skip
    return Settings(model=MODEL, optim=optim or OptimSettings(), run=RunSettings(**{**base, **run}))


def _lines(run: Path, kind: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if line["kind"] == kind]


def _state(run: Path) -> dict[str, Any]:
    state: dict[str, Any] = json.loads((find_checkpoint(run) / "state.json").read_text())
    return state


def _same_weights(one: Path, two: Path) -> bool:
    a, b = (load_file(run / "latest" / "model.safetensors") for run in (one, two))
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


# -- best


def test_best_is_right_after_three_resumed_runs(corpus: Corpus, tmp_path: Path) -> None:
    """Later runs spoil the model on purpose: ``best`` stays where the fewest bits were."""
    Trainer(corpus, _settings(OptimSettings(warmup=0), steps=6), tmp_path).train()
    for steps, lr in ((8, 6.0), (10, 9.0), (12, 0.003)):
        begin = Begin(changes=(f"optim.lr={lr}",))
        trainer = Trainer(
            corpus, _settings(OptimSettings(warmup=0), steps=steps), tmp_path, begin=begin
        )
        figures = trainer.train()
    evals = _lines(tmp_path, "eval")
    assert [line["step"] for line in evals] == [2, 4, 6, 8, 10, 12]
    bits = {line["step"]: line["held_out_bits"] for line in evals}
    best = min(bits, key=bits.__getitem__)
    assert max(bits.values()) > 1.5 * bits[best] and best <= 6
    assert (tmp_path / "best").resolve().name == f"step-{best:07d}"
    assert figures["best_bits"] == bits[best] == trainer.best
    assert [change["set"] for change in figures["changes"]] == [
        {"optim.lr": 6.0}, {"optim.lr": 9.0}, {"optim.lr": 0.003},
    ]  # fmt: skip
    assert {(line["pieces"], line["split"]) for line in evals} == {(8, "validation")}


def test_an_evaluation_that_was_cut_off_is_done_on_resuming(corpus: Corpus, tmp_path: Path) -> None:
    Trainer(corpus, _settings(), tmp_path).train()
    before = json.loads((tmp_path / "latest" / "evaluation.json").read_text())
    (tmp_path / "latest" / "evaluation.json").unlink()
    (tmp_path / "best").unlink()
    Trainer(corpus, _settings(), tmp_path).train()
    assert json.loads((tmp_path / "latest" / "evaluation.json").read_text()) == before
    assert (tmp_path / "best").resolve().name == "step-0000004"


def test_best_is_keyed_on_the_split_and_source_that_the_settings_name(
    corpus: Corpus, tmp_path: Path
) -> None:
    sources = corpus.fingerprint(DEFAULT_SELECTION.replace(split="test", chars=(None, 456)))[
        "sources"
    ]
    source = min(sources, key=sources.__getitem__)
    settings = _settings(eval_split="test", eval_sources=(source,), eval_pieces=1000, steps=2)
    Trainer(corpus, settings, tmp_path).train()
    (line,) = _lines(tmp_path, "eval")
    assert (line["split"], line["sources"], line["pieces"]) == ("test", [source], sources[source])
    assert len(sources) > 1
    with pytest.raises(CheckpointError, match=r"run\.eval_split"):
        Trainer(corpus, _settings(eval_sources=(source,), eval_pieces=1000), tmp_path)


def test_other_held_out_pieces_are_not_compared(corpus_file: Path, tmp_path: Path) -> None:
    shutil.copy(corpus_file, tmp_path / "c.db")
    with Corpus(tmp_path / "c.db") as corpus:
        Trainer(corpus, _settings(steps=2), tmp_path / "run").train()
        with corpus.connection:
            corpus.connection.execute(
                "UPDATE piece SET split = NULL WHERE split = 'validation' AND id % 2"
            )
        with pytest.raises(CheckpointError, match="held-out pieces changed"):
            Trainer(corpus, _settings(), tmp_path / "run")


# -- how a run begins


def test_what_was_probed_is_kept(corpus: Corpus, tmp_path: Path) -> None:
    settings = _settings(steps=2, threads=0, precision="auto")
    trainer = Trainer(corpus, settings, tmp_path)
    trainer.train()
    assert _state(tmp_path)["machine"] == trainer.machine.to_dict()
    other = {"bf16": "fp32", "fp32": "bf16"}[trainer.machine.precision]
    former = dataclasses.replace(trainer.machine, precision=other, threads=2)
    kept = find_machine(settings.run, 8, former)
    assert (kept.precision, kept.threads) == (other, 2) and kept.differences(former) is None
    told = find_machine(_settings().run, 8, dataclasses.replace(former, precision="bf16"))
    said = told.differences(dataclasses.replace(former, precision="bf16", torch="1.0"))
    assert said is not None and "\n" not in said
    assert "precision bf16 -> fp32" in said and "torch 1.0 -> " in said and "bit for bit" in said


def test_what_differs_on_this_machine_is_said(corpus: Corpus, tmp_path: Path) -> None:
    Trainer(corpus, _settings(steps=2), tmp_path).train()
    state = _state(tmp_path)
    state["machine"] |= {"processor": "ABACUS", "device": "cuda:7"}
    (tmp_path / "latest" / "state.json").write_text(json.dumps(state))
    Trainer(corpus, _settings(), tmp_path).train()
    (note,) = _lines(tmp_path, "note")
    assert "ABACUS" in note["text"] and "cuda:7" in note["text"]


def test_precedence_of_where_to_begin(corpus: Corpus, tmp_path: Path) -> None:
    run = tmp_path / "run"
    Trainer(corpus, _settings(steps=6), run).train()
    whole = tmp_path / "whole"
    shutil.copytree(run, whole, symlinks=True)
    # A checkpoint that is named is before the latest: steps 3 to 6 are done again, to the same weights.
    Trainer(corpus, _settings(steps=6), run, begin=Begin(resume=run / "step-0000002")).train()
    assert [line["step"] for line in _lines(run, "log")] == [1, 2, 3, 4, 5, 6]
    assert _same_weights(run, whole)
    # Of another run, into an empty folder.
    fork = tmp_path / "fork"
    Trainer(corpus, _settings(steps=6), fork, begin=Begin(resume=whole / "step-0000004")).train()
    assert _same_weights(fork, whole) and not (fork / "step-0000002").exists()
    with pytest.raises(CheckpointError, match="a run of its own"):
        Trainer(corpus, _settings(steps=6), fork, begin=Begin(resume=whole))
    with pytest.raises(CheckpointError, match="not both"):
        Trainer(corpus, _settings(), run, begin=Begin(resume=run, fresh=True))
    # Anew: the former run is set aside, not lost.
    figures = Trainer(corpus, _settings(seed=5, steps=2), run, begin=Begin(fresh=True)).train()
    assert figures["step"] == 2 and sorted(p.name for p in run.glob("step-*")) == ["step-0000002"]
    assert _same_weights(tmp_path / "run-former-1", whole)


def test_going_back_drops_the_later_checkpoints_but_never_the_best(
    corpus: Corpus, tmp_path: Path
) -> None:
    Trainer(corpus, _settings(steps=8), tmp_path).train()
    assert (tmp_path / "best").resolve().name == "step-0000008"
    begin = Begin(resume=tmp_path / "step-0000002", changes=("optim.lr=2.0",))
    Trainer(corpus, _settings(steps=4), tmp_path, begin=begin).train()
    assert sorted(p.name for p in tmp_path.glob("step-*")) == [
        "step-0000002", "step-0000004", "step-0000008",
    ]  # fmt: skip
    assert find_checkpoint(tmp_path).resolve().name == "step-0000004"


def test_resume_with_changes_optim_alone_and_is_recorded(corpus: Corpus, tmp_path: Path) -> None:
    Trainer(corpus, _settings(steps=2), tmp_path, given={"set": ["run.steps=2"]}).train()
    assert json.loads((tmp_path / "latest/overrides.json").read_text())["set"] == ["run.steps=2"]
    with pytest.raises(CheckpointError, match=r"--resume-with optim\.lr=0\.001"):
        Trainer(corpus, _settings(OptimSettings(lr=0.001)), tmp_path)
    for wrong in ("run.seed=3", "optim.matrix=adamw", "model.layers=2"):
        with pytest.raises(SettingsError, match="changes settings of optim"):
            Trainer(corpus, _settings(), tmp_path, begin=Begin(changes=(wrong,)))
    with pytest.raises(SettingsError, match="use --set"):
        Trainer(corpus, _settings(), tmp_path / "none", begin=Begin(changes=("optim.lr=1",)))
    begin = Begin(changes=("optim.lr=0.001", "optim.weight_decay=0.5"))
    Trainer(corpus, _settings(), tmp_path, begin=begin).train()
    changed = {"optim.lr": 0.001, "optim.weight_decay": 0.5}
    # The same command goes on with them, and so does the one before.
    for again in (begin, Begin()):
        trainer = Trainer(corpus, _settings(steps=6), tmp_path, begin=again)
        assert (trainer.settings.optim.lr, trainer.settings.optim.weight_decay) == (0.001, 0.5)
    trainer.train()
    assert _state(tmp_path)["changes"] == [{"step": 2, "set": changed, "why": "asked for"}]
    resolved = json.loads((tmp_path / "latest" / "settings.json").read_text())
    assert resolved == trainer.settings.to_dict() and resolved["optim"]["lr"] == 0.001
    groups = torch.load(tmp_path / "latest/training.pt", weights_only=True)["optim"][0]
    assert groups["param_groups"][0]["weight_decay"] == 0.5


def test_a_run_of_an_earlier_version_is_refused_in_one_line(corpus: Corpus, tmp_path: Path) -> None:
    Trainer(corpus, _settings(steps=2), tmp_path).train()
    state = _state(tmp_path)
    for name in ("version", "machine", "changes", "pieces", "held_out"):
        del state[name]
    (tmp_path / "latest" / "state.json").write_text(json.dumps({**state, "best": 3.0}))
    with pytest.raises(CheckpointError, match=r"an earlier version.*choose another --out"):
        Trainer(corpus, _settings(), tmp_path)


def test_weights_of_another_run_are_begun_with(corpus: Corpus, tmp_path: Path) -> None:
    Trainer(corpus, _settings(), tmp_path / "first").train()
    settings = _settings(weights=str(tmp_path / "first"), seed=3)
    trainer = Trainer(corpus, settings, tmp_path / "second")
    first = load_file(tmp_path / "first/latest/model.safetensors")
    assert all(torch.equal(v, first[k]) for k, v in trainer.model.state_dict().items())
    other = dataclasses.replace(settings, model=dataclasses.replace(MODEL, layers=2))
    with pytest.raises(SettingsError, match="another shape"):
        Trainer(corpus, other, tmp_path / "third")


# -- epochs


@pytest.mark.parametrize("accumulate", [1, 3])
def test_epochs_are_exact(corpus: Corpus, tmp_path: Path, accumulate: int) -> None:
    trainer = Trainer(corpus, _settings(steps=None, epochs=2, accumulate=accumulate), tmp_path)
    feed = Feed(trainer.loader, accumulate, 2)
    seen: Counter[int] = Counter()
    while not feed.over:
        for batch in feed.take():
            seen.update(batch.pieces.tolist())
    assert len(seen) == len(trainer.loader) and set(seen.values()) == {2}


@pytest.mark.parametrize(
    ("epochs", "mixing"), [(1, Mixing()), (2, Mixing(small=3, small_at_end=0.5))]
)
def test_a_run_of_epochs_ends_with_them_also_resumed(
    corpus: Corpus, tmp_path: Path, epochs: int, mixing: Mixing
) -> None:
    """A mixing that moves asks how far the run is while the run asks whether the epoch is over."""
    settings = _settings(steps=None, epochs=epochs, tokens=16384, eval_every=1000, save_every=3)
    settings = dataclasses.replace(settings, mixing=mixing)
    figures = Trainer(corpus, settings, tmp_path / "whole").train()
    state = _state(tmp_path / "whole")
    assert state["pieces"] == epochs * figures["pieces"] and state["loader"]["epoch"] == epochs - 1
    checkpoint = tmp_path / "whole" / "step-0000003"
    Trainer(corpus, settings, tmp_path / "fork", begin=Begin(resume=checkpoint)).train()
    assert _same_weights(tmp_path / "whole", tmp_path / "fork")
    assert Trainer(corpus, settings, tmp_path / "whole").progress == 1.0


# -- numbers that break

# Decay of more than twice the rest a step: weights grow threefold each step, at half the rate they fall.
BREAKING = OptimSettings(matrix="adamw", lr=0.04, weight_decay=80, warmup=0, decay=0, clip=1e9)


def test_a_run_that_breaks_goes_back_and_on_at_half_the_rate(
    corpus: Corpus, tmp_path: Path
) -> None:
    figures = Trainer(corpus, _settings(BREAKING, steps=150, eval_every=1000), tmp_path).train()
    assert figures["step"] == 150
    (change,) = figures["changes"]
    assert change["why"] == "the loss was not finite" and 0 < change["step"] < 150
    assert change["set"]["optim.lr"] == 0.02
    assert any("half the rate" in line["text"] for line in _lines(tmp_path, "note"))
    assert [line["step"] for line in _lines(tmp_path, "log")] == list(range(1, 151))
    assert all(
        bool(v.isfinite().all()) for v in load_file(tmp_path / "latest/model.safetensors").values()
    )


def test_a_run_that_cannot_be_helped_stops_with_advice(corpus: Corpus, tmp_path: Path) -> None:
    worse = dataclasses.replace(BREAKING, lr=10.0)
    with pytest.raises(CheckpointError) as caught:
        Trainer(corpus, _settings(worse, steps=100, save_every=1), tmp_path).train()
    line = str(caught.value)
    assert "also after 2 rollbacks" in line and "\n" not in line
    advised = line.partition("--resume-with ")[2]
    assert advised == "optim.lr=1.25"
    # What it asks for is what resuming takes.
    trainer = Trainer(corpus, _settings(worse), tmp_path, begin=Begin(changes=(advised,)))
    assert trainer.settings.optim.lr == 1.25
    settings = dataclasses.replace(
        _settings(worse, save_every=100, eval_every=100, steps=100),
        guard=GuardSettings(rollbacks=0),
    )
    with pytest.raises(CheckpointError, match=r"begin with a lower rate: --set optim\.lr=5\Z"):
        Trainer(corpus, settings, tmp_path / "never saved").train()


# -- watches


def test_memory_that_grows_is_said_once() -> None:
    guard = MemoryGuard(GuardSettings(memory_warmup=2, memory_growth_mb=64))
    assert [guard.look(step) for step in (1, 2, 3, 4)] == [None] * 4
    # Pages of its own: the heap may have as much left over from before.
    hoard = mmap.mmap(-1, 256 << 20)
    hoard.write(b"x" * len(hoard))
    said = guard.look(5)
    assert said is not None and "memory grew" in said and "\n" not in said
    assert guard.look(6) is None
    hoard.close()


def test_the_headline_says_what_is_trained(corpus: Corpus, tmp_path: Path) -> None:
    trainer = Trainer(corpus, _settings(accumulate=3), tmp_path / "run")
    parts = (
        "cpu",
        "fp32",
        "1 threads",
        "parameters",
        "1,024 tokens x 3 accumulated = 3,072 a step",
    )
    assert all(part in trainer.headline for part in parts) and "\n" not in trainer.headline
    tokens = sum(len(text) + 1 for text in trainer.loader.texts())
    assert (
        f"{len(trainer.loader):,} training pieces, {tokens:,} tokens an epoch" in trainer.headline
    )
    assert not (tmp_path / "run").exists()


# -- kill -9

_TRAIN = """
import sys
from pathlib import Path
from asciiloom.corpus import Corpus
from asciiloom.model import ModelConfig
from asciiloom.train import RunSettings, Settings, Trainer
model = ModelConfig(d_model=32, layers=1, heads=1, head=16, pair_dimensions=4)
run = RunSettings(steps=24, tokens=2048, log_every=1, eval_every=8, eval_pieces=20, save_every=4)
with Corpus(sys.argv[1]) as corpus:
    Trainer(corpus, Settings(model=model, run=run), Path(sys.argv[2])).train()
"""


def test_kill_minus_nine_at_random_steps_with_default_settings(
    corpus_file: Path, tmp_path: Path
) -> None:
    """Threads and precision are probed once; all runs here go on from the same first checkpoint."""
    free = {k: v for k, v in os.environ.items() if not k.endswith("NUM_THREADS")}

    def start(folder: Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", _TRAIN, str(corpus_file), str(folder)]
        return subprocess.Popen(command, env=free)

    def kill_at(folder: Path, step: int) -> None:
        process = start(folder)
        until = time.monotonic() + 300
        while time.monotonic() < until and process.poll() is None:
            if (folder / "latest").exists() and _lines_so_far(folder) >= step:
                break
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL

    killed, whole = tmp_path / "killed", tmp_path / "whole"
    kill_at(killed, 4)
    shutil.copytree(killed, whole, symlinks=True)
    assert start(whole).wait(timeout=400) == 0
    chosen = sorted(random.Random().sample(range(6, 23), 2))
    for step in chosen:
        kill_at(killed, step)
        assert _state(killed)["step"] < 24
    assert start(killed).wait(timeout=400) == 0
    assert _same_weights(whole, killed), f"killed at {chosen}"
    one, two = ({k: v for k, v in _state(run).items() if k != "seconds"} for run in (whole, killed))
    assert one == two
    assert (killed / "best").resolve().name == (whole / "best").resolve().name
    bits = [[line["held_out_bits"] for line in _lines(run, "eval")] for run in (whole, killed)]
    assert bits[0] == bits[1] and all(map(math.isfinite, bits[0]))
    assert not list(killed.glob(".building*"))


def _lines_so_far(run: Path) -> int:
    """The last step on the curve; the line that is being written may be cut."""
    steps = [0]
    for line in (run / "metrics.jsonl").read_text().splitlines():
        try:
            steps.append(json.loads(line)["step"])
        except ValueError:
            continue
    return max(steps)
