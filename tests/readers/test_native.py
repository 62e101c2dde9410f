"""Real files in their native formats, held against independent programs and public collections.

Only where the files lie beside this checkout; each comparison only where its program is installed.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from asciiloom.corpus import Corpus
from asciiloom.piece import Piece, Rejection
from asciiloom.readers import ReadOptions, read_path

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts" / "bench"))
import oracles
import recall

NATIVE = Path(__file__).resolve().parents[3] / "shared" / "native"
FOLDERS = [
    NATIVE,
    Path("/usr/share/figlet"),
    Path("/usr/share/cowsay"),
    Path("/usr/share/games/fortunes"),
]

pytestmark = pytest.mark.skipif(not NATIVE.is_dir(), reason=f"the real files are not at {NATIVE}")


@pytest.fixture(scope="module")
def items() -> dict[str, list[Piece | Rejection]]:
    """What becomes of each file, by its path."""
    paths = sorted(p for p in NATIVE.rglob("*") if p.is_file())
    return {str(path): list(read_path(path)) for path in paths}


def test_every_file_is_pieces_or_a_reason(items: dict[str, list[Piece | Rejection]]) -> None:
    assert len(items) > 500
    assert [path for path, found in items.items() if not found] == []
    failed = [
        i for found in items.values() for i in found
        if isinstance(i, Rejection) and (i.reason == "reader-failed" or not i.detail)
    ]  # fmt: skip
    assert failed == []
    for found in items.values():
        for item in found:
            if isinstance(item, Piece):
                assert not any(
                    (ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0 for c in item.text
                )


def test_original_bytes_come_back_for_every_place(tmp_path: Path) -> None:
    with Corpus(tmp_path / "native.db", create=True) as corpus:
        corpus.ingest([NATIVE], ReadOptions(source="native"))
        places = corpus.connection.execute(
            "SELECT piece_id, path, locator FROM origin ORDER BY id"
        ).fetchall()
        assert len(places) > 2000
        compared = 0
        for number, path, locator in places:
            if "!" in path or locator.startswith("row ") or "/" not in path:
                continue  # a member of an archive, a row of a table: its own bytes, not the file's
            assert corpus.original(number, path) == Path(path).read_bytes(), path
            compared += 1
        assert compared > 1500
        assert corpus.connection.execute("SELECT count(*) FROM colour").fetchone()[0] > 150


def test_ansi_against_ansilove(tmp_path: Path, program: Callable[..., str]) -> None:
    count = oracles.ansi([NATIVE], oracles.AnsiLove(program("ansilove"), tmp_path))
    assert count.files > 150 and count.different == []
    known = count.explained.get("sequences that ansilove does not know; equal without them", 0)
    assert (count.equal + known) >= 0.97 * count.files


def test_binary_screens_against_ansilove(tmp_path: Path, program: Callable[..., str]) -> None:
    count = oracles.binary([NATIVE], oracles.AnsiLove(program("ansilove"), tmp_path))
    assert count.files >= 11 and count.different == []


def test_cows_against_cowsay(program: Callable[..., str]) -> None:
    count = oracles.cows(FOLDERS, program("cowsay"))
    assert count.files > 90 and count.different == []
    assert count.files - count.equal <= 2  # outside the dialect


def test_fonts_against_figlet_and_toilet(program: Callable[..., str]) -> None:
    figlet = oracles.fonts(FOLDERS, program("figlet"), ".flf")
    assert figlet.files >= 60 and figlet.different == []
    toilet = oracles.fonts(FOLDERS, program("toilet"), ".tlf")
    assert toilet.files >= 6 and toilet.different == []


def test_fortunes_against_strfile(tmp_path: Path, program: Callable[..., str]) -> None:
    count = oracles.fortunes(FOLDERS, program("strfile"), tmp_path)
    assert count.files >= 1 and count.different == []


def test_boxes_against_boxes(program: Callable[..., str]) -> None:
    count = oracles.designs(Path("/etc/boxes/boxes-config"), program("boxes"))
    assert count.files > 50 and count.different == []


def test_pages_against_public_collections() -> None:
    tallies = recall.compare(NATIVE, NATIVE.parent / "corpus")
    for group, least in (
        ("html", 0.95),
        ("cow", 0.95),
        ("markdown", 0.95),
        ("logo", 0.99),
        ("onefetch", 0.99),
    ):
        t = tallies[group]
        assert t.found_theirs >= least * t.theirs, (group, t)
        assert t.found_ours >= least * t.ours, (group, t)
    # One to one, where theirs are not several drawings in one (borders, books, a page of comic strips).
    markdown = tallies["markdown"]
    assert markdown.matched >= 0.90 * markdown.theirs and markdown.ours >= markdown.theirs
