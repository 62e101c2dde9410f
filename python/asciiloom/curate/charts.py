"""Pictures of a selection, and a report in one HTML file that can be sent to somebody."""

import base64
import html
import io
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asciiloom.curate.statistics import COUNTED, TOP, frames_of, plain
from asciiloom.errors import MissingExtraError
from asciiloom.outputs import output_folder, output_stream
from asciiloom.store.chosen import chosen_by
from asciiloom.store.selection import Selection

if TYPE_CHECKING:
    from pandas import DataFrame

# Cells of the sizes' heat map, and where it ends: wider and higher pieces count into the last ones.
WIDE, HIGH = 160, 80
STEPS = (4, 2)
_INK = "#8a3b12"
# matplotlib's own font first, then those of Chinese, Japanese and Korean that systems have, then one that has
# a box for every character. A tag may be in any script.
_FONTS = (
    "DejaVu Sans", "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans JP", "Noto Sans SC", "Source Han Sans",
    "Hiragino Sans", "PingFang SC", "Apple SD Gothic Neo", "Yu Gothic", "Microsoft YaHei", "Malgun Gothic",
    "IPAGothic", "TakaoGothic", "VL Gothic", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Droid Sans Fallback",
    "Arial Unicode MS", "Unifont", "Last Resort High-Efficiency",
)  # fmt: skip
# Named charts, in the order of the report: title and the table of ``stats`` they draw.
_BARS = {
    "charsets": "Charsets",
    "sources": "Sources",
    "tags": "Tags",
    "kinds": "Drawn as",
    "licences": "Licences",
    "splits": "Splits",
}
_TITLES = _BARS | {
    "sizes": "Sizes",
    "ink": "Ink",
    "twins": "Twins by source",
    "artists": "Artists",
    "rejections": "Rejections",
    "lint": "Lint",
}


@contextmanager
def _drawing() -> Iterator[None]:
    """Within it charts are made and written, in the fonts of ``_FONTS`` that are here."""
    try:
        import matplotlib
        from matplotlib.font_manager import fontManager
    except ModuleNotFoundError as error:
        raise MissingExtraError("matplotlib", "plots") from error
    here = set(fontManager.get_font_names())
    with matplotlib.rc_context({"font.family": [name for name in _FONTS if name in here]}):
        yield


def _axes(wide: float = 7, high: float = 4) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(wide, high), layout="constrained")
    return figure, figure.subplots()


def _sizes(connection: sqlite3.Connection, chosen: str) -> Any:
    """How many pieces have which size, log colours."""
    import numpy as np
    from matplotlib.colors import LogNorm

    rows = connection.execute(
        "SELECT min(width, ?1) / ?2, min(height, ?3) / ?4, count(*)"
        f" FROM {chosen} JOIN piece USING (id)"
        " GROUP BY 1, 2",
        (WIDE, STEPS[0], HIGH, STEPS[1]),
    ).fetchall()
    grid = np.zeros((HIGH // STEPS[1] + 1, WIDE // STEPS[0] + 1))
    for x, y, count in rows:
        grid[y, x] = count
    figure, axes = _axes()
    shown = np.ma.masked_equal(grid, 0)
    extent = (0, grid.shape[1] * STEPS[0], 0, grid.shape[0] * STEPS[1])
    picture = axes.imshow(
        shown, origin="lower", aspect="auto", extent=extent, norm=LogNorm(), cmap="YlOrBr"
    )
    axes.set(
        title="Sizes",
        xlabel=f"width in cells ({WIDE} and more at the end)",
        ylabel="height in rows",
    )
    figure.colorbar(picture, ax=axes, label="pieces")
    return figure


def _ink(connection: sqlite3.Connection, chosen: str) -> Any:
    """The distribution of ink."""
    rows = connection.execute(f"SELECT ink FROM {chosen} JOIN piece USING (id)")
    values = [row[0] for row in rows]
    import numpy as np

    figure, axes = _axes()
    edges = np.logspace(0, np.log10(max(values) + 1), 50)
    axes.hist(values, bins=edges, color=_INK)
    axes.set(xscale="log", title="Ink", xlabel="characters that show something", ylabel="pieces")
    return figure


def _bars(title: str, counts: dict[str, int]) -> Any:
    figure, axes = _axes(7, 1 + 0.28 * len(counts))
    names = [name if len(name) <= 40 else name[:39] + "…" for name in reversed(counts)]
    # A dollar sign is text here, not a formula.
    axes.barh([n.replace("$", r"\$") for n in names], list(reversed(counts.values())), color=_INK)
    axes.set(title=title, xlabel="pieces")
    return figure


def _twins(connection: sqlite3.Connection, chosen: str) -> dict[str, int]:
    rows = connection.execute(
        f"SELECT source.name, sum(canonical = 0) AS twins FROM {chosen} JOIN piece USING (id)"
        " JOIN source ON source.id = source_id GROUP BY 1 HAVING twins > 0 ORDER BY 2 DESC LIMIT 25"
    )
    return dict(rows.fetchall())


def figures(
    connection: sqlite3.Connection, selection: Selection
) -> "tuple[dict[str, DataFrame], dict[str, Any]]":
    """The numbers of a selection, as ``frames`` gives them, and charts of them by name."""
    with _drawing(), chosen_by(connection, *selection.sql("piece.id")) as chosen:
        found = frames_of(connection, chosen)
        counts = plain(found)
        if not counts["pieces"]:
            return found, {}
        charts = {"sizes": _sizes(connection, chosen), "ink": _ink(connection, chosen)}
        charts |= {
            name: _bars(title, counts[name]) for name, title in _BARS.items() if counts[name]
        }
        if twins := _twins(connection, chosen):
            charts["twins"] = _bars("Twins of another piece, by source", twins)
    return found, charts


# The files that ``write_plots`` writes.
PLOT_FILES = tuple(f"{name}.png" for name in ("sizes", "ink", *_BARS, "twins"))


def _png(figure: Any) -> bytes:
    data = io.BytesIO()
    with _drawing():
        figure.savefig(data, format="png", dpi=110)
    return data.getvalue()


def write_plots(
    connection: sqlite3.Connection, selection: Selection, folder: Path, *, force: bool = False
) -> list[Path]:
    """A PNG for each chart in ``folder`` (made if missing); their paths."""
    _, charts = figures(connection, selection)
    with output_folder(folder, names=PLOT_FILES, force=force) as part:
        for name, figure in charts.items():
            (part / f"{name}.png").write_bytes(_png(figure))
    return [folder / f"{name}.png" for name in charts]


def write_report(
    connection: sqlite3.Connection,
    selection: Selection,
    target: str | Path,
    title: str,
    *,
    force: bool = False,
) -> None:
    """One HTML file: the numbers as tables, the charts within it, nothing fetched from elsewhere."""
    found, charts = figures(connection, selection)

    def image(name: str) -> str:
        code = base64.b64encode(_png(charts[name])).decode()
        return f'<img alt="chart: {name}" src="data:image/png;base64,{code}">'

    sections = [
        _section("Measures", _table(found["percentiles"].rename_axis("").reset_index()), "")
    ]
    for name in ("sizes", "ink", "twins", *COUNTED):
        numbers = found[name].head(TOP) if name in found else None
        if name in charts or (numbers is not None and len(numbers)):
            table = "" if numbers is None else _table(numbers)
            sections.append(_section(_TITLES[name], table, image(name) if name in charts else ""))
    with output_stream(target, force=force) as stream:
        stream.write(_page(title, plain(found), sections).encode())


def _page(title: str, found: dict[str, Any], sections: list[str]) -> str:
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1f; }}
table {{ border-collapse: collapse; margin: 0.5rem 0; }}
td, th {{ padding: 0.15rem 0.75rem; border-bottom: 1px solid #ddd; text-align: left; overflow-wrap: anywhere; }}
td + td {{ text-align: right; font-variant-numeric: tabular-nums; }}
img {{ max-width: 100%; height: auto; }}
</style>
<h1>{html.escape(title)}</h1>
<p>{found["pieces"]:,} pieces, {found["canonical"]:,} of them one of each near-twin cluster;
{found["characters"]:,} characters, {found["ink"]:,} of them ink; {found["with_artist"]:,} with an artist.</p>
{"".join(sections)}
</html>
"""


def _section(label: str, numbers: str, picture: str) -> str:
    return f"<section><h2>{html.escape(label)}</h2>{picture}{numbers}</section>\n"


def _table(frame: "DataFrame") -> str:
    """A frame as HTML, whatever is in it escaped."""
    import pandas

    def cell(value: Any) -> str:
        return f"{value:,.10g}" if isinstance(value, int | float) else html.escape(str(value))

    with pandas.option_context("display.max_colwidth", None):
        return frame.astype(object).to_html(
            index=False, border=0, escape=False, formatters=[cell] * frame.shape[1]
        )
