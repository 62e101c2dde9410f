"""The command line: one file per group of commands, each imported only when it is called."""

from importlib import import_module
from typing import Any

import click

from asciiloom._version import __version__
from asciiloom.errors import AsciiloomError

# command -> (module below this package, what --help of the group says)
_COMMANDS = {
    "init": ("corpus", "Make an empty corpus."),
    "ingest": ("corpus", "Read files, folders or stdin into a corpus."),
    "formats": ("corpus", "List the formats that are read."),
    "dedup": ("corpus", "Find near-twins, mark one of each, split without leaks."),
    "search": ("search", "Find pieces by words, shape, tag and size."),
    "show": ("search", "Show a piece with its credit, origins and twins."),
    "tag": ("tag", "Add, remove, rename and merge tags."),
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
    "eval": ("training", "Measure a model on held-out pieces, beside baselines."),
    "generate": ("drawing", "Draw pictures that fit."),
    "export": ("drawing", "Write a model, or a corpus, for other programs."),
    "demo": ("demo", "Everything once, on the data that comes with asciiloom."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is used, not when help is shown."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"asciiloom.cli.{_COMMANDS[cmd_name][0]}")
        command = getattr(module, f"{cmd_name}_command")
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in _COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except AsciiloomError as error:
            raise click.ClickException(str(error)) from error
        except ModuleNotFoundError as error:
            extra = _EXTRA_OF.get(error.name or "")
            if extra is None:
                raise
            raise click.ClickException(
                f"{error.name} is not installed; it comes with: pip install 'asciiloom[{extra}]'"
            ) from error


_EXTRA_OF = {
    "torch": "train",
    "safetensors": "train",
    "matplotlib": "train",
    "tokenizers": "export",
    "datasette": "web",
    "uvicorn": "web",
    "ray": "ray",
}


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
