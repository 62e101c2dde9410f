"""A Datasette plug-in for browsing and curating a corpus, and the server of ``asciiloom browse``.

Any Datasette with asciiloom installed shows art as art; the pages below ``/-/art`` are there for every
attached database that is a corpus. Writing needs the token that ``asciiloom browse`` prints.
"""

from asciiloom.web.plugin import (
    extra_css_urls,
    forbidden,
    handle_exception,
    menu_links,
    prepare_connection,
    register_routes,
    render_cell,
)

__all__ = [
    "extra_css_urls", "forbidden", "handle_exception", "menu_links", "prepare_connection",
    "register_routes", "render_cell",
]  # fmt: skip
