"""``import``, ``merge``, ``backup``, ``check``, ``repair``, ``vacuum``, ``index``, ``splits``: keeping a corpus."""

import sqlite3
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asciiloom.cli.failures import note_corpus
from asciiloom.cli.options import database_argument, force_option, json_option, quiet_option
from asciiloom.cli.output import progress, put, put_json, say, table
from asciiloom.corpus import Corpus
from asciiloom.corpus.exporting import (
    FORMATS,
    HF_FILES,
    everything,
    records,
    write_hf,
    write_jsonl,
    write_parquet,
)
from asciiloom.corpus.importing import import_rows
from asciiloom.corpus.merging import merge
from asciiloom.corpus.taking import Taken, take
from asciiloom.curate.upkeep import backup, check, repair, vacuum
from asciiloom.errors import CorpusError
from asciiloom.outputs import check_output_file, check_output_folder, is_stdout
from asciiloom.store import Selection
from asciiloom.store.failures import in_short, is_damage
from asciiloom.store.names import check_sources
from asciiloom.store.shapes import index_shapes
from asciiloom.store.transaction import snapshot
from asciiloom.twins.marks import check_splits

if TYPE_CHECKING:
    from asciiloom.twins.leaks import LeakEstimate

_BY_ENDING = {"": "hf", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}


def export_corpus(
    db: str,
    target: str,
    form: str | None,
    selection: Selection,
    force: bool,
    *,
    plain: bool = False,
    originals: bool | None = None,
) -> tuple[int, bool]:
    """Write a corpus to ``target``, in the format that its name says where none is given: all that it
    holds, or, ``plain`` or with filters, the pieces selected. How many pieces, and whether it was all."""
    form = form or _format_of(target)
    if form == "hf":
        check_output_folder(target, names=HF_FILES, force=force, inputs=[db])
    else:
        check_output_file(target, force=force, inputs=[db])
    whole = not plain and selection == Selection()
    with Corpus(db) as corpus, snapshot(corpus.connection):
        check_sources(corpus.connection, selection.sources)
        rows = (
            everything(corpus, originals is not False)
            if whole
            else records(corpus, selection, bool(originals))
        )
        if form == "hf":
            count = write_hf(
                corpus, selection, target, Path(db).stem, force=force, rows=rows, whole=whole
            )
        elif form == "parquet":
            count = write_parquet(rows, target, force=force, whole=whole)
        else:
            count = write_jsonl(rows, target, force=force)
    return count, whole


def _format_of(target: str) -> str:
    """The format that a file's name says: JSON lines for stdout, hf for a folder (a name without an ending)."""
    if is_stdout(target):
        return "jsonl"
    if Path(target).is_dir():
        return "hf"
    form = _BY_ENDING.get(Path(target).suffix.lower())
    if form is None:
        raise click.UsageError(
            f"the name {target!r} says no format; end it in .jsonl, .ndjson or .parquet, or add"
            f" --format {', '.join(FORMATS[:-1])} or {FORMATS[-1]} (a folder)"
        )
    return form


@click.command("import")
@database_argument
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@json_option
def import_command(db: str, source: Path, as_json: bool) -> None:
    """Bring what `export --corpus` wrote (JSONL, Parquet or a Hugging Face folder) into DB, made if missing,
    with all that it holds: of a whole corpus also verdicts, withdrawals, rejections and history. Records pass
    the rules of ingest: a broken one is one rejection. What people decided in DB stays.

    Example: asciiloom import art.db art.jsonl
    """
    found = import_rows(source)  # before DB is made: what is no export is refused
    with Corpus(db, create=True) as corpus:
        taken = take(corpus.connection, found, f"import {source}")
    _tell(taken, as_json)


@click.command("merge")
@database_argument
@click.argument("other", type=click.Path(exists=True, dir_okay=False), callback=note_corpus)
@json_option
def merge_command(db: str, other: str, as_json: bool) -> None:
    """Bring the corpus OTHER into DB with all that it holds: pieces, originals, colours, splits, verdicts,
    withdrawals, rejections and history. What people decided in DB stays. OTHER is only read. Run dedup
    afterwards.

    Example: asciiloom merge art.db theirs.db
    """
    with Corpus(db, create=True) as corpus:
        taken = merge(corpus, other)
    _tell(taken, as_json)


def _tell(taken: Taken, as_json: bool) -> None:
    tally = taken.tally
    counts = {**tally.row(), "withdrawn": taken.withdrawn}
    if as_json:
        put_json({**counts, "reasons": dict(tally.reasons.most_common())})
        return
    say(", ".join(f"{name} {count:,}" for name, count in counts.items()))
    for reason, count in tally.reasons.most_common():
        say(f"  rejected: {count:,} {reason}")


@click.command("backup")
@database_argument
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@force_option
@quiet_option
def backup_command(db: str, target: Path, force: bool, quiet: bool) -> None:
    """Copy DB to TARGET while others may use it. The copy is checked before it gets its name. A file that
    is there is kept; a database always.

    Example: asciiloom backup art.db art-2026-01-31.db
    """
    check_output_file(target, force=force, inputs=[db])
    with Corpus(db) as corpus, progress("copying", quiet=quiet) as bar:
        size = backup(corpus.connection, target, bar, force=force)
    say(f"{target}: {size:,} bytes")


@click.command("check")
@database_argument
@click.option("--deep", is_flag=True, help="Also measure every text anew.")
@json_option
def check_command(db: str, deep: bool, as_json: bool) -> None:
    """Look for damage in DB: pages, references, search indexes, orphans, clusters. Exits 1 if there is any.

    Example: asciiloom check art.db --deep
    """
    with Corpus(db) as corpus:
        wrong = check(corpus.connection, deep=deep, note=say)
    if as_json:
        put_json({"db": db, "sound": not wrong, "wrong": wrong})
    else:
        for line in wrong:
            put(line)
        say(f"{db}: sound" if not wrong else f"{db}: {len(wrong)} things are wrong; try `repair`")
    if wrong:
        raise SystemExit(1)


@click.command("repair")
@database_argument
@json_option
def repair_command(db: str, as_json: bool) -> None:
    """Make anew what can be derived (search indexes, images of tags) and remove orphans from DB.
    Exits 1 where damage is left.

    Example: asciiloom repair art.db
    """
    with Corpus(db) as corpus:
        try:
            done = repair(corpus.connection)
        except CorpusError as error:
            raise click.ClickException(f"{db} is damaged: {error}") from error
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            raise click.ClickException(
                f"{db} is damaged beyond repair by this command ({in_short(error)}); restore a backup"
            ) from error
        left = check(corpus.connection, deep=True)
    if as_json:
        put_json({"done": done, "left": left})
    else:
        for line in done:
            say(line)
        for line in left:
            put(line)
        if not left:
            say(f"{db}: sound")
    if left:
        raise click.ClickException(f"{db}: {len(left)} things are still wrong; restore a backup")


@click.command("vacuum")
@database_argument
@json_option
def vacuum_command(db: str, as_json: bool) -> None:
    """Give unused space of DB back and order its indexes.

    Example: asciiloom vacuum art.db
    """
    with Corpus(db) as corpus:
        before, after = vacuum(corpus.connection)
    if as_json:
        put_json({"before": before, "after": after})
    else:
        say(f"{before:,} bytes before, {after:,} after")


@click.command("index")
@database_argument
@quiet_option
def index_command(db: str, quiet: bool) -> None:
    """Fill the index of shapes, which a large ingest leaves for later. Searches find the same without it, slower.

    Example: asciiloom index art.db
    """
    with Corpus(db) as corpus, progress("shapes", quiet=quiet) as bar:
        count = index_shapes(corpus.connection, bar)
    say(f"{count:,} pieces indexed")


def _put_estimate(found: "LeakEstimate") -> None:
    """The nearest neighbours in train, and the rate of leaks."""
    if found.neighbours:
        columns = (
            "held out",
            "split",
            "nearest in train",
            "similarity",
            "dedup says",
            "says little",
        )
        rows = [
            (
                n.held_out,
                n.split,
                n.train,
                n.similarity,
                n.verdict or "",
                "" if n.telling else "yes",
            )
            for n in found.neighbours[:20]
        ]
        put(table(rows, columns))
    say(
        f"edit distance to all of {found.train:,} training pieces: {found.leaked:,} of {found.sampled:,}"
        f" held-out ones have a near copy there, {found.rate:.1%} (95 %: {found.low:.1%} to"
        f" {found.high:.1%}); and {found.plain_leaked:,} of {found.plain_sampled:,} that say little"
    )


@click.command("splits")
@database_argument
@click.option(
    "--check",
    "checking",
    is_flag=True,
    help="Look for families on several sides (exit 1 if there are), and estimate what dedup missed.",
)
@click.option(
    "--sample",
    type=click.IntRange(0),
    default=400,
    show_default=True,
    help="Held-out pieces that --check holds against every training piece; 0 for none.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of that sample.")
@json_option
@quiet_option
def splits_command(
    db: str, checking: bool, sample: int, seed: int, as_json: bool, quiet: bool
) -> None:
    """Show how DB is split, and with --check whether near-twins or frames of a film leak from one side to another.

    --check tells of leaks that dedup's own verdicts show. Then it draws a sample of test and validation
    pieces and searches all of train for the nearest one to each by edit distance, which dedup does not
    use: the nearest found, and the rate of leaks with its 95 % limits.

    Example: asciiloom splits art.db --check
    """
    estimate = None
    with Corpus(db) as corpus:
        rows: list[tuple[Any, ...]] = corpus.connection.execute(
            "SELECT coalesce(split, 'none yet'), count(*), sum(canonical), count(DISTINCT cluster_id)"
            " FROM piece GROUP BY split ORDER BY 2 DESC"
        ).fetchall()
        leaks = check_splits(corpus.connection) if checking else []
        if checking and sample:
            from asciiloom.twins.leaks import estimate_leak  # loads a compiler

            with progress("leaks", quiet=quiet) as bar:
                estimate = estimate_leak(corpus.connection, sample, seed, bar)
    names = ("split", "pieces", "canonical", "clusters")
    if as_json:
        shown = [{"a": k.a, "b": k.b, "sides": k.sides, "by": k.by} for k in leaks[:1000]]
        report: dict[str, Any] = {"splits": [dict(zip(names, row, strict=True)) for row in rows]}
        found = {"estimate": asdict(estimate)} if estimate else {}
        put_json(report | ({"leaks": len(leaks), "pairs": shown} if checking else {}) | found)
    else:
        put(table(rows, names))
        for leak in leaks[:20]:
            put(f"leak: {leak.a} ({leak.sides[0]}) and {leak.b} ({leak.sides[1]}), {leak.by}")
        if checking:
            say(f"{len(leaks):,} leaks" if leaks else "no leak: every family is on one side")
        if estimate:
            _put_estimate(estimate)
    if leaks:
        raise SystemExit(1)
