"""``eval``: honest numbers about a model, on pieces it has not seen and on what it draws."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asciiloom.cli.options import (
    SAMPLING,
    SIZE,
    build_selection,
    database_argument,
    json_option,
    quiet_option,
    sampling_options,
    selection_options,
)
from asciiloom.cli.output import progress, put, put_json, say, table
from asciiloom.corpus import Corpus
from asciiloom.piece import KINDS
from asciiloom.store import Selection

if TYPE_CHECKING:
    from asciiloom.generate import Sampling

# What --subjects stands for without a file; no file has such a name.
_COMMON = "\0"

baselines_option = click.option(
    "--baselines/--no-baselines",
    default=True,
    show_default=True,
    help="Beside counting models, xz and zpaq on the same split.",
)


@click.command("eval")
@database_argument
@click.argument("model", type=click.Path(exists=True, file_okay=False))
@selection_options
@baselines_option
@click.option(
    "--limit", type=click.IntRange(min=1), help="Only this many pieces of a fixed shuffle."
)
@click.option(
    "--subjects",
    is_flag=False,
    flag_value=_COMMON,
    metavar="[FILE]",
    help="Draw common subjects, or those of FILE (one a line), and measure the drawings instead.",
)
@click.option(
    "--at",
    "sizes",
    type=SIZE,
    multiple=True,
    help="Of drawings: at most this size; several may be given.  [default: 24x10, 40x14, 60x20]",
)
@click.option(
    "-n",
    "--each",
    type=click.IntRange(1, 1000),
    default=2,
    show_default=True,
    help="Drawings of each subject at each size.",
)
@click.option(
    "--as",
    "drawn_as",
    type=click.Choice(KINDS),
    default="art",
    show_default=True,
    help="The kind that drawings are asked for as.",
)
@click.option("--best-of", type=click.IntRange(1, 1000), help="Of so many drawings keep one each.")
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), default=0, show_default=True)
@sampling_options
@json_option
@quiet_option
def eval_command(
    db: str,
    model: str,
    baselines: bool,
    limit: int | None,
    subjects: str | None,
    sizes: tuple[tuple[int, int], ...],
    each: int,
    drawn_as: str,
    best_of: int | None,
    seed: int,
    as_json: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Measure MODEL (a run, checkpoint or export) on held-out pieces of DB, or with --subjects what it draws.

    Without filters: the validation split of the selection it was trained on.

    \b
    Example: asciiloom eval art.db runs/first --split test
             asciiloom eval art.db runs/first --subjects --guidance 3
    """
    from asciiloom.generate import Sampling
    from asciiloom.model import load_model
    from asciiloom.train import DEFAULT_SELECTION, find_checkpoint, read_selection

    folder = find_checkpoint(Path(model))
    trained_on = load_model(folder)[1].training.get("settings", {}).get("selection")
    base = DEFAULT_SELECTION if trained_on is None else read_selection(trained_on)
    sampling = Sampling(**{name: given.pop(name) for name in SAMPLING})
    selection = build_selection(given, base)
    if subjects is not None:
        file = None if subjects == _COMMON else Path(subjects)
        with Corpus(db) as corpus:
            drawn = _drawn(
                corpus,
                folder,
                selection,
                file,
                sizes,
                each,
                drawn_as,
                best_of,
                seed,
                sampling,
                quiet,
            )
        put_json(drawn) if as_json else _put_drawn(drawn)
        return
    with Corpus(db) as corpus:
        report = measured(corpus, folder, selection, baselines, limit, quiet)
    if as_json:
        put_json(report)
        return
    say(f"selection {report['selection']}")
    put_report(report)
    for group in ("by_kind", "by_source"):
        rows = [
            (name, f["pieces"], f["characters"], f["bits_per_character"])
            for name, f in report[group].items()
        ]
        put("\n" + table(rows, (group.removeprefix("by_"), "pieces", "characters", "bits/char")))


def measured(
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
            progress=lambda stage, done, total: bar(done, total, step=stage),
        )
    report["seconds"] = round(time.perf_counter() - started, 2)
    report["threads"] = torch.get_num_threads()
    return report


def put_report(report: dict[str, Any]) -> None:
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
    if words["pieces"] and "named_right_first" in words:
        put(
            f"names: it names {words['named_right_first']:.0%} of them rightly,"
            f" {words['named_right_in_three']:.0%} among the first three, and tells"
            f" {words['named_bits_saved']:.2f} bits"
        )
    if "classifier_first" in words:
        put(
            f"a classifier of finished pieces is right for {words['classifier_first']:.0%} of the same ones, size"
            f" and ink alone for {words['control_first']:.0%}"
        )


def _drawn(
    corpus: Corpus,
    model: Path,
    selection: Selection,
    file: Path | None,
    sizes: tuple[tuple[int, int], ...],
    each: int,
    kind: str,
    best_of: int | None,
    seed: int,
    sampling: "Sampling",
    quiet: bool,
) -> dict[str, Any]:
    """The figures of what the model draws of the subjects in ``file``, or of common ones."""
    from asciiloom.evaluate import COMMON, DrawingTest, attempts, read_subjects
    from asciiloom.evaluate.drawings import SIZES
    from asciiloom.generate import BEST_OF, Constraint, Drawing, Generator

    subjects = COMMON if file is None else read_subjects(file)
    at = tuple(dict.fromkeys(sizes)) or SIZES
    generator = Generator.load(model)

    def draw(words: str, limits: Constraint, count: int, seed: int) -> list[Drawing]:
        return generator.draw(
            words,
            kind=kind,
            constraint=limits,
            count=count,
            seed=seed,
            sampling=sampling,
            best_of=best_of or BEST_OF,
        )

    started = time.perf_counter()
    with progress("drawing", quiet=quiet) as bar:

        def tell(stage: str, done: int, total: int) -> None:
            bar(done, total, step=stage)

        test = DrawingTest.prepare(corpus, selection, subjects, at, tell)
        made = attempts(draw, subjects, sizes=at, each=each, seed=seed, progress=tell)
        drawn = test.measure(made)
    drawn["seconds"] = round(time.perf_counter() - started, 2)
    return drawn


# What each figure of drawings is, in the order of the table.
_FIGURES = {
    "pieces": "pieces",
    "class_score": "subject told by the classifier",
    "class_in_three": "subject among its first three",
    "control_score": "subject told by size and ink alone",
    "ended": "ended by its own choice",
    "closed": "closed at the bottom",
    "ended_and_closed": "both",
    "blank": "blank share of the box",
    "run": "longest run of one glyph, of the side",
    "parts": "connected parts",
    "largest": "ink of the largest part",
    "letters": "stray letters, of the ink",
    "initials": "with initials",
    "nearest_mean": "nearest training piece: agreement",
    "nearest_95": "  its 95th percentile",
    "nearest_most": "  the nearest of all",
    "nearer_than_real": "  nearer than that of real pieces",
    "diversity": "diversity within a subject",
}


def _put_drawn(drawn: dict[str, Any]) -> None:
    """Figures of drawings beside those of real pieces, and the drawings nearest to a training piece."""
    real = drawn["real"] or {}
    rows = [(text, drawn["drawn"].get(name), real.get(name)) for name, text in _FIGURES.items()]
    put(table(rows, ("figure", "drawn", "held out")))
    share = drawn["share_of_real"]
    told = "" if share is None else f"; the drawings reach {share:.0%} of the real pieces' score"
    put(
        f"\n{drawn['subjects']} subjects, chance {drawn['chance']:.1%}; classifier of"
        f" {drawn['labelled_pieces']:,} training pieces, every subject counting alike{told}"
    )
    closest = sorted(drawn["drawings"], key=lambda d: -(d["agreement"] or 0))[:5]
    named = [(d["subject"], d["size"], d["index"], d["nearest"], d["agreement"]) for d in closest]
    put("\n" + table(named, ("nearest to training", "at most", "index", "piece", "agreement")))
