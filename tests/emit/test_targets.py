"""Each target is read back by its own parser."""

import ast
import json
import keyword
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asciiloom.emit import TARGETS, emit, neutral
from asciiloom.piece import canonicalize

CAT = "/\\_/\\\n( o.o )\n > ^ <"
NASTY = [
    CAT,
    "```\n````x\n```",
    "'''\n\"\"\"\n\\",
    "ART\nART_\n$HOME `id` $(id)",
    "</pre><script>&amp;",
    "??=??/ \\x41 %s {}",
    "█▄日é 🙂",
    "\\\\\n\\n",
]
ART = st.text(
    alphabet=st.one_of(st.sampled_from("`'\"\\$<>&{}%?\n /|_█é"), st.characters(codec="utf-8")),
    min_size=1,
    max_size=60,
)
ART = ART.map(lambda t: canonicalize(t).text).filter(bool)


def _python(code: str) -> str:
    scope: dict[str, str] = {}
    exec(compile(ast.parse(code), "art", "exec"), scope)
    return scope["THE_CAT"]


@given(ART)
def test_python_reads_it_back(text: str) -> None:
    assert _python(emit(text, "python", {"title": "the cat"})) == text


@given(ART)
def test_json_reads_it_back(text: str) -> None:
    assert json.loads(emit(text, "json", {"width": 3})) == {"width": 3, "text": text}


@given(ART)
def test_markdown_fence_is_closed_only_by_itself(text: str) -> None:
    rows = emit(text, "markdown").split("\n")
    fence = rows[-1]
    assert rows[0] == fence + "text" and set(fence) == {"`"}
    assert "\n".join(rows[1:-1]) == text
    assert not any(row.strip().startswith(fence) for row in rows[1:-1])


class _Pre(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@given(ART)
def test_html_reads_it_back(text: str) -> None:
    page = _Pre()
    page.feed(emit(text, "html", {"title": '"><b>'}))
    page.close()
    assert page.tags == ["pre"]
    assert page.text == "\n" + text  # a parser drops the first newline of <pre>


@pytest.mark.parametrize("text", NASTY)
def test_shell_prints_it(text: str) -> None:
    done = subprocess.run(
        ["sh", "-c", emit(text, "shell")], capture_output=True, text=True, timeout=20
    )
    assert done.stdout == text + "\n" and done.stderr == ""


def _run(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.decode()


def test_c_prints_it(tmp_path: Path, program: Callable[..., str]) -> None:
    compiler = program("gcc")
    for number, text in enumerate(NASTY):
        source = tmp_path / f"{number}.c"
        code = emit(text, "c", {"title": "3 cats!"})
        assert "art_3_cats[]" in code
        source.write_text(
            f"#include <stdio.h>\n{code}\nint main(void) {{ fputs(art_3_cats, stdout); return 0; }}\n"
        )
        _run(
            [
                compiler,
                "-std=c99",
                "-trigraphs",
                "-Wall",
                "-Werror",
                "-o",
                str(tmp_path / "a"),
                str(source),
            ]
        )
        assert _run([str(tmp_path / "a")]) == text


JS_NAMES = """
arguments async await break case catch class const continue debugger default delete do else enum eval export
extends false finally for function if implements import in instanceof interface let NaN new null package
private protected public return static super switch this throw true try typeof undefined var void while with
yield
""".split()
# Of C and C++, and what headers, compilers and programs call their own.
C_NAMES = """
alignas alignof and asm auto bool break case char class const constexpr continue default delete do double
else enum export extern false float for goto if inline int long namespace new not nullptr or private public
register restrict return short signed sizeof static struct switch template this throw true try typedef
typeof union unsigned using virtual void volatile while xor main printf fputs stdout errno linux unix i386
""".split()


@pytest.mark.parametrize("language", ["c", "c++"])
def test_c_compiles_whatever_the_title_is(
    tmp_path: Path, program: Callable[..., str], language: str
) -> None:
    compiler = program("gcc") if language == "c" else program("g++")
    constants = [emit(CAT, "c", {"title": title}) for title in (*C_NAMES, "", "3 cats!", "日本")]
    source = tmp_path / "art.c"
    source.write_text(
        "#include <stdio.h>\n#include <errno.h>\n" + "\n".join(dict.fromkeys(constants))
    )
    _run([compiler, "-x", language, "-fsyntax-only", str(source)])


def test_python_and_javascript_compile_whatever_the_title_is(
    tmp_path: Path, program: Callable[..., str]
) -> None:
    node = program("node")
    for title in (*keyword.kwlist, *keyword.softkwlist, *JS_NAMES, *C_NAMES, "", "3 cats!", "日本"):
        compile(emit(CAT, "python", {"title": title}), title, "exec")
    modules = [emit(CAT, "javascript", {"title": title}) for title in dict.fromkeys(JS_NAMES)]
    source = tmp_path / "art.mjs"
    source.write_text("\n".join(modules))
    _run([node, "--check", str(source)])


def test_javascript_prints_it(tmp_path: Path, program: Callable[..., str]) -> None:
    node = program("node")
    for text in NASTY:
        module = tmp_path / "art.mjs"
        module.write_text(
            emit(text, "javascript") + "\nprocess.stdout.write(ART);\n", encoding="utf-8"
        )
        assert _run([node, str(module)]) == text


def test_plain_is_itself_and_every_target_is_tested() -> None:
    assert emit("x") == "x"
    assert set(TARGETS) == {
        "plain",
        "markdown",
        "json",
        "python",
        "javascript",
        "c",
        "shell",
        "html",
    }


@given(st.text())
def test_neutral_leaves_no_control_character(text: str) -> None:
    assert not any((ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160 for c in neutral(text))


def test_neutral_shows_what_was_there() -> None:
    assert neutral("a\x1b[31mb") == "a\\x1b[31mb"
