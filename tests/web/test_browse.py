"""The web pages: asked over HTTP, and used by a person's hands in a real browser."""

import asyncio
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from datasette.app import Datasette

from asciiloom import synth
from asciiloom.corpus import Corpus
from asciiloom.piece import ColourPlane, Piece
from asciiloom.piece.colour import DEFAULT
from asciiloom.web.serve import make_datasette

EVIL = "<script>alert(1)</script>\n<b>&amp;</b>"


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "art.db"
    robots = [p for p in synth.generate(400, seed=6, kinds=("art", "scene")) if len(p.text) > 200][
        :12
    ]
    with Corpus(path, create=True) as corpus:
        corpus.add(robots)
        corpus.add([Piece(p.text + "\n\n my own robot\n\n and a cat") for p in robots[:4]])
        corpus.add([Piece(EVIL, title=EVIL, artist=EVIL, tags=("<i>", "plain"), source="<u>")])
        rainbow = np.array([[0xFF0000, 0x00FF00, DEFAULT]], np.int32)
        plane = ColourPlane(rainbow, rainbow[:, ::-1])
        corpus.add([Piece("abc", title="rainbow", colour=plane.pack())])
        corpus.dedup()
        corpus.connection.execute("UPDATE twin SET verdict = 'variant'")
    return path


def _get(datasette: Any, path: str, **more: Any) -> httpx.Response:
    return asyncio.run(datasette.client.get(path, **more))


def test_pages_answer_and_escape(db: Path) -> None:
    datasette, _ = make_datasette(db)
    for path in ("", "?q=%3Cscript%3E", "?size=40x12&order=small", "/piece/17", "/review"):
        page = _get(datasette, f"/-/art/art{path}")
        assert page.status_code == 200, path
        assert "<script>alert" not in page.text and "<b>&amp;</b>" not in page.text
    assert "&lt;script&gt;alert(1)" in _get(datasette, "/-/art/art/piece/17").text
    table = _get(datasette, "/art/piece?id=17")
    assert '<pre class="asciiloom-art">&lt;script&gt;' in table.text
    assert _get(datasette, "/-/art/art/piece/17/original").content == EVIL.encode()
    assert (
        _get(datasette, "/-/art/static/asciiloom.css")
        .headers["content-type"]
        .startswith("text/css")
    )


@pytest.mark.parametrize(
    "path",
    [
        "/piece/999",
        "/piece/99999999999999999",
        "x",
        "/piece/1/edit",
    ],
)
def test_what_is_not_there_is_said_so(db: Path, path: str) -> None:
    datasette, _ = make_datasette(db)
    assert _get(datasette, f"/-/art/art{path}").status_code in (403, 404, 405)


@pytest.mark.parametrize(
    "query",
    ["q=%22", "q=%00", "size=0x0", "size=9999999999x1", "page=-1", "page=99999999999", "tag=%27", "order=x",
     "kind=nonsense", "charset=zz", "glyphs=%00", "q=" + "a+" * 300],
)  # fmt: skip
def test_any_address_is_a_safe_question(db: Path, query: str) -> None:
    datasette, _ = make_datasette(db)
    assert _get(datasette, f"/-/art/art?{query}").status_code == 200


def test_writing_needs_the_token_and_the_csrf_token(db: Path) -> None:
    datasette, token = make_datasette(db)
    form = {"title": "changed"}

    async def post(cookies: dict[str, str], data: dict[str, str]) -> int:
        answer = await datasette.client.post(
            "/-/art/art/piece/1/edit", data=data, cookies=cookies, follow_redirects=False
        )
        return int(answer.status_code)

    actor = datasette.sign({"a": {"id": "curator"}}, "actor")
    assert asyncio.run(post({}, form)) == 403
    assert asyncio.run(post({"ds_actor": actor}, form)) == 403  # no CSRF token
    assert asyncio.run(post({"ds_actor": "forged"}, form)) == 403
    page = _get(datasette, "/-/art/art/piece/1", cookies={"ds_actor": actor})
    csrf = re.search(r'name="csrftoken" value="([^"]+)"', page.text)
    assert csrf is not None
    both = {"ds_actor": actor, "ds_csrftoken": page.cookies["ds_csrftoken"]}
    assert asyncio.run(post(both, {**form, "csrftoken": "wrong"})) == 403
    assert asyncio.run(post(both, {**form, "csrftoken": csrf[1]})) == 302
    with Corpus(db) as corpus:
        assert corpus.get(1)["title"] == "changed"
    wrong = _get(datasette, "/-/art/art/enter?token=wrong", follow_redirects=False)
    right = _get(datasette, f"/-/art/art/enter?token={token}", follow_redirects=False)
    assert wrong.status_code == 403 and "ds_actor" not in wrong.headers.get("set-cookie", "")
    cookie = right.headers["set-cookie"].lower()
    assert right.status_code == 302 and "httponly" in cookie and "samesite=strict" in cookie


def test_read_only_has_no_token(db: Path) -> None:
    datasette, token = make_datasette(db, read_only=True)
    assert token is None
    assert _get(datasette, "/-/art/art/enter?token=", follow_redirects=False).status_code == 403


def test_another_database_is_none_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE piece (text TEXT)")
    datasette = Datasette([str(path)])
    assert _get(datasette, "/-/art").status_code == 404
    assert _get(datasette, "/-/art/other").status_code == 404
    assert _get(datasette, "/other/piece").status_code == 200


@pytest.fixture
def address(db: Path) -> Iterator[str]:
    """A served corpus: the real command in a process of its own."""
    command = [sys.executable, "-m", "asciiloom", "browse", str(db), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        line = server.stderr.readline()
        assert "enter?token=" in line, line
        yield line.split(": ", 1)[1].strip()
        server.terminate()


@pytest.fixture
def page(address: str, program: Callable[..., str], library: Callable[[str], Any]) -> Iterator[Any]:
    """A page of a headless browser whose console stays silent."""
    browser_path = program("chromium", "chromium-browser")
    with library("playwright.sync_api").sync_playwright() as play:
        browser = play.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        opened = browser.new_page()
        troubles: list[str] = []
        opened.on("pageerror", lambda error: troubles.append(str(error)))
        opened.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
        for _ in range(50):
            try:
                opened.goto(address)
                break
            except Exception:
                opened.wait_for_timeout(100)
        yield opened
        browser.close()
        assert troubles == []


def test_a_curator_reviews_three_pairs_and_edits_a_tag(page: Any, db: Path) -> None:
    page.keyboard.press("r")
    page.wait_for_url("**/review")
    decided = []
    for key, verdict in (("m", "same"), ("v", "variant"), ("k", "apart")):
        pair = [h.inner_text() for h in page.query_selector_all(".pair h2 a")]
        assert len(pair) == 2 and page.query_selector_all(".pair mark")
        with page.expect_navigation():
            page.keyboard.press(key)
        assert verdict in page.inner_text("[role=status]")
        decided.append((*(int(p.removeprefix("Piece ")) for p in pair), verdict))
    with sqlite3.connect(db) as corpus:
        rows = corpus.execute("SELECT a, b, verdict FROM twin WHERE reviewed").fetchall()
        assert sorted(rows) == sorted(decided)
        same = next(d for d in decided if d[2] == "same")
        clusters = corpus.execute(
            "SELECT DISTINCT cluster_id FROM piece WHERE id IN (?, ?)", same[:2]
        )
        assert len(clusters.fetchall()) == 1
    with page.expect_navigation():
        page.keyboard.press("u")  # and takes the last one back
    with sqlite3.connect(db) as corpus:
        assert corpus.execute("SELECT count(*) FROM twin WHERE reviewed").fetchone() == (2,)
    page.keyboard.press("g")
    page.wait_for_url("**/art")
    with page.expect_navigation():
        page.click(".card a.frame >> nth=0")
    page.fill("[name=tags]", "robot, Hand Drawn")
    with page.expect_navigation():
        page.click("text=Save")
    assert "hand drawn, robot" in page.inner_text("dl")
    with sqlite3.connect(db) as corpus:
        tagged = corpus.execute("SELECT piece_id FROM tag WHERE name = 'hand drawn'").fetchall()
        assert len(tagged) == 1
    page.goto(page.url.split("/piece")[0] + "?tag=hand+drawn")
    assert "1 piece" in page.inner_text("[role=status]")


def test_colours_and_sizes_are_seen_without_inline_styles(page: Any) -> None:
    page.goto(f"{page.url}?q=rainbow")
    with page.expect_navigation():
        page.click(".card a.frame")
    seen = page.evaluate(
        """() => [...document.querySelectorAll('.art span')].map(e => {
            const s = getComputedStyle(e); return [e.innerText, s.color, s.backgroundColor]})"""
    )
    red, green, grey = "rgb(255, 0, 0)", "rgb(0, 255, 0)", "rgb(170, 170, 170)"
    assert seen == [["a", red, "rgba(0, 0, 0, 0)"], ["b", green, green], ["c", grey, red]]
    columns = "e => getComputedStyle(e).getPropertyValue('--columns')"
    assert page.eval_on_selector(".art", columns) == "3"
    assert "token" not in page.url and page.evaluate("document.cookie") == ""
    for table in ("/", "/art", "/art/piece?_facet=kind", "/art/piece/1"):  # Datasette's own
        page.goto(page.evaluate("location.origin") + table)
        assert page.query_selector("h1")


def test_pages_fit_a_phone_and_name_what_they_show(page: Any) -> None:
    base = page.url
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("", "/piece/1", "/review"):
        page.goto(base + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        unnamed = page.evaluate(
            """() => [...document.querySelectorAll('main a, main button, main input:not([type=hidden]), main select')]
            .filter(e => !(e.getAttribute('aria-label') || e.innerText || e.labels?.length)).length"""
        )
        assert unnamed == 0, path
        headings = page.evaluate("document.querySelectorAll('main h1').length")
        assert headings == 1
    page.goto(base)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
