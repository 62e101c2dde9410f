"""``init``, ``ingest``, ``rejections``, ``formats``, ``dedup``: making a corpus."""

import codecs
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from asciiloom.cli.options import FiniteRange, database_argument, json_option, quiet_option
from asciiloom.cli.output import progress, put, put_json, put_rows, say, table
from asciiloom.corpus import Corpus
from asciiloom.curate.rejected import accept, read_again, rejected, rejections
from asciiloom.emit import neutral
from asciiloom.ingest.extent import Extent
from asciiloom.ingest.pipeline import usable_workers
from asciiloom.ingest.writer import Tally
from asciiloom.piece import one_line
from asciiloom.readers import ReadOptions, readers
from asciiloom.store.names import check_sources


@click.command("init")
@database_argument
@json_option
def init_command(db: str, as_json: bool) -> None:
    """Make an empty corpus at DB (or bring an older one to the newest schema).

    Example: asciiloom init art.db
    """
    there = Path(db).exists()
    with Corpus(db, create=True) as corpus:
        version = corpus.connection.execute("PRAGMA user_version").fetchone()[0]
    if as_json:
        put_json({"db": db, "created": not there, "schema_version": version})
    else:
        say(f"{db}: {'is a corpus' if there else 'new corpus'}, schema version {version}")


@click.command("ingest")
@database_argument
@click.argument("paths", nargs=-1, required=True)
@click.option("--source", help="Name of the collection, where the input does not say.")
@click.option("--license", "licence", help="Licence of the pieces, where the input does not say.")
@click.option("--artist", help="Artist of the pieces, where the input does not say.")
@click.option("--tag", "tags", multiple=True, help="Add this tag to every piece.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="ROLE=NAME",
    help="Table column of a role, e.g. text=art.",
)
@click.option("--whole", is_flag=True, help="A text file is one piece, never a page of several.")
@click.option("--encoding", help="Of text files, e.g. cp866; found by their bytes where not given.")
@click.option("--word", "words", multiple=True, help="Set this in every font file met, too.")
@click.option("--frames", is_flag=True, help="Keep every frame of a film, however alike.")
@click.option(
    "--image-width",
    type=click.IntRange(2, 1000),
    default=80,
    show_default=True,
    help="Columns to draw images in.",
)
@click.option(
    "--image-glyphs",
    default="ascii",
    show_default=True,
    help="Glyphs to draw images with: ascii, blocks, braille or a string of them; -tone behind it"
    " goes by darkness alone.",
)
@click.option("--limit", type=click.IntRange(1, sys.maxsize), help="Stop after this many items.")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    help="Processes that read and measure; found by the size of the input where not given.",
)
@json_option
@quiet_option
def ingest_command(
    db: str,
    paths: tuple[str, ...],
    source: str | None,
    licence: str | None,
    artist: str | None,
    tags: tuple[str, ...],
    columns: tuple[str, ...],
    whole: bool,
    encoding: str | None,
    words: tuple[str, ...],
    frames: bool,
    image_width: int,
    image_glyphs: str,
    limit: int | None,
    workers: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Read PATHS (files, folders, archives, - for stdin, hf:owner/name) into the corpus DB, made if
    missing. `asciiloom formats` lists what is read.

    Every item is accounted for: read = new + duplicate + rejected. A second run adds nothing.

    Example: asciiloom ingest art.db drawings/ more.jsonl.gz --source mine --license CC0-1.0
    """
    mapping = {}
    for column in columns:
        role, equals, name = column.partition("=")
        if not (role and equals and name):
            raise click.UsageError(f"--column {column!r} is not of the form ROLE=NAME")
        mapping[role] = name
    if encoding is not None:
        try:
            encoding = codecs.lookup(encoding).name
        except LookupError as error:
            raise click.UsageError(
                f"--encoding {encoding!r} is not one that Python knows"
            ) from error
    options = ReadOptions(
        one_line(source),
        one_line(licence),
        one_line(artist),
        tags,
        mapping,
        whole,
        encoding,
        words,
        image_width,
        image_glyphs,
        frames,
    )
    if workers is None:
        workers = usable_workers(paths)
    extent = Extent(() if quiet or not sys.stderr.isatty() else paths)
    unit = "reading" if extent.total is None else "reading kB"
    with Corpus(db, create=True) as corpus, progress(unit, quiet=quiet) as bar:

        def tick(tally: Tally, path: str) -> None:
            read, name = tally.row()["read"], Path(path).name
            if extent.total is None:
                bar(read, note=name)
            else:
                bar(extent.before(path) // 1000, extent.total // 1000, f"{read:,} items; {name}")

        total = corpus.ingest(paths, options, tick, limit, workers)
    for name in total.mostly_tiny():
        say(
            f"warning: {total.tiny[name]:,} pieces of {name}, most of it, are one or two characters; if the"
            " art is in another column, name it: --column text=NAME"
        )
    if as_json:
        put_json(_summary(total))
    else:
        _tell(total)
    _say_what_to_do(db, total)


def _tell(total: Tally) -> None:
    rows = [(name, *total.row(name).values()) for name in total.sources()]
    rows.append(("all", *total.row().values()))
    say(table(rows, ("source", "read", "new", "duplicate", "rejected")))
    for reason, count in total.reasons.most_common():
        say(f"  rejected: {count:,} {reason}")


@click.command("rejections")
@database_argument
@click.argument("numbers", nargs=-1, type=int)
@click.option("--reason", "reasons", multiple=True, help="For one of these reasons, e.g. prose.")
@click.option("--source", "sources", multiple=True, help="From one of these sources.")
@click.option("-n", "--limit", type=click.IntRange(min=0), default=20, show_default=True)
@click.option("--offset", type=click.IntRange(min=0), default=0)
@click.option("--accept", "accepting", is_flag=True, help="Take them as pieces all the same.")
@click.option(
    "--from",
    "file",
    type=click.Path(exists=True, dir_okay=False),
    help="The file that they were read from, where it was moved.",
)
@click.option("--json", "form", flag_value="json", help="One JSON array.")
@click.option("--nl", "form", flag_value="nl", help="JSON lines.")
@click.option("--csv", "form", flag_value="csv", help="CSV.")
def rejections_command(
    db: str,
    numbers: tuple[int, ...],
    reasons: tuple[str, ...],
    sources: tuple[str, ...],
    limit: int,
    offset: int,
    accepting: bool,
    file: str | None,
    form: str | None,
) -> None:
    """List what ingest rejected, the last first; show rejections NUMBERS in full; with --accept, take NUMBERS,
    or all that --reason and --source name, as pieces all the same.

    \b
    Example: asciiloom rejections art.db --reason prose
             asciiloom rejections art.db 17
             asciiloom rejections art.db 17 --accept
    """
    if accepting and not (numbers or reasons or sources):
        raise click.UsageError("say what to accept by NUMBERS, --reason or --source")
    if numbers and (reasons or sources):
        raise click.UsageError(
            "name rejections by NUMBERS or by --reason and --source, one of the two"
        )
    with Corpus(db) as corpus:
        connection = corpus.connection
        check_sources(connection, sources)
        if numbers:
            chosen = [rejected(connection, number) for number in numbers]
        else:
            page = (-1, 0) if accepting else (limit, offset)
            chosen = rejections(
                connection, reasons=reasons, sources=sources, limit=page[0], offset=page[1]
            )
        if accepting:
            tally = accept(connection, chosen, file).row()
            say(", ".join(f"{name} {count:,}" for name, count in tally.items()))
        elif numbers and not form:
            for one in chosen:
                put(neutral(read_again(connection, one, file).text))
                say(f"  #{one.id} - {one.reason} - {one.place}\n")
        else:
            _put_rejections([one.to_dict() for one in chosen], form)
            if not form and not chosen:
                say("nothing was rejected")
            elif not form and len(chosen) == limit:
                total = len(rejections(connection, reasons=reasons, sources=sources))
                say(f"{len(chosen):,} of {total:,}; more with -n or --offset")


def _put_rejections(rows: list[dict[str, Any]], form: str | None) -> None:
    for row in rows:  # what no reader took may be called anything
        row.update({key: neutral(value) for key, value in row.items() if isinstance(value, str)})
    if form:
        put_rows(rows, form)
    elif rows:
        put(table([tuple(row.values()) for row in rows], tuple(rows[0])))


@click.command("formats")
@click.option("--json", "form", flag_value="json", help="One JSON array.")
@click.option("--nl", "form", flag_value="nl", help="JSON lines.")
@click.option("--csv", "form", flag_value="csv", help="CSV.")
def formats_command(form: str | None) -> None:
    """List the formats that are read, in the order in which they are tried: how each is recognised and
    which independent program or rule its reader is held against.

    Example: asciiloom formats
    """
    rows = [
        {
            "name": reader.name,
            "extensions": " ".join(e for e in reader.extensions if e),
            "recognised": getattr(reader, "recognised", "a plug-in"),
            "oracle": getattr(reader, "oracle", ""),
            "summary": reader.summary,
        }
        for reader in readers()
    ]
    if form:
        put_rows(rows, form)
        return
    for row in rows:
        put(f"{row['name']:<12} {row['summary']}")
        put(f"{'':<12}   known by: {row['recognised']}")
        put(f"{'':<12}   held against: {row['oracle'] or 'nothing stated'}")


def _say_what_to_do(db: str, total: Tally) -> None:
    """A hint where something was rejected; exit 1 where that is all there was."""
    counts = total.row()
    if not counts["read"]:
        say(f"nothing was added to {db}: there was nothing to read")
    elif counts["read"] == counts["rejected"]:
        raise click.ClickException(
            f"nothing was added to {db}: all {counts['read']:,} items were rejected; see why, and take"
            f" them anyway, by: asciiloom rejections {db}"
        )
    elif counts["rejected"]:
        say(f"  each with its place and reason: asciiloom rejections {db}")


def _summary(total: Tally) -> dict[str, Any]:
    sources = {name: total.row(name) for name in total.sources()}
    return {**total.row(), "sources": sources, "reasons": dict(total.reasons.most_common())}


@click.command("dedup")
@database_argument
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Of the train/validation/test split."
)
@click.option(
    "--same",
    type=FiniteRange(0.4, 1),
    help="Share of agreeing ink from which pieces are the same.",
)
@click.option("--variant", type=FiniteRange(0.4, 1), help="And from which they are variants.")
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="ray: on a Ray cluster, or Ray on this machine.",
)
@click.option(
    "--shards",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for ray's shards that all its machines see.",
)
@json_option
@quiet_option
def dedup_command(
    db: str,
    seed: int,
    same: float | None,
    variant: float | None,
    engine: str,
    shards: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Find near-twins in DB, mark one canonical piece of each cluster, split without leaks.

    Only pieces that are new since the last run are signed and compared. --same and --variant move the
    thresholds between verdicts, from the scores that are kept; verdicts of `review` stay.

    Example: asciiloom dedup art.db
    """
    from asciiloom.twins.verdict_store import VerdictStore

    with Corpus(db) as corpus, progress("near-twins", quiet=quiet) as bar:

        def tick(stage: str, done: int, total: int) -> None:
            bar(done, total, step=stage)

        last = VerdictStore(corpus.connection).thresholds
        thresholds = replace(last, same=same or last.same, variant=variant or last.variant)
        report = corpus.dedup(
            seed=seed, thresholds=thresholds, progress=tick, engine=engine, shards=shards
        )
    if as_json:
        put_json(report.to_dict())
        return
    say(
        f"{report.pieces:,} pieces in {report.clusters:,} clusters: {report.twins:,} twins of"
        f" another piece, largest cluster {report.largest_cluster:,}"
    )
    say(
        f"pairs: {report.candidates:,} candidates, {report.same_pairs:,} the same,"
        f" {report.variant_pairs:,} variants"
    )
    say("splits: " + ", ".join(f"{name} {n:,}" for name, n in sorted(report.splits.items())))
    say("seconds: " + ", ".join(f"{name} {s:.1f}" for name, s in report.seconds.items()))
