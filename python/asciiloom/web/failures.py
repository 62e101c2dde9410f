"""What a visitor is told where something fails: a status, and a sentence with the cause and what to do.

Datasette's own handler prints a traceback with every local variable, the address and the token in it
among them; where ``asciiloom browse`` serves, this one takes its place.
"""

import sqlite3
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasette import Response
from datasette.database import MultipleValues, QueryInterrupted
from datasette.utils.asgi import Base400
from datasette.views.base import DatasetteError

from asciiloom.errors import AsciiloomError, CorpusError

# What Datasette's views raise for arguments that they did not expect.
_ODD_ARGUMENTS = (
    ValueError, TypeError, LookupError, AttributeError, AssertionError, OverflowError,
    RecursionError, MultipleValues,
)  # fmt: skip


_TITLES = {403: "Forbidden", 404: "Not found"}


@dataclass(frozen=True, slots=True)
class Failure:
    """``status`` of HTTP, a heading and a sentence."""

    status: int
    title: str
    message: str

    def raised(self) -> Any:
        """As the exception that every Datasette shows as a page."""
        return DatasetteError(self.message, title=self.title, status=self.status)


GONE = Failure(409, "The file is gone", "the corpus was moved or deleted; start again")
TOO_SLOW = Failure(400, "Too much to look through", "this question takes too long; ask for less")


def explain(error: BaseException) -> Failure | None:
    """What to say of ``error``; None where it is nobody's but ours."""
    if isinstance(error, QueryInterrupted):
        return TOO_SLOW
    if isinstance(error, DatasetteError):
        # Datasette says 500 for a column that does not exist.
        status = 400 if error.status >= 500 and error.title is None else error.status
        if error.title == "SQL Interrupted":
            return TOO_SLOW
        return Failure(
            status, error.title or _TITLES.get(status, f"Error {status}"), str(error.message)
        )
    if isinstance(error, Base400):
        said = str(error.args[0]) if error.args else ""
        return Failure(error.status, _TITLES.get(error.status, f"Error {error.status}"), said)
    if isinstance(error, CorpusError):
        return Failure(409, "The corpus cannot be used", str(error))
    if isinstance(error, AsciiloomError):
        return Failure(400, "This cannot be done", str(error))
    if isinstance(error, MemoryError):
        return Failure(400, "Too large", "this question takes too much memory; ask for less")
    if isinstance(error, sqlite3.Error):
        return _of_sqlite(error)
    if isinstance(error, FileNotFoundError):
        return GONE
    if isinstance(error, OSError):
        return Failure(503, "The file cannot be read", error.strerror or "a read failed")
    if isinstance(error, TimeoutError):
        return TOO_SLOW
    return None


def _of_sqlite(error: sqlite3.Error) -> Failure:
    said = str(error)
    if "interrupted" in said:
        return TOO_SLOW
    if "locked" in said or "busy" in said:
        return Failure(
            503, "The corpus is in use", "another program is writing to it; try again in a moment"
        )
    if "too big" in said or "bytes" in said:
        return Failure(400, "Too large", f"{said}; ask for less")
    if "malformed" in said or "not a database" in said or "corrupt" in said:
        return Failure(409, "The file is damaged", f"{said}; look with: asciiloom check")
    if any(part in said for part in ("unable to open", "disk I/O", "readonly", "full")):
        return Failure(503, "The file cannot be used", f"{said}; is it still where it was?")
    return Failure(400, "SQLite refuses", said)


def _is_gone(datasette: Any) -> bool:
    """Whether a file that is served is no longer there.

    SQLite says "unable to open" of that, and so it does of other things.
    """
    paths = (database.path for database in datasette.databases.values())
    return any(path is not None and not Path(path).exists() for path in paths)


async def failure_page(datasette: Any, request: Any, error: Exception) -> Any:
    """The answer to a request in which ``error`` was raised."""
    failure = explain(error)
    if isinstance(error, sqlite3.Error) and _is_gone(datasette):
        failure = GONE
    if failure is None and not request.path.startswith("/-/art") and _odd(error):
        failure = Failure(400, "Error 400", "Datasette has no answer to this address")
    if failure is None:
        told = "".join(traceback.format_exception(error))
        sys.stderr.write(f"asciiloom browse failed; please report this:\n{told}")
        failure = Failure(500, "Error 500", "this is a mistake in asciiloom; its log says more")
    if request.path.endswith(".json"):
        body = {"ok": False, "error": failure.message, "status": failure.status}
        return Response.json(body | {"title": failure.title}, status=failure.status)
    page = await datasette.render_template(
        "asciiloom_failure.html",
        {"failure": failure, "script": datasette.urls.path("/-/art/static/asciiloom.js")},
        request=request,
    )
    headers = {"retry-after": "5"} if failure.status == 503 else {}
    return Response.html(page, status=failure.status, headers=headers)


def _odd(error: Exception) -> bool:
    return isinstance(error, _ODD_ARGUMENTS)
