import dataclasses
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from asciiloom.corpus import Corpus
from asciiloom.errors import CheckpointError, OutputError, SettingsError
from asciiloom.model import ModelConfig, load_model, pick_device
from asciiloom.train import (
    OptimSettings,
    RunSettings,
    Settings,
    Trainer,
    find_checkpoint,
    machine,
)
from asciiloom.train.machine import pick_precision, pick_threads
from asciiloom.train.schedule import rate

MODEL = ModelConfig(d_model=48, layers=2, heads=1, head=32, pair_dimensions=4)


def _settings(**run: object) -> Settings:
    base = {
        "steps": 10,
        "tokens": 2048,
        "log_every": 1,
        "eval_every": 100,
        "save_every": 5,
        "threads": 1,
        "samples": (),
    }
    return Settings(model=MODEL, run=RunSettings(**{**base, **run}))


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(find_checkpoint(folder) / "model.safetensors")


def test_a_run_leaves_what_a_person_needs(run_folder: Path) -> None:
    lines = [json.loads(line) for line in (run_folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if line["kind"] == "log"] == [2, 4, 6, 8]
    assert [line["step"] for line in lines if line["kind"] == "eval"] == [4, 8]
    samples = [line for line in lines if line["kind"] == "samples"]
    assert samples[0]["drawings"][0]["words"] == "cat" and samples[0]["drawings"][0]["text"]
    assert (run_folder / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert (run_folder / "latest").resolve().name == "step-0000008"
    assert (run_folder / "best").resolve().name in ("step-0000004", "step-0000008")
    model, card = load_model(run_folder / "latest")
    assert model.parameter_count() > 500_000
    assert card.training["corpus"]["licences"] == {"CC0-1.0": card.training["corpus"]["pieces"]}
    assert card.training["settings"]["run"]["steps"] == 8
    assert card.sizes.table and all(things[""] for things in card.sizes.table.values())


def test_training_lowers_the_loss(corpus: Corpus, tmp_path: Path) -> None:
    settings = dataclasses.replace(_settings(steps=40, accumulate=2), optim=OptimSettings(warmup=4))
    Trainer(corpus, settings, tmp_path / "run").train()
    lines = [
        json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    ]
    bits = [line["train_bits"] for line in lines if line["kind"] == "log"]
    assert sum(bits[-5:]) / 5 < 0.6 * bits[0]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("matrix", ["muon", "adamw"])
def test_resumed_run_ends_bit_for_bit_where_the_unbroken_one_does(
    corpus_file: Path, tmp_path: Path, precision: str, matrix: str
) -> None:
    settings = dataclasses.replace(
        _settings(precision=precision), optim=OptimSettings(matrix=matrix)
    )
    with Corpus(corpus_file) as corpus:
        Trainer(corpus, settings, tmp_path / "whole").train()

    class StopError(Exception):
        pass

    def stop(event: object) -> None:
        if getattr(event, "kind", "") == "log" and getattr(event, "step", 0) == 7:
            raise StopError  # two steps after the last checkpoint: they are lost and done again

    with Corpus(corpus_file) as corpus, pytest.raises(StopError):
        Trainer(corpus, settings, tmp_path / "broken", stop).train()
    torch.manual_seed(999)
    with Corpus(corpus_file) as corpus:
        figures = Trainer(corpus, settings, tmp_path / "broken").train()
    assert figures["step"] == 10
    whole, broken = _weights(tmp_path / "whole"), _weights(tmp_path / "broken")
    assert whole.keys() == broken.keys()
    assert all(torch.equal(whole[name], broken[name]) for name in whole)
    steps = [
        json.loads(line)["step"]
        for line in (tmp_path / "broken" / "metrics.jsonl").read_text().splitlines()
        if '"log"' in line
    ]
    assert steps == list(range(1, 11))  # each step once on the curve


def test_other_settings_or_another_corpus_are_not_resumed(
    corpus_file: Path, tmp_path: Path
) -> None:
    with Corpus(corpus_file) as corpus:
        Trainer(corpus, _settings(steps=2), tmp_path).train()
        with pytest.raises(CheckpointError, match=r"run\.seed"):
            Trainer(corpus, _settings(steps=4, seed=1), tmp_path).train()
        other = dataclasses.replace(_settings(steps=4), optim=OptimSettings(lr=1e-4))
        with pytest.raises(CheckpointError, match=r"optim\.lr"):
            Trainer(corpus, other, tmp_path).train()
        state = tmp_path / "latest" / "state.json"
        changed = json.loads(state.read_text())
        changed["fingerprint"]["digest"] = "0"
        state.write_text(json.dumps(changed))
        with pytest.raises(CheckpointError, match="corpus changed"):
            Trainer(corpus, _settings(steps=4), tmp_path).train()
        (tmp_path / "latest" / "training.pt").write_bytes(b"junk")
        with pytest.raises(CheckpointError, match="cannot be resumed"):
            Trainer(corpus, _settings(steps=4), tmp_path).train()


def test_minutes_end_a_run(corpus: Corpus, tmp_path: Path) -> None:
    figures = Trainer(corpus, _settings(steps=None, minutes=0.03), tmp_path).train()
    assert 1.7 < figures["training_seconds"] < 20
    assert figures["held_out_bits"] > 0


def test_old_checkpoints_go_and_the_best_stays(corpus: Corpus, tmp_path: Path) -> None:
    Trainer(corpus, _settings(steps=12, save_every=2, eval_every=4, keep=2), tmp_path).train()
    names = sorted(p.name for p in tmp_path.glob("step-*"))
    assert len(names) <= 3 and names[-1] == "step-0000012"
    assert (tmp_path / "best" / "model.safetensors").exists()


def test_schedule_warms_up_holds_and_falls() -> None:
    s = OptimSettings(warmup=10, decay=0.5, floor=0.1)
    assert (
        rate(0, 0.0, s) == pytest.approx(0.1) and rate(9, 0.1, s) == 1.0 and rate(99, 0.5, s) == 1.0
    )
    assert rate(99, 0.75, s) == pytest.approx(0.5) and rate(99, 1.0, s) == pytest.approx(0.1)
    assert rate(99, 1.0, OptimSettings(decay=0.0)) == 1.0


def test_machine_choices() -> None:
    cpu = pick_device("cpu")
    assert cpu.type == "cpu" and pick_device("auto").type in ("cpu", "cuda")
    assert pick_precision("fp32", cpu) == "fp32"
    with pytest.raises(SettingsError):
        pick_device("abacus")
    if not torch.cuda.is_available():
        with pytest.raises(SettingsError, match="no GPU"):
            pick_device("cuda")


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [({1: 1.0, 4: 0.3}, 4), ({1: 1.0, 4: 0.97}, 1), ({1: 1.0, 4: 3.0}, 1)],
)
def test_threads_are_taken_only_where_they_are_faster(
    monkeypatch: pytest.MonkeyPatch, seconds: dict[int, float], chosen: int
) -> None:
    """The probe times one thread against all; more must pay, or one is taken."""
    set_to: list[int] = []
    monkeypatch.setattr(machine.torch, "get_num_threads", lambda: 4)
    monkeypatch.setattr(machine.torch, "set_num_threads", set_to.append)
    monkeypatch.setattr(machine, "_seconds", lambda width, *dtypes: [seconds[set_to[-1]]])
    assert pick_threads(MODEL.d_model) == chosen
    assert set_to == [1, 4]
    monkeypatch.setattr(machine.torch, "get_num_threads", lambda: 1)
    assert pick_threads(MODEL.d_model) == 1
    assert set_to == [1, 4]  # nothing to compare


@pytest.mark.parametrize(("short", "precision"), [(0.5, "bf16"), (0.95, "fp32"), (2.0, "fp32")])
def test_bf16_is_taken_only_where_it_is_faster(
    monkeypatch: pytest.MonkeyPatch, short: float, precision: str
) -> None:
    monkeypatch.setattr(machine, "_seconds", lambda width, *dtypes: [short, 1.0])
    assert pick_precision("auto", torch.device("cpu")) == precision
    assert pick_precision("fp32", torch.device("cpu")) == "fp32"


def test_a_run_writes_over_nothing_that_is_no_run_s(corpus_file: Path, tmp_path: Path) -> None:
    for name, content in (
        ("loss.png", b"a picture of mine"),
        ("metrics.jsonl", b'{"mine": 1}\n'),
        ("metrics.jsonl", b"SQLite format 3\x00"),
        ("latest", b"news"),
    ):
        run = tmp_path / f"{name}{len(content)}"
        run.mkdir()
        (run / name).write_bytes(content)
        with Corpus(corpus_file) as corpus, pytest.raises(OutputError, match=name):
            Trainer(corpus, _settings(steps=2), run).train()
        assert [path.name for path in run.iterdir()] == [name]
        assert (run / name).read_bytes() == content


def test_a_run_killed_before_its_first_checkpoint_begins_again(
    corpus_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"kind": "log", "step": 1}\n{"kind": "lo')
    with Corpus(corpus_file) as corpus:
        Trainer(corpus, _settings(steps=2), tmp_path).train()
    steps = [json.loads(line)["step"] for line in (tmp_path / "metrics.jsonl").open()]
    assert steps and min(steps) >= 1 and steps == sorted(steps)
    assert not list(tmp_path.glob(".*"))


def test_a_run_s_folder_needs_a_name_that_every_library_can_write(
    corpus_file: Path, tmp_path: Path
) -> None:
    run = tmp_path / "a\udcff"
    with Corpus(corpus_file) as corpus, pytest.raises(OutputError, match="UTF-8"):
        Trainer(corpus, _settings(steps=2), run).train()
    assert not run.exists()
