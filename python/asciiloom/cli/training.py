"""``train`` and ``eval``: a model from a corpus, and honest numbers about it."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asciiloom.cli.options import (
    FiniteRange,
    build_selection,
    database_argument,
    json_option,
    quiet_option,
    selection_options,
)
from asciiloom.cli.output import progress, put, put_json, say, table
from asciiloom.corpus import Corpus
from asciiloom.signals import Terminated
from asciiloom.store import Selection

if TYPE_CHECKING:
    from asciiloom.train import Settings, Trainer

_BASELINES = click.option(
    "--baselines/--no-baselines",
    default=True,
    show_default=True,
    help="Beside counting models, xz and zpaq on the same split.",
)


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
@_BASELINES
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
        begin = Begin(Path(resume) if resume else None, fresh, changes)
        trainer = Trainer(corpus, settings, Path(out), begin=begin, given=raw)
        say(f"{trainer.headline}; run folder {out}")
        with stoppable(trainer):
            figures = watch(trainer, quiet, as_json)
            folder = find_checkpoint(Path(out))
            report = _measure(corpus, folder, settings.selection, baselines, None, quiet or as_json)
    if as_json:
        put_json({**figures, "evaluation": report})
        return
    _print_report(report)
    say(f"\n{out}/loss.png shows the curve; by kind and source: asciiloom eval {db} {out}")
    say(f'draw with: asciiloom generate {out} "cat" --max 40x12')


def _settings(
    config: str | None, overrides: tuple[str, ...], preset: str | None, given: dict[str, Any]
) -> "Settings":
    """Settings of a run: a recipe or file, then ``--set``, then the options of their own."""
    from asciiloom.model import load_model
    from asciiloom.train import Settings, find_checkpoint, load_settings

    tree = load_settings(config, overrides)
    run = tree.setdefault("run", {})
    for name in ("minutes", "steps", "epochs", "seed", "device", "weights"):
        if (value := given.pop(name)) is not None:
            run[name] = value
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
            f"the checkpoint {trainer.saved} is kept"
            if trainer.saved
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

        trainer.tell = tell
        return trainer.train()


@click.command("eval")
@database_argument
@click.argument("model", type=click.Path(exists=True, file_okay=False))
@selection_options
@_BASELINES
@click.option(
    "--limit", type=click.IntRange(min=1), help="Only this many pieces of a fixed shuffle."
)
@json_option
@quiet_option
def eval_command(
    db: str,
    model: str,
    baselines: bool,
    limit: int | None,
    as_json: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Measure MODEL (a run, checkpoint or export) on held-out pieces of DB.

    Without filters: the validation split of the selection it was trained on.

    Example: asciiloom eval art.db runs/first --split test
    """
    from asciiloom.model import load_model
    from asciiloom.train import DEFAULT_SELECTION, find_checkpoint, read_selection

    folder = find_checkpoint(Path(model))
    trained_on = load_model(folder)[1].training.get("settings", {}).get("selection")
    base = DEFAULT_SELECTION if trained_on is None else read_selection(trained_on)
    with Corpus(db) as corpus:
        report = _measure(corpus, folder, build_selection(given, base), baselines, limit, quiet)
    if as_json:
        put_json(report)
        return
    say(f"selection {report['selection']}")
    _print_report(report)
    for group in ("by_kind", "by_source"):
        rows = [
            (name, f["pieces"], f["characters"], f["bits_per_character"])
            for name, f in report[group].items()
        ]
        put("\n" + table(rows, (group.removeprefix("by_"), "pieces", "characters", "bits/char")))


def _measure(
    corpus: Corpus,
    model: Path,
    selection: Selection,
    baselines: bool,
    limit: int | None,
    quiet: bool,
) -> dict[str, Any]:
    """The figures of the model in the folder ``model`` on held-out pieces of ``selection``."""
    import torch

    from asciiloom.evaluate import evaluate
    from asciiloom.model import load_model

    network, _ = load_model(model)
    started = time.perf_counter()
    with progress("evaluating", quiet=quiet) as bar:
        report = evaluate(
            corpus,
            selection,
            network,
            baselines=baselines,
            limit=limit,
            progress=lambda stage, done, total: bar(done, total, stage),
        )
    report["seconds"] = round(time.perf_counter() - started, 2)
    report["threads"] = torch.get_num_threads()
    return report


def _print_report(report: dict[str, Any]) -> None:
    """The model's figures and the baselines', as a table."""
    prompted = report["prompted"]
    rows: list[tuple[Any, ...]] = [
        ("asciiloom, told nothing", report["bits_per_character"], report["bits_per_ink"]),
        (
            "asciiloom, told size, kind and words",
            prompted["bits_per_character"],
            prompted["bits_per_ink"],
        ),
    ]
    for name, figures in report.get("baselines", {}).items():
        values = figures or {"bits_per_character": "not installed", "bits_per_ink": ""}
        rows.append((name, values["bits_per_character"], values["bits_per_ink"]))
    put(table(rows, ("model", "bits/char", "bits/ink char")))
    put(
        f"\n{report['pieces']:,} pieces, {report['characters']:,} characters of the {report['split']}"
        f" split; loss {report['loss_nats']:.4f} nats, perplexity {report['perplexity']:.3f},"
        f" standard error {report['standard_error']:.4f} bits"
    )
    if report["left_out"]:
        put(
            f"left out: {report['left_out']:,} pieces that are longer than the model's context with their prompt"
        )
    words = report["words"]
    if words["pieces"]:
        put(
            f"words: of {words['subjects']} subjects the right one is likeliest for {words['right_first']:.0%} of"
            f" {words['pieces']:,} drawings (chance {words['chance']:.0%}), among the first three for"
            f" {words['right_in_three']:.0%}; it saves {words['bits_saved']:.2f} of"
            f" {words['bits_possible']:.2f} bits a drawing"
        )
