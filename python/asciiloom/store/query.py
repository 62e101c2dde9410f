"""What a person types -> FTS5 queries that can never be a syntax error, and exact conditions on tags.

Words are ANDed and each is quoted; ``"a phrase"``, ``prefix*``, ``-not``, ``OR`` between two terms
and the fields ``title: tags: artist: description:`` and ``tag:`` are understood; whatever else is typed is
text to look for. ``tags:`` is a word in some tag; ``tag:`` is a whole tag, as everywhere else: an index of words
cannot tell the tag "cat" from the "cat" in "text:cat", so it is asked of the table of tags.

What is found is shown best first: titled so, then tagged so, then the rest. Which is best must not depend on
how many there are, nor on the page that is asked for. So the order is one that indexes yield by themselves, and
a page costs as much as it is long: titles come out of ``piece_title`` the shortest first (of all that hold the
word, the one that *is* the word), tags and the rest out of ``piece_fts`` as they came into the corpus.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from asciiloom.store.names import PLACE_BITS, pattern

_TERM = re.compile(
    r"(?P<not>-)?(?:(?P<field>title|tags?|artist|description):)?"
    r'(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))'
)
_TOKEN = re.compile(r"\w")
PIECE_COLUMN = re.compile(r"\bpiece\.")
_TITLE_KEY = f"(piece_title.rowid & {(1 << PLACE_BITS) - 1})"


@dataclass(frozen=True, slots=True)
class _Term:
    """One term: an FTS5 string in a ``field`` (None: any), or the name of a ``tag``."""

    field: str | None
    quoted: str
    tag: str | None = None

    def __str__(self) -> str:
        return f"{self.field}:{self.quoted}" if self.field else self.quoted


@dataclass(frozen=True, slots=True)
class Query:
    """What was typed, as FTS5 expressions over ``piece_fts``.

    ``words``: all of it but tags, None where only tags were typed; ``titled``: the part that a title can
    answer, None where there is none; ``beyond_title``: whether ``words`` asks for more than ``titled``;
    ``conditions``: on tags, as (SQL on ``piece.id``, parameters).
    """

    words: str | None
    titled: str | None
    beyond_title: bool
    conditions: tuple[tuple[str, tuple[Any, ...]], ...]

    def in_title_and_tags(self) -> str:
        """What answers in its title and tags together, as an expression over ``piece_fts``."""
        named = f"{{title tags}} : ({self.titled})"
        return f"({self.words}) AND {named}" if self.beyond_title else named


def parse(typed: str) -> Query | None:
    """What ``typed`` asks for, or None where it holds nothing to search for."""
    clauses, unwanted = _terms(typed)
    if not clauses:
        return None
    spoken = [clause for clause in clauses if not any(term.tag for term in clause)]
    titles = [[str(term) for term in clause if term.field in (None, "title")] for clause in spoken]
    words = _all_of([[str(term) for term in clause] for clause in spoken])
    out = [str(term) for term in unwanted if not term.tag]
    conditions = [_either(clause) for clause in clauses if any(term.tag for term in clause)]
    conditions += [(f"NOT {sql}", params) for t in unwanted if t.tag for sql, params in [_has(t)]]
    if words is None and out:
        sql, params = _says(" OR ".join(out))
        conditions.append((f"NOT {sql}", params))
    elif words is not None and out:
        words = f"({words})" + "".join(f" NOT {term}" for term in out)
    return Query(
        words,
        _all_of([terms for terms in titles if terms]),
        bool(out)
        or any(len(some) < len(clause) for some, clause in zip(titles, spoken, strict=True)),
        tuple(conditions),
    )


def _terms(typed: str) -> tuple[list[list[_Term]], list[_Term]]:
    """(the wanted terms, those joined by OR together; the unwanted ones)."""
    wanted: list[list[_Term]] = []
    unwanted: list[_Term] = []
    either = False
    for match in _TERM.finditer(typed.replace("\x00", " ")):
        if match["word"] == "OR" and not match["not"] and not match["field"]:
            either = bool(wanted)
            continue
        term = _term(match)
        if term is None:
            continue
        if match["not"]:
            unwanted.append(term)
        elif either:
            wanted[-1].append(term)
        else:
            wanted.append([term])
        either = False
    return wanted, unwanted


def _term(match: re.Match[str]) -> _Term | None:
    word = match["phrase"] if match["phrase"] is not None else match["word"]
    if match["field"] == "tag":
        return _Term(None, "", " ".join(word.lower().split())) if word.strip() else None
    prefix = match["word"] is not None and word.endswith("*")
    bare = word.rstrip("*") if prefix else word
    if not _TOKEN.search(bare):
        return None
    return _Term(match["field"], '"' + bare.replace('"', '""') + '"' + ("*" if prefix else ""))


def _all_of(clauses: list[list[str]]) -> str | None:
    return " AND ".join(f"({' OR '.join(terms)})" for terms in clauses) or None


def _either(clause: list[_Term]) -> tuple[str, tuple[Any, ...]]:
    found = [_has(term) if term.tag else _says(str(term)) for term in clause]
    return (
        f"({' OR '.join(sql for sql, _ in found)})",
        tuple(param for _, params in found for param in params),
    )


def _has(term: _Term) -> tuple[str, tuple[Any, ...]]:
    operator, name = pattern(term.tag or "")
    return f"piece.id IN (SELECT piece_id FROM tag WHERE name {operator})", (name,)


def _says(expression: str) -> tuple[str, tuple[Any, ...]]:
    return "piece.id IN (SELECT rowid FROM piece_fts WHERE piece_fts MATCH ?)", (expression,)


def page_of_tiers(
    columns: str,
    query: Query,
    where: list[str],
    params: list[Any],
    limit: int | None,
    offset: int,
) -> tuple[str, list[Any]]:
    """(SELECT statement, parameters): ``columns`` of the pieces that say ``query`` and are as ``where`` and
    its ``params`` have it. All of them are ranked; ``limit`` and ``offset`` cut out a stretch, and a tier is
    looked into only where those before it do not reach so far."""
    reach = None if limit is None else limit + offset
    tiers: list[str] = []
    given: list[Any] = []
    for table, key, expression, more, values in _tables(query):
        # What a former tier has not in its reach is not in it at all: else this one is not looked into.
        former = [f"piece.id NOT IN (SELECT chosen FROM tier{k})" for k in range(len(tiers))]
        conditions = [f"{table} MATCH ?", *more, *where, *former]
        values = [expression, *values, *params]
        tiers.append(_tier(len(tiers), table, key, conditions, reach is not None))
        given += values if reach is None else [*values, reach]
    union = " UNION ALL ".join(
        f"SELECT chosen, {k} AS tier, place FROM tier{k}" for k in range(len(tiers))
    )
    statement = (
        f"WITH {', '.join(tiers)}"
        f" SELECT {columns} FROM ({union} ORDER BY tier, place LIMIT ? OFFSET ?) AS page"
        " CROSS JOIN piece ON piece.id = page.chosen ORDER BY page.tier, page.place"
    )
    return statement, [*given, -1 if limit is None else limit, offset]


def _tables(query: Query) -> Iterator[tuple[str, str, str, list[str], list[Any]]]:
    """Of each tier: the index that drives, its key of a piece, what it is asked, and further conditions with
    their parameters."""
    if query.titled is None:
        yield "piece_fts", "piece_fts.rowid", query.words or "", [], []
        return
    all_of_it = "piece.id IN (SELECT rowid FROM piece_fts WHERE piece_fts MATCH ?)"
    more, values = ([all_of_it], [query.words]) if query.beyond_title else ([], [])
    yield "piece_title", _TITLE_KEY, query.titled, more, values
    for expression in (query.in_title_and_tags(), query.words or ""):
        yield "piece_fts", "piece_fts.rowid", expression, [], []


def _tier(number: int, table: str, key: str, conditions: list[str], cut: bool) -> str:
    """``table`` drives, in the order of its rowids; what else a condition needs is looked up by ``key``."""
    where = " AND ".join(conditions).replace("piece.id", key)
    joins = ""
    if "size." in where:
        joins += f" CROSS JOIN size ON size.piece_id = {key}"
    if PIECE_COLUMN.search(where):
        joins += f" CROSS JOIN piece ON piece.id = {key}"
    # As a limit, what is left to find also keeps an index from being asked where nothing is; as a condition
    # it would be looked at for every match.
    found = "".join(f" - (SELECT count(*) FROM tier{k})" for k in range(number))
    limit = f" LIMIT max(?{found}, 0)" if cut else ""
    return (
        f"tier{number} AS MATERIALIZED (SELECT {key} AS chosen, {table}.rowid AS place"
        f" FROM {table}{joins} WHERE {where} ORDER BY {table}.rowid{limit})"
    )


def trigram_query(*rows: str) -> str | None:
    """MATCH expression for pieces that hold every trigram of ``rows``; None below three characters."""
    grams = dict.fromkeys(row[i : i + 3] for row in rows for i in range(len(row) - 2))
    if not grams:
        return None
    return " AND ".join('"' + gram.replace('"', '""') + '"' for gram in list(grams)[:64])
