"""The loader: positions a CPU second as it stands, mixed and augmented, beside a training step of `tiny`.

Positions are ids of full rectangles, padding included, as the model sees them. CPU seconds are those of this
process (and, where there are workers, of the workers beside it). The limit is the share of a step:
below 1 %. With workers, what is left to this process is what a step waits for.

Usage: python scripts/bench/loader.py DB [--batches N]
"""

import os
import time
from itertools import islice
from pathlib import Path

from _common import options, report

from asciiloom.corpus import Corpus
from asciiloom.tokens import Augmentation, CorpusLoader, GridTokenizer, Mixing

TOKENS = 8192
MIXED = Mixing(small=3, lettering=0.15, kinds={"frame": 0.5})
AUGMENTED = Augmentation(mirror=0.5, twins=0.5, blank_credit=1)
CASES = (
    ("plain", None, None, 0),
    ("mixed", MIXED, None, 0),
    ("augmented", None, AUGMENTED, 0),
    ("mixed, augmented", MIXED, AUGMENTED, 0),
    ("plain", None, None, 2),
    ("mixed, augmented", MIXED, AUGMENTED, 2),
)


def main() -> None:
    form = options(__doc__)
    form.add_argument("db", type=Path)
    form.add_argument("--batches", type=int, default=600)
    form.add_argument("--steps", type=int, default=4, help="steps of tiny that are timed")
    given = form.parse_args()
    step = _step_seconds(given.db, given.steps)
    rows = []
    for name, mixing, augmentation, workers in CASES:
        here, beside, positions = _rate(given.db, given.batches, mixing, augmentation, workers)
        share = here / positions / step
        rows.append(
            (
                name,
                workers,
                round(positions / here / 1e6, 2),
                round(positions / (here + beside) / 1e6, 2),
                round(100 * share, 3),
            )
        )
    rows.append(("a step of tiny", "", round(1 / step / 1e6, 4), "", 100.0))
    header = (
        "loader", "workers", "million positions/CPU s here", "with the workers' CPU", "% of a step of tiny",
    )  # fmt: skip
    report("loader", header, rows)


def _rate(
    db: Path, count: int, mixing: Mixing | None, augmentation: Augmentation | None, workers: int
) -> tuple[float, float, int]:
    """CPU seconds here and in the workers, and positions, of ``count`` batches; start-up is not counted."""
    from asciiloom.train import DEFAULT_SELECTION

    with Corpus(db) as corpus:
        loader = CorpusLoader(
            corpus,
            DEFAULT_SELECTION.replace(split="train"),
            GridTokenizer(),
            tokens=TOKENS,
            mixing=mixing,
            augmentation=augmentation,
            workers=workers,
        )
        batches = loader.train()
        for _ in islice(batches, 20):
            pass  # compiles, and starts the workers
        here, beside = time.process_time(), _children_seconds()
        positions = sum(batch.ids.size for batch in islice(batches, count))
        here, beside = time.process_time() - here, _children_seconds() - beside
        batches.close()  # type: ignore[attr-defined]
    return here, beside, positions


def _children_seconds() -> float:
    """CPU seconds that the living children of this process have used."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        if int(fields[1]) == os.getpid():
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _step_seconds(db: Path, count: int) -> float:
    """CPU seconds a position of forward, backward and update of ``tiny``, one thread, fp32."""
    import torch
    import torch.nn.functional as F

    from asciiloom.model import PRESETS, GridInput, untrained_model
    from asciiloom.tokens import IGNORE
    from asciiloom.train import DEFAULT_SELECTION
    from asciiloom.train.optim import Optimizers
    from asciiloom.train.settings import OptimSettings

    torch.set_num_threads(1)
    config = PRESETS["tiny"]
    model = untrained_model(config, 0)
    model.train()
    optim = Optimizers(model, OptimSettings())
    device = torch.device("cpu")
    with Corpus(db) as corpus:
        selection = DEFAULT_SELECTION.replace(split="train")
        loader = CorpusLoader(
            corpus, selection, config.tokenizer, tokens=TOKENS, context=config.context
        )
        batches = list(islice(loader.train(), count + 1))
    positions, started = 0, 0.0
    for number, batch in enumerate(batches):
        if number == 1:  # the first one is for warming up
            started = time.process_time()
        logits = model(GridInput.from_batch(batch, device))
        targets = torch.from_numpy(batch.targets)
        loss = F.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), ignore_index=IGNORE)
        loss.backward()
        optim.step()
        positions += batch.ids.size if number else 0
    return (time.process_time() - started) / positions


if __name__ == "__main__":
    main()
