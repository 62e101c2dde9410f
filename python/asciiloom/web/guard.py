"""What stands before Datasette: who is answered, what a request may hold, what an answer may cost.

An ASGI application around another one. A request that is refused never reaches Datasette; an answer is
made whole, within bounds of time and size, before its first byte is sent, so that a slow client keeps
nobody waiting.
"""

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from asciiloom.web import limits
from asciiloom.web.policy import protect

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = ("127.0.0.1", "::1", "localhost")
_WILDCARD = ("0.0.0.0", "::", "")  # noqa: S104  (to compare with, not to listen on)
_COOKIES = (b"ds_actor", b"ds_csrftoken", b"ds_messages")
_COOKIE_VALUE = re.compile(rb"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\[\]:/@\s]+)(?::([0-9]{1,5}))?")
# Of Datasette's pages below /-/ those that a visitor has a use for.
_PLACES = re.compile(r"/-/(art|static|static-plugins|logout|versions|plugins|settings)(?![a-z-])")
_CHUNK = 64 << 10


class RefusedError(Exception):
    """A request that is not passed on."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


class Names:
    """The host names that a server answers to: against pages that point a name of theirs at it."""

    def __init__(self, host: str, port: int, allowed: Iterable[str] = ()) -> None:
        own = host.strip("[]").lower()
        self._any_address = own in _WILDCARD
        loopback = own in LOOPBACK or self._any_address
        self._here = {*LOOPBACK, own} if loopback else {own}
        self._allowed = {name.strip("[]").lower() for name in allowed}
        self._port = port

    def __contains__(self, header: str) -> bool:
        """Whether ``header``, a Host header, is one of them."""
        match = _HOST.fullmatch(header.lower())
        if match is None:
            return False
        name, port = match[1].strip("[]"), int(match[2] or 80)
        if name in self._allowed or header.lower() in self._allowed:
            return True
        # An address cannot be pointed elsewhere, so each of this machine's will do.
        return port == self._port and (
            name in self._here or (self._any_address and _is_address(name))
        )


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


@dataclass(slots=True)
class _Answer:
    """An answer as it is made."""

    most: int
    status: int = 500
    headers: list[Any] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)

    async def take(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message.get("headers", []))
            return
        if len(self.body) + len(message.get("body", b"")) > self.most:
            raise RefusedError(
                400, f"this answer has more than {self.most >> 20} MB; ask for less, as with _size="
            )
        self.body += message.get("body", b"")


class Guard:
    """``app``, answering only requests that name one of ``names`` and keep to the limits."""

    def __init__(self, app: App, names: Names) -> None:
        self._app, self._names = app, names
        self._turns = asyncio.Semaphore(limits.AT_ONCE)
        self._unsent = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            try:
                answer = await self._answer(scope, receive)
            except RefusedError as refusal:
                answer = _Answer(
                    0, refusal.status, [(b"content-type", b"text/plain; charset=utf-8")]
                )
                answer.body += f"{refusal.reason}\n".encode()
            await self._send(answer, send)

    async def _answer(self, scope: Scope, receive: Receive) -> _Answer:
        self._refuse(scope)
        body = await _body(scope, receive)
        known = [(n, v) for n, v in scope["headers"] if n not in (b"cookie", b"authorization")]
        if cookies := _cookies(scope):
            known.append((b"cookie", cookies))
        scope = {**scope, "headers": known}
        original = scope["path"].startswith("/-/art/") and scope["path"].endswith("/original")
        answer = _Answer(limits.ORIGINAL_BYTES if original else limits.ANSWER_BYTES)
        rest = [{"type": "http.request", "body": body, "more_body": False}]

        async def received() -> dict[str, Any]:
            return rest.pop() if rest else {"type": "http.disconnect"}

        try:
            async with asyncio.timeout(limits.WAITING_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            raise RefusedError(503, "too much is asked at once; try again in a moment") from None
        try:
            async with asyncio.timeout(limits.ANSWER_SECONDS):
                await self._app(scope, received, answer.take)
        except TimeoutError:
            raise RefusedError(503, "this takes too long; ask for less") from None
        except MemoryError:
            raise RefusedError(400, "this takes too much memory; ask for less") from None
        except (RefusedError, asyncio.CancelledError):
            raise
        except Exception as error:
            sys.stderr.write(f"asciiloom browse failed: {type(error).__name__}: {error}\n")
            raise RefusedError(500, "this is a mistake in asciiloom; its log says more") from None
        finally:
            self._turns.release()
        return answer

    def _refuse(self, scope: Scope) -> None:
        """Refuse what may not be asked here at all."""
        headers = dict(scope["headers"])
        if headers.get(b"host", b"").decode("latin-1") not in self._names:
            raise RefusedError(
                421,
                "this server was not started for that host name;"
                " asciiloom browse --allow-host NAME answers to another one",
            )
        if scope["method"] not in ("GET", "HEAD", "POST"):
            raise RefusedError(405, "this method is not known here; GET, HEAD and POST are")
        site, mode = headers.get(b"sec-fetch-site", b"none"), headers.get(b"sec-fetch-mode")
        followed = mode == b"navigate" and scope["method"] == "GET"
        if site in (b"cross-site", b"same-site") and not followed:
            raise RefusedError(403, "pages of other sites may link here, and nothing else")
        raw = scope.get("raw_path") or b""
        path = raw.partition(b"?")[0].decode("latin-1")
        if not path.startswith("/") or len(raw) + len(scope["query_string"]) > limits.ADDRESS_BYTES:
            raise RefusedError(400, "this is no address of a page here, or far too long")
        if path.startswith("/-/") and not _PLACES.match(path):
            raise RefusedError(404, "there is no such page")

    async def _send(self, answer: _Answer, send: Send) -> None:
        size = len(answer.body)
        if size > limits.SMALL_BYTES and self._unsent + size > limits.UNSENT_BYTES:
            answer = _Answer(0, 503, [(b"content-type", b"text/plain"), (b"retry-after", b"5")])
            answer.body += b"too many answers wait for slow clients; try again in a moment\n"
            size = len(answer.body)
        kinds = [bytes(v) for n, v in answer.headers if bytes(n).lower() == b"content-type"]
        headers = [
            (bytes(n), bytes(v))
            for n, v in answer.headers
            if bytes(n).lower() not in (b"content-length", b"transfer-encoding")
            and not _CONTROL.search(v)
        ]
        headers = protect(headers, html=any(kind.startswith(b"text/html") for kind in kinds))
        headers.append((b"content-length", str(size).encode()))
        self._unsent += size
        try:
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            # In parts, each of which waits until the client has taken those before.
            for start in range(0, size, _CHUNK):
                part = bytes(answer.body[start : start + _CHUNK])
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._unsent -= size


def _cookies(scope: Scope) -> bytes:
    """The cookies that are Datasette's: those of other programs on this host can be malformed."""
    found = {}
    for name, value in scope["headers"]:
        if name == b"cookie":
            for part in value.split(b";"):
                key, _, content = part.strip().partition(b"=")
                if key in _COOKIES and _COOKIE_VALUE.fullmatch(content):
                    found[key] = content
    return b"; ".join(key + b"=" + content for key, content in found.items())


async def _body(scope: Scope, receive: Receive) -> bytes:
    """The whole body of a request: a small form, or nothing."""
    body = bytearray()
    try:
        async with asyncio.timeout(limits.REQUEST_SECONDS):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise RefusedError(400, "the request broke off")
                body += message.get("body", b"")
                if len(body) > limits.BODY_BYTES:
                    raise RefusedError(413, f"a form here has at most {limits.BODY_BYTES:,} bytes")
                if not message.get("more_body"):
                    break
    except TimeoutError:
        raise RefusedError(408, "the request took too long to arrive") from None
    if scope["method"] == "POST":
        kind = dict(scope["headers"]).get(b"content-type", b"").lower().partition(b";")[0].strip()
        if kind != b"application/x-www-form-urlencoded":
            raise RefusedError(415, "a form must be application/x-www-form-urlencoded")
        try:
            body.decode("utf-8")
        except UnicodeDecodeError:
            raise RefusedError(400, "this form is not UTF-8") from None
    return bytes(body)
