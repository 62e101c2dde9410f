"""The Datasette hooks: art in cells, a link in the menu, the routes of the pages, what a connection may
take and what is said of failures."""

from collections.abc import Generator
from functools import partial
from typing import Any

from datasette import Forbidden, hookimpl
from markupsafe import Markup, escape

from asciiloom.store.connection import MAPPED_BYTES
from asciiloom.store.pattern import register
from asciiloom.web import curating, views
from asciiloom.web.database import CorpusDatabase, ReadConnection, bound
from asciiloom.web.failures import failure_page

CELL_CHARACTERS = 4000  # of a piece in a table cell; its own page has all of it


@hookimpl
def render_cell(row: Any, value: Any, column: str, table: str | None) -> Markup | None:
    """The text of a piece as art, in the table and in queries that select it under its name."""
    if column != "text" or table not in ("piece", None) or not isinstance(value, str):
        return None
    shown = value if len(value) <= CELL_CHARACTERS else value[:CELL_CHARACTERS] + "\n[...]"
    return Markup('<pre class="asciiloom-art">{}</pre>').format(escape(shown))


@hookimpl
def prepare_connection(conn: Any, database: str, datasette: Any) -> None:
    """What the pages' questions need; of the corpus of ``asciiloom browse`` also what bounds them."""
    served = datasette.databases.get(database)
    if isinstance(conn, ReadConnection) and isinstance(served, CorpusDatabase):
        bound(conn, served.value_bytes)
    else:
        register(conn)
        conn.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")


@hookimpl(hookwrapper=True)
def handle_exception(
    datasette: Any, request: Any, exception: Exception
) -> Generator[None, Any, None]:
    """Our page of a failure in place of Datasette's, where ``asciiloom browse`` serves."""
    answers = yield
    if hasattr(datasette, curating.TOKEN):
        answers.force_result([partial(failure_page, datasette, request, exception)])


@hookimpl
def forbidden(datasette: Any, request: Any, message: str) -> Any:
    """The same page for what is not allowed."""
    if not hasattr(datasette, curating.TOKEN):
        return None
    return partial(failure_page, datasette, request, Forbidden(message))


@hookimpl
def extra_css_urls(datasette: Any) -> list[str]:
    return [datasette.urls.path("/-/art/static/asciiloom.css")]


@hookimpl
def menu_links(datasette: Any) -> list[dict[str, str]]:
    return [{"href": datasette.urls.path("/-/art"), "label": "Gallery"}]


@hookimpl
def register_routes() -> list[tuple[str, Any]]:
    base = r"/-/art/(?P<db>[^/]+)"
    number = r"(?P<number>[0-9]{1,18})"
    return [
        (r"^/-/art/static/(?P<file>[a-z.]+)$", views.static),
        (r"^/-/art$", views.home),
        (rf"^{base}/enter$", curating.enter),
        (rf"^{base}$", views.gallery),
        (rf"^{base}/piece/{number}$", views.piece),
        (rf"^{base}/piece/{number}/original$", views.original),
        (rf"^{base}/piece/{number}/colours\.css$", views.colours),
        (rf"^{base}/piece/{number}/edit$", curating.edit),
        (rf"^{base}/review$", curating.review),
        (rf"^{base}/undo$", curating.take_back),
    ]
