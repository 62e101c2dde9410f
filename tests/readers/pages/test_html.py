import pytest
from hypothesis import given
from hypothesis import strategies as st

from asciiloom.piece import Piece, Rejection
from asciiloom.readers import read_bytes
from asciiloom.readers.pages.html import decode_page, depth, protect

CAT = " /\\_/\\\n( o.o )\n > ^ <"


def read(body: str, encoding: str = "utf-8") -> list[Piece | Rejection]:
    return list(
        read_bytes(
            f"<html><title>Cats by Ada Lovelace</title><body>{body}".encode(encoding), "a.html"
        )
    )


def texts(body: str) -> list[str]:
    return [i.text for i in read(body) if isinstance(i, Piece)]


@pytest.mark.parametrize(
    ("body", "want"),
    [
        (f"<pre>\n{CAT}</pre>", CAT),  # the first newline is no row
        ("<PRE>&nbsp;/\\<BR>/&nbsp;&nbsp;\\</PRE>", " /\\\n/  \\"),
        ("<pre>a &lt;- b &amp; &quot;c&quot;</pre>", 'a <- b & "c"'),
        ("<pre>a&nsbp;&qout;b</pre>", 'a "b'),  # misspelt
        ('<pre><o_o> <-- <(") </\\></pre>', '<o_o> <-- <(") </\\>'),
        ("<pre><b><font color=red>|</font>x</b>  <i>|</i></pre>", "|x  |"),
        ("<pre>[<!-- not this -->]<script>no()</script></pre>", "[]"),
        ("<xmp> <b>/\\</b></xmp>", None),
        ("<pre>[<>]  ><>  <3</pre>", "[<>]  ><>  <3"),
        ("<pre>&#9608;&#x2588;</pre>", "██"),
    ],
)
def test_pre(body: str, want: str | None) -> None:
    found = texts(body)
    assert len(found) == 1
    if want is not None:
        assert found[0].strip(" ") == want.strip(" ")


def test_provenance() -> None:
    (piece,) = read(f"<h2>Tabby</h2><pre>{CAT}</pre>")
    assert isinstance(piece, Piece)
    assert (piece.title, piece.artist) == ("Tabby", "Ada Lovelace")
    assert piece.locator.startswith("pre 1, lines 1-3") and piece.original is not None


def test_a_block_with_only_a_title_belongs_to_the_next() -> None:
    (piece,) = [
        i for i in read(f"<pre>-=[ cat ]=-  2/97</pre>\n<pre>{CAT}</pre>") if isinstance(i, Piece)
    ]
    assert (piece.title, piece.made, piece.text) == ("cat", "1997-02", CAT)


def test_blocks_are_pieces_and_their_pages_are_cut() -> None:
    assert texts(f"<pre>{CAT}</pre><p>and</p><pre>{CAT[:14]}\n\n\n\n><(((o></pre>") == [
        CAT, CAT[:14].strip("\n"), "><(((o>",
    ]  # fmt: skip


def test_lines_broken_by_hand_are_art_where_they_look_it() -> None:
    soup = "<font face=courier>&nbsp;/\\_/\\<br>(&nbsp;o.o&nbsp;)<br>&nbsp;&gt;&nbsp;^&nbsp;&lt;<br></font>"
    assert texts(soup) == [CAT]
    poem = "Roses are red<br>violets are blue<br>this is no picture<br>and so are you"
    (item,) = read(poem)
    assert isinstance(item, Rejection) and item.reason == "no-art"


def test_unclosed_and_nested_blocks() -> None:
    assert texts(f"<pre>{CAT}") == [CAT]
    assert texts(f"<pre>{CAT}\n<pre>==</pre></pre>") == [CAT + "\n=="]


def test_a_drawing_broken_over_several_blocks_is_one() -> None:
    rows = ["  /\\", " /  \\", "/____\\", "|    |"]
    assert texts("".join(f"<pre>{row}</pre>\n" for row in rows)) == ["\n".join(rows)]
    assert len(texts("<pre>><></pre><pre>(o.o)</pre>")) == 2


def test_declared_and_old_encodings() -> None:
    meta = '<meta http-equiv="content-type" content="text/html; charset=Shift_JIS">'
    page = f"{meta}<pre>（´∀｀）</pre>".encode("cp932")
    assert decode_page(page).encoding == "cp932"
    assert decode_page("<pre>“é”</pre>".encode("cp1252")).text == "<pre>“é”</pre>"
    assert decode_page(meta.encode() + "é█".encode()).text.endswith("é█")  # it lies


def test_depth_is_bounded() -> None:
    assert depth("<b>" * 10 + "</b>" * 4 + "<i>") == 10
    (item,) = read("<b>" * 5000 + f"<pre>{CAT}</pre>")
    assert isinstance(item, Rejection) and item.reason == "too-deep"


@given(st.text(alphabet="<>/!-abpre oO_\"'=&;#1\n", max_size=80))
def test_any_soup_ends_in_items(body: str) -> None:
    for item in read(body):
        assert isinstance(item, Piece | Rejection)


@given(st.text(alphabet="<>/\\-_oO()^ .", max_size=40))
def test_art_without_letters_survives_a_pre(art: str) -> None:
    if "<!" in art or not art.strip():
        return
    from selectolax.lexbor import LexborHTMLParser

    shown = LexborHTMLParser(protect(f"<pre>x{art}</pre>")).css_first("pre")
    assert shown is not None and shown.text() == "x" + art
