"""``train``: a model from a corpus."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asciiloom.cli.evaluating import baselines_option, measured, put_report
from asciiloom.cli.options import (
    FiniteRange,
    build_selection,
    database_argument,
    json_option,
    quiet_option,
    selection_options,
)
from asciiloom.cli.output import progress, put_json, say
from asciiloom.corpus import Corpus
from asciiloom.signals import Terminated

if TYPE_CHECKING:
    from asciiloom.train import Trainer


@click.command("train")
@database_argument
@click.option(
    "--out",
    type=click.Path(file_okay=False),
    default="runs/latest",
    show_default=True,
    help="Folder of the run.",
)
@click.option(
    "--minutes",
    type=FiniteRange(min=0, min_open=True),
    help="Training time; 15 if neither is given.",
)
@click.option("--steps", type=click.IntRange(min=1), help="Optimizer steps (resumes bit for bit).")
@click.option("--preset", help="nano, tiny, small, medium, large.  [default: small]")
@click.option(
    "--config", type=click.Path(exists=True, dir_okay=False), help="Settings from TOML or JSON."
)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="S.NAME=V",
    help="Override one, e.g. optim.lr=0.002.",
)
@click.option("--seed", type=int, help="Of weights, order and prompts.")
@click.option("--device", help="cpu, cuda, cuda:1 ...  [default: auto]")
@click.option(
    "--mix",
    metavar="SOURCE=SHARE,...",
    help="Share of the examples that a source gets; SOURCE? may be missing.",
)
@click.option(
    "--workers",
    type=click.IntRange(0, 64),
    help="Processes that make batches ahead of time.  [default: 0]",
)
@baselines_option
@selection_options
@json_option
@quiet_option
def train_command(
    db: str,
    out: str,
    minutes: float | None,
    steps: int | None,
    preset: str | None,
    config: str | None,
    overrides: tuple[str, ...],
    seed: int | None,
    device: str | None,
    mix: str | None,
    workers: int | None,
    baselines: bool,
    as_json: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Train a model straight from the train split of DB; run it again to resume.

    Without filters: ASCII pieces of at most 100x100, one of each near-twin cluster.

    Example: asciiloom train art.db --minutes 15 --out runs/first
    """
    from asciiloom.tokens import parse_mix
    from asciiloom.train import (
        DEFAULT_SELECTION,
        Settings,
        Trainer,
        find_checkpoint,
        load_settings,
        read_selection,
    )

    tree = load_settings(Path(config) if config else None, overrides)
    run = tree.setdefault("run", {})
    asked = {
        "minutes": minutes,
        "steps": steps,
        "seed": seed,
        "device": device,
        "workers": workers,
    }
    run.update({name: value for name, value in asked.items() if value is not None})
    if mix is not None:
        tree.setdefault("mixing", {})["sources"] = parse_mix(mix)
    if run.get("minutes") is None and run.get("steps") is None:
        run["minutes"] = 15.0
    shape = tree.setdefault("model", {})
    shape["preset"] = preset or shape.get("preset", "small")
    base = read_selection(tree["selection"]) if "selection" in tree else DEFAULT_SELECTION
    tree["selection"] = build_selection(given, base).to_dict()
    settings = Settings.from_dict(tree)
    with Corpus(db) as corpus:
        _check_ready(corpus, db)
        trainer = Trainer(corpus, settings, Path(out))
        say(
            f"{trainer.model.parameter_count():,} parameters, {trainer.precision} on {trainer.device},"
            f" {len(trainer.loader):,} training pieces; run folder {out}"
        )
        with stoppable(trainer):
            figures = watch(trainer, settings.run.steps, settings.run.minutes, quiet, as_json)
            folder = find_checkpoint(Path(out))
            report = measured(corpus, folder, settings.selection, baselines, None, quiet or as_json)
    if as_json:
        put_json({**figures, "evaluation": report})
        return
    put_report(report)
    say(f"\n{out}/loss.png shows the curve; by kind and source: asciiloom eval {db} {out}")
    say(f'draw with: asciiloom generate {out} "cat" --max 40x12')


@contextmanager
def stoppable(trainer: "Trainer") -> Iterator[None]:
    """A block of training and measuring that Ctrl-C or SIGTERM ends with a line that says what is kept."""
    try:
        yield
    except (KeyboardInterrupt, Terminated) as error:
        what, code = ("terminated", 143) if isinstance(error, Terminated) else ("interrupted", 130)
        kept = (
            f"the checkpoint {trainer.saved} is kept"
            if trainer.saved
            else "no checkpoint was written yet"
        )
        say(
            f"{what} at step {trainer.step:,}; {kept}: run the same command again to go on from there"
        )
        raise click.exceptions.Exit(code) from error


def _check_ready(corpus: Corpus, db: str) -> None:
    assigned = corpus.connection.execute(
        "SELECT 1 FROM piece WHERE split IS NOT NULL LIMIT 1"
    ).fetchone()
    if not assigned:
        raise click.ClickException(
            f"{db} has no train/validation/test split yet; run: asciiloom dedup {db}"
        )


def watch(
    trainer: Any, steps: int | None, minutes: float | None, quiet: bool, silent: bool
) -> dict[str, Any]:
    """Run ``trainer`` with a bar, lines at evaluations, and the samples it draws."""
    total = steps if steps else int(60 * (minutes or 0))
    with progress("training", total, quiet or silent) as bar:

        def tell(event: Any) -> None:
            figures = event.figures
            if event.kind == "log":
                rate = f"{figures['train_bits']:.3f} bits, {figures['characters_per_second']:,} chars/s"
                bar(event.step if steps else int(figures["seconds"]), total, rate)
                if not quiet and event.step % 100 == 0:
                    say(f"step {event.step:,}  {figures['seconds']:,.0f} s  {rate}")
            elif event.kind == "eval":
                say(
                    f"step {event.step:,}: held out {figures['held_out_bits']:.4f} bits a character"
                    f" (+-{figures['standard_error']:.4f}, {figures['pieces']:,} pieces)"
                )
            elif event.kind == "samples" and not quiet:
                for drawing in event.drawings:
                    say(f"-- {drawing.words}\n{drawing.text}")

        trainer.tell = tell
        figures: dict[str, Any] = trainer.train()
    return figures
