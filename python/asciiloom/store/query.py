"""What a person types -> an FTS5 query that can never be a syntax error.

Words are ANDed and each is quoted; ``"a phrase"``, ``prefix*``, ``-not``, ``OR`` between two terms
and the fields ``title: tag: artist:`` are understood; whatever else is typed is text to look for.
"""

import re

_TERM = re.compile(
    r"(?P<not>-)?(?:(?P<field>title|tags?|artist|description):)?"
    r'(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))'
)
_COLUMN = {"tag": "tags"}
_TOKEN = re.compile(r"\w")


def fts_query(typed: str) -> str | None:
    """The FTS5 MATCH expression for ``typed``, or None where it holds nothing to search for."""
    wanted: list[str] = []
    unwanted: list[str] = []
    either = False
    for match in _TERM.finditer(typed.replace("\x00", " ")):
        word = match["phrase"] if match["phrase"] is not None else match["word"]
        if match["word"] == "OR" and not match["not"] and not match["field"]:
            either = bool(wanted)
            continue
        prefix = match["word"] is not None and word.endswith("*")
        bare = word.rstrip("*") if prefix else word
        if not _TOKEN.search(bare):
            continue
        quoted = '"' + bare.replace('"', '""') + '"' + ("*" if prefix else "")
        if match["field"]:
            quoted = f"{_COLUMN.get(match['field'], match['field'])}:{quoted}"
        if match["not"]:
            unwanted.append(quoted)
        elif either:
            wanted[-1] = f"{wanted[-1]} OR {quoted}"
        else:
            wanted.append(quoted)
        either = False
    if not wanted:
        return None
    query = " AND ".join(f"({term})" for term in wanted)
    return f"({query})" + "".join(f" NOT {term}" for term in unwanted)


def trigram_query(*rows: str) -> str | None:
    """MATCH expression for pieces that hold every trigram of ``rows``; None below three characters."""
    grams = dict.fromkeys(row[i : i + 3] for row in rows for i in range(len(row) - 2))
    if not grams:
        return None
    return " AND ".join('"' + gram.replace('"', '""') + '"' for gram in list(grams)[:64])
