"""``search``, ``show``, ``stats``: looking at a corpus."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from asciiloom.cli.options import (
    build_selection,
    database_argument,
    force_option,
    json_option,
    selection_options,
)
from asciiloom.cli.output import put, put_json, put_rows, say, table
from asciiloom.corpus import Corpus
from asciiloom.emit import TARGETS, emit, neutral, paint_terminal
from asciiloom.outputs import check_output_file, check_output_folder, is_stdout
from asciiloom.store import Selection
from asciiloom.store.names import check_sources, nearest

# A page of pieces near in shape is what the filters leave of so many.
LIKE_FROM = 200
_TABLE = ("id", "width", "height", "title", "artist", "source", "tags")
_HIDDEN = ("bare_hash", "mirror_hash", "source_id", "ingest_id")


def _line(record: dict[str, Any]) -> str:
    """One line about a piece: number, size, title, artist, source, licence."""
    parts = [f"#{record['id']}", f"{record['width']}x{record['height']}"]
    parts += [str(record["title"])] if record["title"] else []
    if record["artist"]:
        parts.append(f"by {record['artist']}")
    elif record.get("signed"):
        parts.append(f"signed by {record['signed']}")
    parts.append(str(record["source"]))
    parts += [f"({record['licence']})"] if record["licence"] else []
    return " - ".join(parts)


@click.command("search")
@database_argument
@click.argument("query", required=False)
@selection_options
@click.option("-n", "--limit", type=click.IntRange(min=0), default=10, show_default=True)
@click.option("--offset", type=click.IntRange(min=0), default=0)
@click.option(
    "--order",
    type=click.Choice(["rank", "id", "small", "large", "newest"]),
    default="rank",
    show_default=True,
)
@click.option("--like", type=int, metavar="ID", help="Near in shape to piece ID, nearest first.")
@click.option("--random", "shuffled", is_flag=True, help="In random order, by --seed.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--json", "form", flag_value="json", help="One JSON array.")
@click.option("--nl", "form", flag_value="nl", help="JSON lines.")
@click.option("--csv", "form", flag_value="csv", help="CSV.")
@click.option("--table", "form", flag_value="table", help="A line per piece, without the art.")
@click.option(
    "--columns",
    metavar="NAME,...",
    help="Only these, in this order; a table where nothing else is said.",
)
@click.option("--count", "only_count", is_flag=True, help="Only how many there are.")
def search_command(
    db: str,
    query: str | None,
    limit: int,
    offset: int,
    order: str,
    like: int | None,
    shuffled: bool,
    seed: int,
    form: str | None,
    columns: str | None,
    only_count: bool,
    **given: Any,
) -> None:
    """Find pieces in DB: words of title, tags, artist and description, and any filter.

    \b
    QUERY knows "a phrase", prefix*, -without, this OR that, title: artist: tags: (a word of one), tag: (a whole one)
    Example: asciiloom search art.db dragon --max 60x20
             asciiloom search art.db --glyphs '(o.o)' --width ..30
             asciiloom search art.db --glyphs $'/\\\\_/\\\\\\n( o.o )'
             asciiloom search art.db --like 17
             asciiloom search art.db cat --columns id,title,artist --csv
    """
    selection = build_selection(
        given,
        text=query,
        order="random" if shuffled else order,
        seed=seed,
        limit=None if only_count else limit,
        offset=0 if only_count else offset,
    )
    shown = [name.strip() for name in columns.split(",")] if columns else []
    if shown and form is None:
        form = "table"
    with Corpus(db) as corpus:
        check_sources(corpus.connection, selection.sources)
        if like is not None:
            near = [near.id for near in corpus.alike(like, LIKE_FROM)]
            fits = set(
                corpus.ids(selection.replace(ids=tuple(near), limit=None, offset=0, order="id"))
            )
            page = [number for number in near if number in fits][offset : offset + limit]
            place = {number: k for k, number in enumerate(page)}
            selection = Selection(ids=tuple(page), withdrawn=selection.withdrawn)
        if only_count:
            put(str(corpus.count(selection) if like is None else len(fits)))
            return
        records = corpus.select(selection)
        if like is not None:
            records = iter(sorted(records, key=lambda record: place[record["id"]]))
        if form in ("json", "nl", "csv"):
            put_rows(_public(records, shown), form)
            return
        found = list(records)
        if form == "table":
            rows = _public(found, shown or _TABLE)
            cells = [tuple(map(_cell, row.values())) for row in rows]
            put(table(cells, shown or _TABLE))
        else:
            for record in found:
                put(f"{record['text']}\n")
                say(f"  {_line(record)}\n")
        if len(found) == limit:
            everything = selection.replace(limit=None, offset=0, order="id")
            total = corpus.count(everything) if like is None else len(fits)
            say(f"{len(found)} of {total:,}; more with -n or --offset")
        elif not found:
            say("nothing found")


def _public(
    records: Iterable[dict[str, Any]], columns: Sequence[str] = ()
) -> Iterator[dict[str, Any]]:
    """What of each record people see, or only its ``columns``."""
    for record in records:
        public = {key: value for key, value in record.items() if key not in _HIDDEN}
        for name in columns:
            if name not in public:
                near = nearest(name, public)
                hint = f"did you mean {near!r}?" if near else f"it has {', '.join(public)}"
                raise click.UsageError(f"a piece has no column {name!r}; {hint}")
        yield {name: public[name] for name in columns} if columns else public


def _cell(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, list) else value


@click.command("show")
@database_argument
@click.argument("number", type=int)
@click.option("--original", is_flag=True, help="The bytes it came from, exactly, and nothing else.")
@click.option("--path", help="With --original: the place it was seen, where there are several.")
@click.option("--colour", "--color", "colour", is_flag=True, help="In its own colours.")
@click.option(
    "--format",
    "target",
    type=click.Choice(list(TARGETS)),
    help="Only the art, ready to paste there.",
)
@json_option
def show_command(
    db: str,
    number: int,
    original: bool,
    path: str | None,
    colour: bool,
    target: str | None,
    as_json: bool,
) -> None:
    """Show piece NUMBER of DB: the art, its credit, where it was found, its near-twins.

    \b
    Example: asciiloom show art.db 17
             asciiloom show art.db 17 --colour
    """
    with Corpus(db) as corpus:
        if original:
            sys.stdout.buffer.write(corpus.original(number, path))
            return
        record = corpus.get(number)
        plane = corpus.colour(number) if colour or target == "html" else None
    if as_json:
        put_json({key: value for key, value in record.items() if key not in _HIDDEN})
        return
    if target:
        put(emit(record["text"], target, {"title": record["title"], "colour": plane}))
        return
    if plane is not None:
        click.echo(paint_terminal(record["text"], plane), color=True)
    else:
        put(record["text"])
        if colour:
            say(f"piece {number} has no colours of its own")
    say("")
    say(_line(record))
    for name in ("description", "crew", "made", "kind", "charset", "split"):
        if record[name]:
            say(f"  {name}: {record[name]}")
    parts = _shortcomings(record) if record["quality"] < 1 else {}
    why = f" ({', '.join(f'{name} {part:g}' for name, part in parts.items())})" if parts else ""
    say(f"  quality: {record['quality']:g}{why}")
    if record["flags"]:
        say(f"  flags: {', '.join(record['flags'])}")
    if record["tags"]:
        say(f"  tags: {', '.join(record['tags'])}")
    for span in record["credits"]:
        say(
            f"  signed: {span['text']} ({span['artist']}) at row {span['row']}, column {span['col']}"
        )
    for origin in record["origins"]:
        where = f"{origin['path']} {origin['locator']}".strip()
        say(f"  found in: {origin['source']}: {where} [{origin['encoding']}; {origin['steps']}]")
    for twin in record["twins"][:10]:
        say(
            f"  {twin['verdict']}: #{twin['id']} agrees {twin['agreement']:.0%} ({twin['evidence']})"
        )


def _shortcomings(record: dict[str, Any]) -> dict[str, float]:
    """What takes how much off the quality of a piece."""
    from asciiloom.piece import quality  # compiled, so only for a piece that falls short

    parts = quality(record["text"], tuple(record["flags"])).parts
    return {name: part for name, part in parts.items() if part < 1}


@click.command("stats")
@database_argument
@click.argument("query", required=False)
@selection_options
@click.option(
    "--plots",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also draw PNGs into this folder.",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write one HTML file to send.",
)
@force_option
@json_option
def stats_command(
    db: str,
    query: str | None,
    plots: Path | None,
    report: Path | None,
    force: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Count what a selection of DB holds: sizes, quality, sources, tags, licences, twins, splits, lint.

    \b
    Example: asciiloom stats art.db --tag cat --max 40x12
             asciiloom stats art.db --plots charts/ --report art.html
    """
    from asciiloom.curate.statistics import stats

    selection = build_selection(given, text=query)
    if plots is not None or report is not None:
        from asciiloom.curate.charts import PLOT_FILES, write_plots, write_report

        if plots is not None:
            check_output_folder(plots, names=PLOT_FILES, force=force, inputs=[db])
        if report is not None and is_stdout(report):
            raise click.UsageError("the numbers go to standard output; name a file for --report")
        if report is not None:
            check_output_file(report, force=force, inputs=[db])
    with Corpus(db) as corpus:
        check_sources(corpus.connection, selection.sources)
        found = stats(corpus.connection, selection)
        if plots is not None:
            for path in write_plots(corpus.connection, selection, plots, force=force):
                say(str(path))
        if report is not None:
            title = f"{Path(db).stem}: text art"
            write_report(corpus.connection, selection, report, title, force=force)
            say(str(report))
    if as_json:
        put_json(found)
        return
    put(
        f"{found['pieces']:,} pieces, {found['characters']:,} characters, {found['ink']:,} of them ink;"
        f" {found['canonical']:,} canonical, {found['with_artist']:,} with an artist"
    )
    sizes = [(name, *p.values()) for name, p in found["percentiles"].items() if p]
    put("\n" + table(sizes, ("measure", "least", "10 %", "median", "90 %", "99 %", "most")))
    for name in (
        "sources",
        "kinds",
        "charsets",
        "licences",
        "splits",
        "tags",
        "artists",
        "lint",
        "rejections",
    ):
        if found[name]:
            put("\n" + table(found[name].items(), (neutral(name), "pieces")))
