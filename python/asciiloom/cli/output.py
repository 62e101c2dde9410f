"""How commands print: tables and progress for people, JSON and CSV for machines.

Data goes to stdout, the rest to stderr; nothing reaches a terminal with its control characters.
"""

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import click

from asciiloom.emit import neutral


def say(text: str) -> None:
    """A line for the person, on stderr."""
    click.echo(neutral(text), err=True)


def put(text: str) -> None:
    """Data, on stdout; neutral where stdout is a terminal."""
    click.echo(neutral(text) if sys.stdout.isatty() else text)


def put_json(value: Any) -> None:
    put(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def table(rows: Iterable[Sequence[Any]], header: Sequence[str]) -> str:
    """Plain aligned columns; numbers to the right."""
    cells = [[_cell(value) for value in row] for row in rows]
    numeric = [
        bool(cells) and all(row[c][:1] in "-0123456789" or row[c] == "" for row in cells)
        for c in range(len(header))
    ]
    widths = [max([len(header[c]), *(len(row[c]) for row in cells)]) for c in range(len(header))]
    lines = [list(header), ["-" * w for w in widths], *cells]
    return "\n".join(
        "  ".join(
            cell.rjust(w) if right else cell.ljust(w)
            for cell, w, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in lines
    )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return neutral(str(value))[:60]


def put_rows(rows: Iterable[Mapping[str, Any]], form: str) -> None:
    """Rows as ``json`` (one array), ``nl`` (a line each) or ``csv``."""
    if form == "json":
        put_json(list(rows))
    elif form == "nl":
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False, default=str))
    else:
        writer: Any = None
        for row in rows:
            flat = {
                k: json.dumps(v, ensure_ascii=False) if isinstance(v, list | dict) else v
                for k, v in row.items()
            }
            buffer = io.StringIO()
            fresh = writer is None
            writer = csv.DictWriter(buffer, list(flat), lineterminator="\n")
            if fresh:
                writer.writeheader()
            writer.writerow(flat)
            click.echo(buffer.getvalue(), nl=False)


class Bar(Protocol):
    """What ``progress`` gives: set how far the work is and what to say beside it. Each ``step`` begins anew,
    with a total, a time and a rate of its own."""

    def __call__(
        self, done: int, total: int | None = None, note: str = "", step: str | None = None
    ) -> None: ...


@contextmanager
def progress(title: str, total: int | None = None, quiet: bool = False) -> Iterator[Bar]:
    """A bar with rate and ETA on a terminal; nothing elsewhere, or with ``quiet``."""
    if quiet or not sys.stderr.isatty():
        yield lambda done, total=None, note="", step=None: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(title, total=total, rate="", note="")
        stage: str | None = None

        def update(
            done: int, total: int | None = None, note: str = "", step: str | None = None
        ) -> None:
            nonlocal stage
            if step is not None and step != stage:
                stage = step
                bars.reset(task, total=None, description=f"{title}: {neutral(step)}", rate="")
            elapsed = bars.tasks[0].elapsed or 0
            rate = f"{done / elapsed:,.0f}/s" if elapsed > 0.5 else ""
            fields: dict[str, Any] = {"completed": done, "rate": rate, "note": neutral(note)}
            if total is not None:
                fields["total"] = total
            bars.update(task, **fields)

        yield update
