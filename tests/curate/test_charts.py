import sys
import warnings
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


def test_charts_of_any_script_are_drawn_without_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    names = ("猫", "кошка", "قطة", "🐱", "한국 고양이", "\U000e0041x")
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece("o-o", tags=names, source="日本語のソース", artist="한국")])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            paths = write_plots(corpus.connection, Selection(), tmp_path / "plots")
    assert {"tags", "sources"} <= {path.stem for path in paths}
    assert not caplog.records  # matplotlib says of a font that it does not find in its log


def test_without_matplotlib_charts_name_their_extra(cli, corpus: Corpus, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert f"{corpus.count():,} pieces" in cli("stats", corpus.path).stdout
    done = cli("stats", corpus.path, "--plots", corpus.path.with_name("plots"), exits=1)
    assert done.stderr.strip().endswith("it comes with: pip install 'asciiloom[plots]'")
    assert not corpus.path.with_name("plots").exists()
