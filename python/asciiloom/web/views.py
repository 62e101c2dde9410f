"""The pages: gallery, piece, twin review. Each is a view function of Datasette's.

Reading is open to whoever reaches the server (loopback only, unless told otherwise). Writing takes a
curator's cookie, which only the printed token gives, and a CSRF token in every form.
"""

import asyncio
import secrets
import sqlite3
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from datasette import Forbidden, NotFound, Response
from markupsafe import Markup, escape

from asciiloom.corpus import Corpus
from asciiloom.curate.edits import Change, apply, undo
from asciiloom.curate.review import Review, review_pair, reviews
from asciiloom.emit import paint_html
from asciiloom.errors import AsciiloomError, CorpusError
from asciiloom.web.corpora import Query, ask, corpora, facets, found

T = TypeVar("T")
CURATOR = "curator"
# Set by the server that ``asciiloom browse`` starts; elsewhere nobody becomes a curator.
TOKEN = "asciiloom_token"  # noqa: S105  (the name of an attribute)
_STATIC = {"asciiloom.css": "text/css", "asciiloom.js": "text/javascript"}
_VERDICTS = ("same", "variant", "apart")


async def static(request: Any) -> Any:
    """The style sheet and the script."""
    name = request.url_vars["file"]
    if name not in _STATIC:
        raise NotFound("no such file")
    text = (files("asciiloom.web") / "static" / name).read_text(encoding="utf-8")
    return Response(
        text,
        content_type=f"{_STATIC[name]}; charset=utf-8",
        headers={"cache-control": "max-age=300"},
    )


async def home(datasette: Any) -> Any:
    """The gallery of the first corpus."""
    names = await corpora(datasette)
    if not names:
        raise NotFound("no attached database is an asciiloom corpus")
    return Response.redirect(datasette.urls.path(f"/-/art/{names[0]}"))


async def enter(datasette: Any, request: Any) -> Any:
    """Become a curator by the token, then go to the gallery."""
    name = await _corpus(datasette, request)
    token = getattr(datasette, TOKEN, None)
    if not token or not secrets.compare_digest(token, request.args.get("token") or ""):
        raise Forbidden("this is not the token that asciiloom browse printed")
    answer = Response.redirect(datasette.urls.path(f"/-/art/{name}"))
    answer.set_cookie(
        "ds_actor",
        datasette.sign({"a": {"id": CURATOR}}, "actor"),
        httponly=True,
        samesite="strict",
    )
    return answer


async def gallery(datasette: Any, request: Any) -> Any:
    """Pieces found, with facets to narrow them."""
    name = await _corpus(datasette, request)
    query = Query.of(request.args)
    (pieces, more, count), counts = await ask(
        datasette, name, lambda db: (found(db, query), facets(db))
    )
    return await _page(
        datasette, request, "gallery", name,
        query=query, pieces=pieces, more=more, count=count, facets=counts,
    )  # fmt: skip


async def piece(datasette: Any, request: Any) -> Any:
    """One piece with all that is known of it."""
    name = await _corpus(datasette, request)
    number = int(request.url_vars["number"])

    def read(db: sqlite3.Connection) -> dict[str, Any]:
        corpus = Corpus.on(db, _path(datasette, name))
        record = corpus.get(number)
        plane = corpus.colour(number)
        record["painted"] = Markup(paint_html(record["text"], plane)) if plane else None
        record["withdrawn"] = db.execute(
            "SELECT reason FROM withdrawn WHERE piece_id = ?", (number,)
        ).fetchone()
        return record

    try:
        record = await ask(datasette, name, read)
    except CorpusError as error:
        raise NotFound(f"there is no piece {number}") from error
    return await _page(datasette, request, "piece", name, piece=record)


async def original(datasette: Any, request: Any) -> Any:
    """The bytes a piece came from, as a download."""
    name = await _corpus(datasette, request)
    number = int(request.url_vars["number"])
    try:
        data = await ask(
            datasette, name, lambda db: Corpus.on(db, _path(datasette, name)).original(number)
        )
    except CorpusError as error:
        raise NotFound(f"there is no piece {number}") from error
    headers = {
        "content-disposition": f'attachment; filename="piece-{number}"',
        "x-content-type-options": "nosniff",
    }
    return Response(data, content_type="application/octet-stream", headers=headers)


async def edit(datasette: Any, request: Any) -> Any:
    """Set fields and tags of a piece from its form."""
    name = await _corpus(datasette, request)
    number = int(request.url_vars["number"])
    form = await _form(request)
    changes = [Change(number, f, form[f]) for f in ("title", "artist", "licence") if f in form]
    if "tags" in form:
        changes.append(Change(number, "tags", form["tags"].split(",")))
    if form.get("action") == "reject":
        changes = [Change(number, "withdrawn", form.get("reason") or "rejected by a curator")]
    elif form.get("action") == "restore":
        changes = [Change(number, "withdrawn", None)]
    await _write(datasette, name, lambda db: apply(db, f"browse: piece {number}", changes))
    return Response.redirect(datasette.urls.path(f"/-/art/{name}/piece/{number}"))


async def review(datasette: Any, request: Any) -> Any:
    """One near-twin pair at a time; a decision leads to the next."""
    name = await _corpus(datasette, request)
    verdict = request.args.get("verdict")
    verdict = verdict if verdict in _VERDICTS else "variant"
    skip = request.args.get("skip") or "0"
    skip = int(skip) if skip.isdigit() and len(skip) < 9 else 0
    if request.method == "POST":
        form = await _form(request)
        a, b, decided = form.get("a", ""), form.get("b", ""), form.get("verdict")
        if not (a.isdigit() and b.isdigit()) or decided not in _VERDICTS:
            raise Forbidden("this form does not say which pair is what")
        change = Change(int(a), f"twin {int(b)}", decided)
        await _write(datasette, name, lambda db: apply(db, f"browse: {a} {b} {decided}", [change]))
        return Response.redirect(
            datasette.urls.path(
                f"/-/art/{name}/review?verdict={verdict}&skip={skip}&done={a}+{b}+{decided}"
            )
        )
    a, _, b = (request.args.get("pair") or "").partition("-")

    def read(db: sqlite3.Connection) -> Review | None:
        if a.isdigit() and b.isdigit():
            return review_pair(db, int(a), int(b))
        return next(iter(reviews(db, verdict, 1, offset=skip)), None)

    pair = await ask(datasette, name, read)
    sides = (
        [_marked(t, m) for t, m in zip(pair.texts, pair.differences(), strict=True)] if pair else []
    )
    return await _page(
        datasette, request, "review", name,
        pair=pair, sides=sides, widths=[max(map(len, t.split("\n"))) for t in pair.texts] if pair else [], verdict=verdict, skip=skip, verdicts=_VERDICTS,
        done=(request.args.get("done") or "").split()[:3],
    )  # fmt: skip


async def take_back(datasette: Any, request: Any) -> Any:
    """Undo the last edit."""
    name = await _corpus(datasette, request)
    form = await _form(request)
    await _write(datasette, name, undo)
    to = form.get("to") if form.get("to") == "review" else ""
    return Response.redirect(datasette.urls.path(f"/-/art/{name}" + (f"/{to}" if to else "")))


def _marked(text: str, marks: list[list[bool]]) -> Markup:
    """The inside of a ``<pre>`` with the differing cells marked."""
    out = []
    for row, flags in zip(text.split("\n"), marks, strict=True):
        start = 0
        line = ""
        for k in range(1, len(row) + 1):
            if k == len(row) or flags[k] != flags[start]:
                part = str(escape(row[start:k]))
                line += f"<mark>{part}</mark>" if flags[start] else part
                start = k
        out.append(line)
    return Markup("\n".join(out))


async def _corpus(datasette: Any, request: Any) -> str:
    name = str(request.url_vars["db"])
    if name not in await corpora(datasette):
        raise NotFound(f"{name} is not an attached corpus")
    return name


def _path(datasette: Any, name: str) -> Path:
    return Path(datasette.get_database(name).path)


def _may_write(request: Any) -> bool:
    return bool(request.actor) and request.actor.get("id") == CURATOR


async def _form(request: Any) -> dict[str, str]:
    if request.method != "POST":
        raise Forbidden("this address takes a form")
    if not _may_write(request):
        raise Forbidden("writing needs the link with the token that asciiloom browse printed")
    form: dict[str, str] = await request.post_vars()
    return form


async def _write(datasette: Any, name: str, change: Callable[[sqlite3.Connection], T]) -> T:
    """Run a change on a connection of its own, outside the event loop."""

    def run() -> T:
        with Corpus(_path(datasette, name)) as corpus:
            return change(corpus.connection)

    try:
        return await asyncio.to_thread(run)
    except AsciiloomError as error:
        raise Forbidden(str(error)) from error


async def _page(datasette: Any, request: Any, template: str, name: str, **values: Any) -> Any:
    context = {
        "db": name,
        "base": datasette.urls.path(f"/-/art/{name}"),
        "script": datasette.urls.path("/-/art/static/asciiloom.js"),
        "may_write": _may_write(request),
        **values,
    }
    body = await datasette.render_template(f"asciiloom_{template}.html", context, request=request)
    return Response.html(body)
