"""``Selection``: the one filter of the whole project, and the SQL it stands for.

Search, statistics, training, evaluation and export all take the same object, so "what was the
model trained on" and "what does the search show" are the same question. It becomes one SELECT with
bound parameters, which any SQLite tool can run, with one exception: rows of a shape below one another
need the function ``asciiloom_pattern``, which ``store/pattern.py`` makes known to a connection.
"""

import dataclasses
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from asciiloom.errors import SelectionError
from asciiloom.piece import CHARSET_FITS, KINDS, licence_name
from asciiloom.store.names import REDISTRIBUTABLE, by_artist, pattern
from asciiloom.store.pattern import FUNCTION, rows_of
from asciiloom.store.query import PIECE_COLUMN, Query, page_of_tiers, parse, trigram_query

Range = tuple[int | None, int | None]
ANY: Range = (None, None)
ORDERS = ("id", "rank", "random", "small", "large", "newest")
SPLITS = ("train", "validation", "test")

# A seeded shuffle without any extension: square a scrambled id modulo the prime 2^31 - 1.
_PRIME = 2147483647


@dataclass(frozen=True, slots=True)
class Selection:
    """Which pieces. All given conditions hold together; the empty selection is everything.

    ``tags``: every one of them (``*`` is a wild card); ``without_tags``: none of them; ``text``: a
    search as typed; ``glyphs``: a string that occurs in the art itself, or rows of it below one another;
    ``width``, ``height``, ``ink``, ``chars``: inclusive (low, high), None for open; ``charset``: pieces that can be shown
    where only this charset can; ``kinds``, ``sources``, ``licences``, ``artists``: one of each
    (``*`` is a wild card; a licence by any of its names, an artist by any alias, alone or with others);
    ``split``: train, validation or test; ``canonical_only``: one of each
    near-twin cluster; ``redistributable``: under a licence by which anybody may pass a piece on;
    ``grid_only``: pieces that a monospace grid shows as meant; ``withdrawn``: only
    pieces that a curator took out, which no other selection has; ``ids``: these pieces.
    """

    tags: tuple[str, ...] = ()
    without_tags: tuple[str, ...] = ()
    text: str | None = None
    glyphs: str | None = None
    width: Range = ANY
    height: Range = ANY
    ink: Range = ANY
    chars: Range = ANY
    charset: str | None = None
    kinds: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    artists: tuple[str, ...] = ()
    split: str | None = None
    min_quality: float | None = None
    canonical_only: bool = False
    grid_only: bool = False
    redistributable: bool = False
    withdrawn: bool = False
    ids: tuple[int, ...] | None = None
    order: str = "id"
    seed: int = 0
    limit: int | None = None
    offset: int = 0

    def __post_init__(self) -> None:
        for name in ("width", "height", "ink", "chars"):
            low, high = getattr(self, name)
            if low is not None and high is not None and low > high:
                raise SelectionError(
                    f"{name} {low}..{high} is empty: the low end is above the high"
                )
        if self.charset is not None and self.charset not in CHARSET_FITS:
            raise SelectionError(f"no charset {self.charset!r}; one of {', '.join(CHARSET_FITS)}")
        if self.split is not None and self.split not in SPLITS:
            raise SelectionError(f"no split {self.split!r}; one of {', '.join(SPLITS)}")
        if self.order not in ORDERS:
            raise SelectionError(f"no order {self.order!r}; one of {', '.join(ORDERS)}")
        for kind in self.kinds:
            if kind not in KINDS:
                raise SelectionError(f"no kind {kind!r}; one of {', '.join(KINDS)}")
        if self.limit is not None and self.limit < 0:
            raise SelectionError("limit cannot be negative")

    def replace(self, **changes: Any) -> "Selection":
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Only what differs from the empty selection, for settings files and fingerprints."""
        blank = Selection()
        pairs = ((f.name, getattr(self, f.name)) for f in dataclasses.fields(self))
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in pairs
            if value != getattr(blank, name)
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Selection":
        names = {f.name for f in dataclasses.fields(cls)}
        if unknown := sorted(data.keys() - names):
            raise SelectionError(f"a selection has no {', '.join(unknown)}")
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in data.items()
        }
        return cls(**values)

    def key(self) -> str:
        """A stable short name of the selection."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def sql(self, columns: str = "piece.*") -> tuple[str, list[Any]]:
        """(SELECT statement, parameters)."""
        query = parse(self.text) if self.text is not None and self.text.strip() else None
        where, params = self._conditions(query)
        if query is not None and query.words is not None and self.order == "rank":
            return page_of_tiers(columns, query, where, params, self.limit, self.offset)
        joins: list[str] = []
        if query is not None and query.words is not None:
            joins.append("JOIN piece_fts ON piece_fts.rowid = piece.id")
            where, params = ["piece_fts MATCH ?", *where], [query.words, *params]
        if any("size." in condition for condition in where):
            joins.append("JOIN size ON size.piece_id = piece.id")
        source = f"FROM piece {' '.join(joins)} WHERE {' AND '.join(where)}"
        if self.limit is None and not self.offset:
            return f"SELECT {columns} {source} ORDER BY {', '.join(self._keys())}", params
        limit = -1 if self.limit is None else self.limit
        return self._chosen(columns, source), [*params, limit, self.offset]

    def _conditions(self, query: Query | None) -> tuple[list[str], list[Any]]:
        """(conditions on ``piece`` and ``size``, their parameters): all but the words of ``query``."""
        where: list[str] = []
        params: list[Any] = []
        if query is not None:
            for condition, values in query.conditions:
                where.append(condition)
                params += values
        elif self.text is not None and self.text.strip():
            where.append("0")  # nothing that could be looked for was typed
        if self.glyphs and not re.sub("[\r\n]", "", self.glyphs).isprintable():
            where.append("0")  # art holds no control characters, and FTS5 no NUL
        elif self.glyphs:
            rows = rows_of(self.glyphs) or [self.glyphs]
            if grams := trigram_query(*(row.strip() if len(rows) > 1 else row for row in rows)):
                where.append(
                    "piece.id IN (SELECT rowid FROM piece_art WHERE piece_art MATCH ?"
                    " UNION ALL SELECT piece_id FROM unindexed)"
                )
                params.append(grams)
            if len(rows) > 1:
                # The longest row on its own first: far cheaper, and seldom there.
                where.append(f"instr(piece.text, ?) > 0 AND {FUNCTION}(piece.text, ?)")
                params.append(max((row.strip() for row in rows), key=len))
            else:
                where.append("instr(piece.text, ?) > 0")
            # One row is looked for as it is typed, but for line ends around it.
            params.append(rows[0] if len(rows) == 1 and "\n" in self.glyphs else self.glyphs)
        if self.ids is not None:
            where.append("piece.id IN (SELECT value FROM json_each(?))")
            params.append(json.dumps(self.ids))
        for tags, has in ((self.tags, "IN"), (self.without_tags, "NOT IN")):
            for tag in tags:
                operator, name = pattern(tag.lower())
                where.append(f"piece.id {has} (SELECT piece_id FROM tag WHERE name {operator})")
                params.append(name)
        for name in ("width", "height", "ink", "chars"):
            low, high = getattr(self, name)
            for bound, operator in ((low, ">="), (high, "<=")):
                if bound is not None:
                    # A page of results looks for sizes in the table that holds nothing else.
                    ranked = query is not None and query.words is not None
                    narrow = name in ("width", "height") and (ranked or self._in_order())
                    table = "size" if narrow else "piece"
                    where.append(f"{table}.{name} {operator} ?")
                    params.append(bound)
        if self.charset is not None and self.charset != "unicode":
            _any_of("piece.charset", CHARSET_FITS[self.charset], where, params)
        _any_of("piece.kind", self.kinds, where, params)
        names = tuple(n if "*" in n else licence_name(n) or n for n in self.licences)
        _any_of("piece.licence", names, where, params)
        if self.artists:
            found = [by_artist(artist) for artist in self.artists]
            where.append(f"({' OR '.join(sql for sql, _ in found)})")
            params += [value for _, values in found for value in values]
        if self.sources:
            inner: list[str] = []
            _any_of("name", self.sources, inner, params)
            where.append(f"piece.source_id IN (SELECT id FROM source WHERE {inner[0]})")
        if self.redistributable:
            where.append(REDISTRIBUTABLE)
        if self.split is not None:
            where.append("piece.split = ?")
            params.append(self.split)
        if self.min_quality is not None:
            where.append("piece.quality >= ?")
            params.append(self.min_quality)
        if self.canonical_only:
            where.append("piece.canonical = 1")
        if self.grid_only:
            where.append("piece.is_grid = 1")
        out = "" if self.withdrawn else "NOT "
        where.append(f"piece.id {out}IN (SELECT piece_id FROM withdrawn)")
        return where, params

    def _chosen(self, columns: str, source: str) -> str:
        """The statement for a page of results: which pieces first, then their columns, so that sorting
        never carries the art along."""
        keys = self._keys()
        named = ", ".join(f"{key.removesuffix(' DESC')} AS k{n}" for n, key in enumerate(keys))
        order = ", ".join(
            f"k{n} DESC" if k.endswith(" DESC") else f"k{n}" for n, k in enumerate(keys)
        )
        inner = f"SELECT piece.id AS chosen, {named} {source}"
        if " JOIN size " in inner and "piece_fts" not in inner:
            inner = _driven_by_size(inner)
        return (
            f"SELECT {columns} FROM ({inner} ORDER BY {order} LIMIT ? OFFSET ?) AS page"
            f" JOIN piece ON piece.id = page.chosen ORDER BY {order}"
        )

    def _in_order(self) -> bool:
        """Whether this is a page of pieces in the order of their ids."""
        return self.order in ("id", "rank") and (self.limit is not None or bool(self.offset))

    def _keys(self) -> list[str]:
        if self.order == "random":
            mixed = f"((piece.id * 48271 + {(self.seed * 1103515245 + 12345) % _PRIME}) % {_PRIME})"
            return [f"({mixed} * {mixed}) % {_PRIME}", "piece.id"]
        area = "piece.width * piece.height"
        by = {
            "small": [area, "piece.id"],
            "large": [f"{area} DESC", "piece.id"],
            "newest": ["piece.id DESC"],
        }
        return by.get(self.order, ["piece.id"])


def _driven_by_size(inner: str) -> str:
    """``inner`` rewritten to scan ``size``, which is far narrower than ``piece``, in its own order.

    ``piece`` is joined only where a condition or the order needs one of its columns.
    """
    inner = inner.replace("piece.id", "size.piece_id")
    inner = inner.replace("FROM piece JOIN size ON size.piece_id = size.piece_id", "FROM size")
    if PIECE_COLUMN.search(inner):
        needed = " CROSS JOIN piece ON piece.id = size.piece_id"
        inner = inner.replace(" WHERE ", f"{needed} WHERE ", 1)
    return inner


def _any_of(column: str, values: tuple[str, ...], where: list[str], params: list[Any]) -> None:
    if values:
        found = [pattern(value) for value in values]
        where.append("(" + " OR ".join(f"{column} {operator}" for operator, _ in found) + ")")
        params += [value for _, value in found]
