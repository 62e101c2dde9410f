"""The sequence of batches is the same however it is made: resumed anywhere, by workers, by several ranks."""

import dataclasses
import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from asciiloom.corpus import Corpus
from asciiloom.store import Selection
from asciiloom.tokens import (
    Augmentation,
    CorpusLoader,
    GridTokenizer,
    LoaderState,
    Mixing,
    PackedBatch,
)

TRAIN = Selection(split="train", charset="ascii", canonical_only=True)
MIXED = Mixing(kinds={"banner": 0.5}, small=3, small_at_end=0.5, lettering=0.2)
TURNED = Augmentation(mirror=0.5, twins=0.5, blank_credit=0.5)
MODES = {
    "plain": (None, None),
    "mixed": (MIXED, None),
    "augmented": (None, TURNED),
    "both": (MIXED, TURNED),
}


class Run:
    """A training run as the loader sees it: each step takes one batch, and so the run gets further."""

    def __init__(
        self,
        corpus: Corpus,
        mode: str,
        *,
        steps: int = 60,
        tokenizer: GridTokenizer | None = None,
        **more: int,
    ) -> None:
        mixing, augmentation = MODES[mode]
        self.done, self.steps = 0, steps
        self.loader = CorpusLoader(
            corpus,
            TRAIN,
            tokenizer or GridTokenizer(),
            tokens=8192,
            seed=5,
            mixing=mixing,
            augmentation=augmentation,
            progress=lambda: min(1.0, self.done / self.steps),
            **more,
        )

    def take(self, count: int) -> list[tuple[PackedBatch, LoaderState]]:
        out = []
        batches = self.loader.train()
        for _ in range(count):
            out.append((next(batches), self.loader.state))
            self.done += 1
        batches.close()  # type: ignore[attr-defined]
        return out


def _same(one: PackedBatch, two: PackedBatch) -> bool:
    fields = ("ids", "targets", "length", "size", "topics", "pieces")
    layouts = zip(dataclasses.astuple(one.layout), dataclasses.astuple(two.layout), strict=True)
    return all(np.array_equal(getattr(one, name), getattr(two, name)) for name in fields) and all(
        np.array_equal(a, b) for a, b in layouts
    )


@pytest.fixture(autouse=True)
def small_pools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pools of 256 pieces, so that a small corpus has several."""
    monkeypatch.setattr("asciiloom.tokens.loader.POOL_BLOCKS", 4)


@pytest.mark.parametrize("mode", MODES)
def test_resuming_at_every_batch_is_exact(corpus: Corpus, mode: str) -> None:
    whole = Run(corpus, mode).take(60)
    assert whole[-1][1].epoch >= 2
    if mode in ("mixed", "both"):
        assert 0 < whole[-1][1].progress < 1
    for at in range(59):
        resumed = Run(corpus, mode)
        resumed.done = at + 1
        resumed.loader.state = LoaderState(**whole[at][1].to_dict())  # type: ignore[arg-type]
        batch, state = resumed.take(1)[0]
        assert _same(batch, whole[at + 1][0]) and state == whole[at + 1][1], at


@pytest.mark.parametrize(("mode", "workers"), [("plain", 1), ("both", 2)])
def test_workers_change_nothing(corpus: Corpus, mode: str, workers: int) -> None:
    here, there = Run(corpus, mode).take(50), Run(corpus, mode, workers=workers).take(50)
    assert all(_same(a, b) and s == t for (a, s), (b, t) in zip(here, there, strict=True))
    # Resumed in the middle, too.
    run = Run(corpus, mode, workers=workers)
    run.done, run.loader.state = 31, here[30][1]
    assert all(_same(a, b) for (a, _), (b, _) in zip(here[31:38], run.take(7), strict=True))


def test_workers_read_prompts_as_the_model_does(corpus: Corpus) -> None:
    former = GridTokenizer(relatives=False, spells_all=True)
    here, there = (Run(corpus, "plain", tokenizer=former, workers=n).take(6) for n in (0, 1))
    assert all(_same(a, b) for (a, _), (b, _) in zip(here, there, strict=True))
    plain = Run(corpus, "plain").take(6)
    assert not all(_same(a, b) for (a, _), (b, _) in zip(here, plain, strict=True))


@pytest.mark.parametrize(("world", "workers"), [(2, 0), (3, 0), (2, 1)])
def test_ranks_take_turns_and_agree_where_they_are(
    corpus: Corpus, world: int, workers: int
) -> None:
    ranks = [
        Run(corpus, "augmented", rank=r, world=world, workers=workers).take(16)
        for r in range(world)
    ]
    whole = Run(corpus, "augmented").take(16 * world)
    for step, each in enumerate(zip(*ranks, strict=True)):
        for rank, (batch, state) in enumerate(each):
            assert _same(batch, whole[step * world + rank][0])
            assert state == each[0][1]
    # One state resumes them all.
    state = ranks[0][8][1]
    for rank in range(world):
        run = Run(corpus, "augmented", rank=rank, world=world)
        run.loader.state = state
        assert _same(run.take(1)[0][0], ranks[rank][9][0])


def test_ranks_share_a_moving_mixture(corpus: Corpus) -> None:
    ranks = [Run(corpus, "both", rank=r, world=2).take(30) for r in (0, 1)]
    epochs = [state.epoch for _, state in ranks[0]]
    assert max(epochs) >= 2 and [s for _, s in ranks[0]] == [s for _, s in ranks[1]]
    # Of a whole epoch every place is taken once, by either.
    shown = [n for r in ranks for b, s in r if s.epoch == 0 for n in b.pieces.tolist()]
    assert len(shown) <= len(Run(corpus, "both").loader)
    assert len(set(shown)) > len(shown) / 3


CHILD = """
import sys
from asciiloom.corpus import Corpus
from asciiloom.store import Selection
from asciiloom.tokens import CorpusLoader, GridTokenizer

if __name__ == "__main__":
    with Corpus(sys.argv[1]) as corpus:
        loader = CorpusLoader(corpus, Selection(), GridTokenizer(), tokens=2048, workers=2)
        for batch in loader.train():
            print(batch.ids.size, flush=True)
"""


def _children(parent: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(stat[1]) == parent and stat[0] != "Z":
            found.append(int(folder.name))
    return found


def _runs(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_workers_end_with_their_parent(corpus_file: Path, tmp_path: Path) -> None:
    script = tmp_path / "child.py"
    script.write_text(CHILD)
    with subprocess.Popen(
        [sys.executable, str(script), str(corpus_file)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        for _ in range(40):
            assert parent.stdout.readline()
        workers = _children(parent.pid)
        assert len(workers) >= 2
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        for _ in itertools.repeat(None, 200):
            if not any(map(_runs, workers)):
                break
            time.sleep(0.05)
        assert not any(map(_runs, workers))
