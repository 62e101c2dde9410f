"""Numbers of a selection as pandas frames: sizes, ink, quality, charsets, sources, tags, licences, twins, lint,
rejections; and their heads as plain data."""

import sqlite3
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from asciiloom.store.chosen import chosen_by
from asciiloom.store.selection import Selection

if TYPE_CHECKING:
    from pandas import DataFrame, Series

TOP = 25
PERCENTS = (0, 10, 50, 90, 99, 100)
MEASURES = ("width", "height", "chars", "ink", "glyphs", "quality")
# What is counted by value, and what stands for none.
GROUPS = {
    "sources": ("source_id", ""),
    "kinds": ("kind", ""),
    "charsets": ("charset", ""),
    "licences": ("licence", "none stated"),
    "splits": ("split", "not assigned"),
    "artists": ("artist", "unknown"),
}
COUNTED = (*GROUPS, "tags", "lint", "rejections")
_AT_ONCE = 20_000


def frames(
    connection: sqlite3.Connection, selection: Selection | None = None
) -> "dict[str, DataFrame]":
    """Counts by everything that a selection can filter on, and percentiles of the measures.

    ``total``: one row of how many pieces, characters, cells of ink and so on; ``percentiles``: a row a measure,
    each value one that occurs; and a frame for each of ``COUNTED``: a value a row, how many ``pieces`` have
    it (of ``rejections``: inputs that were rejected for it), the most first.

    Pieces are read once, whatever is counted: their texts, which are in the way, are most of the file.
    """
    statement, params = (selection or Selection()).sql("piece.id")
    with chosen_by(connection, statement, params) as chosen:
        return frames_of(connection, chosen)


def stats(connection: sqlite3.Connection, selection: Selection | None = None) -> dict[str, Any]:
    """``frames`` as plain data, of each count the first ``TOP``."""
    return plain(frames(connection, selection))


def frames_of(connection: sqlite3.Connection, chosen: str) -> "dict[str, DataFrame]":
    """``frames`` of the pieces whose ids are in the table ``chosen``."""
    import pandas

    names = [column for column, _ in GROUPS.values()]
    pieces = pandas.concat(
        pandas.read_sql_query(
            f"SELECT {', '.join((*MEASURES, 'canonical', 'cluster_id', *names))}"
            f" FROM {chosen} JOIN piece USING (id)",
            connection,
            dtype=dict.fromkeys(names[1:], "string"),
            chunksize=_AT_ONCE,
        )
    )
    sources = dict(connection.execute("SELECT id, name FROM source"))
    values = {group: pieces[column].fillna(none) for group, (column, none) in GROUPS.items()}
    values["sources"] = values["sources"].map(sources)
    total = {
        "pieces": len(pieces),
        "characters": int(pieces["chars"].sum()),
        "ink": int(pieces["ink"].sum()),
        "canonical": int(pieces["canonical"].sum()),
        "clusters": pieces["cluster_id"].nunique(),
        "with_artist": int(pieces["artist"].count()),
    }
    places = [percent / 100 for percent in PERCENTS]
    percentiles = pieces[list(MEASURES)].astype(float).quantile(places, interpolation="nearest").T
    percentiles.columns = pandas.Index([f"p{percent}" for percent in PERCENTS])
    counted = {
        "tags": f"SELECT name AS tags, count(*) AS pieces FROM {chosen} JOIN tag"
        f" ON tag.piece_id = {chosen}.id GROUP BY name ORDER BY 2 DESC, 1",
        "lint": f"SELECT j.value AS lint, count(*) AS pieces FROM {chosen} JOIN piece USING (id),"
        " json_each(piece.flags) AS j WHERE piece.flags <> '[]' GROUP BY 1 ORDER BY 2 DESC, 1",
        "rejections": "SELECT reason AS rejections, sum(count) AS inputs FROM rejection"
        " GROUP BY 1 ORDER BY 2 DESC, 1",
    }
    return {
        "total": pandas.DataFrame([total]),
        "percentiles": percentiles,
        **{group: _counts(series, group) for group, series in values.items()},
        **{name: pandas.read_sql_query(sql, connection) for name, sql in counted.items()},
    }


def _counts(values: "Series[Any]", name: str) -> "DataFrame":
    found = values.value_counts().rename_axis(name).reset_index(name="pieces")
    return found.sort_values(["pieces", name], ascending=[False, True], ignore_index=True)


def plain(found: "Mapping[str, DataFrame]") -> dict[str, Any]:
    """``frames`` as numbers, texts and dictionaries."""
    total: dict[str, Any] = {str(k): int(v) for k, v in found["total"].iloc[0].items()}
    return {
        **total,
        "percentiles": {
            str(measure): row.astype(float if measure == "quality" else int).to_dict()
            if total["pieces"]
            else {}
            for measure, row in found["percentiles"].iterrows()
        },
        **{
            name: dict(found[name].head(TOP).astype(object).itertuples(index=False, name=None))
            for name in COUNTED
        },
    }
