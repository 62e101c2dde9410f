from asciiloom.piece import Piece, Rejection
from asciiloom.readers import read_bytes

FAST = "$1   /\\\n$1  /$2##$1\\\n$1 /$2####$1\\\n$3 $$__$$\n"
NEO = """    case x in
        "Loom"*)
            set_colors 4 7
            read -rd '' ascii_data <<'EOF'
${c1}   /\\\\
${c1}  /${c2}##${c1}\\\\
EOF
        ;;
        "Warp"|"Weft")
            read -rd '' ascii_data <<'EOF'
${c1}[==]
EOF
        ;;
"""
ONE = "Loom:\n  type: programming\n  ascii: |\n    {0}  /\\\n    {1} /##\\\n  colors:\n    ansi: [red]\nBare:\n  type: data\n"


def test_fastfetch_tokens() -> None:
    (piece,) = read_bytes(FAST.encode(), "logo/loom.txt")
    assert isinstance(piece, Piece)
    assert piece.text == "  /\\\n /##\\\n/####\\\n$__$"
    assert (piece.title, piece.kind) == ("loom", "logo") and piece.original == FAST.encode()


def test_dollars_in_other_text_stay() -> None:
    (piece,) = read_bytes(b" $100 \n  $1\n  /\\ \n /  \\\n ----", "price.txt")
    assert isinstance(piece, Piece) and "$100" in piece.text and piece.kind == "art"


def test_neofetch_script() -> None:
    loom, warp = read_bytes(NEO.encode(), "neofetch")
    assert isinstance(loom, Piece) and isinstance(warp, Piece)
    assert (loom.title, loom.text) == ("Loom", " /\\\n/##\\")
    assert (warp.title, warp.text) == ("Warp Weft", "[==]")


def test_onefetch_yaml() -> None:
    loom, bare = read_bytes(ONE.encode(), "languages.yaml")
    assert isinstance(loom, Piece) and (loom.title, loom.text) == ("Loom", " /\\\n/##\\")
    assert "programming" in loom.tags
    assert isinstance(bare, Rejection) and (bare.reason, bare.locator) == ("no-text", "Bare")
    (broken,) = read_bytes(ONE.encode() + b"\t{unclosed", "languages.yaml")
    assert isinstance(broken, Rejection) and broken.reason == "bad-yaml"
