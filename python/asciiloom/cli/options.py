"""Options that several commands share; ``Selection``'s are the same everywhere."""

import math
import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from asciiloom.cli.failures import note_corpus
from asciiloom.piece import CHARSETS, KINDS
from asciiloom.store import Selection
from asciiloom.store.selection import ORDERS, SPLITS, Range

F = TypeVar("F", bound=Callable[..., Any])

_SIZE = re.compile(r"(\d{1,5})[xX](\d{1,5})\Z")
_RANGE = re.compile(r"(\d{0,9})\.\.(\d{0,9})\Z|(\d{1,9})\Z")


class SizeType(click.ParamType[tuple[int, int]]):
    """``40x12``: width in cells, height in rows."""

    name = "WxH"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        match = _SIZE.match(str(value))
        if match is None:
            self.fail(f"{value!r} is not a size such as 40x12", param, ctx)
        return int(match[1]), int(match[2])


class RangeType(click.ParamType[Range]):
    """``3..9``, ``3..``, ``..9`` or ``5``: inclusive."""

    name = "A..B"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Range:
        if isinstance(value, tuple):
            return value
        match = _RANGE.match(str(value))
        if match is None:
            self.fail(f"{value!r} is not a range such as 3..9, 3.., ..9 or 5", param, ctx)
        if match[3] is not None:
            return int(match[3]), int(match[3])
        return (int(match[1]) if match[1] else None), (int(match[2]) if match[2] else None)


class FiniteRange(click.FloatRange):
    """A number within bounds; click lets ``nan`` through, which is within none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is no number", param, ctx)
        return number


SIZE, RANGE = SizeType(), RangeType()

_MEASURES = (
    click.option("--max", "max_size", type=SIZE, help="At most this size, e.g. 40x12."),
    click.option("--min", "min_size", type=SIZE, help="At least this size."),
    click.option("--width", type=RANGE, help="Width in cells, e.g. 10..40."),
    click.option("--height", type=RANGE, help="Height in rows, e.g. ..12."),
    click.option("--ink", type=RANGE, help="Characters that show something."),
    click.option("--chars", type=RANGE, help="Characters, newlines included."),
)
_ORIGINS = (
    click.option(
        "--tag", "tags", multiple=True, help="Has this tag (all of them; * is a wild card)."
    ),
    click.option("--not-tag", "without_tags", multiple=True, help="Has none of these tags."),
    click.option("--source", "sources", multiple=True, help="From one of these sources."),
    click.option(
        "--artist",
        "artists",
        multiple=True,
        help="By one of these artists, under any of their names.",
    ),
    click.option("--license", "licences", multiple=True, help="Under one of these licences."),
    click.option("--redistributable", is_flag=True, help="Only pieces that may be passed on."),
)
_SELECTION = (
    *_MEASURES,
    *_ORIGINS,
    click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Drawn as this."),
    click.option("--charset", type=click.Choice(CHARSETS), help="Can be shown in this charset."),
    click.option("--glyphs", help="This string occurs in the art itself, e.g. '(o.o)'."),
    click.option("--split", type=click.Choice(SPLITS), help="Train, validation or test."),
    click.option(
        "--canonical", "canonical_only", is_flag=True, help="One of each near-twin cluster."
    ),
    click.option("--grid", "grid_only", is_flag=True, help="Only art for a monospace grid."),
    click.option(
        "--quality", "min_quality", type=FiniteRange(0, 1), help="At least this good, 0 to 1."
    ),
    click.option("--withdrawn", is_flag=True, help="Only pieces that were rejected."),
)


def selection_options(function: F) -> F:
    """All the options of a ``Selection``; ``build_selection`` takes them out of the keywords."""
    for option in reversed(_SELECTION):
        function = option(function)
    return function


def origin_options(function: F) -> F:
    """Those that say what pieces are about and whose they are, for a command with sizes of its own."""
    for option in reversed(_ORIGINS):
        function = option(function)
    return function


_SAMPLING = (
    click.option(
        "--temperature",
        type=FiniteRange(0, 10),
        default=0.8,
        show_default=True,
        help="0: the likeliest.",
    ),
    click.option(
        "--top-k", type=click.IntRange(min=0), default=0, show_default=True, help="0: no cut."
    ),
    click.option("--top-p", type=FiniteRange(0, 1, min_open=True), default=0.95, show_default=True),
    click.option(
        "--min-p",
        type=FiniteRange(0, 1),
        default=0.0,
        show_default=True,
        help="No ink below this share of the likeliest.",
    ),
    click.option(
        "--guidance",
        type=FiniteRange(0, 20),
        default=1.0,
        show_default=True,
        help="How much words count; above 1 more than the model has it, at twice the work.",
    ),
)
# The names that ``sampling_options`` gives, as ``Sampling`` has them.
SAMPLING = ("temperature", "top_k", "top_p", "min_p", "guidance")


def sampling_options(function: F) -> F:
    """How ink is chosen, and how strongly words count: every command that draws."""
    for option in reversed(_SAMPLING):
        function = option(function)
    return function


def build_selection(given: dict[str, Any], base: Selection | None = None, **more: Any) -> Selection:
    """Pop the selection's options out of ``given``; what is not said stays as in ``base``."""
    base = base or Selection()
    width, height = given.pop("width", None) or base.width, given.pop("height", None) or base.height
    most, least = given.pop("max_size", None), given.pop("min_size", None)
    if most:
        width, height = _within(width, (None, most[0])), _within(height, (None, most[1]))
    if least:
        width, height = _within(width, (least[0], None)), _within(height, (least[1], None))
    values: dict[str, Any] = {"width": width, "height": height, **more}
    for name in (
        "ink", "chars", "tags", "without_tags", "sources", "artists", "licences", "kinds",
        "redistributable", "charset", "glyphs", "split", "canonical_only", "grid_only", "withdrawn", "min_quality",
    ):  # fmt: skip
        if (value := given.pop(name, None)) not in (None, (), False):
            values[name] = value
    return base.replace(**values)


def _within(one: Range, two: Range) -> Range:
    """Where both ranges hold."""
    lows = [r[0] for r in (one, two) if r[0] is not None]
    highs = [r[1] for r in (one, two) if r[1] is not None]
    return max(lows, default=None), min(highs, default=None)


def database_argument(function: F) -> F:
    """The corpus file, always first."""
    return click.argument("db", type=click.Path(dir_okay=False), callback=note_corpus)(function)


def json_option(function: F) -> F:
    return click.option("--json", "as_json", is_flag=True, help="The summary as JSON on stdout.")(
        function
    )


def force_option(function: F) -> F:
    """Also over what is there already, though never over an input or a database (``outputs.py``)."""
    return click.option(
        "--force", is_flag=True, help="Replace what is there; inputs and SQLite files never."
    )(function)


def quiet_option(function: F) -> F:
    return click.option("-q", "--quiet", is_flag=True, help="No progress.")(function)


__all__ = [
    "ORDERS", "RANGE", "SAMPLING", "SIZE", "build_selection", "database_argument", "force_option",
    "json_option", "origin_options", "quiet_option", "sampling_options", "selection_options",
]  # fmt: skip
