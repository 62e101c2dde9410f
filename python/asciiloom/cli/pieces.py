"""What the curating commands share: which pieces are meant, and what is said of an edit."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from asciiloom.cli.options import build_selection, json_option, selection_options
from asciiloom.cli.output import put_json, say
from asciiloom.corpus import Corpus
from asciiloom.curate.edits import Change, Edited, apply
from asciiloom.store.names import check_sources

F = TypeVar("F", bound=Callable[..., Any])


def pieces_options(function: F) -> F:
    """NUMBERS, or --where and all the options of a selection; --dry-run; --json."""
    for wrap in (
        json_option,
        click.option("--dry-run", is_flag=True, help="Only say how many pieces it would be."),
        selection_options,
        click.option("--where", help="All pieces that this search finds, instead of NUMBERS."),
        click.argument("numbers", nargs=-1, type=int),
    ):
        function = wrap(function)
    return function


def chosen_pieces(
    corpus: Corpus, numbers: Sequence[int], where: str | None, given: dict[str, Any]
) -> list[int]:
    selected = where is not None or any(v not in (None, (), False) for v in given.values())
    if bool(numbers) == selected:
        raise click.UsageError(
            "name the pieces by NUMBERS or by --where and filters, one of the two"
        )
    if numbers:
        for number in numbers:
            corpus.get(number)  # says so where there is none
        return list(numbers)
    selection = build_selection(given, text=where)
    check_sources(corpus.connection, selection.sources)
    return corpus.ids(selection)


def decide(
    db: str,
    command: str,
    changes_of: Callable[[int], Sequence[Change]],
    numbers: Sequence[int],
    where: str | None,
    dry_run: bool,
    as_json: bool,
    given: dict[str, Any],
) -> None:
    with Corpus(db) as corpus:
        pieces = chosen_pieces(corpus, numbers, where, given)
        changes = [change for number in pieces for change in changes_of(number)]
        done = None if dry_run else apply(corpus.connection, command, changes)
    tell(done, as_json, len(pieces))


def tell(done: Edited | None, as_json: bool, asked: int) -> None:
    changed = done.changes if done else 0
    if as_json:
        put_json(
            {
                "edit": done.id if done else None,
                "pieces": done.pieces if done else asked,
                "changed": changed,
                "dry_run": done is None,
            }
        )
    elif done is None:
        say(f"{asked:,} pieces (dry run: nothing changed)")
    elif done.id is None:
        say("nothing to change")
    else:
        say(
            f"edit {done.id}: {done.pieces:,} pieces, {changed:,} changes; `asciiloom undo` takes it back"
        )
