"""What a piece shows, in words, and what those words have in common with others.

Titles and tags are cleaned of what says nothing (file names, dates, shelf marks), and each word is looked up
in a small table made from WordNet: its singular, the one thing that several words name (kitty, kitten: cat),
and the kinds of thing that it is (cat: feline, animal). So a model asked for a kitten knows of cats.
"""

import gzip
import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from math import log
from typing import NamedTuple

import numpy as np

from asciiloom.resources import resource_dir

# How often a training prompt shows a piece's title, and each of its tags.
KEPT_TITLE, KEPT_TAG = 0.9, 0.5
# What a format's name says is how a piece is written, not what it shows.
FORMATS = frozenset(
    "amiga ans ansi asc ascii cp437 diz figlet ice nfo sauce txt utf unicode utf8 xbin".split()
)
_EXTENSION = re.compile(r"\.(ans|asc|cow|diz|gif|ice|jpg|nfo|png|txt|xb)$", re.I)
_DEBRIS = re.compile(r"[\s()\[\]{}<>|\"`*=#~,;_]+")
_WITH = re.compile(r"\bw/ *", re.I)
_HYPHEN = re.compile(r"(?<=\w\w)-(?=\w\w)")
_NUMBERED = re.compile(r"([^\W\d_]{3,})\d+")
_DATED = re.compile(r"\d+[^\W\d_]")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
# Run-together words: nothing shorter is taken apart, and no part is shorter than a noun.
JOINED, _PART = 7, 3
_LINKS = frozenset(["the", "and", "with", "for", "of", "in", "on"])
_PLURALS = (("ies", "y"), ("ses", "s"), ("xes", "x"), ("zes", "z"), ("ches", "ch"), ("shes", "sh"), ("men", "man"), ("s", ""))  # fmt: skip


class Entry(NamedTuple):
    """A word of the table: ``uses``, the pieces that say it; the ``thing`` that it names, or a mark; ``kinds``."""

    uses: int
    thing: str
    kinds: tuple[str, ...]


@cache
def word_table() -> Mapping[str, Entry]:
    """The word table, read once. In place of a thing, "=" and a word is a plural's singular, "-" marks words
    that say nothing, "*" names that no dictionary has."""
    packed = (resource_dir("data") / "words" / "words.tsv.gz").read_bytes()
    out = {}
    for line in gzip.decompress(packed).decode().splitlines():
        word, count, thing, kinds = (*line.split("\t"), "", "")[:4]
        out[word] = Entry(int(count), thing, tuple(kinds.split(" ")) if kinds else ())
    return out


@lru_cache(1 << 16)
def lemma(word: str) -> str:
    """The singular of a lower-case ``word``, or the word itself where the table knows no other."""
    table = word_table()
    entry = table.get(word)
    if entry is not None and entry.thing != "*":
        return entry.thing[1:] if entry.thing.startswith("=") else word
    bare = word.removesuffix("'s")
    for end, instead in _PLURALS:
        if bare.endswith(end) and (single := bare.removesuffix(end) + instead) in table:
            return single
    return bare if bare in table else word


def thing_of(word: str) -> str:
    """The one thing that ``word`` names among others: "kitties" -> "cat", "oaks" -> "oak"."""
    single = lemma(word)
    entry = word_table().get(single)
    return entry.thing if entry is not None and entry.thing not in ("", "*", "-") else single


def kinds_of(word: str) -> tuple[str, ...]:
    """What ``word`` is a kind of, nearest first: "kitten" -> ("feline", "animal")."""
    entry = word_table().get(thing_of(word))
    return entry.kinds if entry is not None else ()


def says_nothing(word: str) -> bool:
    """Whether a lower-case ``word`` tells nothing of what is shown: "and", "small", "misc", "037"."""
    entry = word_table().get(word)
    return not any(c.isalpha() for c in word) or (entry is not None and entry.thing == "-")


@lru_cache(1 << 14)
def parts_of(word: str) -> tuple[str, ...]:
    """A lower-case word that is unknown and run together, in its parts: "winniethepooh", "petsdogs".

    The split with the likeliest parts, by their counts; the word itself where there is none.
    """
    if len(word) < JOINED or lemma(word) in word_table() or not word.isalpha():
        return (word,)
    return split(word, word_table()) or (word,)


def split(word: str, table: Mapping[str, Entry]) -> tuple[str, ...]:
    """``word`` in at least two words of ``table``, by dynamic programming over their counts; () for none."""
    best: list[tuple[float, tuple[str, ...]] | None] = [(0.0, ())]
    for end in range(1, len(word) + 1):
        ways = []
        for start, way in enumerate(best):
            part = word[start:end]
            entry = None if part == word else _found(part, table)
            if way is not None and entry is not None:
                # Each further part costs as much as a rare word.
                ways.append((way[0] + 12 - log(1 + entry.uses), (*way[1], part)))
        best.append(min(ways) if ways else None)
    found = best[-1]
    return found[1] if found is not None else ()


def _found(part: str, table: Mapping[str, Entry]) -> Entry | None:
    """What ``table`` has of a part of a run-together word, in its singular; short ones must be in use."""
    for end, instead in (("", ""), *_PLURALS):
        entry = table.get(part.removesuffix(end) + instead) if part.endswith(end) else None
        if entry is not None and (part in _LINKS or entry.thing != "-"):
            short = len(part) < _PART or (len(part) == _PART and entry.uses < 2)
            return entry if part in _LINKS or not short else None
    return None


# -- a piece's words


def phrases_of(title: str | None, tags: Sequence[str], kind: str | None = None) -> list[str]:
    """What a piece shows, as phrases: its title, then the tags that add to it.

    Of lettering (tags ``text:`` and ``font:``) the title is left as it is, and the tags give the word
    that is lettered and the font. A tag of a collector's own rubric ("jgs:petsdogs",
    "cjohnson:animals-cats") is read as words; one whose key is a word itself ("date:6/97") says how the piece
    came about. ``kind`` is told to a model by itself, so the tag that repeats it is dropped.
    """
    lettered = any(tag.startswith(("text:", "font:")) for tag in tags)
    phrases = [title.replace(",", " ") if lettered else clean(title)] if title else []
    rubrics = [r for tag in tags if (r := _rubric(tag))]
    filed = {word for r in rubrics for word in r.lower().split()}
    for tag in tags:
        key, colon, value = tag.partition(":")
        if colon:
            phrases += [value if key == "text" else tag] if key in ("text", "font") else []
        elif tag != kind and not FORMATS & set(_WORD.findall(tag.lower())):
            said = clean(tag)
            told = {word for word in said.lower().split() if not says_nothing(word)}
            phrases += [said] if not told <= filed | {kind} else []
    distinct: dict[str, str] = {}
    for phrase in (*phrases, *rubrics):
        distinct.setdefault(phrase.lower(), phrase)
    distinct.pop("", None)
    return list(distinct.values())


def words_of(
    title: str | None,
    tags: Sequence[str],
    rng: np.random.Generator | None = None,
    kind: str | None = None,
) -> str:
    """``phrases_of`` a piece, parted by commas. With ``rng`` some are left out and the order is shuffled, as
    people do when they ask."""
    phrases = phrases_of(title, tags, kind)
    if rng is not None and len(phrases) > 1:
        order = rng.permutation(len(phrases))
        shown = rng.random(len(phrases)) < KEPT_TAG
        shown[0] = rng.random() < KEPT_TITLE
        phrases = [phrases[i] for i in order if shown[i] or not shown.any()]
    return ", ".join(phrases).rstrip(", ")


@lru_cache(1 << 15)
def clean(phrase: str) -> str:
    """``phrase`` without what is left of file names; "" where nothing in it says what is shown.

    "dog_dog_037" -> "dog"; "cat w/pumpkin.ans" -> "cat with pumpkin"; "starwars1" -> "star wars".
    """
    plain = _EXTENSION.sub("", phrase.strip())
    if " " not in plain:
        plain = _HYPHEN.sub(" ", plain)
    out: list[str] = []
    for word in _DEBRIS.sub(" ", _WITH.sub("with ", plain)).split():
        numbered = _NUMBERED.fullmatch(word)
        bare = numbered[1] if numbered else word
        if not out or bare.lower() != out[-1].lower():
            out.append(bare)
    if len(out) > 1 and out[-1].isdigit():
        out.pop()  # the number of a file
    if len(out) == 1 and out[0].islower():
        out = list(parts_of(out[0]))
    said = _WORD.findall(" ".join(out).lower())
    return " ".join(out) if not all(map(says_nothing, said)) else ""


def _rubric(tag: str) -> str:
    """The words of a collector's own shelf mark; "" for other tags, and for marks that are no words."""
    key, colon, value = tag.partition(":")
    entry = word_table().get(key)
    if not colon or key in ("text", "font") or (entry is not None and entry.thing != "*"):
        return ""
    if _DATED.match(value):
        return ""  # "97augsep"
    # "birds-(water)" are water birds.
    value = re.sub(r"([^-]+)-\(([^)]+)\)", r"\2-\1", value)
    words = clean(re.sub(r"[-_()]+", " ", value)).split()
    if not all(lemma(word) in word_table() for word in words):
        return ""
    # "sports and activities baseball": what is filed under what.
    return " ".join(word for word in words if not says_nothing(word) or word in _LINKS - {"and"})


# -- what words mean


def names_in(words: str) -> list[tuple[str, ...]]:
    """The lemmas of what each phrase of ``words`` (parted by commas) names, in order; two words that the table
    has as one ("hot dog") are one. What says nothing is left out; "font:big" stays as it is."""
    out: list[tuple[str, ...]] = []
    for phrase in words.lower().split(","):
        if phrase.strip().startswith("font:"):
            out.append((phrase.strip(),))
        else:
            out.append(tuple(word for word in _lemmas(phrase) if not says_nothing(word)))
    return out


def _lemmas(phrase: str) -> list[str]:
    said = _WORD.findall(phrase)
    out: list[str] = []
    for word in parts_of(said[0]) if len(said) == 1 else said:
        single = lemma(word)
        if out and (pair := f"{out[-1]} {single}") in word_table():
            out[-1] = pair
        else:
            out.append(single)
    return out


def meanings(words: str) -> list[str]:
    """What ``words`` say, as concepts: "=kitten" the words themselves, then "~cat" what they name among others,
    then "~feline", "~animal" the kinds of it. A kitten and a cat share all but the first."""
    named = list(dict.fromkeys(word for phrase in names_in(words) for word in phrase))
    plain = [word for word in named if not word.startswith("font:")]
    return list(
        dict.fromkeys(
            (
                *(f"={word}" for word in named),
                *(f"~{thing_of(word)}" for word in plain),
                *(f"~{kind}" for word in plain for kind in kinds_of(word)),
            )
        )
    )


# What stands between the names of things in a title: "dog chasing a cat", "cat with pumpkin".
_BREAK = re.compile(r"\bw/|[^\w\s'-]")
_BETWEEN = frozenset(
    "with in on at of and or by from to for under over behind near into off out is".split()
)
_DOING = re.compile(r"\w*[aeiouy]\w*ing")


@lru_cache(1 << 15)
def heads_of(phrase: str) -> tuple[str, ...]:
    """What a phrase shows, by the last word of each noun phrase in it: "a rabbit house" shows a house."""
    heads: list[str] = []
    for part in _BREAK.split(phrase.lower()):
        head = ""
        for word in _lemmas(part):
            if word in _BETWEEN or _DOING.fullmatch(word):
                heads.append(head)
                head = ""
            elif not says_nothing(word):
                head = word
        heads.append(head)
    return tuple(head for head in heads if head)


def things_of(title: str | None, tags: Sequence[str]) -> list[str]:
    """The things that a piece shows: those that its title names, or else its tags; a kitten is a "cat"."""
    for phrases in ([clean(title or "")], phrases_of(None, tags)):
        things = [thing_of(head) for phrase in phrases for head in heads_of(phrase)]
        if things:
            return list(dict.fromkeys(things))
    return []
