from pathlib import Path

import pytest
from PIL import Image

from asciiloom import synth
from asciiloom.corpus import Corpus
from asciiloom.curate.charts import write_plots, write_report
from asciiloom.piece import Piece
from asciiloom.store import Selection


@pytest.fixture
def corpus(tmp_path: Path):  # type: ignore[no-untyped-def]
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add(synth.generate(200, seed=2))
        corpus.add(
            [Piece("-=-=-=-=-=-", source="<b>$x$", licence="MIT"), Piece("o.", tags=("$a$b",))]
        )
        corpus.dedup()
        yield corpus


def test_each_chart_is_a_picture_with_ink(corpus: Corpus, tmp_path: Path) -> None:
    paths = write_plots(corpus.connection, Selection(), tmp_path / "plots")
    names = {path.stem for path in paths}
    assert names >= {"sizes", "ink", "charsets", "sources", "tags", "licences", "kinds"}
    for path in paths:
        image = Image.open(path).convert("L")
        assert min(image.size) > 100 and len(set(image.tobytes())) > 20


def test_an_empty_selection_has_no_charts(corpus: Corpus, tmp_path: Path) -> None:
    nothing = Selection(tags=("no such tag",))
    assert write_plots(corpus.connection, nothing, tmp_path / "plots") == []
    write_report(corpus.connection, nothing, tmp_path / "r.html", "none")
    assert "0 pieces" in (tmp_path / "r.html").read_text()


def test_a_report_is_whole_and_escaped(corpus: Corpus, tmp_path: Path) -> None:
    path = tmp_path / "r.html"
    write_report(corpus.connection, Selection(), path, "a <title>")
    text = path.read_text()
    assert "a &lt;title&gt;" in text and "<b>$x$" not in text and "&lt;b&gt;$x$" in text
    assert text.count("data:image/png;base64,") >= 7 and "http" not in text
    assert "<td>ruler</td>" in text and "<td>little-ink</td>" in text
