"""``demo``: every room once, on the data that comes with asciiloom, with something to look at."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from asciiloom import synth
from asciiloom.cli.demo.gallery import GALLERY_FILES, Exhibit, write_gallery
from asciiloom.cli.options import FiniteRange, force_option
from asciiloom.cli.output import put_json, say, table
from asciiloom.corpus import Corpus
from asciiloom.outputs import check_output_folder
from asciiloom.resources import resource_dir
from asciiloom.store import Selection

# What the short training is about; the recipe `demo` leaves other fonts out.
SYNTH_PIECES = 20_000
FONTS = ("digital",)
BANNERS = 4500


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing the demo draws: prompt, kind, exact or largest size."""

    words: str
    kind: str
    width: int
    height: int


ASKS = (
    Ask("filled circle", "shape", 24, 12),
    Ask("hollow diamond", "shape", 24, 12),
    Ask("filled heart", "shape", 24, 12),
    Ask("hollow triangle", "shape", 30, 15),
    Ask("happy face", "face", 13, 9),
    Ask("sad face", "face", 13, 9),
    Ask("cat", "art", 12, 8),
    Ask("robot", "art", 21, 13),
    Ask("christmas tree", "tree", 20, 14),
    Ask("house", "art", 26, 16),
    Ask("maze", "maze", 30, 11),
    Ask("tiger, font:digital", "banner", 11, 3),
    Ask("orbit, font:digital", "banner", 11, 3),
    Ask("PLANET, font:digital", "banner", 13, 3),
)


@click.command("demo")
@click.option(
    "--out", type=click.Path(file_okay=False), default="asciiloom-demo", show_default=True
)
@click.option(
    "--minutes",
    type=FiniteRange(min=0, min_open=True),
    help="Of training.  [default: 2.5, as the recipe demo says]",
)
@click.option(
    "--pieces",
    type=click.IntRange(min=200),
    default=SYNTH_PIECES,
    show_default=True,
    help="Synthetic pieces.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True)
@force_option
@click.option("--json", "as_json", is_flag=True, help="The summary as JSON on stdout.")
def demo_command(
    out: str, minutes: float | None, pieces: int, seed: int, force: bool, as_json: bool
) -> None:
    """Build the default corpus, dedup, search, train, generate, export, and show it all. With --force in
    the folder of an earlier demo: its corpus and its training are gone on with.

    Example: asciiloom demo --out my-demo --minutes 2
    """
    started = time.perf_counter()
    folder = Path(out)
    check_output_folder(folder, names=GALLERY_FILES, force=force)
    folder.mkdir(parents=True, exist_ok=True)
    summary: dict[str, Any] = {"folder": str(folder)}
    with Corpus(folder / "demo.db", create=True) as corpus:
        summary["ingest"] = _build(corpus, pieces, seed)
        _search(corpus)
        summary["train"] = _train(corpus, folder / "run", minutes, seed)
    exhibits = _draw(folder / "run", seed)
    summary["drawings"] = len(exhibits)
    summary["misfits"] = sum(not e.fits for e in exhibits)
    _export(folder, force)
    page, picture = write_gallery(folder, exhibits, summary["train"], force=force)
    summary["seconds"] = round(time.perf_counter() - started, 1)
    summary["gallery"] = [str(page), str(picture)]
    if as_json:
        put_json(summary)
    say(f"\nDone in {summary['seconds']:.0f} s. Look at {page} (or {picture});")
    say(f"the corpus is {folder}/demo.db, the model {folder}/model:")
    say(f"  asciiloom search {folder}/demo.db robot --max 30x15")
    say(f'  asciiloom generate {folder}/model "filled star" --kind shape --max 30x12')


def _heading(number: int, text: str) -> None:
    say(f"\n== {number}. {text}")


def _build(corpus: Corpus, pieces: int, seed: int) -> dict[str, Any]:
    _heading(1, "A corpus: hand-drawn pieces and seeded synthetic ones, in one SQLite file")
    clock = time.perf_counter()
    tally = corpus.ingest(sorted(resource_dir("data").glob("*.pieces")))
    tally.add(corpus.add(synth.generate(pieces, seed), "synth"))
    tally.add(corpus.add(synth.generate(min(BANNERS, pieces), seed, fonts=FONTS), "synth banners"))
    rows = [(name, *tally.row(name).values()) for name in tally.sources()]
    say(table(rows, ("source", "read", "new", "duplicate", "rejected")))
    say(f"{time.perf_counter() - clock:.1f} s")
    _heading(2, "Near-twins found on the grid; train, validation and test without leaks")
    report = corpus.dedup(seed=seed)
    say(
        f"{report.pieces:,} pieces, {report.twins:,} of them twins of another;"
        f" {report.same_pairs:,} pairs the same, {report.variant_pairs:,} variants"
    )
    say(", ".join(f"{name} {count:,}" for name, count in sorted(report.splits.items())))
    return {**tally.row(), "dedup": report.to_dict()}


def _search(corpus: Corpus) -> None:
    _heading(3, "Search by word and size: asciiloom search demo.db cat --max 24x10")
    cats = Selection(text="cat", width=(None, 24), height=(None, 10), order="random", limit=3)
    for record in corpus.select(cats):
        say(
            f"{record['text']}\n  #{record['id']} {record['title']}, {record['source']}, {record['licence']}\n"
        )


def _train(corpus: Corpus, run: Path, minutes: float | None, seed: int) -> dict[str, Any]:
    from asciiloom.cli.training import stoppable, watch
    from asciiloom.train import Settings, Trainer, load_settings

    # The same as: asciiloom train demo.db --config demo
    tree = load_settings("demo")
    tree["run"] |= {"seed": seed} | ({"minutes": minutes} if minutes else {})
    settings = Settings.from_dict(tree)
    _heading(
        4, f"A small 2D transformer, trained from the file for {settings.run.minutes:g} minutes"
    )
    trainer = Trainer(corpus, settings, run)
    say(trainer.headline)
    with stoppable(trainer):
        return watch(trainer, quiet=False, silent=False)


def _draw(run: Path, seed: int) -> list[Exhibit]:
    _heading(5, "Drawings under hard limits: each fits, whatever the model would like")
    from asciiloom.generate import Constraint, Generator, Sampling
    from asciiloom.train import find_checkpoint

    generator = Generator.load(find_checkpoint(run))
    exhibits = []
    for ask in ASKS:
        limits = Constraint(max_width=ask.width, max_height=ask.height)
        drawing = generator.draw(
            ask.words,
            kind=ask.kind,
            constraint=limits,
            seed=seed,
            sampling=Sampling(0.4, 0, 0.9),
        )[0]
        exhibits.append(
            Exhibit(
                ask.words,
                f"at most {ask.width}x{ask.height}",
                drawing.text,
                not limits.violations(drawing.text),
            )
        )
    for width, height in ((15, 7), (25, 11), (33, 15)):
        exact = Constraint.exact(width, height)
        drawing = generator.draw(
            "filled circle",
            kind="shape",
            constraint=exact,
            seed=seed,
            sampling=Sampling(0.4, 0, 0.9),
        )[0]
        exhibits.append(
            Exhibit(
                "filled circle",
                f"exactly {width}x{height}",
                drawing.text,
                not exact.violations(drawing.text),
            )
        )
    for exhibit in exhibits:
        say(
            f"-- {exhibit.title}, {exhibit.limits}: {'fits' if exhibit.fits else 'DOES NOT FIT'}\n{exhibit.text}"
        )
    return exhibits


def _export(folder: Path, force: bool) -> None:
    _heading(6, "Export: files that other programs read")
    from asciiloom.export import export_model
    from asciiloom.model import load_model
    from asciiloom.train import find_checkpoint

    network, card = load_model(find_checkpoint(folder / "run"))
    summary = export_model(folder / "model", network, card, force=force)
    for name, size in summary["files"].items():
        say(f"  {folder}/model/{name}  {size:,} bytes")
