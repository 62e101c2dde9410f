import pytest
from hypothesis import given
from hypothesis import strategies as st

from asciiloom.corpus import Corpus
from asciiloom.curate.statistics import stats
from asciiloom.errors import CorpusError, SelectionError
from asciiloom.store import Selection
from asciiloom.store.query import fts_query, trigram_query


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
    assert fts_query("a b") == '(("a") AND ("b"))'
    assert fts_query("tag:cat -dog") == '((tags:"cat")) NOT "dog"'
    assert fts_query("a OR b c") == '(("a" OR "b") AND ("c"))'
    assert fts_query("!!") is None and fts_query("-x") is None
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


def test_a_common_word_is_weighed_among_its_first_matches(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = corpus.ids(Selection(text="box", order="id"))
    assert len(everything) > 12
    monkeypatch.setattr("asciiloom.store.selection.RANKED", 10)
    page = corpus.ids(Selection(text="box", order="rank", limit=5))
    assert len(page) == 5 and set(page) <= set(everything[:10])
    # A page that reaches further than that is ranked in full.
    assert len(corpus.ids(Selection(text="box", order="rank", limit=5, offset=8))) == 5
