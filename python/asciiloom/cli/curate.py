"""``edit``, ``reject``, ``restore``, ``delete``, ``credit``, ``license``, ``review``, ``undo``, ``history``: deciding
about pieces. All but ``delete`` can be taken back with ``undo``."""

import csv
import io
import json
import sys
from pathlib import Path
from typing import Any

import click

from asciiloom.cli.options import database_argument, json_option
from asciiloom.cli.output import put, put_json, put_rows, say, table
from asciiloom.cli.pieces import chosen_pieces, decide, pieces_options, tell
from asciiloom.corpus import Corpus
from asciiloom.curate.edits import COLUMNS, Change, apply, changes_from_rows, history, undo
from asciiloom.curate.removal import remove
from asciiloom.curate.review import Review, reviews
from asciiloom.piece import redistributable, spdx


@click.command("edit")
@database_argument
@click.option(
    "--set",
    "fields",
    multiple=True,
    metavar="FIELD=VALUE",
    help=f"{', '.join(COLUMNS)}, tags or text; - empties.",
)
@click.option(
    "--from",
    "table_file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="A CSV, JSON or JSON lines file with id and columns to set.",
)
@pieces_options
def edit_command(
    db: str,
    fields: tuple[str, ...],
    table_file: str | None,
    numbers: tuple[int, ...],
    where: str | None,
    dry_run: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Change fields of pieces NUMBERS, or of all that --where and filters find, or of the rows of a table.

    \b
    Example: asciiloom edit art.db 17 --set title="A cat" --set artist=jgs
             asciiloom search art.db --nl | jq -c '{id, title}' | asciiloom edit art.db --from -
    """
    if bool(fields) == (table_file is not None):
        raise click.UsageError("say what to change by --set or by --from, one of the two")
    if table_file is not None:
        if numbers or where is not None:
            raise click.UsageError("--from names its pieces itself")
        changes = changes_from_rows(_rows(table_file))
        with Corpus(db) as corpus:
            done = (
                None if dry_run else apply(corpus.connection, f"edit --from {table_file}", changes)
            )
        tell(done, as_json, len({c.piece for c in changes}))
        return
    row: dict[str, Any] = {}
    for field in fields:
        name, equals, value = field.partition("=")
        if not equals:
            raise click.UsageError(f"--set {field!r} is not of the form FIELD=VALUE")
        row[name] = value or "-"
    decide(
        db,
        "edit " + " ".join(f"--set {f}" for f in fields)[:200],
        lambda number: changes_from_rows([{"id": number, **row}]),
        numbers, where, dry_run, as_json, given,
    )  # fmt: skip


def _rows(name: str) -> list[dict[str, Any]]:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8-sig")
        start = text.lstrip()[:1]
        if start == "[":
            return list(json.loads(text))
        if start == "{":
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        # A cell may hold a whole drawing: as much as the file has.
        csv.field_size_limit(max(csv.field_size_limit(), len(text)))
        return list(csv.DictReader(io.StringIO(text)))
    except (ValueError, RecursionError, csv.Error) as error:
        raise click.ClickException(f"{name} is neither JSON nor CSV in UTF-8: {error}") from error


@click.command("reject")
@database_argument
@click.option("--reason", default="rejected by a curator", show_default=True)
@pieces_options
def reject_command(
    db: str,
    reason: str,
    numbers: tuple[int, ...],
    where: str | None,
    dry_run: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Take pieces NUMBERS, or all that --where and filters find, out of every selection. They stay in DB.

    Example: asciiloom reject art.db 17 --reason "a ruler, not art"
    """
    decide(
        db, f"reject: {reason}", lambda number: [Change(number, "withdrawn", reason)],
        numbers, where, dry_run, as_json, given,
    )  # fmt: skip


@click.command("restore")
@database_argument
@pieces_options
def restore_command(
    db: str, numbers: tuple[int, ...], where: str | None, dry_run: bool, as_json: bool, **given: Any
) -> None:
    """Bring rejected pieces NUMBERS, or all that --where and filters find, back.

    Example: asciiloom restore art.db 17
    """
    if (
        not numbers
        and where is None
        and not any(v not in (None, (), False) for v in given.values())
    ):
        raise click.UsageError(
            "name the pieces by NUMBERS or by --where and filters (--withdrawn: all)"
        )
    given["withdrawn"] = not numbers
    decide(
        db, "restore", lambda number: [Change(number, "withdrawn", None)],
        numbers, where, dry_run, as_json, given,
    )  # fmt: skip


@click.command("delete")
@database_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@pieces_options
def delete_command(
    db: str,
    yes: bool,
    numbers: tuple[int, ...],
    where: str | None,
    dry_run: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Delete pieces NUMBERS, or all that --where and filters find, with their originals. For good.

    Nothing of them stays in DB, nor can `undo` bring them back; `reject` only puts them aside, and keeps
    them out when they are seen again.

    Example: asciiloom delete art.db 17 --yes
    """
    with Corpus(db) as corpus:
        pieces = chosen_pieces(corpus, numbers, where, given)
        if pieces and not (dry_run or yes):
            click.confirm(f"Delete {len(pieces):,} pieces for good?", abort=True, err=True)
        gone = 0 if dry_run else remove(corpus.connection, pieces)
    if as_json:
        put_json({"pieces": len(pieces), "deleted": gone, "dry_run": dry_run})
    else:
        say(f"{len(pieces):,} pieces {'(dry run: nothing changed)' if dry_run else 'deleted'}")


@click.command("credit")
@database_argument
@click.argument("artist")
@pieces_options
def credit_command(
    db: str,
    artist: str,
    numbers: tuple[int, ...],
    where: str | None,
    dry_run: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Credit pieces NUMBERS, or all that --where and filters find, to ARTIST (- for nobody).

    Example: asciiloom credit art.db "Joan G. Stark" 17 18
    """
    name = None if artist == "-" else artist
    decide(
        db, f"credit {artist}", lambda number: [Change(number, "artist", name)],
        numbers, where, dry_run, as_json, given,
    )  # fmt: skip


@click.command("license")
@database_argument
@click.argument("licence")
@pieces_options
def license_command(
    db: str,
    licence: str,
    numbers: tuple[int, ...],
    where: str | None,
    dry_run: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Put pieces NUMBERS, or all that --where and filters find, under LICENCE (- for none stated).

    Known names and addresses are kept as SPDX identifiers. What is not known is kept as it is, and is not
    --redistributable.

    Example: asciiloom license art.db CC-BY-4.0 --source mine
    """
    name = None if licence == "-" else licence
    if name is not None and redistributable(name) is not True:
        known = spdx(name)
        why = "does not allow that" if redistributable(name) is False else "does not tell"
        say(f"not to be redistributed: {known or repr(name)} {why}")
    decide(
        db, f"license {licence}", lambda number: [Change(number, "licence", name)],
        numbers, where, dry_run, as_json, given,
    )  # fmt: skip


@click.command("undo")
@database_argument
@click.argument("number", type=int, required=False)
@json_option
def undo_command(db: str, number: int | None, as_json: bool) -> None:
    """Take back the last edit of DB, or edit NUMBER. What was changed again since stays.

    Example: asciiloom undo art.db
    """
    with Corpus(db) as corpus:
        done = undo(corpus.connection, number)
    if as_json:
        put_json(
            {"edit": done.id, "pieces": done.pieces, "changed": done.changes, "left": done.left}
        )
    else:
        left = f", {done.left:,} left alone (changed again since)" if done.left else ""
        say(f"edit {done.id} taken back: {done.pieces:,} pieces, {done.changes:,} changes{left}")


@click.command("history")
@database_argument
@click.option("-n", "--limit", type=click.IntRange(min=1), default=20, show_default=True)
@click.option("--json", "form", flag_value="json", help="One JSON array.")
@click.option("--nl", "form", flag_value="nl", help="JSON lines.")
@click.option("--csv", "form", flag_value="csv", help="CSV.")
def history_command(db: str, limit: int, form: str | None) -> None:
    """List the last edits of DB, newest first.

    Example: asciiloom history art.db
    """
    with Corpus(db) as corpus:
        rows = history(corpus.connection, limit)
    if form:
        put_rows(rows, form)
    elif rows:
        put(table([tuple(row.values()) for row in rows], tuple(rows[0])))
    else:
        say("nothing was edited")


@click.command("review")
@database_argument
@click.option(
    "--verdict",
    type=click.Choice(["same", "variant", "apart"]),
    default="variant",
    show_default=True,
)
@click.option("-n", "--limit", type=click.IntRange(min=1), default=10, show_default=True)
@click.option("--all", "everything", is_flag=True, help="Also pairs that a person has judged.")
@click.option(
    "--set",
    "pair",
    nargs=3,
    metavar="A B VERDICT",
    help="Judge the pair A B: same, variant or apart.",
)
@click.option("--json", "form", flag_value="json", help="One JSON array.")
@click.option("--nl", "form", flag_value="nl", help="JSON lines.")
def review_command(
    db: str,
    verdict: str,
    limit: int,
    everything: bool,
    pair: tuple[str, str, str] | None,
    form: str | None,
) -> None:
    """Show near-twin pairs side by side with what speaks for them, those nearest a line first; or judge one.

    \b
    Example: asciiloom review art.db --verdict variant
             asciiloom review art.db --set 17 92 same
    """
    with Corpus(db) as corpus:
        if pair:
            if not (pair[0].isdecimal() and pair[1].isdecimal()):
                raise click.UsageError("--set takes two piece numbers and a verdict")
            change = Change(int(pair[0]), f"twin {int(pair[1])}", pair[2])
            done = apply(corpus.connection, f"review {pair[0]} {pair[1]} {pair[2]}", [change])
            tell(done, False, 2)
            return
        found = reviews(corpus.connection, verdict, limit, everything)
        if form:
            put_rows((review.to_dict() for review in found), form)
            return
        for review in found:
            _show(review)
    if not found:
        say(f"no pair to review as {verdict}")


def _show(review: Review) -> None:
    put("\n".join(review.side_by_side()))
    say(f"  #{review.a} and #{review.b}: {review.why}\n")
