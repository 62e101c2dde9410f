"""The pages to look at: gallery and piece, and what they are made of. Each is a view function of
Datasette's. Reading is open to whoever reaches the server: loopback only, unless told otherwise.
"""

import sqlite3
from importlib.resources import files
from pathlib import Path
from typing import Any

from datasette import NotFound, Response
from markupsafe import Markup

from asciiloom.corpus import Corpus
from asciiloom.emit import paint_classes
from asciiloom.errors import CorpusError
from asciiloom.web import limits
from asciiloom.web.corpora import ask, corpora, facets, found
from asciiloom.web.failures import Failure
from asciiloom.web.policy import OUR_PAGES
from asciiloom.web.query import Query
from asciiloom.web.stylesheets import colours_css, shown_colours, width_class, widths_css

CURATOR = "curator"
_STATIC = {"asciiloom.css": "text/css", "asciiloom.js": "text/javascript"}
_READING = ("GET", "HEAD")
_FRESH = {"cache-control": "max-age=300"}


async def static(request: Any) -> Any:
    """The style sheets and the script."""
    name = request.url_vars["file"]
    if name == "widths.css":
        return Response(widths_css(), content_type="text/css; charset=utf-8", headers=_FRESH)
    if name not in _STATIC:
        raise NotFound("no such file")
    text = (files("asciiloom.web") / "static" / name).read_text(encoding="utf-8")
    return Response(text, content_type=f"{_STATIC[name]}; charset=utf-8", headers=_FRESH)


async def home(datasette: Any) -> Any:
    """The gallery of the first corpus."""
    names = await corpora(datasette)
    if not names:
        raise NotFound("no attached database is an asciiloom corpus")
    return Response.redirect(gallery_path(datasette, names[0]))


async def gallery(datasette: Any, request: Any) -> Any:
    """Pieces found, with facets to narrow them."""
    name = await corpus_name(datasette, request)
    query = Query.of(request.args)
    (pieces, more, count), counts = await ask(
        datasette, name, lambda db: (found(db, query), facets(db))
    )
    return await page(
        datasette, request, "gallery", name,
        query=query, pieces=pieces, more=more, count=count, facets=counts,
    )  # fmt: skip


async def piece(datasette: Any, request: Any) -> Any:
    """One piece with all that is known of it."""
    name = await corpus_name(datasette, request)
    number = int(request.url_vars["number"])

    def read(db: sqlite3.Connection) -> dict[str, Any]:
        corpus = Corpus.on(db, corpus_path(datasette, name))
        record = corpus.get(number)
        record["painted"], record["uncoloured"] = _painted(corpus, number, record["text"])
        record["withdrawn"] = db.execute(
            "SELECT reason FROM withdrawn WHERE piece_id = ?", (number,)
        ).fetchone()
        return record

    try:
        record = await ask(datasette, name, read)
    except CorpusError as error:
        raise NotFound(f"there is no piece {number}") from error
    return await page(datasette, request, "piece", name, piece=record)


def _painted(corpus: Corpus, number: int, text: str) -> tuple[Markup | None, str | None]:
    """The art in its colours, or None; and why it is not shown in those that it has."""
    try:
        plane = corpus.colour(number, limits.PAINTED_CELLS)
    except CorpusError as error:
        return None, str(error)
    if plane is None:
        return None, None
    painted = paint_classes(text, shown_colours(plane))
    if len(painted) > limits.PAINTED_BYTES:
        return None, "its colours change too often for a page"
    return Markup(painted), None  # escaped where it was painted


async def colours(datasette: Any, request: Any) -> Any:
    """The style sheet of a painted piece."""
    name = await corpus_name(datasette, request)
    number = int(request.url_vars["number"])
    path = corpus_path(datasette, name)
    try:
        plane = await ask(
            datasette, name, lambda db: Corpus.on(db, path).colour(number, limits.PAINTED_CELLS)
        )
    except CorpusError as error:
        raise NotFound(str(error)) from error
    if plane is None:
        raise NotFound(f"piece {number} has no colours")
    rules = colours_css(shown_colours(plane))
    return Response(rules, content_type="text/css; charset=utf-8")


async def original(datasette: Any, request: Any) -> Any:
    """The bytes a piece came from, as a download."""
    name = await corpus_name(datasette, request)
    number = int(request.url_vars["number"])
    path = corpus_path(datasette, name)
    try:
        data = await ask(
            datasette,
            name,
            lambda db: Corpus.on(db, path).original(number, limit=limits.ORIGINAL_BYTES - 1),
        )
    except CorpusError as error:
        raise NotFound(str(error)) from error
    headers = {
        "content-disposition": f'attachment; filename="piece-{number}"',
        "x-content-type-options": "nosniff",
    }
    return Response(data, content_type="application/octet-stream", headers=headers)


# -- what every page needs


async def corpus_name(datasette: Any, request: Any, methods: tuple[str, ...] = _READING) -> str:
    """The corpus that an address names, asked by one of ``methods``."""
    if request.method not in methods:
        raise Failure(405, "Error 405", f"this address takes {' or '.join(methods)}").raised()
    given = str(request.url_vars["db"])
    names = await corpora(datasette)
    for name in names:
        if gallery_path(datasette, name).rpartition("/")[2] == given:
            if not corpus_path(datasette, name).exists():
                raise Failure(409, "The file is gone", f"{name} was moved or deleted").raised()
            return name
    raise NotFound(f"there is no corpus of that name; there is {', '.join(names)}")


def gallery_path(datasette: Any, name: str) -> str:
    """The address of a corpus's gallery, its name encoded as Datasette does."""
    route = datasette.urls.database(name).rpartition("/")[2]
    return str(datasette.urls.path(f"/-/art/{route}"))


def corpus_path(datasette: Any, name: str) -> Path:
    """The file of a corpus."""
    return Path(datasette.get_database(name).path)


def may_write(request: Any) -> bool:
    """Whether a curator asks."""
    actor = request.actor
    return isinstance(actor, dict) and actor.get("id") == CURATOR


async def page(datasette: Any, request: Any, template: str, name: str, **values: Any) -> Any:
    """The page that ``template`` makes of ``values``."""
    context = {
        "db": name,
        "base": gallery_path(datasette, name),
        "tables": datasette.urls.database(name),
        "script": datasette.urls.path("/-/art/static/asciiloom.js"),
        "width_class": width_class,
        "may_write": may_write(request),
        **values,
    }
    body = await datasette.render_template(f"asciiloom_{template}.html", context, request=request)
    return Response.html(body, headers={"content-security-policy": OUR_PAGES})
