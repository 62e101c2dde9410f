import pytest

from asciiloom.piece import Piece, Rejection
from asciiloom.readers import read_bytes
from asciiloom.readers.pages.markdown import front_matter, page_tags

CAT = " /\\_/\\\n( o.o )\n > ^ <"
INDENTED = "\n".join("    " + row for row in CAT.split("\n"))


def read(text: str, name: str = "a.md") -> list[Piece | Rejection]:
    return list(read_bytes(text.encode(), name))


@pytest.mark.parametrize(
    "body",
    [
        f"```\n{CAT}\n```",
        f"~~~text\n{CAT}\n~~~",
        f"````ascii-art\n{CAT}\n````",
        f"```\n{CAT}",  # never closed
        f"words before\n\n{INDENTED}\n\nwords after",
        f"<pre>\n{CAT.replace('>', '&gt;').replace('<', '&lt;')}\n</pre>",
        f"{{% raw %}}\n<pre>\n{CAT}</pre>\n{{% endraw %}}",
    ],
)
def test_blocks(body: str) -> None:
    (piece,) = (i for i in read(f"# Cats\n\n{body}\n") if isinstance(i, Piece))
    assert piece.text == CAT


def test_heading_front_matter_and_file_name_say_what_it_is() -> None:
    text = f"---\ntitle: All cats\ncategory : pets\ntags: [猫, tabby]\n---\n\n```\n{CAT}\n```\n\n## Fish\n\n```\n><(((o>\n```\n"
    cat, fish = read(text, "_posts/2014-07-02-animals-cats.md")
    assert isinstance(cat, Piece) and isinstance(fish, Piece)
    assert (cat.title, fish.title) == ("All cats", "Fish")
    assert {"pets", "猫", "tabby", "animals", "cats", "animals-cats"} <= set(cat.tags)
    assert cat.locator.startswith("line 8,")


def test_programs_are_not_art() -> None:
    (one, two) = read(
        "```python\nprint('x')\n```\n\n    import os\n    def f(x):\n        return x;\n"
    )
    assert isinstance(one, Rejection) and isinstance(two, Rejection)
    assert {one.reason, two.reason} == {"code"}
    (listed,) = read("- an item\n\n    of a list, going on\n")
    assert isinstance(listed, Rejection)


def test_a_page_without_blocks() -> None:
    (item,) = read("# Nothing\n\nJust words.\n")
    assert isinstance(item, Rejection) and item.reason == "no-art"


def test_front_matter_that_is_no_yaml_is_read_line_by_line() -> None:
    facts, rest = front_matter("---\ntitle: a: b: [c\nkey: v\n---\nrest\n")
    assert facts == {"title": "a: b: [c", "key": "v"} and rest.endswith("rest\n")
    assert rest.count("\n") == 5
    assert front_matter("no matter")[0] == {}


def test_tags_of_plain_names() -> None:
    assert page_tags({"tags": "a, b"}, "x.md") == ("a", " b")
    assert page_tags({}, "notes-of-cats.md") == ()


def test_words_that_join_others_are_no_tags() -> None:
    tags = page_tags({}, "_posts/2014-07-02-art-and-design-borders.md")
    assert tags == ("art-and-design-borders", "design", "borders")
