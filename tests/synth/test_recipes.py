import subprocess
import sys
import time

from asciiloom import synth
from asciiloom.piece import KINDS, canonicalize, measure
from asciiloom.readers import read_path
from asciiloom.resources import resource_dir
from asciiloom.synth.geometry import FORMS
from asciiloom.synth.lettering import set_in_font


def test_twenty_thousand_distinct_labelled_pieces() -> None:
    pieces = list(synth.generate(20_000, seed=3))
    assert len({p.text for p in pieces}) == 20_000
    assert all(p.title and p.tags and p.kind in KINDS and p.licence == "CC0-1.0" for p in pieces)
    assert {kind for kind, _, _ in synth.RECIPES} == {p.kind for p in pieces}
    assert all(canonicalize(p.text).text == p.text and p.text.isascii() for p in pieces)
    assert max(measure(p.text).width for p in pieces) <= 120
    assert {t for p in pieces for t in p.tags} >= {*FORMS, "font:standard", "face", "maze"}


def test_drawings_are_made_from_nothing_that_is_read() -> None:
    code = (
        "import sys, asciiloom.synth as s; list(s.generate(300, seed=1));"
        "print([m for m in sys.modules if m.startswith('asciiloom.readers')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_same_seed_same_pieces() -> None:
    one, two, other = (list(synth.generate(200, seed=s)) for s in (1, 1, 2))
    assert one == two and one != other


def test_kinds_and_fonts() -> None:
    assert {p.kind for p in synth.generate(30, kinds=("maze",))} == {"maze"}
    tags = [p.tags for p in synth.generate(40, fonts=("standard",))]
    assert len(tags) == 40 and all("font:standard" in t for t in tags)


def test_exhausted_recipes_end() -> None:
    start = time.monotonic()
    assert list(synth.generate(10, kinds=("no such kind",))) == []
    assert time.monotonic() - start < 5


def test_a_mask_of_each_form_has_the_right_middle_and_corner() -> None:
    assert FORMS["circle"](0, 0) and not FORMS["circle"](0.9, 0.9)
    assert not FORMS["ring"](0, 0)
    assert FORMS["star"](0, -0.9) and not FORMS["star"](0, 0.95)
    assert FORMS["square"](0.99, 0.99)


def test_banner_says_its_word() -> None:
    text = set_in_font("HI", "banner")
    assert text is not None and text.split("\n")[0] == "#     # ###"
    assert set_in_font("HI", "no such font") is None


def test_default_data_is_what_it_promises() -> None:
    items = [i for f in sorted(resource_dir("data").glob("*.pieces")) for i in read_path(f)]
    assert len(items) >= 200
    sizes = []
    for piece in items:
        assert piece.title and piece.tags and piece.licence == "CC0-1.0", piece
        assert any(tag.startswith("style:") for tag in piece.tags), piece.title
        assert piece.text.isascii()
        m = measure(piece.text)
        sizes.append((m.width, m.height))
        assert m.width <= 70 and m.height <= 30
    assert len({p.text for p in items}) == len(items)
    assert min(w for w, _ in sizes) <= 3 and max(w for w, _ in sizes) >= 60
    assert len({t for p in items for t in p.tags}) > 150
