from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asciiloom.corpus import Corpus
from asciiloom.curate.edits import Change
from asciiloom.curate.removal import remove
from asciiloom.curate.statistics import stats
from asciiloom.curate.upkeep import check
from asciiloom.errors import CorpusError, SelectionError
from asciiloom.piece import Piece
from asciiloom.store import Selection
from asciiloom.store.query import parse, trigram_query


def _all(corpus: Corpus) -> list[dict]:  # type: ignore[type-arg]
    return list(corpus.select())


def test_filters_agree_with_python(corpus: Corpus) -> None:
    everything = _all(corpus)
    assert len(everything) > 800
    checks = [
        (Selection(width=(10, 20), height=(None, 8)), lambda r: 10 <= r["width"] <= 20 and r["height"] <= 8),
        (Selection(tags=("cat",)), lambda r: "cat" in r["tags"]),
        (Selection(tags=("cat", "style:line")), lambda r: {"cat", "style:line"} <= set(r["tags"])),
        (Selection(tags=("font:*",)), lambda r: any(t.startswith("font:") for t in r["tags"])),
        (Selection(without_tags=("style:line",)), lambda r: "style:line" not in r["tags"]),
        (Selection(glyphs="( o"), lambda r: "( o" in r["text"]),
        (Selection(glyphs="@@"), lambda r: "@@" in r["text"]),
        (Selection(glyphs="( o\n"), lambda r: "( o" in r["text"]),
        (Selection(glyphs="\n@@\r\n"), lambda r: "@@" in r["text"]),
        (Selection(kinds=("maze", "tree")), lambda r: r["kind"] in ("maze", "tree")),
        (Selection(sources=("*/default",)), lambda r: r["source"] == "asciiloom/default"),
        (Selection(licences=("CC0*",), artists=("asciiloom authors",)), lambda r: r["artist"] is not None),
        (Selection(ink=(50, 60), chars=(None, 300)), lambda r: 50 <= r["ink"] <= 60 and r["chars"] <= 300),
        (Selection(canonical_only=True), lambda r: r["canonical"]),
        (Selection(split="test"), lambda r: r["split"] == "test"),
        (Selection(charset="ascii", grid_only=True, redistributable=True, min_quality=0.5), lambda r: r["quality"] >= 0.5),
    ]  # fmt: skip
    for selection, wanted in checks:
        found = {r["id"] for r in corpus.select(selection)}
        assert found == {r["id"] for r in everything if wanted(r)}, selection
        assert found or selection.split, selection
        assert corpus.count(selection) == len(found) and set(corpus.ids(selection)) == found


def test_text_search_ranks_titles_first(corpus: Corpus) -> None:
    found = list(corpus.select(Selection(text="dragon", order="rank")))
    assert found and all(
        "dragon" in (r["title"] or "").lower() + " ".join(r["tags"]) for r in found
    )
    assert "dragon" in found[0]["title"].lower()
    assert corpus.count(Selection(text="owls")) > 0  # stemmed
    assert corpus.count(Selection(text="title:cat -title:face")) == len(
        [r for r in corpus.select(Selection(text="title:cat")) if "face" not in r["title"]]
    )
    either = corpus.count(Selection(text="owl OR volcano"))
    assert either == corpus.count(Selection(text="owl")) + corpus.count(Selection(text="volcano"))
    assert corpus.count(Selection(text="penguin volcano")) == 0
    assert corpus.count(Selection(text="peng*")) > 0
    assert corpus.count(Selection(text='"cat on a fence"')) == 1


def test_random_order_is_a_seeded_permutation(corpus: Corpus) -> None:
    one = corpus.ids(Selection(order="random", seed=1))
    assert one == corpus.ids(Selection(order="random", seed=1))
    assert one != corpus.ids(Selection(order="random", seed=2))
    assert sorted(one) == corpus.ids() and one != sorted(one)
    assert corpus.ids(Selection(order="random", seed=1, limit=5, offset=5)) == one[5:10]


def test_orders(corpus: Corpus) -> None:
    areas = [r["width"] * r["height"] for r in corpus.select(Selection(order="small"))]
    assert areas == sorted(areas)
    areas = [r["width"] * r["height"] for r in corpus.select(Selection(order="large"))]
    assert areas == sorted(areas, reverse=True)
    assert corpus.ids(Selection(order="newest", limit=1)) == [max(corpus.ids())]


@given(st.text(max_size=40))
def test_any_text_is_a_safe_query(corpus_file, typed: str) -> None:  # type: ignore[no-untyped-def]
    with Corpus(corpus_file) as corpus:
        for selection in (
            Selection(text=typed, order="rank"),
            Selection(glyphs=typed),
            Selection(tags=(typed,)),
        ):
            corpus.ids(selection)


@given(st.text(alphabet='"*()-^:+{}ORANDNTcatitle ', max_size=30))
def test_any_fts_syntax_is_a_safe_query(corpus_file, typed: str) -> None:  # type: ignore[no-untyped-def]
    with Corpus(corpus_file) as corpus:
        corpus.count(Selection(text=typed))


def test_queries_as_strings() -> None:
    def words(typed: str) -> str | None:
        query = parse(typed)
        return query and query.words

    assert words("a b") == '("a") AND ("b")'
    assert words("artist:cat -dog") == '((artist:"cat")) NOT "dog"'
    assert words("a OR b c") == '("a" OR "b") AND ("c")'
    assert parse("!!") is None and parse("-x") is None and parse("-tag:x") is None
    query = parse('title:a OR artist:b "c d" artist:e')
    assert query is not None and query.titled == '(title:"a") AND ("c d")' and query.beyond_title
    assert trigram_query("(o.o)") == '"(o." AND "o.o" AND ".o)"'
    assert trigram_query("ab") is None


def test_round_trip_and_key() -> None:
    selection = Selection(tags=("a",), width=(None, 40), text="x", canonical_only=True)
    assert Selection.from_dict(selection.to_dict()) == selection
    assert Selection().to_dict() == {}
    assert selection.key() != Selection().key() == Selection(limit=None).key()


@pytest.mark.parametrize(
    "wrong",
    [
        {"width": (9, 3)},
        {"charset": "ebcdic"},
        {"split": "exam"},
        {"order": "best"},
        {"kinds": ("song",)},
        {"limit": -1},
    ],
)
def test_nonsense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SelectionError):
        Selection(**wrong)
    with pytest.raises(SelectionError, match="no_such"):
        Selection.from_dict({"no_such": 1})


def test_frame_is_a_dataframe(corpus: Corpus) -> None:
    frame = corpus.frame(Selection(tags=("cat",)))
    assert frame.index.name == "id" and len(frame) == corpus.count(Selection(tags=("cat",)))
    assert frame.loc[frame.index[0], "tags"].count("cat") == 1
    assert len(corpus.frame(Selection(tags=("nothing here",)))) == 0


def test_stats_add_up(corpus: Corpus) -> None:
    found = stats(corpus.connection)
    assert (
        found["pieces"]
        == corpus.count()
        == sum(found["sources"].values())
        == sum(found["splits"].values())
    )
    assert found["percentiles"]["width"]["p100"] == max(r["width"] for r in corpus.select())
    assert len(found["tags"]) == 25
    for tag, pieces in found["tags"].items():
        assert pieces == corpus.count(Selection(tags=(tag,))), tag
    none = stats(corpus.connection, Selection(tags=("nothing here",)))
    assert none["pieces"] == 0 and none["percentiles"]["width"] == {}


def test_fingerprint_follows_content_not_order(corpus: Corpus) -> None:
    one = corpus.fingerprint(Selection(tags=("cat",)))
    assert one == corpus.fingerprint(Selection(tags=("cat",), order="random"))
    assert one["digest"] != corpus.fingerprint(Selection(tags=("dog",)))["digest"]
    assert one["licences"] == {"CC0-1.0": one["pieces"]}


def test_missing_piece(corpus: Corpus) -> None:
    for call in (corpus.get, corpus.original):
        with pytest.raises(CorpusError, match="999999"):
            call(999_999)


@pytest.mark.parametrize("order", ["rank", "id", "small", "large", "newest", "random"])
@pytest.mark.parametrize("text", ["cat", "a OR face", None])
def test_a_page_is_a_stretch_of_the_whole(corpus: Corpus, order: str, text: str | None) -> None:
    whole = Selection(text=text, order=order, seed=3, width=(None, 60))
    everything = corpus.ids(whole)
    assert len(everything) > 3
    paged = [
        n
        for at in range(0, len(everything), 3)
        for n in corpus.ids(whole.replace(limit=3, offset=at))
    ]
    assert paged == everything
    assert corpus.ids(whole.replace(offset=2)) == everything[2:]


MANY = 1600


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corpus]:
    """Pieces that all say "newt", in ever another place; of the titles that do, the shortest comes last."""

    def piece(number: int) -> Piece:
        says: dict[str, Any] = (
            {"title": f"a newt, the {number}th"},
            {"title": "Somebody", "tags": ("newt", "pond")},
            {"description": "found beside a newt"},
            {"artist": "The Newt", "tags": ("text:newt",)},
        )[number % 4]
        return Piece(f"(o {number:x})", **says, source="made")

    with Corpus(tmp_path_factory.mktemp("many") / "many.db", create=True) as corpus:
        corpus.add(
            [*map(piece, range(MANY)), Piece("the newt itself", title="Newt", source="made")]
        )
        yield corpus


@given(st.integers(1, 900), st.sampled_from(["newt", "newt -pond", "newt OR pond", "newts made*"]))
def test_pages_neither_repeat_nor_lose_a_piece(many: Corpus, size: int, typed: str) -> None:
    """Also past the first thousand matches, and where one page reaches over two columns."""
    whole = Selection(text=typed, order="rank", chars=(None, 400))
    everything = many.ids(whole)
    starts = range(0, len(everything) + 1, size) if size > 60 else (0, size, 990, 1590)
    for at in starts:
        assert many.ids(whole.replace(limit=size, offset=at)) == everything[at : at + size]
    assert len(set(everything)) == len(everything) == many.count(whole)
    assert sorted(everything) == many.ids(whole.replace(order="id"))


def test_the_piece_of_that_title_comes_first_then_titles_then_tags(many: Corpus) -> None:
    found = list(many.select(Selection(text="newt", order="rank")))
    assert len(found) == MANY + 1 and found[0]["title"] == "Newt"
    assert [r["title"] for r in many.select(Selection(text="newt", order="rank", limit=1))] == [
        "Newt"
    ]
    says = [
        "title" if "newt" in (r["title"] or "").lower() else "tag" if r["tags"] else "rest"
        for r in found
    ]
    assert says == sorted(says, key=["title", "tag", "rest"].index)
    lengths = [len(r["title"]) for r, place in zip(found, says, strict=True) if place == "title"]
    assert len(lengths) == MANY // 4 + 1 and lengths == sorted(lengths)


def test_an_edited_title_is_found_in_its_new_place(tmp_path: Path) -> None:
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add(
            [Piece("(o)", title="a newt"), Piece("(oo)", title="a long newt"), Piece("(ooo)")]
        )
        ranked = Selection(text="newt", order="rank")
        assert corpus.ids(ranked) == [1, 2]
        corpus.edit([Change(3, "title", "newt"), Change(1, "title", "frog")])
        assert corpus.ids(ranked) == [3, 2] and corpus.ids(ranked.replace(text="frog")) == [1]
        corpus.undo()
        assert corpus.ids(ranked) == [1, 2] and not corpus.ids(ranked.replace(text="frog"))
        remove(corpus.connection, [1])
        assert corpus.ids(ranked) == [2] and not check(corpus.connection, deep=True)


def test_a_tag_is_a_whole_tag(tmp_path: Path) -> None:
    kinds = [("cat",), ("text:cat",), ("cats",), ("wild cat",), ("cat", "dog"), ()]
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece(f"(o {k})", title=f"cat {k}", tags=tags) for k, tags in enumerate(kinds)])
        for typed, wanted in {
            "tag:cat": [1, 5],
            "tag:CAT": [1, 5],
            "tags:CAT": [1, 2, 3, 4, 5],
            "tag:cat tag:dog": [5],
            "cat -tag:cat": [2, 3, 4, 6],
            "tag:cat -dog": [1],
            "tag:cat -tag:dog": [1],
            "tag:dog OR tag:cats": [3, 5],
            "tag:dog OR title:5": [5, 6],
            "tag:cat* cat": [1, 3, 5],
            'tag:"wild cat"': [4],
            "tag:text:*": [2],
            "tag:[c]at": [],
            "tag:?at*": [],
        }.items():
            for order in ("id", "rank"):
                found = corpus.ids(Selection(text=typed, order=order))
                assert sorted(found) == wanted == corpus.ids(Selection(text=typed)), typed
                assert corpus.ids(Selection(text=typed, order=order, limit=9)) == found, typed


def test_a_licence_is_a_fact_of_the_piece(tmp_path: Path) -> None:
    stated = ["CC0", "All rights reserved", None, "CC BY-NC-ND 4.0", "MIT not granted to anyone",
              "https://creativecommons.org/licenses/by/4.0/", "MIT OR CC-BY-NC-4.0", "cc by-sa 3.0"]  # fmt: skip
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece(f"(o {k})", source="one", licence=said) for k, said in enumerate(stated)])
        free = Selection(redistributable=True)
        assert corpus.ids(free) == [1, 6, 7, 8]
        assert [r["licence"] for r in corpus.select()] == [
            "CC0-1.0", "All rights reserved", None, "CC-BY-NC-ND-4.0", "MIT not granted to anyone",
            "CC-BY-4.0", "MIT OR CC-BY-NC-4.0", "CC-BY-SA-3.0",
        ]  # fmt: skip
        assert [corpus.get(k + 1)["origins"][0]["licence"] for k in range(len(stated))] == stated
        assert corpus.ids(Selection(licences=("cc by 4.0", "CC-BY-SA*"))) == [6, 8]
        corpus.edit([Change(2, "licence", "Public Domain"), Change(1, "licence", "mine alone")])
        assert corpus.ids(free) == [2, 6, 7, 8] and corpus.get(2)["licence"] == "CC-PDDC"
        corpus.undo()
        assert corpus.ids(free) == [1, 6, 7, 8]


def test_a_licence_that_another_tool_wrote_allows_nothing(tmp_path: Path) -> None:
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece("(o)", licence="MIT")])
        corpus.db["piece"].update(1, {"licence": "Free, as I see it"})
        assert not corpus.ids(Selection(redistributable=True))


def test_a_licence_is_filled_in_where_none_was_stated(tmp_path: Path) -> None:
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece("(o)", path="a"), Piece("(oo)", licence="all rights reserved", path="a")])
        corpus.add([Piece("(o)", licence="cc0", path="b"), Piece("(oo)", licence="MIT", path="b")])
        assert [r["licence"] for r in corpus.select()] == ["CC0-1.0", "all rights reserved"]


def test_an_artist_is_found_under_every_name(tmp_path: Path) -> None:
    bylines = ["Joan G. Stark", "jgs", "joan stark", "Joan G. Stark <joan@example.org>", "jgs/TT",
               "TT", "RaD Man + irokos", "Starkey", None]  # fmt: skip
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece(f"(o {k})", artist=name) for k, name in enumerate(bylines)])
        for name, wanted in {
            "Joan G. Stark": [1, 2, 3, 4, 5],
            "JGS": [1, 2, 3, 4, 5],
            "joan stark": [1, 2, 3, 4, 5],
            "Joan*": [1, 2, 3, 4, 5],
            "tt": [5, 6],
            "jgs/tt": [5],
            "Irokos": [7],
            "stark": [],
            "?gs*": [],
        }.items():
            assert corpus.ids(Selection(artists=(name,))) == wanted, name
        assert corpus.ids(Selection(artists=("irokos", "TT"))) == [5, 6, 7]
        corpus.edit([Change(9, "artist", "Some One/jgs"), Change(1, "artist", None)])
        assert corpus.ids(Selection(artists=("jgs",))) == [2, 3, 4, 5, 9]
        corpus.db["piece"].update(8, {"artist": "Another Tool"})
        assert corpus.ids(Selection(artists=("another tool",))) == [8]


def test_a_signed_piece_has_its_artist(tmp_path: Path) -> None:
    """One that nobody else is said to have drawn; the place where it was seen still says nothing."""
    texts = ["(o)  jgs", "(oo)\ndrawn by your\n", "/\\  hjw\n\\/  jgs", "(ooo)  jgs"]
    with Corpus(tmp_path / "a.db", create=True) as corpus:
        corpus.add([Piece(text) for text in texts[:3]] + [Piece(texts[3], artist="me")])
        assert [r["artist"] for r in corpus.select()] == [
            "Joan G. Stark", None, "Hayley Jane Wakenshaw & Joan G. Stark", "me",
        ]  # fmt: skip
        assert corpus.ids(Selection(artists=("hjw",))) == [3]
        assert [corpus.get(k)["origins"][0]["artist"] for k in (1, 3, 4)] == [None, None, "me"]
