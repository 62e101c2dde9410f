"""Input made to harm: each costs one clear line, within bounded time and memory."""

import os
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asciiloom.piece import Piece, Rejection
from asciiloom.readers import read_bytes, read_path, readers

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts" / "bench"))
from fuzz import damage, made

NAMES = sorted({"x" + extension for reader in readers() for extension in reader.extensions})


def check(items: list[Piece | Rejection]) -> None:
    for item in items:
        if isinstance(item, Rejection):
            assert item.reason != "reader-failed", item
        else:
            assert item.text and not any(
                (ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0 for c in item.text
            )


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.binary(max_size=300), st.sampled_from(NAMES))
def test_any_bytes_under_any_name(data: bytes, name: str) -> None:
    if data:
        check(list(read_bytes(data, name)))


MAGICS = [data[:40] for data in made().values()]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(MAGICS), st.binary(max_size=200))
def test_a_true_beginning_with_any_end(head: bytes, tail: bytes) -> None:
    check(list(read_bytes(head + tail, "x")))


@settings(deadline=None, max_examples=150)
@given(st.randoms(use_true_random=False))
def test_damaged_files(rng: object) -> None:
    name, data = damage(rng, list(made().items()))  # type: ignore[arg-type]
    check(list(read_bytes(data, name)))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("far.ans", b"\x1b[1000000000;1Hx" * 3),
        ("down.ans", b"\x1b[999999999B" * 1000 + b"x"),
        ("line.txt", b"#" * (100 << 20)),
        ("line.jsonl", b'{"text": "' + b"#" * (100 << 20)),
        ("deep.json", b"[" * 1_000_000),
        ("deep.jsonl", b'{"a":' * 200_000),
        ("deep.html", b"<div>" * 1_000_000),
        ("deep.md", b"<pre>" + b"<b>" * 500_000),
        ("deep.cow", b"$a = " + b"(" * 500_000 + b";"),
        ("deep.yaml", b"A:\n  ascii: |\n    {0}x\n  b: " + b"[" * 100_000),
        ("many.flf", b"flf2a$ 1 1 9 0 10000\n" + b"x\n" * 10_000 + b"@@\n" * 90),
        ("x.xp", b"\xff\xff\xff\xff\x09\0\0\0" + b"\xff\xff\xff\x7f" * 10),
        ("wide.pcb", b"@POS:999@x" * 100_000),
        ("spaces.txt", b" /\\\n by " + b" " * 100_000 + b"x" + b" " * 100_000 + b";\n/  \\ jgs\n by x" + b" " * 50_000),
        ("rows.txt", b"/\\ by x jgs\n\n" * 20_000),
        ("spaces.cow", b" " * 300_000 + b"x"),
        ("marks.txt", b"-" * 8 + b" a" + b" -" * 40_000 + b"\n\n" + b"a " * 40_000 + b"\n by " + b"- " * 40_000),
    ],
)  # fmt: skip
def test_each_costs_one_line(name: str, data: bytes) -> None:
    start = time.process_time()
    items = list(read_bytes(data, name))
    assert time.process_time() - start < 5
    assert 1 <= len(items) <= 3
    check(items)
    if name not in ("wide.pcb", "many.flf", "spaces.txt", "marks.txt", "rows.txt"):
        assert isinstance(items[0], Rejection), items[0]
        assert len(items[0].detail) <= 300 and "\n" not in items[0].detail


def test_links_and_pipes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to(tmp_path / "self")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "cat.txt").write_text("(o.o)")
    items = list(read_path(tmp_path))
    assert [i.text for i in items if isinstance(i, Piece)] == ["(o.o)"]
    assert sorted(i.reason for i in items if isinstance(i, Rejection)) == [
        "not-a-file",
        "unreadable",
    ]
