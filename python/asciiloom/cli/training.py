"""``train``: a model from a corpus."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
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
from asciiloom.cli.output import progress, put, put_json, say
from asciiloom.corpus import Corpus
from asciiloom.signals import Terminated
from asciiloom.store.names import check_sources

if TYPE_CHECKING:
    from asciiloom.train import Settings, Trainer


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
    help="Training time; 15 if nothing says how long.",
)
@click.option("--steps", type=click.IntRange(min=1), help="Optimizer steps (resumes bit for bit).")
@click.option("--epochs", type=click.IntRange(min=1), help="Times that every piece is seen.")
@click.option("--preset", help="nano, tiny, small, medium, large.  [default: small]")
@click.option(
    "--config",
    metavar="NAME|FILE",
    help="Settings: a recipe (demo, pipeline, pretrain, production, smoke, text, tune), or TOML, YAML or JSON.",
)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="S.NAME=V",
    help="Override one, e.g. optim.lr=0.002.",
)
@click.option("--print-config", is_flag=True, help="Print all settings as YAML, and stop.")
@click.option(
    "--from",
    "weights",
    type=click.Path(exists=True, file_okay=False),
    help="Begin with the weights of this run, checkpoint or export.",
)
@click.option(
    "--resume",
    type=click.Path(exists=True, file_okay=False),
    help="Go on from this checkpoint.  [default: the latest in --out]",
)
@click.option("--no-resume", "fresh", is_flag=True, help="Begin anew; a run in --out is set aside.")
@click.option(
    "--resume-with",
    "changes",
    multiple=True,
    metavar="optim.NAME=V",
    help="Change this of the run that is resumed.",
)
@click.option("--seed", type=int, help="Of weights, order and prompts.")
@click.option("--device", help="cpu, cuda, cuda:1, mps.  [default: auto]")
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
    preset: str | None,
    config: str | None,
    overrides: tuple[str, ...],
    print_config: bool,
    resume: str | None,
    fresh: bool,
    changes: tuple[str, ...],
    baselines: bool,
    as_json: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Train a model straight from the train split of DB; run it again to resume.

    Without filters: ASCII pieces of at most 100x100, one of each near-twin cluster.

    Example: asciiloom train art.db --minutes 15 --out runs/first
    """
    from asciiloom.train import Begin, Trainer, find_checkpoint, to_yaml

    typed = {name: value for name, value in given.items() if value not in (None, (), False)}
    raw: dict[str, Any] = {"config": config, "set": overrides, "preset": preset, "options": typed}
    raw |= {"resume": resume, "no_resume": fresh, "resume_with": changes}
    settings = _settings(config, overrides, preset, given)
    if print_config:
        put(to_yaml(settings.to_dict()).rstrip())
        return
    with Corpus(db) as corpus:
        _check_ready(corpus, db)
        check_sources(corpus.connection, settings.selection.sources)
        begin = Begin(Path(resume) if resume else None, fresh, changes)
        trainer = Trainer(corpus, settings, Path(out), begin=begin, given=raw)
        say(f"{trainer.headline}; run folder {out}")
        with stoppable(trainer):
            figures = watch(trainer, quiet, as_json)
            folder = find_checkpoint(Path(out))
            report = measured(corpus, folder, settings.selection, baselines, None, quiet or as_json)
    if as_json:
        put_json({**figures, "evaluation": report})
        return
    put_report(report)
    say(f"\n{out}/loss.png shows the curve; by kind and source: asciiloom eval {db} {out}")
    say(f'draw with: asciiloom generate {out} "cat" --max 40x12')


def _settings(
    config: str | None, overrides: tuple[str, ...], preset: str | None, given: dict[str, Any]
) -> "Settings":
    """Settings of a run: a recipe or file, then ``--set``, then the options of their own."""
    from asciiloom.model import load_model
    from asciiloom.tokens import parse_mix
    from asciiloom.train import Settings, find_checkpoint, load_settings

    tree = load_settings(config, overrides)
    run = tree.setdefault("run", {})
    for name in ("minutes", "steps", "epochs", "seed", "device", "weights", "workers"):
        if (value := given.pop(name)) is not None:
            run[name] = value
    if (mix := given.pop("mix")) is not None:
        tree.setdefault("mixing", {})["sources"] = parse_mix(mix)
    if all(run.get(name) is None for name in ("minutes", "steps", "epochs")):
        run["minutes"] = 15.0
    if preset:
        tree.setdefault("model", {})["preset"] = preset
    if isinstance(weights := run.get("weights"), str) and not preset:
        network, _ = load_model(find_checkpoint(Path(weights)))
        tree["model"] = network.config.to_dict()
    settings = Settings.from_dict(tree)
    return replace(settings, selection=build_selection(given, settings.selection))


@contextmanager
def stoppable(trainer: "Trainer") -> Iterator[None]:
    """A block of training and measuring that Ctrl-C or SIGTERM ends with a line that says what is kept."""
    try:
        yield
    except (KeyboardInterrupt, Terminated) as error:
        what, code = ("terminated", 143) if isinstance(error, Terminated) else ("interrupted", 130)
        kept = (
            f"the checkpoint {trainer.kept} is kept"
            if trainer.kept
            else "no checkpoint was written yet"
        )
        again = "run the same command again to go on from there"
        if trainer.begin.resume or trainer.begin.fresh:
            again = "without --resume or --no-resume the same command goes on from there"
        say(f"{what} at step {trainer.step:,}; {kept}: {again}")
        raise click.exceptions.Exit(code) from error


def _check_ready(corpus: Corpus, db: str) -> None:
    assigned = corpus.connection.execute(
        "SELECT 1 FROM piece WHERE split IS NOT NULL LIMIT 1"
    ).fetchone()
    if not assigned:
        raise click.ClickException(
            f"{db} has no train/validation/test split yet; run: asciiloom dedup {db}"
        )


def watch(trainer: "Trainer", quiet: bool, silent: bool) -> dict[str, Any]:
    """Run ``trainer`` with a bar, lines at evaluations, and the samples it draws."""
    run = trainer.settings.run
    unit, total = "pieces", len(trainer.loader) * (run.epochs or 0)
    if run.steps:
        unit, total = "step", run.steps
    elif run.minutes:
        unit, total = "seconds", int(60 * run.minutes)
    with progress("training", total, quiet or silent) as bar:

        def tell(event: Any) -> None:
            figures = event.figures
            if event.kind == "log":
                rate = f"{figures['characters_per_second']:,} chars/s"
                if "train_bits" in figures:
                    rate = f"{figures['train_bits']:.3f} bits, {rate}"
                bar(int(figures[unit]), total, rate)
                if not quiet and event.step % 100 == 0:
                    say(f"step {event.step:,}  {figures['seconds']:,.0f} s  {rate}")
            elif event.kind == "note":
                say(f"step {event.step:,}: {figures['text']}")
            elif event.kind == "eval":
                bits, error = (
                    math.nan if figures[name] is None else figures[name]
                    for name in ("held_out_bits", "standard_error")
                )
                say(
                    f"step {event.step:,}: held out {bits:.4f} bits a character"
                    f" (+-{error:.4f}, {figures['pieces']:,} pieces)"
                )
            elif event.kind == "samples" and not quiet:
                for drawing in event.drawings:
                    say(f"-- {drawing.words}\n{drawing.text}")

        trainer.journal.tell = tell
        return trainer.train()
