#!/usr/bin/env python3
"""What a training step costs: characters/s, its parts, and its distance from the matrix peak.

Steps of training run on real batches of a corpus, in fp32. Beside them, batch by batch in turn, so that a
busy machine is unfair to nobody: the step of another checkout of this project (--before), and nanoGPT's
model with its own optimizer, of as many parameters, on the same pieces (--nanogpt). Seconds are of the wall
and of the CPU (all threads); ratios are medians over batches of CPU seconds with one thread, else of the wall.

Example: python scripts/bench/train.py corpus.db --before ../main --nanogpt ../nanoGPT
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from _common import options, report

HERE = Path(__file__).resolve().parents[2]
WARM = 2
TOKENS = 4096
STEPS = (
    "preset", "threads", "step of", "parameters", "ms a step", "CPU ms a step", "characters/s",
    "characters/CPU-s", "now is faster by", "x one thread", "GFLOP/s", "share of peak",
)  # fmt: skip
PARTS = ("preset", "step of", "part", "CPU ms", "share")


# -- a worker: one model, stepped when it is told to


def stream_of(corpus: Any, config: Any) -> Any:
    """The batches that a run with seed 0 sees."""
    from asciiloom.tokens import CorpusLoader
    from asciiloom.train import DEFAULT_SELECTION

    selection = DEFAULT_SELECTION.replace(split="train")
    return CorpusLoader(
        corpus, selection, config.tokenizer, tokens=TOKENS, context=config.context,
        offsets=config.neighbours,
    ).train()  # fmt: skip


class Ours:
    """A step of this checkout's learner (or of that in the one that PYTHONPATH names)."""

    def __init__(self, config: Any, threads: int) -> None:
        from asciiloom.model import untrained_model
        from asciiloom.train import OptimSettings, RunSettings
        from asciiloom.train.learner import Learner
        from asciiloom.train.machine import find_machine

        run = RunSettings(steps=10**6, precision="fp32", threads=threads, device="cpu")
        machine = find_machine(run, config.d_model, None)
        self.settings = OptimSettings()
        self.learner = Learner(untrained_model(config), self.settings, machine)
        self.model = self.learner.model.train()
        self.steps = 0
        self.stamps: list[tuple[str, float, float]] = []

    def step(self, batch: Any) -> None:
        from asciiloom.train.schedule import rate

        self.learner.step([batch], rate(self.steps, 0.0, self.settings))
        self.steps += 1

    def flops(self, batch: Any) -> float:
        """Multiplications and additions of the matrix products and of causal attention, both passes; the
        optimizer's own are not counted."""
        config, (rows, time_) = self.model.config, batch.ids.shape
        dense = sum(
            p.numel()
            for n, p in self.model.named_parameters()
            if p.ndim == 2 and not n.split(".")[0].endswith("embed")
        )
        attention = 2 * rows * time_**2 * config.heads * config.head * config.layers
        return 3.0 * (2 * dense * rows * time_ + attention)

    # The profile: a stamp where one part ends. Gradients arrive at a boundary when the part after it is done.

    def mark(self, part: str) -> None:
        self.stamps.append((part, time.process_time(), time.perf_counter()))

    def watch(self) -> None:
        import torch

        def ends(part: str) -> Any:
            return lambda *_: self.mark(part)

        def boundary(tensor: Any, part: str) -> None:
            if tensor.requires_grad:
                tensor.register_hook(ends(part))

        model, blocks = self.model, self.model.blocks
        model.register_forward_pre_hook(ends("input to tensors"))
        for number, block in enumerate(blocks):
            first = number == 0

            def enter(_: Any, given: Any, first: bool = first) -> None:
                if first:
                    self.mark("embeddings, neighbours, pairs")
                boundary(given[0], "attention, backward")

            def middle(_: Any, given: Any) -> None:
                self.mark("attention")
                boundary(given[0], "mlp, backward")

            block.register_forward_pre_hook(enter)
            block.up.register_forward_pre_hook(middle)
            block.register_forward_hook(ends("mlp"))
        last = blocks[len(blocks) - 1]
        last.register_forward_hook(lambda _m, _i, out: boundary(out, "head and loss, backward"))
        backward, clip = torch.autograd.backward, torch.nn.utils.clip_grad_norm_

        def timed_backward(*given: Any, **named: Any) -> None:
            self.mark("head and loss")
            backward(*given, **named)
            self.mark("embeddings, neighbours, pairs, backward")

        def timed_clip(*given: Any, **named: Any) -> Any:
            out = clip(*given, **named)
            self.mark("clip")
            return out

        torch.autograd.backward = timed_backward  # type: ignore[assignment]
        torch.nn.utils.clip_grad_norm_ = timed_clip
        for optimizer in self.learner._optim._members:
            optimizer.register_step_post_hook(ends(type(optimizer).__name__))


class Theirs:
    """nanoGPT's model and optimizer on the same ids and targets."""

    def __init__(self, checkout: Path, config: Any, threads: int, parameters: int) -> None:
        import torch

        torch.set_num_threads(threads)
        sys.path.insert(0, str(checkout))
        from model import GPT, GPTConfig  # type: ignore[import-not-found]

        vocabulary = config.tokenizer.size

        def size(width: int) -> int:
            return 12 * config.layers * width**2 + (vocabulary + config.context) * width

        width = min(range(32, 2049, 16), key=lambda w: abs(size(w) - parameters))
        heads = min((h for h in range(1, 65) if width % h == 0), key=lambda h: abs(width / h - 64))
        self.model = GPT(GPTConfig(
            block_size=config.context, vocab_size=vocabulary, n_layer=config.layers, n_head=heads,
            n_embd=width, dropout=0.0, bias=False,
        ))  # fmt: skip
        self.optimizer = self.model.configure_optimizers(0.1, 1e-3, (0.9, 0.98), "cpu")

    def step(self, batch: Any) -> None:
        import torch

        targets = torch.from_numpy(batch.targets)
        ids = torch.from_numpy(batch.ids.astype("int64"))
        _, loss = self.model(ids, torch.where(targets < 0, -1, targets))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)


def work(kind: str, corpus_path: str, preset: str, threads: int, count: int, extra: str) -> None:
    """Answer each line of stdin - a batch's number, "profile" or "peak" - with a line of JSON."""
    import torch

    from asciiloom.corpus import Corpus
    from asciiloom.model import PRESETS, untrained_model

    out, sys.stdout = sys.stdout, sys.stderr  # nanoGPT prints
    torch.set_num_threads(threads)
    config = PRESETS[preset]
    with Corpus(corpus_path) as corpus:
        batches = list(islice(stream_of(corpus, config), count))
        model: Any
        if kind == "nanogpt":
            parameters = untrained_model(config).parameter_count()
            model = Theirs(Path(extra), config, threads, parameters)
        else:
            model = Ours(config, threads)
        for batch in batches[:WARM]:
            model.step(batch)
        shown = sum(p.numel() for p in model.model.parameters())
        print(json.dumps({"parameters": shown}), file=out, flush=True)
        for line in sys.stdin:
            order = line.strip()
            if order == "profile":
                answer: Any = profile(model, batches[WARM:], loading(corpus, config))
            elif order == "peak":
                answer = {"peak": peak()}
            else:
                batch = batches[int(order)]
                wall, cpu = time.perf_counter(), time.process_time()
                model.step(batch)
                wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
                flops = model.flops(batch) if kind != "nanogpt" else 0
                answer = {"wall": wall, "cpu": cpu, "flops": flops, "characters": batch.characters}
            print(json.dumps(answer), file=out, flush=True)


def loading(corpus: Any, config: Any, count: int = 300) -> float:
    """CPU seconds a batch, the reading of the first pool included."""
    stream = stream_of(corpus, config)
    begin = time.process_time()
    for _ in islice(stream, count):
        pass
    return (time.process_time() - begin) / count


def profile(model: Ours, batches: list[Any], loader: float) -> dict[str, Any]:
    """Mean CPU seconds of a step's parts, and of the whole step measured around it."""
    parts: dict[str, float] = defaultdict(float, loader=loader)
    model.watch()
    whole = 0.0
    for batch in batches:
        model.stamps = [("", time.process_time(), 0.0)]
        model.step(batch)
        end = time.process_time()
        whole += (end - model.stamps[0][1]) / len(batches)
        model.stamps.append(("rest", end, 0.0))
        for (_, before, _), (part, after, _) in zip(model.stamps, model.stamps[1:], strict=False):
            parts[part] += (after - before) / len(batches)
    return {"parts": parts, "whole": whole + loader}


def peak() -> float:
    """FLOP/s of a large matrix product, per second of the wall; the best of a few."""
    import torch

    a, b = torch.randn(2048, 2048), torch.randn(2048, 2048)
    best = float("inf")
    for _ in range(6):
        start = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - start)
    return 2 * 2048**3 / best


# -- the table


class Worker:
    """A process of its own: two checkouts of one package do not fit into one interpreter."""

    def __init__(self, name: str, checkout: Path, given: list[str], threads: int) -> None:
        self.name = name
        path = os.pathsep.join([str(checkout / "python"), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": str(threads)}
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--worker", *given],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True,
        )  # fmt: skip
        self.seen: list[dict[str, float]] = []

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the worker of {self.name} ended; see above")
        found: dict[str, Any] = json.loads(line)
        return found

    def ask(self, order: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def total(self, key: str) -> float:
        return sum(s[key] for s in self.seen)


def main() -> None:
    if sys.argv[1:2] == ["--worker"]:
        kind, corpus, preset, threads, count, extra = sys.argv[2:]
        work(kind, corpus, preset, int(threads), int(count), extra)
        return
    parser = options(__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--before", type=Path, help="another checkout of asciiloom")
    parser.add_argument("--nanogpt", type=Path, help="a checkout of github.com/karpathy/nanoGPT")
    parser.add_argument("--presets", default="tiny,small")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--batches", type=int, default=24)
    given = parser.parse_args()
    rows: list[tuple[Any, ...]] = []
    parts: list[tuple[Any, ...]] = []
    for preset in given.presets.split(","):
        alone: dict[str, float] = {}
        for threads in map(int, given.threads.split(",")):
            measure(given, preset, threads, alone, rows, parts)
            # At once: a long benchmark that is stopped keeps what it has.
            report("train", STEPS, rows)
            report("train-profile", PARTS, parts)


def measure(
    given: Any,
    preset: str,
    threads: int,
    alone: dict[str, float],
    rows: list[Any],
    parts: list[Any],
) -> None:
    """Step every candidate over the same batches in turn; append its rows."""
    count = given.batches + WARM
    plan = [("now", HERE, "asciiloom", "-")]
    if given.before:
        plan.append(("before", given.before, "asciiloom", "-"))
    if given.nanogpt:
        plan.append(("nanoGPT", HERE, "nanogpt", str(given.nanogpt.resolve())))
    workers = []
    for name, checkout, kind, extra in plan:
        arguments = [kind, str(given.corpus), preset, str(threads), str(count), extra]
        workers.append(Worker(name, checkout, arguments, threads))
    sizes = {w.name: w.answer()["parameters"] for w in workers}
    peaks = []
    for number in range(WARM, count):
        for worker in workers:
            worker.seen.append(worker.ask(str(number)))
        if number % 4 == 0 or not peaks:
            peaks.append(workers[0].ask("peak")["peak"])
    clock = "cpu" if threads == 1 else "wall"
    now = workers[0]
    for worker in workers:
        pairs = zip(worker.seen, now.seen, strict=True)
        faster = statistics.median(theirs[clock] / ours[clock] for theirs, ours in pairs)
        wall, cpu, characters = (worker.total(k) for k in ("wall", "cpu", "characters"))
        speed = characters / wall
        alone.setdefault(worker.name, speed)
        achieved = worker.total("flops") / worker.total(clock)
        top = max(peaks)
        rows.append((
            preset, threads, worker.name, sizes[worker.name], round(1e3 * wall / len(worker.seen), 1),
            round(1e3 * cpu / len(worker.seen), 1), round(speed), round(characters / cpu),
            round(faster, 2), round(speed / alone[worker.name], 2),
            round(achieved / 1e9, 1) if achieved else "-",
            round(achieved / top, 3) if achieved else "-",
        ))  # fmt: skip
    for worker in workers:
        if threads == 1 and worker.name != "nanoGPT":
            found = worker.ask("profile")
            whole = found["whole"]
            for part, seconds in found["parts"].items():
                parts.append((preset, worker.name, part, round(1e3 * seconds, 2), round(seconds / whole, 4)))  # fmt: skip
            total = sum(found["parts"].values())
            parts.append((preset, worker.name, "sum of the parts", round(1e3 * total, 2), round(total / whole, 4)))  # fmt: skip
        worker.close()


if __name__ == "__main__":
    main()
