"""``asciiloom browse``: a Datasette with our plug-in and one curator's token, behind the guard."""

import asyncio
import os
import secrets
import socket
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from datasette.app import Datasette
from datasette.plugins import pm
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

import asciiloom.web
from asciiloom.corpus import Corpus
from asciiloom.errors import CorpusError
from asciiloom.web import limits
from asciiloom.web.curating import TOKEN
from asciiloom.web.database import CorpusDatabase, bound_heap
from asciiloom.web.guard import Guard, Names
from asciiloom.web.views import gallery_path

_SETTINGS = {
    "allow_download": False,
    "allow_csv_stream": False,
    "default_page_size": 50,
    "max_returned_rows": limits.ROWS,
    "max_csv_mb": limits.ANSWER_BYTES // limits.MEBIBYTE,
    "sql_time_limit_ms": int(limits.SQL_SECONDS * 1000),
    "num_sql_threads": limits.AT_ONCE,
    "suggest_facets": False,  # one scan of the table a column
}


def make_datasette(
    path: str | Path, *, read_only: bool = False, free_sql: bool = False
) -> tuple[Any, str | None]:
    """(Datasette serving the corpus at ``path``, the curator's token or None where nobody may write).

    With ``free_sql`` visitors may write queries of their own.
    """
    path = Path(path)
    writable = os.access(path, os.W_OK) and os.access(path.absolute().parent, os.W_OK)
    unopened = None
    try:
        Corpus(path).close()  # says what is wrong with the file, and migrates it
    except CorpusError as error:
        if writable or not path.is_file():
            raise
        unopened = error
    if not any(plugin.__name__ == "asciiloom.web" for plugin in pm.get_plugins()):
        pm.register(asciiloom.web, "asciiloom")
    datasette = Datasette(
        settings=_SETTINGS | {"default_allow_sql": free_sql}, secret=secrets.token_hex(32)
    )
    datasette.remove_database("_memory")  # what it serves where it is given no file
    database = CorpusDatabase(datasette, path, free_sql=free_sql)
    if unopened is not None and not database.is_current():
        raise unopened
    name = os.fsencode(path.stem).decode("utf-8", "replace")
    datasette.add_database(database, name=name)
    token = secrets.token_urlsafe(24) if writable and not read_only else None
    setattr(datasette, TOKEN, token)
    return datasette, token


def gallery_address(datasette: Any, host: str, port: int, token: str | None) -> str:
    """Where to go with a browser; the token is dropped from the address there."""
    name = next(name for name in datasette.databases if name != "_internal")
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    base = f"http://{f'[{shown}]' if ':' in shown else shown}:{port}{gallery_path(datasette, name)}"
    return f"{base}/enter?token={token}" if token else base


def listening_socket(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, port))
    return bound


class ImpatientProtocol(H11Protocol):  # type: ignore[misc]  # uvicorn is not followed
    """A connection that cannot be held open, by a request that never ends or an answer never taken."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._seen: tuple[Any, bool] = (None, False)
        self._since = self.loop.time()
        self._look()

    def _look(self) -> None:
        """From time to time: cut the connection where it stays too long in one state."""
        working = self.cycle is not None and not self.cycle.response_complete
        state, now = (self.cycle, working), self.loop.time()
        if state != self._seen:
            self._seen, self._since = state, now
        patience = limits.WAITING_SECONDS + limits.ANSWER_SECONDS + limits.SENDING_SECONDS
        if now - self._since > (patience if working else limits.REQUEST_SECONDS):
            self.transport.abort()
        else:
            self._timer = self.loop.call_later(limits.REQUEST_SECONDS / 4, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        super().connection_lost(exc)


def serve(datasette: Any, bound: socket.socket, host: str, allowed: Iterable[str] = ()) -> None:
    """Answer until interrupted to whoever asks for ``host`` or one of the ``allowed`` names."""
    # Datasette leaves work undone where a request fails; nobody can mend that at the terminal.
    warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
    bound_heap()
    names = Names(host, bound.getsockname()[1], allowed)
    config = Config(
        Guard(datasette.app(), names),
        http=ImpatientProtocol,
        ws="none",
        lifespan="on",
        log_level="error",
        access_log=False,  # addresses can hold the token
        server_header=False,
        proxy_headers=False,
        limit_concurrency=limits.CONNECTIONS,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=3,
        h11_max_incomplete_event_size=2 * limits.ADDRESS_BYTES,
    )
    Server(config).run(sockets=[bound])
