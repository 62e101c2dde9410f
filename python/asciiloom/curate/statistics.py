"""Numbers of a selection: sizes, ink, quality, charsets, sources, tags, licences, twins, lint, rejections."""

import sqlite3
from collections import Counter
from typing import Any

import numpy as np

from asciiloom.store.chosen import chosen_by
from asciiloom.store.selection import Selection

TOP = 25
PERCENTS = (0, 10, 50, 90, 99, 100)
MEASURES = ("width", "height", "chars", "ink", "glyphs", "quality")
# What is counted by value, and what stands for none.
GROUPS = {
    "sources": ("source_id", None),
    "kinds": ("kind", None),
    "charsets": ("charset", None),
    "licences": ("licence", "none stated"),
    "splits": ("split", "not assigned"),
    "artists": ("artist", "unknown"),
}
_AT_ONCE = 20_000


def stats(connection: sqlite3.Connection, selection: Selection | None = None) -> dict[str, Any]:
    """Counts by everything a selection can filter on, and percentiles of the measures.

    Pieces are read once, whatever is counted: their texts, which are in the way, are most of the file.
    """
    statement, params = (selection or Selection()).sql("piece.id")
    with chosen_by(connection, statement, params) as chosen:
        return count_chosen(connection, chosen)


def count_chosen(connection: sqlite3.Connection, chosen: str) -> dict[str, Any]:
    """``stats`` of the pieces whose ids are in the table ``chosen``."""
    names = (*MEASURES, "canonical", "cluster_id", *(column for column, _ in GROUPS.values()))
    rows = connection.execute(f"SELECT {', '.join(names)} FROM {chosen} JOIN piece USING (id)")
    measures = [np.empty((0, len(MEASURES)))]
    counts: dict[str, Counter[Any]] = {name: Counter() for name in GROUPS}
    clusters: set[int | None] = set()
    canonical = 0
    while part := rows.fetchmany(_AT_ONCE):
        columns = list(zip(*part, strict=True))
        measures.append(np.array(columns[: len(MEASURES)], np.float64).T)
        canonical += sum(columns[len(MEASURES)])
        clusters.update(columns[len(MEASURES) + 1])
        for counter, values in zip(counts.values(), columns[len(MEASURES) + 2 :], strict=True):
            counter.update(values)
    table = np.concatenate(measures)
    sources = dict(connection.execute("SELECT id, name FROM source").fetchall())

    def by(sql: str) -> dict[str, int]:
        return {str(key): count for key, count in connection.execute(sql)}

    def top(group: str) -> dict[str, int]:
        none = GROUPS[group][1]
        named: Counter[str] = Counter()
        for key, count in counts[group].items():
            named[str(sources[key] if group == "sources" else none if key is None else key)] += (
                count
            )
        return dict(sorted(named.items(), key=lambda item: (-item[1], item[0]))[:TOP])

    return {
        "pieces": len(table),
        "characters": int(table[:, MEASURES.index("chars")].sum()),
        "ink": int(table[:, MEASURES.index("ink")].sum()),
        "canonical": canonical,
        "clusters": len(clusters - {None}),
        "with_artist": len(table) - counts["artists"][None],
        "percentiles": {
            name: _percentiles(table[:, k], whole=name != "quality")
            for k, name in enumerate(MEASURES)
        },
        **{group: top(group) for group in GROUPS},
        "tags": by(
            f"SELECT name, count(*) AS n FROM {chosen} JOIN tag ON tag.piece_id = {chosen}.id"
            f" GROUP BY name ORDER BY n DESC, name LIMIT {TOP}"
        ),
        "lint": by(
            f"SELECT j.value, count(*) AS n FROM {chosen} JOIN piece USING (id), json_each(piece.flags) AS j"
            f" WHERE piece.flags <> '[]' GROUP BY j.value ORDER BY n DESC LIMIT {TOP}"
        ),
        "rejections": by(
            "SELECT reason, sum(count) AS n FROM rejection GROUP BY reason ORDER BY n DESC"
        ),
    }


def _percentiles(values: Any, whole: bool) -> dict[str, float]:
    """The values at ``PERCENTS``, each one that occurs."""
    if not len(values):
        return {}
    places = [round((len(values) - 1) * percent / 100) for percent in PERCENTS]
    found = np.partition(values, places)[places].tolist()
    return {
        f"p{percent}": int(value) if whole else value
        for percent, value in zip(PERCENTS, found, strict=True)
    }
