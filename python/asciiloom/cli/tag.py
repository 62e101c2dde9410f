"""``tag``: adding, removing, renaming and merging tags, each an edit that ``undo`` takes back."""

import json
from collections.abc import Sequence
from typing import Any

import click

from asciiloom.cli.options import database_argument, json_option
from asciiloom.cli.pieces import chosen_pieces, pieces_options, tell
from asciiloom.corpus import Corpus
from asciiloom.curate.edits import rename_tags, retag
from asciiloom.piece import clean_tags


@click.group("tag")
def tag_command() -> None:
    """Add, remove, rename and merge tags.

    \b
    Example: asciiloom tag add art.db cat 17 18
             asciiloom tag rename art.db kitty cat
    """


def _tag(
    db: str,
    tag: str,
    add: bool,
    numbers: tuple[int, ...],
    where: str | None,
    dry_run: bool,
    as_json: bool,
    given: dict[str, Any],
) -> None:
    names = set(clean_tags(tag.split(",")))
    if not names:
        raise click.UsageError("a tag cannot be empty")
    with Corpus(db) as corpus:
        pieces = chosen_pieces(corpus, numbers, where, given)
        done = None
        if not dry_run:
            done = retag(
                corpus.connection,
                f"tag {'add' if add else 'rm'} {','.join(sorted(names))}",
                "SELECT value FROM json_each(?)",
                (lambda tags: tags | names) if add else (lambda tags: tags - names),
                [json.dumps(pieces)],
            )
    tell(done, as_json, len(pieces))


@tag_command.command("add")
@database_argument
@click.argument("tag")
@pieces_options
def tag_add(
    db: str,
    tag: str,
    numbers: tuple[int, ...],
    where: str | None,
    dry_run: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Give TAG (or several, a,b) to pieces NUMBERS, or to all that --where and filters find.

    \b
    Example: asciiloom tag add art.db cat 17 18
             asciiloom tag add art.db small --max 20x5
    """
    _tag(db, tag, True, numbers, where, dry_run, as_json, given)


@tag_command.command("rm")
@database_argument
@click.argument("tag")
@pieces_options
def tag_rm(
    db: str,
    tag: str,
    numbers: tuple[int, ...],
    where: str | None,
    dry_run: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Take TAG (or several, a,b) from pieces NUMBERS, or from all that --where and filters find.

    Example: asciiloom tag rm art.db misc --where dragon
    """
    _tag(db, tag, False, numbers, where, dry_run, as_json, given)


def _rename(db: str, old: Sequence[str], new: str, dry_run: bool, as_json: bool) -> None:
    with Corpus(db) as corpus:
        gone = clean_tags(old)
        marks = ",".join("?" * len(gone))
        (count,) = corpus.connection.execute(
            f"SELECT count(DISTINCT piece_id) FROM tag WHERE name IN ({marks})", gone
        ).fetchone()
        done = None if dry_run else rename_tags(corpus.connection, old, new)
    tell(done, as_json, count)


@tag_command.command("rename")
@database_argument
@click.argument("old")
@click.argument("new")
@click.option("--dry-run", is_flag=True, help="Only say how many pieces it would be.")
@json_option
def tag_rename(db: str, old: str, new: str, dry_run: bool, as_json: bool) -> None:
    """Every piece tagged OLD is tagged NEW instead.

    Example: asciiloom tag rename art.db kitty cat
    """
    _rename(db, [old], new, dry_run, as_json)


@tag_command.command("merge")
@database_argument
@click.argument("into")
@click.argument("tags", nargs=-1, required=True)
@click.option("--dry-run", is_flag=True, help="Only say how many pieces it would be.")
@json_option
def tag_merge(db: str, into: str, tags: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Every piece with one of TAGS gets INTO instead of them.

    Example: asciiloom tag merge art.db cat cats kitty "house cat"
    """
    _rename(db, [tag for tag in tags if tag != into], into, dry_run, as_json)
