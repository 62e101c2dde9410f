"""One loop: batches from the corpus file, steps, evaluations, checkpoints.

The order inside a step is fixed - count, checkpoint, then evaluate - so that a kill during an
evaluation costs nothing. All that decides the next step (weights, optimizer moments, loader
state, random state, clock) is in a checkpoint; a resumed run by steps ends bit for bit where
the unbroken one does.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from asciiloom.corpus import Corpus
from asciiloom.errors import AsciiloomError, CheckpointError, SettingsError
from asciiloom.evaluate import Scores, score
from asciiloom.generate import Constraint, Drawing, Generator
from asciiloom.model import (
    Card,
    GridInput,
    Sizes,
    autocast,
    load_model,
    pick_device,
    sizes_of,
    untrained_model,
)
from asciiloom.tokens import IGNORE, CorpusLoader, LoaderState, PackedBatch
from asciiloom.train.checkpoint import (
    BEST,
    CURVE,
    METRICS,
    RunState,
    cannot_resume,
    find_checkpoint,
    is_started,
    load_training_state,
    point,
    prepare_run,
    save_checkpoint,
    writing,
)
from asciiloom.train.machine import pick_precision, pick_threads
from asciiloom.train.metrics import Metrics
from asciiloom.train.optim import Optimizers
from asciiloom.train.schedule import rate
from asciiloom.train.settings import Settings

SAMPLE_LIMITS = Constraint(max_width=40, max_height=14)


@dataclass(frozen=True, slots=True)
class Event:
    """Something worth telling: ``kind`` is "log", "eval", "samples" or "checkpoint"."""

    kind: str
    step: int
    figures: dict[str, Any]
    drawings: tuple[Drawing, ...] = ()


@dataclass(slots=True)
class _Clock:
    """Training seconds, not counting evaluations; carried over in checkpoints."""

    seconds: float = 0.0
    _since: float = field(default_factory=time.perf_counter)

    def start(self) -> None:
        self._since = time.perf_counter()

    def stop(self) -> None:
        now = time.perf_counter()
        self.seconds += now - self._since
        self._since = now


class Trainer:
    """A run of ``settings`` on ``corpus`` in the folder ``run``. ``train()`` does it, resuming where it stopped."""

    def __init__(
        self,
        corpus: Corpus,
        settings: Settings,
        run: Path,
        tell: Callable[[Event], None] | None = None,
    ) -> None:
        self.corpus, self.settings, self.run = corpus, settings, run
        self.tell = tell or (lambda event: None)
        self.device = pick_device(settings.run.device)
        self.precision = pick_precision(settings.run.precision, self.device)
        self.model = untrained_model(settings.model, settings.run.seed).to(self.device)
        self._optim = Optimizers(self.model, settings.optim)
        self.loader = self._make_loader("train", settings.run.seed)
        self._held_out = self._make_loader("validation", 0)
        self._fingerprint = corpus.fingerprint(self.loader.selection)
        self._metrics = Metrics(run / METRICS)
        self.step = 0
        self.best = math.inf
        self.saved: Path | None = None  # the last checkpoint of this run
        self._clock = _Clock()
        self._seen = 0  # characters trained on

    def _make_loader(self, split: str, seed: int) -> CorpusLoader:
        s = self.settings
        return CorpusLoader(
            self.corpus,
            s.selection.replace(split=split),
            s.model.tokenizer,
            tokens=s.run.tokens,
            context=s.model.context,
            seed=seed,
            dropout=s.dropout,
            offsets=s.model.neighbours,
        )

    # -- the loop

    @property
    def progress(self) -> float:
        """Share of the run that is done, by steps or by minutes, whichever is further."""
        run = self.settings.run
        by_steps = self.step / run.steps if run.steps else 0.0
        by_time = self._clock.seconds / (60 * run.minutes) if run.minutes else 0.0
        return min(1.0, max(by_steps, by_time))

    def train(self) -> dict[str, Any]:
        """Train to the end; returns the final figures. Resumes from ``latest`` where there is one."""
        prepare_run(self.run)
        self._resume()
        run = self.settings.run
        batches = self.loader.train()
        if run.threads or self.device.type != "cpu":
            torch.set_num_threads(run.threads or torch.get_num_threads())
        else:
            torch.set_num_threads(pick_threads(self.model))
        self.model.train()
        self._clock.start()
        losses: list[float] = []
        while self.progress < 1.0:
            losses.append(self._one_step(batches))
            self.step += 1
            self._clock.stop()
            if not math.isfinite(losses[-1]):
                raise CheckpointError(
                    f"the loss became {losses[-1]} at step {self.step}; resume with a lower optim.lr"
                )
            last = self.progress >= 1.0
            if last or self.step % run.log_every == 0:
                self._log(losses)
                losses = []
            due = self.step % run.eval_every == 0
            if last or due or self.step % run.save_every == 0:
                folder = self._save()
                if last or due:
                    self._evaluate(folder, last)
            self._clock.start()
        return self._finish()

    def _one_step(self, batches: Iterator[PackedBatch]) -> float:
        """One optimizer step over ``accumulate`` batches; the mean loss in bits a token."""
        run, optim = self.settings.run, self.settings.optim
        self._optim.set_rate(rate(self.step, self.progress, optim))
        group = [next(batches) for _ in range(run.accumulate)]
        tokens = sum(int((batch.targets != IGNORE).sum()) for batch in group)
        total = 0.0
        for batch in group:
            targets = torch.from_numpy(batch.targets).to(self.device)
            with autocast(self.device, self.precision):
                logits = self.model(GridInput.from_batch(batch, self.device))
            nats = F.cross_entropy(
                logits.float().flatten(0, 1),
                targets.flatten(),
                ignore_index=IGNORE,
                reduction="sum",
            )
            torch.autograd.backward(nats / tokens)
            total += nats.item()
            self._seen += batch.characters
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), optim.clip)
        self._optim.step()
        return total / tokens / math.log(2)

    # -- what is told and kept

    def _log(self, losses: list[float]) -> None:
        figures = {
            "step": self.step,
            "train_bits": float(np.mean(losses)),
            "seconds": round(self._clock.seconds, 2),
            "progress": round(self.progress, 4),
            "characters": self._seen,
            "characters_per_second": round(self._seen / max(1e-9, self._clock.seconds)),
            "epoch": self.loader.state.epoch,
        }
        self._record("log", figures)

    def _record(
        self, kind: str, figures: dict[str, Any], drawings: tuple[Drawing, ...] = ()
    ) -> None:
        line: dict[str, Any] = {"kind": kind, **figures}
        if drawings:
            line["drawings"] = [{"words": d.words, "text": d.text} for d in drawings]
        with writing(self.run):
            self._metrics.append(line)
        self.tell(Event(kind, self.step, figures, drawings))

    def _save(self) -> Path:
        tensors = {"optim": self._optim.state_dict(), "torch_rng": torch.get_rng_state()}
        state = RunState(
            step=self.step,
            best=self.best if math.isfinite(self.best) else None,
            seconds=self._clock.seconds,
            characters=self._seen,
            loader=self.loader.state.to_dict(),
            settings=self.settings.to_dict(),
            fingerprint=self._fingerprint,
        )
        keep = self.settings.run.keep
        folder = save_checkpoint(self.run, self.model, self._card(), tensors, state, keep)
        self.saved = folder
        self.tell(Event("checkpoint", self.step, {"folder": str(folder)}))
        return folder

    @cached_property
    def _sizes(self) -> Sizes:
        return sizes_of(self.corpus, self.loader.selection)

    def _card(self) -> Card:
        return Card(
            self._sizes,
            {
                "step": self.step,
                "seconds": round(self._clock.seconds, 1),
                "characters": self._seen,
                "settings": self.settings.to_dict(),
                "corpus": self._fingerprint,
            },
        )

    def held_out(self, limit: int | None = None) -> Scores:
        """Scores on the validation split, unprompted."""
        return score(self.model, self._held_out.epoch(limit=limit), precision=self.precision)

    def _evaluate(self, folder: Path, last: bool) -> None:
        scores = self.held_out(None if last else self.settings.run.eval_pieces)
        bits = scores.bits_per_character
        figures = {
            "step": self.step,
            "seconds": round(self._clock.seconds, 2),
            "held_out_bits": bits,
            "standard_error": scores.standard_error,
            "held_out_bits_per_ink": scores.bits_per_ink,
            "pieces": len(scores.pieces),
        }
        if bits < self.best:
            self.best = bits
            with writing(self.run):
                point(self.run, BEST, folder)
        self._record("eval", figures)
        words = self.settings.run.samples
        if words:
            generator = Generator(self.model, self._card())
            drawings = [
                generator.draw(word, constraint=SAMPLE_LIMITS, seed=self.step)[0] for word in words
            ]
            self.model.train()
            self._record("samples", {"step": self.step}, tuple(drawings))

    def _finish(self) -> dict[str, Any]:
        from asciiloom.train.curve import draw_curve

        with writing(self.run):
            draw_curve(self._metrics, self.run / CURVE)
        evals = [line for line in self._metrics.lines() if line["kind"] == "eval"]
        return {
            "run": str(self.run),
            "step": self.step,
            "parameters": self.model.parameter_count(),
            "precision": self.precision,
            "threads": torch.get_num_threads(),
            "training_seconds": round(self._clock.seconds, 1),
            "characters": self._seen,
            "pieces": self._fingerprint["pieces"],
            "best_bits": self.best if math.isfinite(self.best) else None,
            **{k: v for k, v in (evals[-1] if evals else {}).items() if k.startswith("held_out")},
        }

    # -- resuming

    def _resume(self) -> None:
        if not is_started(self.run):
            with writing(self.run):
                self._metrics.forget_after(
                    0
                )  # of a run that was killed before its first checkpoint
            return
        folder = find_checkpoint(self.run)
        tensors, state = load_training_state(folder)
        self._check_same_run(folder, state)
        weights, _ = load_model(folder)
        if weights.config != self.settings.model:
            raise cannot_resume(folder, "words meant something else to it than they do now")
        try:
            self.model.load_state_dict(weights.state_dict())
            self._optim.load_state_dict(tensors["optim"])
            torch.set_rng_state(tensors["torch_rng"])
            self.loader.state = LoaderState(**state.loader)
        except (KeyError, TypeError, ValueError, RuntimeError, SettingsError) as error:
            raise cannot_resume(folder, f"{type(error).__name__} {error}") from error
        if self.loader.state.pool >= self.loader.pools:
            raise cannot_resume(folder, "its loader's state is beyond the corpus")
        self.saved, self.step, self._seen = folder, state.step, state.characters
        self._clock.seconds = state.seconds
        self.best = math.inf if state.best is None else state.best
        with writing(self.run):
            self._metrics.forget_after(self.step)

    def _check_same_run(self, folder: Path, state: RunState) -> None:
        """Refuse a checkpoint of other settings or of another corpus."""
        try:
            theirs = Settings.from_dict(state.settings).to_dict()
        except AsciiloomError as error:
            raise cannot_resume(folder, str(error)) from error
        mine = self.settings.to_dict()
        changed = [k for k in ("model", "selection") if mine[k] != theirs[k]]
        changed += [f"optim.{k}" for k in mine["optim"] if mine["optim"][k] != theirs["optim"][k]]
        changed += [
            f"run.{k}"
            for k in ("tokens", "accumulate", "seed")
            if mine["run"][k] != theirs["run"][k]
        ]
        if changed:
            raise CheckpointError(
                f"{self.run} holds a run with other settings ({', '.join(changed)});"
                " resume with the same, or choose another --out"
            )
        if state.fingerprint.get("digest") != self._fingerprint["digest"]:
            raise CheckpointError(
                f"the corpus changed since {folder.name} was trained (its selection has another"
                " fingerprint); choose another --out to train afresh"
            )
