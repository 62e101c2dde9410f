"""Numbers of a selection: sizes, ink, quality, charsets, sources, tags, licences, twins, lint, rejections."""

import sqlite3
from typing import Any

from asciiloom.corpus.selection import Selection

TOP = 25


def stats(connection: sqlite3.Connection, selection: Selection | None = None) -> dict[str, Any]:
    """Counts by everything a selection can filter on, and percentiles of the measures."""
    statement, params = (selection or Selection()).sql("piece.id")
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS chosen (id INTEGER PRIMARY KEY)")
    connection.execute("DELETE FROM chosen")
    connection.execute(f"INSERT INTO chosen {statement}", params)
    pieces = connection.execute("SELECT count(*) FROM chosen").fetchone()[0]

    def table(sql: str) -> dict[str, int]:
        return {str(key): count for key, count in connection.execute(sql)}

    def by(expression: str, join: str = "") -> dict[str, int]:
        return table(
            f"SELECT {expression} AS k, count(*) AS n FROM chosen JOIN piece USING (id) {join}"
            f" GROUP BY k ORDER BY n DESC, k LIMIT {TOP}"
        )

    sums = connection.execute(
        "SELECT coalesce(sum(chars), 0), coalesce(sum(ink), 0), coalesce(sum(canonical), 0),"
        " count(DISTINCT cluster_id), sum(artist IS NOT NULL) FROM chosen JOIN piece USING (id)"
    ).fetchone()
    return {
        "pieces": pieces,
        "characters": sums[0],
        "ink": sums[1],
        "canonical": sums[2],
        "clusters": sums[3],
        "with_artist": sums[4] or 0,
        "percentiles": {
            name: _percentiles(connection, name, pieces)
            for name in ("width", "height", "chars", "ink", "glyphs", "quality")
        },
        "sources": by("source.name", "JOIN source ON source.id = piece.source_id"),
        "kinds": by("kind"),
        "charsets": by("charset"),
        "licences": by("coalesce(piece.licence, 'none stated')"),
        "splits": by("coalesce(split, 'not assigned')"),
        "tags": table(
            "SELECT name, count(*) AS n FROM chosen JOIN tag ON tag.piece_id = chosen.id"
            f" GROUP BY name ORDER BY n DESC, name LIMIT {TOP}"
        ),
        "artists": by("coalesce(artist, 'unknown')"),
        "lint": table(
            "SELECT j.value, count(*) AS n FROM chosen JOIN piece USING (id), json_each(piece.flags) AS j"
            f" WHERE piece.flags <> '[]' GROUP BY j.value ORDER BY n DESC LIMIT {TOP}"
        ),
        "rejections": table(
            "SELECT reason, count(*) AS n FROM rejection GROUP BY reason ORDER BY n DESC"
        ),
    }


def _percentiles(connection: sqlite3.Connection, column: str, pieces: int) -> dict[str, int]:
    if not pieces:
        return {}
    out = {}
    for percent in (0, 10, 50, 90, 99, 100):
        at = round((pieces - 1) * percent / 100)
        row = connection.execute(
            f"SELECT {column} FROM chosen JOIN piece USING (id) ORDER BY {column} LIMIT 1 OFFSET ?",
            (at,),
        ).fetchone()
        out[f"p{percent}"] = row[0]
    return out
