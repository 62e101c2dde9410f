"""The command line: one file per group of commands, each imported only when it is called."""

import signal
import sys
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click

from asciiloom._version import __version__
from asciiloom.cli.failures import (
    CORPORA,
    give_up_output,
    in_one_line,
    is_closed_pipe,
    open_streams,
)
from asciiloom.signals import Terminated, terminable

# command -> (module below this package, what --help of the group says)
_COMMANDS = {
    "init": ("corpus", "Make an empty corpus."),
    "ingest": ("corpus", "Read files, folders or stdin into a corpus."),
    "formats": ("corpus", "List the formats that are read."),
    "rejections": ("corpus", "List what ingest rejected; show it; take it anyway."),
    "dedup": ("corpus", "Find near-twins, mark one of each, split without leaks."),
    "search": ("search", "Find pieces by words, shape, tag and size."),
    "show": ("search", "Show a piece with its credit, origins and twins."),
    "tag": ("names", "Add, remove, rename and merge tags."),
    "artist": ("names", "Say which names are one artist's."),
    "edit": ("curate", "Change fields of pieces, one by one or from a table."),
    "reject": ("curate", "Take pieces out of every selection."),
    "restore": ("curate", "Bring rejected pieces back."),
    "delete": ("curate", "Delete pieces for good."),
    "credit": ("curate", "Say who drew pieces."),
    "license": ("curate", "Say under which licence pieces are."),
    "review": ("curate", "Look at near-twin pairs and judge them."),
    "undo": ("curate", "Take an edit back."),
    "history": ("curate", "List the edits."),
    "stats": ("search", "Count what a selection holds."),
    "splits": ("keep", "Show the splits; look for leaks."),
    "index": ("keep", "Fill the index of shapes after a large ingest."),
    "import": ("keep", "Bring an exported corpus in."),
    "merge": ("keep", "Bring another corpus in."),
    "backup": ("keep", "Copy a corpus while it is in use."),
    "check": ("keep", "Look for damage."),
    "repair": ("keep", "Put damage right."),
    "vacuum": ("keep", "Give unused space back."),
    "browse": ("browse", "Gallery, search, twin review and editing in a web browser."),
    "train": ("training", "Train a model straight from a corpus."),
    "eval": ("evaluating", "Measure a model on held-out pieces, or what it draws."),
    "generate": ("drawing", "Draw pictures that fit."),
    "export": ("drawing", "Write a model, or a corpus, for other programs."),
    "demo": ("demo", "Everything once, on the data that comes with asciiloom."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is used, not when help is shown."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in _COMMANDS and not args[0].startswith("-"):
            near = get_close_matches(args[0], _COMMANDS, 1)
            ctx.fail(
                f"No such command {args[0]!r}." + (f" Did you mean {near[0]!r}?" if near else "")
            )
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"asciiloom.cli.{_COMMANDS[cmd_name][0]}")
        command = getattr(module, f"{cmd_name}_command")
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in _COMMANDS.items()])

    def main(self, *args: Any, **kwargs: Any) -> Any:
        with terminable():
            open_streams()
            return super().main(*args, **kwargs)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        try:
            return super().make_context(*args, **kwargs)
        except Exception as error:
            raise _last_word(error, []) from None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except Terminated:
            click.echo(f"terminated; {_KEPT}", err=True)
            ctx.exit(128 + signal.SIGTERM)
        except (KeyboardInterrupt, click.Abort) as error:
            # click answers an interrupt at a question with Abort, and so it does the end of stdin.
            if not any(isinstance(e, KeyboardInterrupt) for e in (error, error.__context__)):
                raise
            click.echo(f"interrupted; {_KEPT}", err=True)
            ctx.exit(130)
        except Exception as error:
            raise _last_word(error, ctx.meta.get(CORPORA, [])) from None
        return result


_KEPT = "what was committed is kept"


def _last_word(error: Exception, corpora: list[str]) -> Exception:
    """``error`` as click shows it in one line, or as it is where that is not for us to say."""
    if isinstance(error, click.exceptions.Exit | click.Abort) or is_closed_pipe(error):
        return error
    if isinstance(error, click.ClickException):
        return _neutral(error)
    said = in_one_line(error, corpora)
    if said is None:
        return error
    give_up_output()
    return _neutral(click.ClickException(said))


def _neutral(error: click.ClickException) -> click.ClickException:
    """The same error on one line, its control characters shown instead of sent to the terminal."""
    from asciiloom.emit import neutral

    said = neutral(" ".join(error.message.split("\n")))
    # Final to click, but only the error itself knows its context and its exit code.
    error.message = said  # type: ignore[misc]
    return error


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="asciiloom")
def main() -> None:
    """Curate text art in one SQLite file, train a tiny 2D transformer from it, generate art that fits.

    \b
    asciiloom ingest art.db drawings/ more.jsonl.gz
    asciiloom search art.db cat --max 40x12 --random --seed 1
    asciiloom train art.db --minutes 15 --out runs/first
    asciiloom generate runs/first "cat" --max 40x12
    """


__all__ = ["main"]
