"""``train --mix --workers``: the same weights with and without workers, killed or not."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from asciiloom.corpus import Corpus
from asciiloom.train import find_checkpoint

SETTINGS = (
    "model.d_model=8", "model.layers=1", "model.heads=1", "model.head=8", "model.context=512",
    "model.pairs=[]", "run.save_every=4", "run.eval_every=100000", "run.eval_pieces=5", "run.tokens=16384",
    "run.threads=1", "run.precision=fp32", "run.samples=[]", "mixing.small=3", "mixing.small_at_end=1",
    'mixing.kinds={"banner": 0.5}', "augmentation.mirror=0.5", "augmentation.twins=0.5",
    "augmentation.blank_credit=1",
)  # fmt: skip
STEPS = 12


def _command(db: Path, out: Path, *more: object) -> list[str]:
    with Corpus(db) as corpus:
        source = corpus.connection.execute("SELECT name FROM source ORDER BY id").fetchone()[0]
    given = [part for name in SETTINGS for part in ("--set", name)]
    return [
        sys.executable, "-c", "from asciiloom.cli import main; main()", "train", str(db), "--out", str(out),
        "--steps", str(STEPS), "--no-baselines", "--quiet", "--mix", f"{source}=0.3,nobody?=0.2", *given,
        *map(str, more),
    ]  # fmt: skip


def _weights(run: Path) -> dict[str, torch.Tensor]:
    return load_file(find_checkpoint(run) / "model.safetensors")


@pytest.mark.parametrize("workers", [0, 2])
def test_a_killed_run_ends_with_the_same_weights(
    corpus_file: Path, tmp_path: Path, workers: int
) -> None:
    unbroken, killed = tmp_path / "unbroken", tmp_path / "killed"
    subprocess.run(_command(corpus_file, unbroken), check=True, capture_output=True)
    command = _command(corpus_file, killed, "--workers", workers)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not (killed / "latest").exists() and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    subprocess.run(command, check=True, capture_output=True)
    mine, theirs = _weights(killed), _weights(unbroken)
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)


@pytest.mark.parametrize(
    ("mix", "said"),
    [
        ("nobody=0.2", "no piece of the source 'nobody'"),
        ("nobody", "not of the form source=share"),
        ("a=0.7,b=0.7", "more than 1 together"),
    ],
)
def test_a_mix_that_cannot_be_is_one_line(
    corpus_file: Path, tmp_path: Path, mix: str, said: str
) -> None:
    command = [*_command(corpus_file, tmp_path / "run"), "--mix", mix]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (1, 2) and said in done.stderr
    assert "Traceback" not in done.stderr and len(done.stderr.strip().splitlines()) == 1
