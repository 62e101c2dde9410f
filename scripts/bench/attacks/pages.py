"""Hostile requests to a real ``asciiloom browse``: no 5xx, no foreign host, bounded memory, nothing secret said."""

import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
import zlib
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import quote

from .scene import Scene, contents, fresh
from .server import BOUND, Server, ask, serving
from .trial import Bench, Group, Problem, plain

MEMORY_MB = 1000
NAMES = (
    "my art.db",
    "50%25.db",
    "50%.db",
    "a+b.db",
    "a#b.db",
    "art's.db",
    "art;x.db",
    "ünï.db",
    "a&b=c.db",
    "a.b.db",
    "-x.db",
    "a?b.db",
    "_memory.db",
    "a~b.db",
)


def _judge(server: Server, status: int, answer: bytes, group: Group) -> list[Problem]:
    problems: list[Problem] = []
    if status == 0:
        problems.append(("hang", f"no answer in {BOUND:.0f} s"))
    elif status == 503:
        group.counts["503"] += 1
    elif status >= 500:
        problems.append(("5xx", str(status)))
    elif status in (-2, -3):
        problems.append(
            ("other", "more than 64 MB of answer" if status == -2 else "nobody listens")
        )
    if server.process.poll() is not None:
        problems.append(
            (
                "other",
                f"the server ended with {server.process.returncode} at {server.highest:,.0f} MB",
            )
        )
    if b"Traceback (most recent" in answer:
        problems.append(("traceback", "in the answer"))
    return problems


def attack(bench: Bench, scene: Scene, group: Group, quick: bool) -> None:
    room = bench.room()
    db = fresh(scene, room)
    with closing(sqlite3.connect(db)) as plain_db:
        plain_db.execute("UPDATE colour SET plane = x'00ff00ff'")
        plain_db.execute(
            "UPDATE original SET bytes = x'00ff00ff' WHERE id = (SELECT max(id) FROM original)"
        )
        bomb = zlib.compress(bytes(900 << 20), 9)
        plain_db.execute("INSERT OR IGNORE INTO colour SELECT 1, ?", (bomb,))
        plain_db.execute("INSERT INTO original (hash, size, bytes) VALUES ('bomb', 5, ?)", (bomb,))
        plain_db.execute(
            "UPDATE origin SET original_id = (SELECT id FROM original WHERE hash = 'bomb') WHERE piece_id = 2"
        )
        plain_db.commit()
    before = contents(db)
    with serving(db) as server:
        for name, status, answer, problems in _requests(server, scene, db.stem, quick, group):
            tail = plain(answer[:60].decode("latin-1").split("\n")[0]) if problems else ""
            group.record(name[:200], [*_judge(server, status, answer, group), *problems], tail)
            if server.process.poll() is not None:
                server.start()
        time.sleep(0.3)
        peak, said, token = server.highest, server.said(), server.token
    announced = said.count(token) if token else 0
    problems = []
    if peak > MEMORY_MB:
        problems.append(("other", f"the server took {peak:,.0f} MB"))
    if announced > 1:
        problems.append(("other", f"the token was said {announced} times"))
    if "Traceback" in said:
        problems.append(("traceback", f"{said.count('Traceback')} in its output"))
    if contents(db) != before:
        problems.append(("loss", "rows changed without the token"))
    group.record(
        "browse: memory, output and corpus after all requests",
        problems,
        plain(said[-400:]) if "Traceback" in said else "",
    )
    group.notes.append(
        f"peak memory of the server {peak:,.0f} MB; {group.counts['503']} answers of 503"
    )
    shutil.rmtree(room)
    for name in NAMES[:5] if quick else NAMES:
        _named(bench, scene, group, name)
    _ended(bench, scene, group)


Answer = tuple[str, int, bytes, list[Problem]]


def _requests(
    server: Server, scene: Scene, name: str, quick: bool, group: Group
) -> Iterator[Answer]:
    """(what, status, answer, problems of its own)."""
    base = server.base
    good = ask(server, "GET", base)
    yield (
        "GET gallery",
        *good,
        ([] if good[0] == 200 else [("other", f"the gallery answers {good[0]}")]),
    )
    policy = good[1].split(b"\r\n\r\n")[0].lower()
    found = re.search(rb"content-security-policy: ([^\r\n]*)", policy)
    scripts = found[1].split(b"script-src")[-1].split(b";")[0] if found else b"'unsafe-inline'"
    wrong: list[Problem] = (
        [("other", "no content security policy, or inline script")]
        if b"unsafe-inline" in scripts
        else []
    )
    yield "content security policy of the gallery", good[0], good[1], wrong
    yield from _hosts(server, base, name)
    yield from _sql(server, name, quick)
    yield from _values(server, base, name, quick)
    yield from _shapes(server, base, name, quick)
    yield from _writes(server, base, scene)
    yield from _random(server, base, name, 40 if quick else 200)
    again = ask(server, "GET", base)
    yield (
        "GET gallery after all that",
        *again,
        ([] if again[0] == 200 else [("other", f"answers {again[0]}")]),
    )
    del group


def _hosts(server: Server, base: str, name: str) -> Iterator[Answer]:
    port = server.port
    for host in ("evil.example", f"evil.example:{port}", f"127.0.0.1.evil.example:{port}", f"localhost.evil.example:{port}",
                 f"127.0.0.1:{port}@evil.example", "evil.example#127.0.0.1", f"a.127.0.0.1:{port}", "[::1].evil.example", "", None, "169.254.169.254", "*", "0.0.0.0"):  # noqa: S104  # fmt: skip
        for path in (base, f"/{name}/piece.json", "/", f"/{name}.db", "/-/databases.json"):
            status, answer = ask(server, "GET", path, host=host)
            bad: list[Problem] = (
                [("other", "a foreign host was answered with content")]
                if status == 200 and host
                else []
            )
            yield f"GET {path} Host: {host}", status, answer, bad
    for extra in (
        {"X-Forwarded-Host": "evil.example"},
        {"Forwarded": "host=evil.example"},
        {"Origin": "http://evil.example"},
        {"X-Forwarded-Prefix": "//evil.example"},
    ):
        status, answer = ask(server, "GET", "/-/art", headers=extra)
        bad = [("other", "sends to a foreign host")] if b"evil.example" in answer else []
        if b"access-control-allow-origin" in answer.lower():
            bad.append(("other", "allows foreign origins"))
        yield f"GET /-/art {extra}", status, answer, bad


def _sql(server: Server, name: str, quick: bool) -> Iterator[Answer]:
    queries = (
        "select zeroblob(900000000)", "select hex(zeroblob(400000000))", "select 1",
        "with recursive n(x) as (select 1 union all select x+1 from n) select count(*) from n",
        "with recursive n(x) as (select 1 union all select x+1 from n) select x, hex(randomblob(1000)) from n",
        "select group_concat(text) from piece, piece, piece", "select replace(hex(zeroblob(90000000)), '0', 'abcdefgh')",
        "select printf('%900000000d', 1)", "select load_extension('/tmp/x')", "select * from pragma_database_list",
        "attach '/etc/passwd' as x", "select text from piece where text regexp '(a*)*b'", "delete from piece",
    )  # fmt: skip
    for query in queries[:5] if quick else queries:
        asked = quote(query)
        for path in (f"/{name}.json?sql={asked}", f"/{name}?sql={asked}", f"/{name}/-/query.json?sql={asked}",
                     f"/{name}.csv?sql={asked}&_stream=1", f"/{name}/piece.json?_where={quote('id in (' + query + ')')}",
                     f"/{name}.json?sql={asked}&_timelimit=900000&_size=max"):  # fmt: skip
            status, answer = ask(server, "GET", path)
            bad: list[Problem] = (
                [("other", "arbitrary SQL was run")]
                if status == 200
                and b"?sql=" in path.encode()
                and b'"rows"' in answer
                and b'"ok": false' not in answer
                else []
            )
            yield f"GET {path}", status, answer, bad


def _values(server: Server, base: str, name: str, quick: bool) -> Iterator[Answer]:
    values = ("²", "²x²", "9" * 20, "-1", "0", "1e9", "nan", "%00", "%ff%fe", "%ED%A0%80", "a" * 5000, "'", '"', "<script>alert(1)</script>",
              "%0d%0aSet-Cookie:x=1", "٣", "999999999999999999", "9223372036854775808", "*", "NEAR(", "a AND", "\\")  # fmt: skip
    keys = ("page", "size", "q", "glyphs", "tag", "kind", "order", "canonical")
    for key in keys[:6] if quick else keys:
        for value in values[:9] if quick else values:
            shown = value if value.startswith("%") else quote(value)
            status, answer = ask(server, "GET", f"{base}?{key}={shown}")
            bad: list[Problem] = (
                [("other", "script came back as it was sent")] if b"<script>alert" in answer else []
            )
            if b"\r\nset-cookie:x" in answer.lower():
                bad.append(("other", "a header was put in"))
            yield f"GET {base}?{key}={shown[:60]}", status, answer, bad
    for value in values:
        shown = value if value.startswith("%") else quote(value)
        for path in (f"{base}/piece/{shown}", f"{base}/piece/{shown}/original", f"{base}/review?skip={shown}", f"{base}/review?pair={shown}-{shown}",
                     f"{base}/review?verdict={shown}", f"/{name}/piece/{shown}", f"/{name}/{shown}", f"/-/art/{shown}", f"/{name}/piece?_size={shown}",
                     f"/{name}/piece.json?_next={shown}", f"/{name}/piece?_search={shown}", f"/{name}/piece?width__gt={shown}", f"{base}/review?done={shown}"):  # fmt: skip
            status, answer = ask(server, "GET", path)
            yield f"GET {path[:120]}", status, answer, []
    for number in (1, 2, 3, 9, 300, 401, 402, 403, 404, 405, 406):
        for ending in ("", "/original"):
            status, answer = ask(server, "GET", f"{base}/piece/{number}{ending}")
            yield f"GET {base}/piece/{number}{ending}", status, answer, []


def _shapes(server: Server, base: str, name: str, quick: bool) -> Iterator[Answer]:
    for method in (
        "POST",
        "PUT",
        "DELETE",
        "PATCH",
        "OPTIONS",
        "TRACE",
        "HEAD",
        "CONNECT",
        "BREW",
        "get",
    ):
        for path in (
            base,
            f"{base}/piece/1",
            f"{base}/piece/1/edit",
            f"{base}/review",
            f"{base}/undo",
            "/-/art/static/asciiloom.css",
        ):
            yield f"{method} {path}", *ask(server, method, path), []
    big = b"title=" + b"x" * (40 << 20)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for what, headers, body in (
        ("a header of 200 kB", {"X-Long": "h" * 200_000}, b""), ("a cookie of 60 kB", {"Cookie": "ds_actor=" + "c" * 60_000}, b""),
        ("3,000 headers", {f"X-{n}": "v" for n in range(3000)}, b""), ("a body of 40 MB", form, big),
        ("a body of noise", form, os.urandom(5000)), ("a body that is no UTF-8", form, b"title=%ff&\xff=\xfe"), ("100,000 fields", form, b"&".join(b"f%d=1" % n for n in range(100_000))),
        ("a wrong length", {"Content-Length": "-5"}, b"x"), ("a length of 10**30", {"Content-Length": "1" + "0" * 30}, b"x"),
        ("multipart of noise", {"Content-Type": "multipart/form-data; boundary=x"}, b"--x\r\n" + os.urandom(3000)),
        ("JSON", {"Content-Type": "application/json"}, b'{"a":' * 50_000), ("chunked noise", {"Transfer-Encoding": "chunked"}, b"zzz\r\nabc"),
        ("a forged cookie", {"Cookie": "ds_actor=eyJhIjp7ImlkIjoiY3VyYXRvciJ9fQ.forged"}, b""), ("a cookie of NULs", {"Cookie": "ds_actor=\x01\x02; ds_csrftoken=\xff"}, b""),
        ("Range", {"Range": "bytes=0-99999999999999999999,5-1"}, b""), ("If-None-Match", {"If-None-Match": '"' + "x" * 9000 + '"'}, b""),
        ("an upgrade", {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "x", "Sec-WebSocket-Version": "13"}, b""),
        ("Accept-Encoding of noise", {"Accept-Encoding": "gzip;q=nan, \xff"}, b""),
    ):  # fmt: skip
        for method, path in (("GET", base), ("POST", f"{base}/piece/1/edit")):
            if body and method == "GET":
                continue
            seconds = 3.0 if "length" in what or "chunked" in what else BOUND
            status, answer = ask(server, method, path, headers, body, seconds=seconds)
            # A body that is shorter than was said is waited for, as it must be.
            yield (
                f"{method} {path} with {what}",
                -1 if status == 0 and seconds == 3.0 else status,
                answer,
                [],
            )
    for target in (b"/" + b"a" * 100_000, b"//evil.example/%2e%2e", b"/..%2f..%2fetc/passwd", b"*", b"http://evil.example/", b"/\xff\xfe", b"/-/art/static/..%2fviews.py",
                   b"/-/static/..%2f..%2fapp.py", f"/{name}.db".encode(), b"/-/threads", b"/-/metadata.json", b"/-/settings.json", b"/-/plugins.json", b"/-/logout", b"/-/permissions",
                   b"/-/auth-token?token=x", b"/-/messages", b"/-/allow-debug?actor={", b"/-/create-token", b"/-/api", f"/{name}/-/create".encode(), f"/{name}/piece/-/insert".encode(), f"/{name}/piece/-/drop".encode()):  # fmt: skip
        for method in ("GET", "POST"):
            yield f"{method} {target[:60]!r}", *ask(server, method, target), []
    slow = [
        socket.create_connection(("127.0.0.1", server.port)) for _ in range(20 if quick else 60)
    ]
    for s in slow:
        s.sendall(b"GET / HTTP/1.1\r\nHost: ")
    start = time.monotonic()
    status, answer = ask(server, "GET", base)
    took = time.monotonic() - start
    yield (
        f"GET {base} beside {len(slow)} slow clients",
        status,
        answer,
        ([("hang", f"{took:.0f} s")] if took > 10 else []),
    )
    for s in slow:
        s.close()


def _writes(server: Server, base: str, scene: Scene) -> Iterator[Answer]:
    """Writing without the token, by another site's form, and with a token that is not it."""
    form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "http://evil.example"}
    for path, body in ((f"{base}/piece/1/edit", b"title=taken"), (f"{base}/undo", b"to=review"), (f"{base}/review", b"a=1&b=2&verdict=same"),
                       (f"{base}/piece/1/edit", b"action=reject&csrftoken=x")):  # fmt: skip
        for cookie in (
            "",
            "ds_actor=curator",
            "ds_csrftoken=x; ds_actor=eyJhIjp7ImlkIjoiY3VyYXRvciJ9fQ.AAAA",
        ):
            status, answer = ask(server, "POST", path, {**form, "Cookie": cookie}, body)
            yield (
                f"POST {path} Cookie: {cookie}",
                status,
                answer,
                ([("loss", "written without the token")] if status in (200, 302, 303) else []),
            )
    for token in ("", "x", server.token[:-1], server.token + "x", "é", "%ff", "%00", "x" * 50_000):
        status, answer = ask(server, "GET", f"{base}/enter?token={token}")
        bad: list[Problem] = (
            [("loss", "entered with a wrong token")]
            if b"ds_actor=" in answer and status < 400
            else []
        )
        yield (
            f"GET {base}/enter?token={token[:20].replace(server.token[:10] or '-', '...')}",
            status,
            answer,
            bad,
        )
    del scene


def _random(server: Server, base: str, name: str, count: int) -> Iterator[Answer]:
    rng = random.Random(7)
    parts = ("page", "size", "piece", "review", "original", "edit", "..", "%2f", "%00", "²", "9" * 19, "-1", "~2F", "json", "csv", "_size", "_where", "_facet", "_sort",
             "_col", "_nocount", "_shape", "_trace", "_labels", "tags", "1", "'", "(", "*", "id", "text", "%ff", "_facet_array", "_facet_date", "_sort_desc", "_search", "nan")  # fmt: skip
    for _ in range(count):
        start = rng.choice(
            (
                base,
                f"/{name}",
                f"/{name}/piece",
                f"/{name}/origin.json",
                f"/{name}/twin",
                "/-",
                f"{base}/piece",
                f"/{name}/piece_fts",
                f"/{name}/colour.csv",
                f"/{name}/original.json",
            )
        )
        path = start + "".join("/" + rng.choice(parts) for _ in range(rng.randrange(3)))
        asked = "&".join(
            f"{rng.choice(parts)}={rng.choice(parts)}" for _ in range(rng.randrange(5))
        )
        target = quote(f"{path}?{asked}", safe="/%?&=~'(*._-")
        yield (
            f"GET {target}",
            *ask(server, rng.choice(("GET", "GET", "GET", "HEAD", "POST")), target),
            [],
        )


def _named(bench: Bench, scene: Scene, group: Group, name: str) -> None:
    """A corpus with a name that addresses have words for: its gallery and a piece are shown."""
    room = bench.room()
    db = fresh(scene, room, name)
    try:
        with serving(db if not name.startswith("-") else room / f"./{name}") as server:
            problems: list[Problem] = []
            status, answer = ask(server, "GET", server.base)
            problems += _judge(server, status, answer, group)
            if status != 200:
                problems.append(("other", f"its gallery answers {status}"))
            link = re.search(rb'href="([^"]*/piece/\d+)"', answer)
            if link:
                status, answer = ask(server, "GET", link[1])
                if status != 200:
                    problems.append(("other", f"a piece of it answers {status}"))
            elif not problems:
                problems.append(("other", "its gallery shows no piece"))
            tail = plain(server.said()[-300:]) if problems else ""
    except RuntimeError as error:
        # A name that begins with a dash is an option; a line that says so is an answer.
        problems, tail = ([], "") if name.startswith("-") else ([("other", str(error)[:200])], "")
    group.record(f"asciiloom browse {name!r}", problems, tail)
    shutil.rmtree(room)


def _ended(bench: Bench, scene: Scene, group: Group) -> None:
    """Ctrl-C and SIGTERM end it without a traceback; a port in use, a host that is none, a missing file are a line."""
    for number in (signal.SIGINT, signal.SIGTERM):
        room = bench.room()
        server = Server(fresh(scene, room))
        server.process.send_signal(number)
        try:
            status = server.process.wait(15)
            problems: list[Problem] = []
        except subprocess.TimeoutExpired:
            status, problems = 0, [("hang", "15 s after the signal")]
        said = server.said()
        if "Traceback" in said or "CancelledError" in said:
            problems.append(("traceback", ""))
        server.close()
        group.record(
            f"browse, then {number.name}: exit status {status}",
            problems,
            plain(said[-300:]) if problems else "",
        )
        shutil.rmtree(room)
