"""Ctrl-C and SIGTERM while training, through the real command in a process of its own."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from asciiloom.train import find_checkpoint

ARGUMENTS = (
    "--steps", "100000", "--no-baselines", "--quiet",
    *(word for name in (
        "model.d_model=8", "model.layers=1", "model.heads=1", "model.head=8", "model.context=512",
        "model.pairs=[]", "run.save_every=3", "run.eval_every=100000", "run.tokens=512",
        "run.threads=1", "run.precision=fp32", "run.samples=[]",
    ) for word in ("--set", name)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_stopping_is_one_line_and_keeps_the_last_checkpoint(
    corpus_file: Path, tmp_path: Path, number: signal.Signals, code: int, said: str
) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-c", "from asciiloom.cli import main; main()"]
    process = subprocess.Popen(
        [*command, "train", str(corpus_file), "--out", str(run), *ARGUMENTS],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    until = time.monotonic() + 120
    while not (run / "latest").exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert "Traceback" not in err and out == ""
    # One line of what is trained, and one of what is kept.
    started, ended = err.strip().splitlines()
    assert "parameters" in started
    assert ended.startswith(f"{said} at step ") and "run the same command again" in ended
    kept = find_checkpoint(run).resolve()
    assert kept.name in ended and (kept / "training.pt").exists()
    assert not list(run.glob(".building*"))
