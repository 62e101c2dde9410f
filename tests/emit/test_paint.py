import html
import re

import numpy as np

from asciiloom.emit import emit, paint_classes, paint_html, paint_terminal
from asciiloom.piece import ColourPlane

TEXT = "ab\n<c"
FORE = np.array([[0xFF0000, 0xFF0000, -1], [-1, 0x00FF00, -1]], np.int32)
BACK = np.array([[-1, -1, 0x0000FF], [-1, -1, -1]], np.int32)
PLANE = ColourPlane(FORE, BACK)


def test_terminal_rows_have_one_sequence_a_run_and_are_closed() -> None:
    first, second = paint_terminal(TEXT, PLANE).split("\n")
    assert first == "\x1b[0;38;2;255;0;0mab\x1b[0;48;2;0;0;255m \x1b[0m"
    assert second == "\x1b[0m<\x1b[0;38;2;0;255;0mc\x1b[0m"


def test_text_survives_and_controls_do_not_pass() -> None:
    painted = paint_terminal("a\x07b", ColourPlane(FORE[:1], BACK[:1]))
    assert "\x07" not in painted and "\\x07" in painted
    bare = re.sub(r"\x1b\[[0-9;]*m", "", paint_terminal(TEXT, PLANE))
    assert [row.rstrip() for row in bare.split("\n")] == TEXT.split("\n")


def test_html_is_escaped_text_in_spans() -> None:
    page = paint_html(TEXT, PLANE)
    assert '<span style="color:#ff0000">ab</span><span style="background:#0000ff"> </span>' in page
    bare = html.unescape(re.sub(r"<[^>]*>", "", page))
    assert [row.rstrip() for row in bare.split("\n")] == TEXT.split("\n")
    assert "color:#ff0000" in emit(TEXT, "html", {"colour": PLANE})
    assert "span" not in emit(TEXT, "html")


def test_a_plane_smaller_than_the_text_paints_what_it_covers() -> None:
    small = ColourPlane(FORE[:1, :1], BACK[:1, :1])
    assert paint_html("xyz\nq", small) == '<span style="color:#ff0000">x</span>yz\nq'


def test_classes_stand_where_styles_would() -> None:
    page = paint_classes(TEXT, PLANE)
    assert '<span class="f-ff0000">ab</span><span class="b-0000ff"> </span>' in page
    assert "style" not in page and page.count("<span") == paint_html(TEXT, PLANE).count("<span")
