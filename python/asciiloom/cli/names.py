"""``tag`` and ``artist``: names by which pieces are found. What ``tag`` does is an edit that ``undo`` takes back;
``artist`` changes no piece, only who is meant by which name."""

import json
from collections.abc import Sequence
from typing import Any

import click

from asciiloom.cli.options import database_argument, json_option
from asciiloom.cli.output import put, put_rows, say, table
from asciiloom.cli.pieces import chosen_pieces, pieces_options, tell
from asciiloom.corpus import Corpus
from asciiloom.curate.artists import (
    add_aliases,
    merge_people,
    others,
    people,
    remove_aliases,
    rename_person,
)
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


@click.group("artist")
def artist_command() -> None:
    """Say which names are one artist's: initials, spellings, former names. --artist finds by all of them.

    \b
    Example: asciiloom artist list art.db
             asciiloom artist alias art.db "Joan G. Stark" jgs "Joan Stark"
    """


@artist_command.command("list")
@database_argument
@click.option(
    "--others", "unknown", is_flag=True, help="Those whom pieces name and nobody listed yet."
)
@click.option("--json", "form", flag_value="json", help="One JSON array.")
@click.option("--nl", "form", flag_value="nl", help="JSON lines.")
@click.option("--csv", "form", flag_value="csv", help="CSV.")
def artist_list(db: str, unknown: bool, form: str | None) -> None:
    """List the artists of DB with their other names and how many pieces they have.

    \b
    Example: asciiloom artist list art.db
             asciiloom artist list art.db --others --csv
    """
    with Corpus(db) as corpus:
        rows = others(corpus.connection) if unknown else people(corpus.connection)
    if form:
        put_rows(rows, form)
    elif rows:
        cells = [(row["name"], row["pieces"], ", ".join(row["aliases"])) for row in rows]
        put(table(cells, ("artist", "pieces", "also")))
    else:
        say("nobody is listed")


@artist_command.command("alias")
@database_argument
@click.argument("name")
@click.argument("aliases", nargs=-1, required=True)
def artist_alias(db: str, name: str, aliases: tuple[str, ...]) -> None:
    """ALIASES are other names of NAME.

    Example: asciiloom artist alias art.db "Joan G. Stark" jgs "Joan Stark"
    """
    with Corpus(db) as corpus:
        added = add_aliases(corpus.connection, name, aliases)
    say(f"{name}: {_counted(added, 'new name')}")


@artist_command.command("unalias")
@database_argument
@click.argument("aliases", nargs=-1, required=True)
def artist_unalias(db: str, aliases: tuple[str, ...]) -> None:
    """ALIASES are no names of whom they were given to.

    Example: asciiloom artist unalias art.db VK
    """
    with Corpus(db) as corpus:
        gone = remove_aliases(corpus.connection, aliases)
    say(f"{_counted(gone, 'name')} taken away")


@artist_command.command("rename")
@database_argument
@click.argument("name")
@click.argument("new")
def artist_rename(db: str, name: str, new: str) -> None:
    """The artist NAME is listed as NEW; the former name stays an alias.

    Example: asciiloom artist rename art.db ejm "Erik Jan Meyer"
    """
    with Corpus(db) as corpus:
        rename_person(corpus.connection, name, new)
    say(f"{name} is listed as {new}")


@artist_command.command("merge")
@database_argument
@click.argument("into")
@click.argument("names", nargs=-1, required=True)
def artist_merge(db: str, into: str, names: tuple[str, ...]) -> None:
    """The listed artists NAMES are the same person as INTO.

    Example: asciiloom artist merge art.db Valkyrie Valky
    """
    with Corpus(db) as corpus:
        merged = merge_people(corpus.connection, into, names)
    say(f"{into}: {_counted(merged, 'artist')} merged")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
