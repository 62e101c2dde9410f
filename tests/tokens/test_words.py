"""Words: titles and tags cleaned, and what they have in common with others."""

import numpy as np
import pytest

from asciiloom.resources import resource_dir
from asciiloom.tokens import kinds_of, meanings, phrases_of, thing_of, words_of
from asciiloom.tokens.words import clean, heads_of, lemma, parts_of, word_table


@pytest.mark.parametrize(
    ("phrase", "cleaned"),
    [
        ("dog_dog_037", "dog"),
        ("winniethepooh_winniethepooh_004", "winnie the pooh"),
        ("starwars1", "star wars"),
        ("cat w/pumpkin.ans", "cat with pumpkin"),
        ("flaming-sheep", "flaming sheep"),
        ("T-shirt", "T-shirt"),
        ("skulls (line", "skulls line"),
        ("happy17", "happy"),
        ("3 blind mice", "3 blind mice"),
        ("catalogue", "catalogue"),
        ("the old man and the sea", "the old man and the sea"),
        *(
            (nothing, "")
            for nothing in ("land", "and", "misc", "037", "of the", "small_small_012", "", "?!")
        ),
    ],
)
def test_titles_are_cleaned_of_file_names(phrase: str, cleaned: str) -> None:
    assert clean(phrase) == cleaned


@pytest.mark.parametrize(
    ("tags", "shown"),
    [
        (["jgs:birds"], ["birds"]),
        (["jgs:petsdogs"], ["pets dogs"]),
        (["jgs:00august", "jgs:97augsep", "jgs:small", "jgs:crtoon2", "jgs:12days"], []),
        (["date:6/97", "group:acme", "enc:cp437", "dur:3", "movie:sw1.txt", "style:line"], []),
        (["file_id.diz", "ansi-pack", "nfo", "sauce", "generated", "misc"], []),
        (["and", "animals", "cjohnson:animals-birds-(land)", "birds", "land"], ["animals birds"]),
        (["cjohnson:sports-and-activities-baseball", "sports", "and"], ["sports activities baseball"]),
        (["dog", "dog_dog_037", "Dog"], ["dog"]),
        (["cow", "bull"], ["bull"]),  # drawn for the cow command; it is told by the kind
    ],
)  # fmt: skip
def test_tags_that_say_something_stay(tags: list[str], shown: list[str]) -> None:
    assert phrases_of(None, tags, "cow") == shown


def test_lettering_is_left_as_it_is() -> None:
    tags = ["pet", "style:line", "text:hi", "font:big", "pet", "the cat"]
    assert words_of("The Cat", tags) == "The Cat, pet, hi, font:big"
    assert words_of("T2", ["text:t2", "font:big_2", "generated"]) == "T2, font:big_2"
    assert words_of("and", ["text:and", "font:big"]) == "and, font:big"
    assert words_of(None, []) == ""


def test_words_are_shown_at_random_but_never_none() -> None:
    rng = np.random.default_rng(1)
    names = ("cat", "dog", "fox", "owl")
    shown = [words_of(names[0], names[1:], rng).split(", ") for _ in range(300)]
    assert all(set(s) <= set(names) and len(set(s)) == len(s) >= 1 for s in shown)
    assert len({tuple(s) for s in shown}) > 30
    assert 0.85 < sum("cat" in s for s in shown) / 300 < 0.97
    assert 0.4 < sum("dog" in s for s in shown) / 300 < 0.6


@pytest.mark.parametrize(
    ("word", "single", "thing", "kind"),
    [
        ("cats", "cat", "cat", "feline"),
        ("kitties", "kitty", "cat", "feline"),
        ("mice", "mouse", "mouse", "rodent"),
        ("wolves", "wolf", "wolf", "canine"),
        ("puppies", "puppy", "dog", "canine"),
        ("bunny", "bunny", "rabbit", "animal"),
        ("ponies", "pony", "horse", "animal"),
        ("oaks", "oak", "oak", "tree"),
        ("roses", "rose", "rose", "flower"),
        ("ship", "ship", "ship", "boat"),
        ("glasses", "glasses", "glasses", "instrument"),
        ("cat's", "cat", "cat", "animal"),
        ("猫", "猫", "cat", "animal"),
    ],
)
def test_words_and_their_relatives(word: str, single: str, thing: str, kind: str) -> None:
    assert (lemma(word), thing_of(word)) == (single, thing)
    assert kind in kinds_of(word)


def test_unknown_words_stand_for_themselves() -> None:
    assert (lemma("qwxyz"), thing_of("qwxyz"), kinds_of("qwxyz")) == ("qwxyz", "qwxyz", ())
    assert meanings("qwxyz") == ["=qwxyz", "~qwxyz"]
    assert meanings("") == meanings("the, of") == []


def test_run_together_words_are_split_where_the_parts_are_known() -> None:
    assert parts_of("winniethepooh") == ("winnie", "the", "pooh")
    assert parts_of("teddybears") == ("teddy", "bears")
    for whole in (
        "catfish",
        "butterflies",
        "seahorse",
        "washington",
        "something",
        "category",
        "blorptag",
    ):
        assert parts_of(whole) == (whole,)


def test_meanings_put_words_first_then_things_then_kinds() -> None:
    said = meanings("kitten in an oak, font:big")
    assert said[:3] == ["=kitten", "=oak", "=font:big"]
    assert said[3:5] == ["~cat", "~oak"]
    assert {"~feline", "~animal", "~tree"} <= set(said[5:])
    assert set(meanings("kitten")) ^ set(meanings("cat")) == {"=kitten", "=cat"}
    assert meanings("winniethepooh") == meanings("Winnie the Pooh")


def test_two_words_that_are_one_thing() -> None:
    for phrase, head in (("sea horse", "horse"), ("hot dogs", "dog"), ("rocking horse", "horse")):
        assert f"~{head}" not in meanings(phrase) and f"={head}" not in meanings(phrase)
    assert "~bear" in meanings("polar bear") and "~bear" in meanings("teddy bear")


@pytest.mark.parametrize(
    ("phrase", "heads"),
    [
        ("the cat of the house", ["cat", "house"]),
        ("a rabbit house", ["house"]),
        ("dog in doghouse", ["dog", "doghouse"]),
        ("cat sleeping", ["cat"]),
        ("Bunny w/Easter Egg", ["bunny", "easter egg"]),
        ("king with a ring", ["king", "ring"]),
        ("two sea horses", ["sea horse"]),
        ("star wars", ["war"]),
        ("rockinghorse", ["rocking horse"]),
        ("fat cat!", ["cat"]),
    ],
)
def test_heads_are_what_is_shown(phrase: str, heads: list[str]) -> None:
    assert list(heads_of(phrase)) == heads


def test_the_table_is_small_sound_and_licensed() -> None:
    folder = resource_dir("data") / "words"
    assert (folder / "words.tsv.gz").stat().st_size < 600_000
    assert "Princeton University" in (folder / "LICENSE.wordnet").read_text()
    table = word_table()
    assert len(table) > 20_000
    for word, entry in table.items():
        assert len(entry.kinds) <= 3 and word not in entry.kinds
        if entry.thing not in ("", "-", "*"):
            assert entry.thing.removeprefix("=") in table, word
        assert not {"entity", "object", "whole", "artifact"} & set(entry.kinds)
