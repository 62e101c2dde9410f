"""Headers that tell a browser what a page may do.

Our own pages hold no script and no style but what they name by address. Datasette's hold a few inline
scripts: those of its own templates, known by their hashes, run and no other does.
"""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

import datasette

_SHUT = "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
OUR_PAGES = (
    f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; {_SHUT}"
)
DATA = "default-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox"
EVERYWHERE = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


@cache
def datasette_pages() -> str:
    """The policy of Datasette's pages. Their styles are inline, written by its templates."""
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in _scripts())
    return (
        f"default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline';"
        f" img-src 'self' data:; connect-src 'self'; {_SHUT}"
    )


def _scripts() -> list[str]:
    """The inline scripts of Datasette's templates as they arrive in a page."""
    found = []
    for template in sorted((Path(datasette.__file__).parent / "templates").glob("*.html")):
        for script in _SCRIPT.findall(template.read_text(encoding="utf-8")):
            if "{{ datasette_allow_facet }}" in script:
                found += [
                    script.replace("{{ datasette_allow_facet }}", value)
                    for value in ("true", "false")
                ]
            elif "{{" not in script and "{%" not in script:
                found.append(script)
    return found


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def protect(headers: list[Any], html: bool) -> list[tuple[bytes, bytes]]:
    """``headers`` of an answer with those that protect it, and its cookies closed to scripts and to
    other sites."""
    named = {bytes(name).lower() for name, _ in headers}
    out = [
        (bytes(name), _closed(bytes(value)) if bytes(name).lower() == b"set-cookie" else value)
        for name, value in headers
    ]
    out += [(name, value) for name, value in EVERYWHERE if name not in named]
    if b"content-security-policy" not in named:
        policy = datasette_pages() if html else DATA
        out.append((b"content-security-policy", policy.encode()))
    if b"cache-control" not in named:
        out.append((b"cache-control", b"no-store"))
    return out


def _closed(cookie: bytes) -> bytes:
    kept = [
        part
        for part in cookie.split(b";")
        if not part.strip().lower().startswith((b"samesite", b"httponly"))
    ]
    return b";".join([*kept, b" HttpOnly", b" SameSite=Strict"])
