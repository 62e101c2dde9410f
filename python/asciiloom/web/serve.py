"""``asciiloom browse``: a Datasette on loopback with our plug-in and one curator's token."""

import secrets
import socket
from pathlib import Path
from typing import Any

from datasette.app import Datasette
from datasette.plugins import pm

import asciiloom.web
from asciiloom.corpus import Corpus
from asciiloom.web.views import TOKEN


def make_datasette(path: str | Path, *, read_only: bool = False) -> tuple[Any, str | None]:
    """(Datasette serving the corpus at ``path``, the curator's token or None where nobody may write)."""
    Corpus(path).close()  # says what is wrong with the file, and migrates it
    if not any(plugin.__name__ == "asciiloom.web" for plugin in pm.get_plugins()):
        pm.register(asciiloom.web, "asciiloom")
    datasette = Datasette([str(path)], secret=secrets.token_hex(32))
    token = None if read_only else secrets.token_urlsafe(24)
    setattr(datasette, TOKEN, token)
    return datasette, token


def gallery_address(path: str | Path, host: str, port: int, token: str | None) -> str:
    """Where to go with a browser."""
    base = f"http://{host}:{port}/-/art/{Path(path).stem}"
    return f"{base}/enter?token={token}" if token else base


def listening_socket(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, port))
    return bound


def serve(datasette: Any, bound: socket.socket) -> None:
    """Answer until interrupted."""
    import uvicorn

    config = uvicorn.Config(datasette.app(), log_level="warning", lifespan="on")
    uvicorn.Server(config).run(sockets=[bound])
