"""The Datasette hooks: art in cells, a link in the menu, and the routes of the pages."""

from typing import Any

from datasette import hookimpl
from markupsafe import Markup, escape

from asciiloom.store.connection import MAPPED_BYTES
from asciiloom.store.pattern import register
from asciiloom.web import views

CELL_CHARACTERS = 4000  # of a piece in a table cell; its own page has all of it


@hookimpl
def render_cell(row: Any, value: Any, column: str, table: str | None) -> Markup | None:
    """The text of a piece as art, in the table and in queries that select it under its name."""
    if column != "text" or table not in ("piece", None) or not isinstance(value, str):
        return None
    shown = value if len(value) <= CELL_CHARACTERS else value[:CELL_CHARACTERS] + "\n[...]"
    return Markup('<pre class="asciiloom-art">{}</pre>').format(escape(shown))


@hookimpl
def prepare_connection(conn: Any) -> None:
    """What the pages' questions need."""
    register(conn)
    conn.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")


@hookimpl
def extra_css_urls(datasette: Any) -> list[str]:
    return [datasette.urls.path("/-/art/static/asciiloom.css")]


@hookimpl
def menu_links(datasette: Any) -> list[dict[str, str]]:
    return [{"href": datasette.urls.path("/-/art"), "label": "Gallery"}]


@hookimpl
def register_routes() -> list[tuple[str, Any]]:
    base = r"/-/art/(?P<db>[^/]+)"
    return [
        (r"^/-/art/static/(?P<file>[a-z.]+)$", views.static),
        (r"^/-/art$", views.home),
        (rf"^{base}/enter$", views.enter),
        (rf"^{base}$", views.gallery),
        (rf"^{base}/piece/(?P<number>\d{{1,18}})$", views.piece),
        (rf"^{base}/piece/(?P<number>\d{{1,18}})/original$", views.original),
        (rf"^{base}/piece/(?P<number>\d{{1,18}})/edit$", views.edit),
        (rf"^{base}/review$", views.review),
        (rf"^{base}/undo$", views.take_back),
    ]
