"""A really running ``asciiloom browse`` under requests that nobody should send."""

import http.client
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from asciiloom import synth
from asciiloom.corpus import Corpus
from asciiloom.piece import Piece

NUMBERS = ("²", "١", "-1", "1e9", "0x10", "12345678901234567890", "9" * 300, "", " ", "1.5", "NaN")
BYTES = ("%00", "%ED%A0%80", "%FF%FE", "%", "%zz", "%0d%0aset-cookie:x=y", "%E2%80%AE", "'", "%22")


@dataclass(slots=True)
class Server:
    """A served corpus: where it listens, its token, its process, and what it wrote."""

    port: int
    token: str
    base: str
    process: "subprocess.Popen[str]"
    log: Path

    def ask(
        self,
        path: str,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        """(status, headers, body) of one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.putrequest(
                method, path, skip_host="Host" in (headers or {}), skip_accept_encoding=True
            )
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            got = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, got, answer.read()
        finally:
            connection.close()

    def curator(self) -> dict[str, str]:
        """Headers of a curator's form."""
        _, entered, _ = self.ask(f"{self.base}/enter?token={self.token}")
        actor = entered["set-cookie"].split(";")[0]
        _, page, text = self.ask(f"{self.base}/piece/1", headers={"Cookie": actor})
        csrf = re.search(rb'name="csrftoken" value="([^"]+)"', text)
        assert csrf is not None
        self.csrf = csrf[1].decode()
        return {
            "Cookie": f"{actor}; {page['set-cookie'].split(';')[0]}",
            "Content-Type": "application/x-www-form-urlencoded",
        }

    csrf: str = ""

    def peak(self) -> int:
        """The most memory that the process ever had, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024


def _corpus(path: Path) -> Path:
    pieces = [p for p in synth.generate(200, seed=6, kinds=("art", "scene")) if len(p.text) > 200]
    with Corpus(path, create=True) as corpus:
        corpus.add(pieces[:30])
        corpus.add([Piece(p.text + "\n\n my own robot") for p in pieces[:4]])
        corpus.add([Piece("\n".join("o." * 1000 for _ in range(450)), title="wide")])
        corpus.dedup()
        db = corpus.connection
        db.execute("UPDATE twin SET verdict = 'variant'")
        bomb = b"CP1\0" + (40_000_000).to_bytes(4, "little") + (1).to_bytes(4, "little")
        bomb += (1).to_bytes(4, "little") * 2 + zlib.compress(bytes(80_000_004))
        planes = [b"", b"CP1\0", b"\xff" * 40, b"CP1\0" + b"\1\0\0\0" * 4 + b"garbage", bomb]
        for number, plane in enumerate(planes, 1):
            db.execute(
                "INSERT OR REPLACE INTO colour (piece_id, plane) VALUES (?, ?)", (number, plane)
            )
        originals = [
            b"",
            b"no zlib",
            zlib.compress(b"half a stream" * 99)[:-20],
            zlib.compress(bytes(80 << 20), 1),
        ]
        columns = [row[1] for row in db.execute("PRAGMA table_info(original)")]
        for number, original in enumerate(originals, 1):
            values = {"bytes": original, "hash": f"{number:032x}", "size": len(original)}
            known = {k: v for k, v in values.items() if k in columns}
            key = db.execute(
                f"INSERT INTO original ({', '.join(known)}) VALUES ({', '.join('?' * len(known))})",
                list(known.values()),
            ).lastrowid
            db.execute("UPDATE origin SET original_id = ? WHERE piece_id = ?", (key, number))
    return path


def _serve(path: Path, *options: str) -> Iterator[Server]:
    log = path.parent / "browse.log"
    command = [sys.executable, "-m", "asciiloom", "browse", str(path), "--port", "0", *options]
    with (
        log.open("w") as out,
        subprocess.Popen(command, stdout=out, stderr=out, text=True) as process,
    ):
        try:
            for _ in range(600):
                if "Ctrl-C" in log.read_text():
                    break
                assert process.poll() is None, log.read_text()
                time.sleep(0.1)
            address = re.search(r"http://\S+", log.read_text())
            assert address is not None
            parts = urlsplit(address[0])
            token = parts.query.removeprefix("token=")
            base = parts.path.removesuffix("/enter")
            server = Server(parts.port or 0, token, base, process, log)
            for _ in range(600):
                try:
                    server.ask("/-/art/static/asciiloom.css")
                    break
                except ConnectionError:
                    time.sleep(0.1)
            yield server
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from _serve(_corpus(tmp_path_factory.mktemp("hostile") / "my 100% #art? ü.v2.db"))


def _addresses(base: str, db: str) -> Iterator[str]:
    """Every route with every kind of bad value."""
    for value in NUMBERS:
        v = quote(value)
        yield f"{base}?page={v}"
        yield f"{base}?size={v}x{v}"
        yield f"{base}/review?skip={v}"
        yield f"{base}/review?pair={v}-{v}"
        yield f"{base}/piece/{v}"
        yield f"{base}/piece/{v}/original"
        for name in ("_size", "_next", "_timelimit", "_facet_size", "id__gt", "_labels", "_ttl"):
            yield f"{db}/piece?{name}={v}"
            yield f"{db}/piece.json?{name}={v}"
    for value in BYTES:
        for name in (
            "q",
            "glyphs",
            "tag",
            "source",
            "kind",
            "charset",
            "order",
            "size",
            "canonical",
        ):
            yield f"{base}?{name}={value}"
        yield f"{base}/review?verdict={value}&done={value}+{value}+{value}"
        yield f"{base}/enter?token={value}"
        yield f"/-/art/{value}"
        yield f"/-/art/static/{value}"
        yield f"{db}/{value}"
        for name in ("_sort", "_sort_desc", "_col", "_nocol", "_facet", "_facet_date", "_facet_array",
                     "_search", "_through", "_where", "_shape", "_json", "_label", "_fts_table",
                     "_search_title", "text__regexp", "_filter_column", "_json_infinity"):  # fmt: skip
            yield f"{db}/piece.json?{name}={value}"
            yield f"{db}/piece?{name}={value}"
        yield f"{db}/piece.csv?_stream=1&_sort={value}"
    for path in (
        "", "/-/auth-token?token=²", "/-/auth-token", "/-/messages", "/-/allow-debug?actor=[", "/-/threads",
        "/-/permissions", "/-/actor.json", "/-/databases.json", "/-/patterns", "/_internal", "/_memory",
        "/_internal/databases.json", f"{db}.db", f"{db}.json", f"{db}?sql=select+1", f"{db}.csv?sql=select+1",
        f"{db}.json?sql=select+zeroblob(900000000)", f"{db}/piece/1.json", f"{db}/piece/x,y.json",
        f"{db}/original/1.blob?_blob_column=bytes", f"{db}/original/1.blob?_blob_column=x",
        f"{db}/original.json?_size=max", f"{db}/colour.json?_size=max", f"{db}/piece.csv?_size=max&_dl=1",
        f"{db}/piece?_next=~~~", f"{db}/piece_fts?_search=%22&_searchmode=raw", f"{db}/nope", f"{db}/piece.xml",
        f"{db}/piece?_sort=id&_sort_desc=id", f"{db}/sqlite_master", "/" + "a/" * 4000, "/%2e%2e/%2e%2e/etc/passwd",
        "//evil.example/", "/" + "~" * 5000, f"{base}/enter", f"{base}/edit", f"{base}?" + "q=a&" * 3000,
    ):  # fmt: skip
        yield quote(path, safe="/%?=&~+()[].,:-#!'") or "/"


def test_no_request_makes_an_error_of_the_server(server: Server) -> None:
    db = f"/{server.base.rpartition('/')[2]}"
    curator = server.curator()
    tried: list[tuple[str, int]] = []

    def note(what: str, status: int) -> None:
        tried.append((what, status))

    for address in _addresses(server.base, db):
        note(address, server.ask(quote(address, safe="/%?=&~+()[].,:-#!'*\""))[0])
    for number in (*range(1, 8), 35, 10**17, 0):
        for page in ("", "/original", "/colours.css"):
            note(f"piece {number}{page}", server.ask(f"{server.base}/piece/{number}{page}")[0])
    for method in (
        "PUT",
        "DELETE",
        "TRACE",
        "OPTIONS",
        "PATCH",
        "DATA",
        "RENDER",
        "HEAD",
        "POST",
        "X" * 300,
    ):
        for path in (
            "/",
            server.base,
            f"{server.base}/piece/1",
            f"{server.base}/undo",
            f"{db}/piece",
            "/-/logout",
        ):
            note(f"{method} {path}", server.ask(path, method)[0])
    forms = [
        b"", b"=", b"&&&", b"a=1", b"a=%C2%B2&b=%C2%B2&verdict=same", b"a=1&b=2&verdict=nonsense", b"\xff\xfe",
        b"a=" + b"9" * 30 + b"&b=1&verdict=same", b"a=1&b=999999&verdict=same", b"a=1&b=1&verdict=apart",
        b"title=%00", b"title=%ED%A0%80", b"tags=" + b"%2C" * 3000, b"licence=" + b"x" * 60000, b"action=nonsense",
        b"title=" + b"x" * 100_000, b"to=nowhere", b"action=reject&reason=%00", b"action=restore", b"tags=%00",
    ]  # fmt: skip
    for form in forms:
        for path in ("/piece/2/edit", "/piece/999999/edit", "/review", "/undo"):
            body = form + b"&csrftoken=" + server.csrf.encode() if form != b"\xff\xfe" else form
            note(
                f"POST {path} {form[:40]!r}",
                server.ask(server.base + path, "POST", curator, body)[0],
            )
    for kind in (
        "",
        "text/plain",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "application/json",
        "x" * 999,
    ):
        note(
            kind,
            server.ask(f"{server.base}/undo", "POST", {**curator, "Content-Type": kind}, b"a=1")[0],
        )
    for cookie in ("a/b=1", "ds_actor", "ds_actor=\xe9", "ds_actor=e30.x", 'ds_actor="', ";;;=", "ds_csrftoken=\xff",
                   "ds_messages=[]", "@,=1; path=/; expires=x", "ds_actor=" + "x" * 9000):  # fmt: skip
        for path in (server.base, "/", f"{db}/piece"):
            note(f"cookie {cookie[:20]}", server.ask(path, headers={"Cookie": cookie})[0])
    wrong = [(what, status) for what, status in tried if status >= 500]
    log = server.log.read_text()
    assert wrong == []
    assert len(tried) > 500
    assert "Traceback" not in log and "failed" not in log, log[-3000:]
    assert sum(server.token in line for line in log.splitlines()) == 1  # where it was printed
    assert server.ask(server.base)[0] == 200
    assert server.peak() < 1 << 30


def test_only_its_own_names_are_answered(server: Server) -> None:
    port = server.port
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"LOCALHOST:{port}", f"[::1]:{port}"):
        assert server.ask(server.base, headers={"Host": host})[0] == 200, host
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "", "localhost.evil.example",
                 f"127.0.0.1:{port}@evil.example", f"evil@localhost:{port}", f"127.0.0.1.nip.io:{port}",
                 f"192.168.1.1:{port}", f"[::1]evil:{port}", f"localhost:{port}:{port}", "%00", f"ｌocalhost:{port}"):  # fmt: skip
        status, _, body = server.ask(server.base, headers={"Host": host.encode().decode("latin-1")})
        assert status in (400, 421), host
        assert b"piece" not in body
    for path in ("/", "/-/art/static/asciiloom.css", "/favicon.ico", "/nope"):
        assert server.ask(path, headers={"Host": "evil.example"})[0] == 421
    upgrade = {"Host": "evil.example", "Connection": "Upgrade", "Upgrade": "websocket"}
    assert server.ask("/", headers=upgrade)[0] == 421


def test_pages_of_other_sites_can_only_link_here(server: Server) -> None:
    for site in ("cross-site", "same-site"):
        for mode, expected in (("no-cors", 403), ("cors", 403), ("navigate", 200)):
            fetched = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
            assert server.ask(server.base, headers=fetched)[0] == expected
    assert server.ask(server.base, headers={"Sec-Fetch-Site": "same-origin"})[0] == 200
    _, headers, _ = server.ask(server.base, headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in headers


def test_sql_of_visitors_is_off(server: Server) -> None:
    db = f"/{server.base.rpartition('/')[2]}"
    for path in (
        "?sql=select+1",
        ".json?sql=select+1",
        ".csv?sql=select+1",
        "/piece?_where=1",
        "/piece.json?_where=1",
    ):
        assert server.ask(db + path)[0] == 403, path
    assert server.ask(f"{db}.db")[0] in (403, 404)
    assert b"<textarea" not in server.ask(db)[2]


def test_every_answer_is_protected(server: Server) -> None:
    db = f"/{server.base.rpartition('/')[2]}"
    for path in (
        server.base,
        f"{server.base}/piece/1",
        db,
        f"{db}/piece",
        f"{db}/piece.json",
        "/nope",
        "/-/art/nope",
    ):
        _, headers, body = server.ask(path)
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "'unsafe-inline'" not in policy.partition("style-src")[0]  # never for scripts
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "cache-control" in headers
        if path.startswith(server.base):
            assert "unsafe" not in policy
            assert b"style=" not in body and b"<style" not in body and b"<script>" not in body


def test_the_token_stays_out_of_addresses_and_cookies_are_closed(server: Server) -> None:
    status, headers, _ = server.ask(f"{server.base}/enter?token={server.token}")
    assert status == 302 and server.token not in headers["location"]
    assert headers["referrer-policy"] == "no-referrer"
    for cookie in (
        headers["set-cookie"],
        server.ask(
            f"{server.base}/piece/1", headers={"Cookie": headers["set-cookie"].split(";")[0]}
        )[1]["set-cookie"],
    ):
        assert "httponly" in cookie.lower() and "samesite=strict" in cookie.lower()
    for wrong in ("", "²", server.token[:-1], server.token + "x", "%ED%A0%80"):
        status, _, body = server.ask(f"{server.base}/enter?token={quote(wrong, safe='%')}")
        assert status == 403 and server.token.encode() not in body


def test_clients_that_stall_hold_up_nobody(server: Server) -> None:
    stalled = []
    host = f"Host: 127.0.0.1:{server.port}\r\n".encode()
    for begun in (
        b"",
        b"GET / HTTP/1.1\r\n",
        b"POST /x HTTP/1.1\r\n" + host + b"Content-Length: 99\r\n\r\na",
    ):
        for _ in range(30):
            client = socket.create_connection(("127.0.0.1", server.port))
            client.sendall(begun)
            client.settimeout(60)
            stalled.append(client)
    begin = time.monotonic()
    assert server.ask(server.base)[0] == 200
    assert time.monotonic() - begin < 8
    for client in stalled:  # a request that never ends is cut off
        received = b""
        try:
            while part := client.recv(4096):
                received += part
        except ConnectionResetError:
            pass  # also an end
        assert received == b"" or received.startswith(b"HTTP/1.1 408 ")
        client.close()


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from _serve(
        _corpus(tmp_path_factory.mktemp("open") / "art.db"),
        "--sql",
        "--allow-host",
        "proxy.example",
    )


def test_queries_of_visitors_are_bounded(open_server: Server) -> None:
    assert open_server.ask("/art.json?sql=select+1")[0] == 200
    assert open_server.ask("/", headers={"Host": "proxy.example"})[0] == 200
    endless = "with recursive n(x) as (select 1 union all select x + 1 from n)"
    queries = [
        "select zeroblob(900000000)", "select hex(zeroblob(400000000))", "select randomblob(400000)" + ", randomblob(400000)" * 60,
        f"{endless} select x, zeroblob(500000) from n", f"{endless} select count(*) from n", f"{endless} select group_concat(hex(randomblob(1000))) from n",
        f"{endless} select * from n order by x desc", f"{endless} select distinct randomblob(10000) from n limit 100000000",
        f"{endless} select char(128512) || replace(hex(zeroblob(100000)), '0', char(128512)) from n",
        "select printf('%900000000d', 1)", "select replace(hex(zeroblob(200000)), '0', hex(zeroblob(200000)))",
        "select * from piece a, piece b, piece c, piece d order by random()", "select fts3_tokenizer('simple')",
        "select load_extension('x')", "select json_group_array(text) from piece a, piece b", "select * from pragma_hard_heap_limit",
    ]  # fmt: skip
    answers: list[int] = []

    def ask(query: str, ending: str) -> None:
        answers.append(open_server.ask(f"/art{ending}?sql={quote(query)}&_size=max")[0])

    threads = [
        threading.Thread(target=ask, args=(query, ending))
        for query in queries
        for ending in ("", ".json", ".csv")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == len(threads)
    assert set(answers) <= {200, 400, 403, 503}
    assert open_server.ask("/art.json?sql=select+1")[0] == 200
    assert open_server.peak() < 1 << 30
    assert "Traceback" not in open_server.log.read_text()
    with sqlite3.connect(open_server.log.parent / "art.db") as db:
        assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)
