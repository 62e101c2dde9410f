"""``generate`` and ``export``: what a consumer wants of a model."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asciiloom.cli.failures import note_corpus
from asciiloom.cli.options import (
    SAMPLING,
    SIZE,
    build_selection,
    force_option,
    json_option,
    origin_options,
    quiet_option,
    sampling_options,
    selection_options,
)
from asciiloom.cli.output import progress, put, put_json, say
from asciiloom.emit import TARGETS, emit
from asciiloom.outputs import check_output_folder, is_stdout
from asciiloom.piece import KINDS, measure
from asciiloom.store import Selection

if TYPE_CHECKING:
    from asciiloom.generate import Constraint, Drawing, Exemplar


@click.command("generate")
@click.argument("model", type=click.Path(exists=True, file_okay=False))
@click.argument("prompt", required=False, default="")
@click.option("--max", "max_size", type=SIZE, help="At most this size, e.g. 40x12.")
@click.option("--min", "min_size", type=SIZE, help="At least this size.")
@click.option("--size", "exact", type=SIZE, help="Exactly this size.")
@click.option("--width", type=click.IntRange(min=1), help="At most this wide.")
@click.option("--height", type=click.IntRange(min=1), help="At most this high.")
@click.option(
    "--chars", type=click.IntRange(min=1), help="At most this many characters, newlines included."
)
@click.option("--forbid", default="", help="Glyphs not to use, e.g. '`'.")
@click.option("--allow", help="The only glyphs to use.")
@click.option("--kind", type=click.Choice(KINDS), help="Drawn as this.")
@click.option(
    "-n", "--count", type=click.IntRange(min=1, max=100_000), default=1, show_default=True
)
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), default=0, show_default=True)
@sampling_options
@click.option(
    "--best-of",
    type=click.IntRange(1, 1000),
    help="Draw so many of each, and keep the one that shows the words best.",
)
@click.option(
    "--signature/--no-signature",
    default=False,
    show_default=True,
    help="Leave initials and credits in that the model draws.",
)
@click.option(
    "--corpus",
    type=click.Path(exists=True, dir_okay=False),
    callback=note_corpus,
    help="Draw after the pieces of this corpus that come nearest, and credit them.",
)
@click.option("--like", type=click.IntRange(min=1), help="Of the corpus: after this piece.")
@click.option(
    "--variation",
    type=click.IntRange(1, 4),
    default=2,
    show_default=True,
    help="How freely: from 1, nearly the same, to 4, the outline alone.",
)
@origin_options
@click.option(
    "--format", "target", type=click.Choice(list(TARGETS)), default="plain", show_default=True
)
@json_option
@quiet_option
def generate_command(
    model: str,
    prompt: str,
    max_size: tuple[int, int] | None,
    min_size: tuple[int, int] | None,
    exact: tuple[int, int] | None,
    width: int | None,
    height: int | None,
    chars: int | None,
    forbid: str,
    allow: str | None,
    kind: str | None,
    count: int,
    seed: int,
    best_of: int | None,
    signature: bool,
    corpus: str | None,
    like: int | None,
    variation: int,
    target: str,
    as_json: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Draw PROMPT with MODEL (a run, checkpoint or export). What comes out always fits.

    \b
    Example: asciiloom generate runs/first "cat" --max 40x12 --format python
             asciiloom generate runs/first "cat" --best-of 8 --corpus art.db --redistributable
    """
    from asciiloom.generate import BEST_OF, Constraint, Generator, Sampling
    from asciiloom.generate.constraint import DEFAULT_HEIGHT, DEFAULT_WIDTH
    from asciiloom.tokens import MAX_WORDS
    from asciiloom.train import find_checkpoint

    if exact and (max_size or min_size or width or height):
        raise click.UsageError("--size says it all: leave out --max, --min, --width and --height")
    about = build_selection(given)
    if corpus is None and (like is not None or about.to_dict()):
        raise click.UsageError("what to draw after is in a corpus: give --corpus DB, too")
    widths = [n for n in (width, max_size and max_size[0]) if n is not None]
    heights = [n for n in (height, max_size and max_size[1]) if n is not None]
    high = exact or (min(widths, default=DEFAULT_WIDTH), min(heights, default=DEFAULT_HEIGHT))
    low = exact or min_size or (1, 1)
    constraint = Constraint(high[0], high[1], low[0], low[1], chars, allow, forbid)
    constraint.check()
    sampling = Sampling(**{name: given.pop(name) for name in SAMPLING})
    generator = Generator.load(find_checkpoint(Path(model)))
    if len(" ".join(prompt.split())) > MAX_WORDS:
        say(f"note: models read the first {MAX_WORDS} characters of a prompt; the rest is left out")
    followed = None
    if corpus is not None:
        generator.must_take_reference()
        wanted = count * (best_of or BEST_OF)
        followed = _to_draw_after(corpus, prompt, kind, constraint, about, like, wanted, seed)
    done = 0
    with progress("drawing", count, quiet or count == 1) as bar:

        def tick(more: int) -> None:
            nonlocal done
            done += more
            bar(done, count)

        drawings = generator.draw(
            prompt,
            kind=kind,
            constraint=constraint,
            count=count,
            seed=seed,
            sampling=sampling,
            best_of=best_of or BEST_OF,
            signature=signature,
            reference=followed,
            variation=variation,
            progress=tick,
        )
    if as_json:
        put_json([_facts(drawing) for drawing in drawings])
        return
    for drawing in drawings:
        meta: dict[str, Any] = {"title": drawing.words or "art"}
        if target == "json":
            meta |= _facts(drawing)
        if drawing.credit is not None:
            say(drawing.credit.line())
        put(emit(drawing.text, target, meta) + ("\n" if target == "plain" and count > 1 else ""))


def _facts(drawing: "Drawing") -> dict[str, Any]:
    m = measure(drawing.text)
    return {
        "prompt": drawing.words, "kind": drawing.kind, "seed": drawing.seed, "index": drawing.index,
        "width": m.width, "height": m.height, "chars": m.chars,
        "ended": drawing.ended, "candidate": drawing.candidate, "score": drawing.score and dict(drawing.score),
        "credit": drawing.credit and drawing.credit.to_dict(), "text": drawing.text,
    }  # fmt: skip


def _to_draw_after(
    path: str,
    prompt: str,
    kind: str | None,
    limits: "Constraint",
    about: Selection,
    like: int | None,
    count: int,
    seed: int,
) -> "list[Exemplar]":
    """The pieces of the corpus at ``path`` to draw after, the nearest first; none is a line on stderr."""
    from asciiloom.corpus import Corpus
    from asciiloom.generate import NEAR, exemplar, exemplars

    with Corpus(path) as corpus:
        if like is not None:
            return [exemplar(corpus, like)]
        found = exemplars(
            corpus,
            prompt,
            kind=kind,
            limits=limits,
            selection=about,
            count=count,
            seed=seed,
            near=NEAR,
        )
    if not found:
        say(f"note: {path} has nothing that fits to draw after; drawn without an example")
    return found


@click.command("export")
@click.argument("target", type=click.Path())
@click.option(
    "--corpus",
    type=click.Path(exists=True, dir_okay=False),
    callback=note_corpus,
    help="A corpus to export, or a selection of it.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "parquet", "hf"]),
    help="Of a corpus; by TARGET's name where not given (a folder: hf).",
)
@click.option(
    "--originals/--no-originals",
    default=None,
    help="With the bytes that pieces came from, once a file. A whole corpus has them, a selection has not.",
)
@click.option(
    "--plain", is_flag=True, help="Of a whole corpus the pieces alone, as a selection has them."
)
@selection_options
@click.option(
    "--model", type=click.Path(exists=True, file_okay=False), help="A run or checkpoint to export."
)
@click.option("--preset", help="Or a fresh untrained model of this preset.")
@click.option(
    "--model-charset",
    default="ascii",
    show_default=True,
    help="Of a fresh model: ascii, cp437 or bytes.",
)
@click.option(
    "--best/--latest",
    default=False,
    help="Of a run: its best held-out checkpoint, or the last one.",
)
@force_option
@json_option
def export_command(
    target: str,
    corpus: str | None,
    form: str | None,
    originals: bool | None,
    plain: bool,
    model: str | None,
    preset: str | None,
    model_charset: str,
    best: bool,
    force: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Write a model's model.safetensors, config.json and tokenizer.json into the folder TARGET, or a corpus
    to TARGET as JSONL, Parquet or a Hugging Face dataset folder. `import` makes the same of a corpus again:
    without filters all of it goes out, also what was withdrawn or rejected, and its history. With filters, or
    --plain, it is a data set: the pieces they leave, and nothing else.

    \b
    Example: asciiloom export out/ --model runs/first
             asciiloom export cats.parquet --corpus art.db --tag cat --redistributable
    """
    if [corpus, model, preset].count(None) != 2:
        raise click.UsageError("say what to export: --corpus DB, --model FOLDER or --preset NAME")
    if corpus is not None:
        from asciiloom.cli.keep import export_corpus

        if as_json and is_stdout(target):
            raise click.UsageError("the pieces go to standard output: leave out --json")
        selection = build_selection(given)
        count, whole = export_corpus(
            corpus, target, form, selection, force, plain=plain, originals=originals
        )
        if as_json:
            put_json({"target": target, "pieces": count, "whole": whole})
        else:
            say(f"{target}: {count:,} pieces{' and all else of the corpus' if whole else ''}")
        return
    from asciiloom.export import MODEL_FILES, export_model
    from asciiloom.model import PRESETS, Card, load_model, untrained_model
    from asciiloom.train import find_checkpoint

    if preset is not None:
        if preset not in PRESETS:
            raise click.UsageError(f"no preset {preset!r}; one of {', '.join(PRESETS)}")
        check_output_folder(target, names=MODEL_FILES, force=force)
        network = untrained_model(dataclasses.replace(PRESETS[preset], charset=model_charset))
        card = Card()
    else:
        folder = Path(model or "")
        chosen = find_checkpoint(folder, best)
        check_output_folder(target, names=MODEL_FILES, force=force, inputs=[folder, chosen])
        network, card = load_model(chosen)
    summary = export_model(Path(target), network, card, force=force)
    if as_json:
        put_json(summary)
        return
    for name, size in summary["files"].items():
        say(f"  {target}/{name}  {size:,} bytes")
    say(f"{summary['parameters']:,} parameters; read back and equal")
