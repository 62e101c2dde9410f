"""``rejections``: what ingest did not take, and taking it anyway."""

from typing import Any

import click

from asciiloom.cli.options import database_argument
from asciiloom.cli.output import put, put_rows, say, table
from asciiloom.corpus import Corpus
from asciiloom.curate.rejected import accept, read_again, rejected, rejections
from asciiloom.emit import neutral


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
            _list([one.to_dict() for one in chosen], form)
            if not form and not chosen:
                say("nothing was rejected")
            elif not form and len(chosen) == limit:
                total = len(rejections(connection, reasons=reasons, sources=sources))
                say(f"{len(chosen):,} of {total:,}; more with -n or --offset")


def _list(rows: list[dict[str, Any]], form: str | None) -> None:
    for row in rows:  # what no reader took may be called anything
        row.update({key: neutral(value) for key, value in row.items() if isinstance(value, str)})
    if form:
        put_rows(rows, form)
    elif rows:
        put(table([tuple(row.values()) for row in rows], tuple(rows[0])))
