import pytest
from hypothesis import given
from hypothesis import strategies as st

from asciiloom.piece import ColourPlane, Piece, Rejection
from asciiloom.readers import read_bytes
from asciiloom.readers.programs.cow import UnsupportedPerlError, interpolate, parse_cow

OWL = """##
## An owl, by Ada Lovelace
##
$the_cow = <<"EOC";
   $thoughts   ,_,
    $thoughts (${eyes})
      /)_)\\\\
       ""  $tongue
EOC
"""


def drawn(body: str, opening: str = "$the_cow = <<EOC;", end: str = "EOC", before: str = "") -> str:
    return parse_cow(f"{before}{opening}\n{body}\n{end}\n").text.rstrip("\n")


def test_a_cow() -> None:
    (piece,) = read_bytes(OWL.encode(), "owl.cow")
    assert isinstance(piece, Piece)
    assert piece.text == '\\   ,_,\n \\ (oo)\n   /)_)\\\n    ""'
    assert (piece.title, piece.artist, piece.kind) == ("owl", "Ada Lovelace", "cow")
    assert piece.original == OWL.encode() and "An owl" in (piece.description or "")


@pytest.mark.parametrize(
    ("opening", "body", "want"),
    [
        ("$the_cow = <<EOC;", r"a\\b \$x \@y \- \`", "a\\b $x @y - `"),
        ('$the_cow = << "EOC";', "$eyes", "oo"),
        ("$the_cow = <<'EOC';", r"\\ $eyes", r"\\ $eyes"),
        ("$the_cow = <<EOC", "x", "x"),
        ("$the_cow =<<EOC; # a note", "x", "x"),
        ("$the_cow = <<~EOC;", "    a\n      b", "a\n  b"),
        ("$the_cow = <<EOC;", r"\N{U+2584}\x41\x{2588}\101\t.", "▄A█A\t."),
        ("$the_cow = <<EOC;", r"\N{BULLET}", "•"),
        ("$the_cow = <<EOC;", "@ @@ (@) a@", "@ @@ (@) a@"),
        ("$the_cow = <<EOC;", "[$undefined] [@list]", "[] []"),
    ],
)
def test_here_documents(opening: str, body: str, want: str) -> None:
    assert drawn(body, opening) == want


@pytest.mark.parametrize(
    ("before", "want"),
    [
        ("$eyes = '^^';\n", "^^"),
        ('$eyes = "$eyes-";\n', "oo-"),
        ('$eyes = ".." unless ($eyes);\n', "oo"),
        ("$eyes = '..' unless ($eyes ne 'oo');\n", ".."),
        ("$eyes = '..' if $eyes eq 'oo';\n", ".."),
        ("$extra = chop($eyes);\n$eyes .= ($extra x 2);\n", "ooo"),
        ('$eyes = ("-" x 3) . "o";\n', "---o"),
        ('binmode STDOUT, ":utf8";\nuse utf8;\n# note\n', "oo"),
        ("my $eyes = 'x'; $eyes .= 'y';\n", "xy"),
    ],
)
def test_assignments(before: str, want: str) -> None:
    assert drawn("$eyes", before=before) == want


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("system('rm -rf /');\n$the_cow = <<EOC;\nx\nEOC\n", "line 1: a statement"),
        ("$the_cow = `id`;\n", "line 1: an expression"),
        ("$the_cow = <<EOC;\n@{[`id`]}\nEOC\n", "of Perl's own"),
        ("$the_cow = <<EOC;\n$x[0]\nEOC\n", "an element of $x"),
        ("$the_cow = <<EOC;\n$) \nEOC\n", "of Perl's own"),
        ("$the_cow = <<EOC;\n\\Uup\\E\nEOC\n", "case operator"),
        ("$the_cow = <<EOC;\nx\n EOC\n", "has no line 'EOC'"),
        ("$the_cow = <<EOC;\n\\N{NO SUCH NAME}\nEOC\n", "no character's name"),
        ("$the_cow = <<EOC;\n\\x{110000}\nEOC\n", "character number"),
        ("# nothing\n", "nothing is assigned"),
        ("$a = 'x' x 9999;\n$a = $a x 9999;\n", "repetition"),
        ("$eyes = " + "(" * 50 + "'x'" + ")" * 50 + ";", "deeper than 20"),
    ],
)
def test_what_is_not_followed_is_named(source: str, says: str) -> None:
    with pytest.raises(UnsupportedPerlError) as error:
        parse_cow(source)
    assert says in str(error.value)
    (item,) = read_bytes(source.encode(), "x.cow")
    assert isinstance(item, Rejection) and item.reason == "unsupported-perl"
    assert says in item.detail


def test_strings_cannot_grow_without_end() -> None:
    doubling = "$a = 'xxxxxxxxxxxxxxxx';\n" + '$a = "$a$a$a$a$a$a$a$a";\n' * 12
    with pytest.raises(UnsupportedPerlError, match="8 MiB"):
        parse_cow(doubling + "$the_cow = $a;\n")


def test_colour_becomes_a_plane_and_background_alone_a_silhouette() -> None:
    coloured = "$the_cow = <<EOC;\n\\e[38;5;196m/\\\\_/\\\\\\e[0m\nEOC\n"
    (piece,) = read_bytes(coloured.encode(), "red.cow")
    assert isinstance(piece, Piece) and piece.text == "/\\_/\\"
    assert ColourPlane.unpack(piece.colour or b"").fore[0, 0] == 0xFF0000
    pixels = '$x = "\\e[49m  ";\n$a = "\\e[48;2;9;8;7m  ";\n$the_cow = <<EOC\n  $a  $x\n$a      $x\n  $a  $x\nEOC\n'
    (shape,) = read_bytes(pixels.encode(), "dot.cow")
    assert isinstance(shape, Piece) and shape.text == "  ████\n████████\n  ████"
    assert shape.flags == ("colour-only",)


@given(st.text(alphabet="ab \\$@{}()[]'\"^-+:;xN123\n", max_size=60))
def test_interpolation_ends_in_text_or_a_reason(text: str) -> None:
    try:
        out = interpolate(text, {"a": "A"})
    except UnsupportedPerlError:
        return
    if not set(text) & set("\\$@"):
        assert out == text
