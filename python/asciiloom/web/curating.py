"""The pages that change a corpus: becoming a curator, edits, twin review, undo.

Writing takes a curator's cookie, which only the printed token gives, and a CSRF token in every form.
"""

import asyncio
import secrets
import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

from datasette import Forbidden, Response
from markupsafe import Markup, escape

from asciiloom.corpus import Corpus
from asciiloom.curate.edits import Change, apply, undo
from asciiloom.curate.review import Review, review_pair, reviews
from asciiloom.errors import AsciiloomError
from asciiloom.web import limits
from asciiloom.web.corpora import ask
from asciiloom.web.failures import Failure, explain
from asciiloom.web.query import whole_number
from asciiloom.web.views import (
    CURATOR,
    corpus_name,
    corpus_path,
    gallery_path,
    may_write,
    page,
)

T = TypeVar("T")
# Set by the server that ``asciiloom browse`` starts; elsewhere nobody becomes a curator.
TOKEN = "asciiloom_token"  # noqa: S105  (the name of an attribute)
BUSY_MILLISECONDS = 5000  # another writer is waited for; a visitor does not wait a minute
_VERDICTS = ("same", "variant", "apart")
_MOST_SKIPPED = 10**8
_LARGEST_ID = 10**18


async def enter(datasette: Any, request: Any) -> Any:
    """Become a curator by the token, then go to the gallery, whose address does not have it."""
    name = await corpus_name(datasette, request)
    token = getattr(datasette, TOKEN, None)
    given = request.args.get("token") or ""
    if not token or not secrets.compare_digest(token.encode(), given.encode("utf-8", "replace")):
        raise Forbidden("this is not the token that asciiloom browse printed")
    answer = Response.redirect(gallery_path(datasette, name))
    answer.set_cookie(
        "ds_actor",
        datasette.sign({"a": {"id": CURATOR}}, "actor"),
        httponly=True,
        samesite="strict",
    )
    return answer


async def edit(datasette: Any, request: Any) -> Any:
    """Set fields and tags of a piece from its form."""
    name, form = await _form(datasette, request)
    number = int(request.url_vars["number"])
    changes = [Change(number, f, form[f]) for f in ("title", "artist", "licence") if f in form]
    if "tags" in form:
        changes.append(Change(number, "tags", form["tags"].split(",")))
    if form.get("action") == "reject":
        changes = [Change(number, "withdrawn", form.get("reason") or "rejected by a curator")]
    elif form.get("action") == "restore":
        changes = [Change(number, "withdrawn", None)]
    if not changes:
        raise Failure(400, "Error 400", "this form says nothing to change").raised()
    await _write(datasette, name, lambda db: apply(db, f"browse: piece {number}", changes))
    return Response.redirect(f"{gallery_path(datasette, name)}/piece/{number}")


async def review(datasette: Any, request: Any) -> Any:
    """One near-twin pair at a time; a decision leads to the next."""
    asked = request.args.get("verdict")
    verdict = asked if asked in _VERDICTS else "variant"
    skip = whole_number(request.args.get("skip"), _MOST_SKIPPED) or 0
    if request.method == "POST":
        return await _decide(datasette, request, verdict, skip)
    name = await corpus_name(datasette, request)
    first, _, second = (request.args.get("pair") or "").partition("-")
    a, b = whole_number(first, _LARGEST_ID), whole_number(second, _LARGEST_ID)

    def read(db: sqlite3.Connection) -> tuple[Review | None, list[Markup]]:
        if a is not None and b is not None:
            pair = review_pair(db, a, b)
        else:
            pair = next(iter(reviews(db, verdict, 1, offset=skip)), None)
        return pair, _sides(pair) if pair else []

    pair, sides = await ask(datasette, name, read)
    return await page(
        datasette, request, "review", name,
        pair=pair, sides=sides, verdict=verdict, skip=skip, verdicts=_VERDICTS,
        widths=[max(map(len, t.split("\n"))) for t in pair.texts] if pair else [],
        done=(request.args.get("done") or "").split()[:3],
    )  # fmt: skip


async def _decide(datasette: Any, request: Any, verdict: str, skip: int) -> Any:
    name, form = await _form(datasette, request)
    decided = form.get("verdict")
    a, b = (whole_number(form.get(side), _LARGEST_ID) for side in ("a", "b"))
    if a is None or b is None or decided not in _VERDICTS:
        raise Failure(400, "Error 400", "this form does not say which pair is what").raised()
    change = Change(a, f"twin {b}", decided)
    await _write(datasette, name, lambda db: apply(db, f"browse: {a} {b} {decided}", [change]))
    return Response.redirect(
        f"{gallery_path(datasette, name)}/review"
        f"?verdict={verdict}&skip={skip}&done={a}+{b}+{decided}"
    )


async def take_back(datasette: Any, request: Any) -> Any:
    """Undo the last edit."""
    name, form = await _form(datasette, request)
    await _write(datasette, name, undo)
    to = "/review" if form.get("to") == "review" else ""
    return Response.redirect(gallery_path(datasette, name) + to)


def _sides(pair: Review) -> list[Markup]:
    """Both arts with the differing cells marked; large ones as they are."""
    if sum(map(len, pair.texts)) > limits.COMPARED_CHARACTERS:
        return [escape(text) for text in pair.texts]
    return [_marked(t, m) for t, m in zip(pair.texts, pair.differences(), strict=True)]


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


async def _form(datasette: Any, request: Any) -> tuple[str, dict[str, str]]:
    """The corpus and the form of a request to write to it."""
    name = await corpus_name(datasette, request, methods=("POST",))
    if not may_write(request):
        raise Forbidden("writing needs the link with the token that asciiloom browse printed")
    form: dict[str, str] = await request.post_vars()
    return name, form


async def _write(datasette: Any, name: str, change: Callable[[sqlite3.Connection], T]) -> T:
    """Run a change on a connection of its own, outside the event loop."""

    def run() -> T:
        with Corpus(corpus_path(datasette, name)) as corpus:
            corpus.connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
            return change(corpus.connection)

    try:
        return await asyncio.to_thread(run)
    except (AsciiloomError, sqlite3.Error, OSError) as error:
        failure = explain(error)
        assert failure is not None
        raise failure.raised() from error
