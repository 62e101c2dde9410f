"""What stands before Datasette, without a server: names, limits of an answer, cookies."""

import asyncio
from typing import Any

import httpx
import pytest

from asciiloom.web import limits
from asciiloom.web.guard import App, Guard, Names


def test_loopback_names_and_their_port() -> None:
    names = Names("127.0.0.1", 8001, ["proxy.example", "other.example:99"])
    for good in ("127.0.0.1:8001", "localhost:8001", "[::1]:8001", "proxy.example", "Proxy.Example:4433", "other.example:99"):  # fmt: skip
        assert good in names, good
    for bad in ("127.0.0.1", "localhost:80", "evil.example:8001", "other.example:98", "", ":8001", "::1:8001", "a b"):  # fmt: skip
        assert bad not in names, bad
    assert "localhost" in Names("localhost", 80)


def test_a_host_of_ones_own_and_every_address() -> None:
    assert "192.168.1.7:80" in Names("192.168.1.7", 80)
    assert "127.0.0.1:80" not in Names("192.168.1.7", 80)
    everywhere = Names("0.0.0.0", 8001)
    assert "10.1.2.3:8001" in everywhere and "localhost:8001" in everywhere
    assert "evil.example:8001" not in everywhere  # a name can be pointed here, an address cannot


def _answering(body: bytes, kind: bytes = b"text/plain", **seen: Any) -> App:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.get("scopes", []).append(scope)
        headers = [(b"content-type", kind), (b"set-cookie", b"a=b; Path=/; SameSite=Lax")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for start in range(0, len(body), 1 << 20):
            part = body[start : start + (1 << 20)]
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return app


def _ask(app: App, path: str = "/art", **more: Any) -> httpx.Response:
    async def ask() -> httpx.Response:
        guard: Any = Guard(app, Names("localhost", 80))
        transport = httpx.ASGITransport(app=guard)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(more.pop("method", "GET"), path, **more)

    return asyncio.run(ask())


def test_an_answer_arrives_whole_or_not_at_all() -> None:
    whole = bytes(range(256)) * 4096 * 3
    assert _ask(_answering(whole)).content == whole
    refused = _ask(_answering(bytes(limits.ANSWER_BYTES + 1)))
    assert refused.status_code == 400 and "more than 8 MB" in refused.text


def test_an_answer_that_never_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ANSWER_SECONDS", 0.05)

    async def never(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(60)

    assert _ask(never).status_code == 503


def test_an_error_of_ours_is_told_without_the_address(capsys: pytest.CaptureFixture[str]) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("broken")

    answer = _ask(broken, "/art?token=secret")
    assert answer.status_code == 500 and "secret" not in answer.text
    said = capsys.readouterr().err
    assert "broken" in said and "secret" not in said and "Traceback" not in said


def test_cookies_of_other_programs_are_not_passed_on() -> None:
    scopes: list[Any] = []
    sent = "a/b=1; ds_actor=abc; other=2; ds_csrftoken=x\x7f; ds_actor_=1"
    answer = _ask(_answering(b"", scopes=scopes), headers={"Cookie": sent})
    assert (b"cookie", b"ds_actor=abc") in scopes[0]["headers"]
    assert answer.headers["set-cookie"] == "a=b; Path=/; HttpOnly; SameSite=Strict"


def test_forms_are_small_and_of_one_kind() -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for body, headers, status in (
        (b"a=1", form, 200),
        (b"a" * (limits.BODY_BYTES + 1), form, 413),
        (b"\xff", form, 400),
        (b"{}", {"Content-Type": "application/json"}, 415),
        (b"", {}, 415),
    ):
        answer = _ask(_answering(b"fine"), method="POST", content=body, headers=headers)
        assert answer.status_code == status, body[:9]


def test_a_websocket_is_closed_at_once() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    guard = Guard(_answering(b""), Names("localhost", 80))
    asyncio.run(guard({"type": "websocket"}, receive, send))
    assert [message["type"] for message in sent] == ["websocket.close"]
