"""One loop: batches from the corpus file, steps, evaluations, checkpoints.

The order inside a step is fixed - count, checkpoint, then evaluate - so that a kill during an
evaluation costs nothing: resuming does the evaluation first. All that decides the next step (weights,
optimizer moments, loader state, random state, clock, precision and threads) is in a checkpoint; a resumed
run by steps or epochs ends bit for bit where the unbroken one does.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from asciiloom.corpus import Corpus
from asciiloom.errors import CheckpointError, SettingsError
from asciiloom.generate import Constraint, Generator
from asciiloom.model import (
    Card,
    GridTransformer,
    Sizes,
    load_model,
    sizes_of,
    untrained_model,
)
from asciiloom.tokens import LoaderState
from asciiloom.train.checkpoint import (
    LATEST,
    RunState,
    best_bits,
    cannot_resume,
    find_checkpoint,
    is_started,
    load_training_state,
    point,
    prepare_run,
    read_evaluation,
    record_evaluation,
    save_checkpoint,
    set_aside,
)
from asciiloom.train.feed import Feed, things_shown, training_loader, word_loader
from asciiloom.train.held_out import HeldOut
from asciiloom.train.journal import Event, Journal
from asciiloom.train.learner import Learner
from asciiloom.train.machine import (
    Machine,
    MemoryGuard,
    crowded,
    find_machine,
)
from asciiloom.train.meanings import learn_words
from asciiloom.train.resume import (
    HALVED,
    Begin,
    asked_change,
    check_same_pieces,
    check_same_run,
    halved_change,
    lower_rates,
    with_changes,
)
from asciiloom.train.schedule import rate
from asciiloom.train.settings import Settings
from asciiloom.typed import from_plain

SAMPLE_LIMITS = Constraint(max_width=40, max_height=14)


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
    """A run of ``settings`` on ``corpus`` in the folder ``run``; ``train()`` does it.

    ``begin`` says where it begins (by itself: where it stopped). ``given``: what was typed, kept beside every
    checkpoint. Nothing is written before ``train()``.
    """

    def __init__(
        self,
        corpus: Corpus,
        settings: Settings,
        run: Path,
        tell: Callable[[Event], None] | None = None,
        *,
        begin: Begin | None = None,
        given: Mapping[str, Any] | None = None,
    ) -> None:
        self.corpus, self.run = corpus, run
        self.journal = Journal(run, tell or (lambda event: None))
        self._asked, self.begin, self._given = settings, begin or Begin(), dict(given or {})
        self._changes: tuple[dict[str, Any], ...] = ()
        self._notes: list[str] = []
        self._start = self.begin.checkpoint(run)
        state = self._read_state(self._start) if self._start else None
        self.settings = with_changes(settings, self._changes)

        self.loader = training_loader(corpus, settings, lambda: self._counted)
        self.held_out = HeldOut(corpus, settings)
        self._fingerprint = corpus.fingerprint(self.loader.shown)
        if self._start and state:
            check_same_pieces(self._start, state, self._fingerprint, self.held_out.digest)

        former = from_plain(Machine, state.machine, "machine") if state else None
        self.machine = find_machine(settings.run, settings.model.d_model, former)
        differs = self.machine.differences(former) if former else None
        self._notes += filter(None, [differs, crowded(self.machine)])
        self._memory = MemoryGuard(settings.guard)
        self.saved: Path | None = None  # the last checkpoint of this run
        self._has_words: bool = False
        self._proven: Path | None = None  # the last one after which a step went well
        self._go_to(self._start)

    def _first_weights(self) -> GridTransformer:
        s = self.settings
        if s.run.weights is None:
            return untrained_model(s.model, s.run.seed)
        model, _ = load_model(find_checkpoint(Path(s.run.weights)))
        if model.config != s.model:
            raise SettingsError(
                f"the model in {s.run.weights} has another shape than the section model says; leave model out"
            )
        return model

    @property
    def model(self) -> GridTransformer:
        """The network, as far as it is trained."""
        return self._learner.model

    @property
    def kept(self) -> Path | None:
        """The checkpoint to go on from when the run is stopped now, were it while one is written."""
        link = self.run / LATEST
        return self.run / link.readlink() if link.is_symlink() else None

    # -- the loop

    @property
    def progress(self) -> float:
        """Share of the run that is done, by steps, minutes or epochs, whichever is furthest."""
        # Pieces too long to be read make the last epoch end before they are counted.
        return 1.0 if self._pieces and self._feed.over else self._counted

    @property
    def _counted(self) -> float:
        """``progress`` without a look at the loader, which asks it as an epoch begins."""
        run = self.settings.run
        by_steps = self.step / run.steps if run.steps else 0.0
        by_time = self._clock.seconds / (60 * run.minutes) if run.minutes else 0.0
        by_epochs = self._pieces / (len(self.loader) * run.epochs) if run.epochs else 0.0
        return min(1.0, max(by_steps, by_time, min(by_epochs, 1 - 1e-9)))

    def train(self) -> dict[str, Any]:
        """Train to the end, from where ``begin`` says; returns the final figures."""
        if self.begin.fresh and is_started(self.run):
            self._notes.append(f"the former run is kept as {set_aside(self.run)}")
        prepare_run(self.run)
        self.journal.forget_after(self.step)  # what was done after the checkpoint is done again
        for note in self._notes:
            self._note(note)
        try:
            self._learn()
        finally:
            self._feed.close()
        return self._finish()

    def _learn(self) -> None:
        if self.saved and self._is_due() and not read_evaluation(self.saved):
            self._evaluate(self.saved)
        run = self.settings.run
        self.model.train()
        self._clock.start()
        losses: list[float] = []
        skipped = 0  # in a row
        while self.progress < 1.0:
            losses.append(self._one_step())
            self.step += 1
            self._clock.stop()
            if math.isfinite(losses[-1]):
                skipped, self._proven = 0, self.saved
            else:
                skipped += 1
                self._note(f"step {self.step:,} is skipped: its loss or gradient is not finite")
                if skipped >= self.settings.guard.skips:
                    self._roll_back(f"{skipped} steps in a row were not finite")
                    losses, skipped = [], 0
                    continue
            last = self.progress >= 1.0
            if last or self.step % run.log_every == 0:
                self._log(losses)
                losses = []
            due = self._is_due() or self.step % run.save_every == 0
            if last or (due and not skipped):
                if not self._learner.is_sound:
                    self._roll_back("the weights are no numbers any more")
                    losses, skipped = [], 0
                    continue
                if self._is_due():
                    self._learn_words()
                folder = self._save()
                if self._is_due():
                    self._evaluate(folder)
            self._clock.start()

    def _is_due(self) -> bool:
        """Whether this step ends with an evaluation."""
        return self.progress >= 1.0 or (
            self.step > 0 and self.step % self.settings.run.eval_every == 0
        )

    def _one_step(self) -> float:
        """One optimizer step; its loss in bits a token, NaN where nothing could be learned."""
        share = rate(self.step, self.progress, self.settings.optim)
        group = self._feed.take()
        self._seen += sum(batch.characters for batch in group)
        self._pieces += sum(len(batch.pieces) for batch in group)
        return self._learner.step(group, share)

    def _learn_words(self) -> None:
        """Find out which details say which words: once a run, for that does not hang on the blocks."""
        loader = None if self._has_words else word_loader(self.corpus, self.settings)
        self._has_words = True
        if loader is not None:
            how = self.settings.words
            batches = loader.epoch(prompted=True, limit=how.drawings)
            learn_words(self.model, batches, things_shown(self.corpus), how)

    def _roll_back(self, why: str) -> None:
        """Go back to the last checkpoint that a step went well after, and on at half the rate; ``why`` is told."""
        guard, reached = self.settings.guard, self.step
        halved = sum(change["why"] == HALVED for change in self._changes)
        if halved >= guard.rollbacks:
            rates = lower_rates(self.settings)
            how = f"resume with a lower rate: {rates}"
            if self.saved is None:
                how = f"begin with a lower rate: {rates.replace('--resume-with', '--set')}"
            raise CheckpointError(
                f"the loss or its gradient is not finite at step {reached:,}, also after {halved} rollbacks;"
                f" {how}"
            )
        proven = self._proven is not None and self._proven.exists()
        target = self._proven if proven else self.saved
        if target is not None:
            point(self.run, LATEST, target)  # one that came after it is spoiled
        step = int(target.name.removeprefix("step-")) if target else 0
        self._changes = (*self._changes, halved_change(self.settings, step))
        self.settings = with_changes(self._asked, self._changes)
        self._feed.close()
        self._go_to(target)
        self.journal.forget_after(step)
        self._note(
            f"{why} at step {reached:,}: back to step {step:,}, and on at half the rate"
            f" (optim.lr {self.settings.optim.lr:g})"
        )
        self.model.train()
        self._clock.start()

    # -- what is told and kept

    @property
    def headline(self) -> str:
        """One line about what is trained, how, and on what."""
        run, machine = self.settings.run, self.machine
        statement, params = self.loader.selection.sql("sum(piece.chars + 1)")
        (tokens,) = self.corpus.connection.execute(statement, params).fetchone()
        return (
            f"{machine.device} ({machine.processor}), {machine.precision}, {machine.threads} threads;"
            f" {self.model.parameter_count():,} parameters; micro-batch {run.tokens:,} tokens x {run.accumulate}"
            f" accumulated = {run.tokens * run.accumulate:,} a step; {len(self.loader):,} training pieces,"
            f" {tokens:,} tokens an epoch"
        )

    def _log(self, losses: list[float]) -> None:
        finite = [loss for loss in losses if math.isfinite(loss)]
        figures = {
            "step": self.step,
            **({"train_bits": float(np.mean(finite))} if finite else {}),
            "seconds": round(self._clock.seconds, 2),
            "progress": round(self.progress, 4),
            "pieces": self._pieces,
            "characters": self._seen,
            "characters_per_second": round(self._seen / max(1e-9, self._clock.seconds)),
            "epoch": self._feed.state.epoch,
        }
        self.journal.record(Event("log", self.step, figures))
        if warning := self._memory.look(self.step):
            self._note(warning)

    def _note(self, text: str) -> None:
        self.journal.note(self.step, text)

    def _save(self) -> Path:
        state = RunState(
            step=self.step,
            seconds=self._clock.seconds,
            characters=self._seen,
            pieces=self._pieces,
            loader=self._feed.state.to_dict(),
            settings=self._asked.to_dict(),
            changes=self._changes,
            machine=self.machine.to_dict(),
            fingerprint=self._fingerprint,
            held_out=self.held_out.digest,
        )
        folder = save_checkpoint(
            self.run,
            self.model,
            self._card(),
            self._learner.tensors(),
            state,
            self.settings.run.keep,
            settings=self.settings.to_dict(),
            overrides={**self._given, "changes": self._changes},
        )
        self.saved = folder
        self.journal.tell(Event("checkpoint", self.step, {"folder": str(folder)}))
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

    def _evaluate(self, folder: Path) -> None:
        scored = self.held_out.figures(self.model, self.machine.precision)
        if scored["left_out"]:
            self._note(
                f"{scored['left_out']:,} of {self.held_out.size:,} held-out pieces are longer than a context of"
                f" {self.settings.model.context:,} and left out; choose smaller ones, or a larger model.context"
            )
        figures = {"step": self.step, "seconds": round(self._clock.seconds, 2), **scored}
        record_evaluation(self.run, folder, {**figures, "digest": self.held_out.digest})
        self.journal.record(Event("eval", self.step, figures))
        words = self.settings.run.samples
        if words:
            generator = Generator(self.model, self._card())
            drawings = [
                generator.draw(word, constraint=SAMPLE_LIMITS, seed=self.step)[0] for word in words
            ]
            self.model.train()
            self.journal.record(Event("samples", self.step, {}, tuple(drawings)))

    def _finish(self) -> dict[str, Any]:
        self.journal.draw_curve()
        evals = [line for line in self.journal.lines() if line["kind"] == "eval"]
        return {
            "run": str(self.run),
            "step": self.step,
            "parameters": self.model.parameter_count(),
            "precision": self.machine.precision,
            "threads": torch.get_num_threads(),
            "training_seconds": round(self._clock.seconds, 1),
            "characters": self._seen,
            "pieces": self._fingerprint["pieces"],
            "best_bits": self.best if math.isfinite(self.best) else None,
            "changes": list(self._changes),
            **{k: v for k, v in (evals[-1] if evals else {}).items() if k.startswith("held_out")},
        }

    @property
    def best(self) -> float:
        """Held-out bits a character of the checkpoint ``best``; infinity before the first evaluation."""
        return best_bits(self.run, self.held_out.digest)

    # -- beginning

    def _read_state(self, folder: Path) -> RunState:
        """The state of the checkpoint to begin from, with the changes that are asked for."""
        _, state = load_training_state(folder)
        check_same_run(folder, state, self._asked)
        try:
            self._changes = state.changes
            now = with_changes(self._asked, self._changes)
            from_plain(Machine, state.machine, "machine")
        except (KeyError, TypeError, AttributeError, SettingsError) as error:
            raise cannot_resume(folder, f"{type(error).__name__} {error}") from error
        change = asked_change(self.begin.changes, now, state.step)
        if change is not None:
            self._changes = (*self._changes, change)
            said = ", ".join(f"{name} is {value:g}" for name, value in change["set"].items())
            self._notes.append(f"changed on purpose: {said} from here on")
        return state

    def _go_to(self, folder: Path | None) -> None:
        """Take weights, moments and counts of a checkpoint, or of the beginning."""
        self._learner = Learner(self._first_weights(), self.settings.optim, self.machine)
        self._clock = _Clock()
        self._has_words = False
        self.step = self._seen = self._pieces = 0
        self.loader.state = LoaderState()
        if folder is not None:
            self._take(folder)
        run = self.settings.run
        self._feed = Feed(self.loader, run.accumulate, run.epochs)

    def _take(self, folder: Path) -> None:
        tensors, state = load_training_state(folder)
        weights, _ = load_model(folder)
        if weights.config != self.settings.model:
            raise cannot_resume(folder, "words meant something else to it than they do now")
        try:
            self._learner.take(weights.state_dict(), tensors)
            self.loader.state = LoaderState(**state.loader)
        except (KeyError, TypeError, ValueError, RuntimeError, SettingsError) as error:
            raise cannot_resume(folder, f"{type(error).__name__} {error}") from error
        if self.loader.state.pool >= self.loader.pools:
            raise cannot_resume(folder, "its loader's state is beyond the corpus")
        self.step, self._seen, self._pieces = state.step, state.characters, state.pieces
        self._clock.seconds = state.seconds
        if folder.resolve().parent == self.run.resolve():
            self.saved = folder.resolve()
