"""Makes the word table of the package, data/words/words.tsv.gz, from WordNet's nouns, a list by hand, and
counts of the words in a corpus's titles and tags.

Each line of the table: word, how often the corpus says it, the thing that it names (empty: itself), and up to
three kinds of thing that it is. In the place of the thing "=" and a word gives a plural's singular, "-" marks a word
that says nothing of what is shown, and "*" one that no dictionary has (names) and several pieces say.

Example: apt-get install wordnet-base && python scripts/words corpus.db
"""

import argparse
import gzip
import json
import re
import sqlite3
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from wordnet import DRAWABLE, WordNet

from asciiloom.tokens.words import JOINED, Entry, split

HERE = Path(__file__).resolve().parent
OUT = HERE.parents[1] / "data" / "words"
# Kinds that people name, from what is above a word; the rest of the chain ("placental") is for scholars.
KINDS = frozenset(
    "animal bird fish insect reptile amphibian dog cat horse bear monkey rodent rabbit deer snake turtle lizard"
    " dinosaur feline canine shark whale butterfly spider bee duck penguin shellfish worm frog sheep cow pig"
    " plant tree flower fruit vegetable shrub herb leaf mushroom grass"
    " person woman man child boy girl baby soldier athlete musician artist ruler monster spirit"
    " food drink meat bread cake candy dessert"
    " vehicle car truck bus train bicycle motorcycle boat ship aircraft airplane spacecraft"
    " building house church tower castle bridge room door window wall furniture chair table bed lamp"
    " tool weapon gun sword knife machine computer instrument clock camera telephone toy game ball"
    " clothing hat shoe jewelry container bottle cup box bag basket"
    " book sign symbol letter flag mask map picture fabric rope"
    " mountain river lake sea island star planet sky cloud rain snow fire stone metal"
    " face head hand foot eye leg heart bone hair holiday dance sport music celebration shape line circle".split()
)
# The name that is told, where WordNet's first is another one.
NAMED = {
    "beverage": "drink", "automobile": "car", "auto": "car", "domestic dog": "dog", "true cat": "cat",
    "musical instrument": "instrument", "habiliment": "clothing", "wheeled vehicle": "vehicle",
    "jewellery": "jewelry", "sweet": "candy", "garment": "clothing", "headdress": "hat", "firearm": "gun",
    "woody plant": "plant", "edifice": "building", "plaything": "toy", "beast": "animal",
}  # fmt: skip
MOST_KINDS = 3


def corpus_counts(path: Path) -> Counter[str]:
    """How many pieces say each word in title or tags, the words of lettering left out."""
    counts: Counter[str] = Counter()
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as corpus:
        for title, tags in corpus.execute("SELECT title, tags FROM piece WHERE kind != 'banner'"):
            plain = (t for t in json.loads(tags) if ":" not in t)
            counts.update(set(re.findall(r"[a-z]+", " ".join([title or "", *plain]).lower())))
    return counts


class Hand:
    """The list by hand: ``same`` name -> thing, ``kinds`` of a thing, and words that say ``nothing``."""

    def __init__(self, path: Path) -> None:
        self.same: dict[str, str] = {}
        self.kinds: dict[str, list[str]] = {}
        self.nothing: set[str] = set()
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("#") or not line.strip():
                continue
            if line.startswith("- "):
                self.nothing |= set(line.split()[1:])
                continue
            # "_": of no kind, whatever a dictionary says.
            thing, relation, *names = (word.replace("_", " ") for word in line.split())
            for name in names:
                if relation == "=":
                    self.same[name] = thing
                else:
                    self.kinds.setdefault(name, []).append(thing)


def kinds_of(net: WordNet, hand: Hand, word: str) -> list[str]:
    """Up to three kinds of thing that ``word`` is, nearest first."""
    out: list[str] = []
    if word in hand.kinds:
        for thing in filter(str.strip, hand.kinds[word]):
            out += [thing, *kinds_of(net, hand, thing)]
    else:
        sense = net.sense(word)
        for offset in net.above(sense) if sense is not None else ():
            names = [NAMED.get(w, w) for w in net.synsets[offset].words]
            out += [name for name in names if name in KINDS][:1]
    if "vehicle" in out and "container" in out:
        out.remove("container")  # WordNet has wagons hold things
    return [k for k in dict.fromkeys(out) if k != word][:MOST_KINDS]


def table(net: WordNet, hand: Hand, counts: Counter[str]) -> dict[str, tuple[int, str, list[str]]]:
    """word -> (count, thing or "" or "-" or "=singular", kinds)."""
    out: dict[str, tuple[int, str, list[str]]] = {}
    wanted = [w for w in net.senses if re.fullmatch(r"[a-z]{2,20}( [a-z]{2,20})?", w)]
    for word in wanted:
        sense = net.sense(word)
        if sense is None or word in hand.same or net.is_quality(word) or net.is_deed(word):
            continue
        first, _, head = word.partition(" ")
        synset = net.synsets[sense]
        if head:
            # A phrase is kept where its last word misleads: a sea horse is no horse, a polar bear is a bear.
            own = net.sense(head)
            plain = own is None or own in net.above(sense) or head in hand.same
            # Nor is a fat cat in a drawing the man of money that a dictionary has in mind.
            # A flying dragon is one, not a lizard.
            person = synset.file == 18
            if plain or person or synset.file not in DRAWABLE or first.endswith("ing"):
                continue
        elif not (synset.file in DRAWABLE or net.uses[word][1] or counts[word]):
            continue
        kinds = kinds_of(net, hand, word)
        if not kinds and not counts[word] and not net.uses[word][1]:
            continue
        out[word] = (counts[word], "", kinds)
    for word, (count, _, kinds) in list(out.items()):
        # Where texts use another word for the same thing far more often, that one names it.
        sense = net.sense(word)
        assert sense is not None
        best = max(net.synsets[sense].words, key=lambda w: (net.uses[w][1], -len(w)))
        known = best in out and net.sense(best) == sense and " " not in best
        if (
            word not in hand.kinds
            and known
            and best != word
            and net.uses[best][1] > 3 * net.uses[word][1] + 3
        ):
            out[word] = (count, hand.same.get(best, best), kinds)
    for word in list(out):
        # "hearts" is a game of cards to few.
        single = word.removesuffix("s")
        if single != word and single in out and net.uses[single][1] >= net.uses[word][1]:
            del out[word]
    for word, (count, thing, kinds) in list(out.items()):
        if thing and thing not in out:
            out[word] = (count, "", kinds)
    for word, thing in hand.same.items():
        out[word] = (counts[word], thing, [])
    for word in hand.kinds.keys() - out.keys():
        out[word] = (counts[word], "", kinds_of(net, hand, word))
    for plural, single in net.irregular.items():
        if single in out and plural.isalpha() and plural not in hand.same:
            out[plural] = (counts[plural], f"={single}", [])
    for word in hand.nothing:
        out[word] = (counts[word], "-", [])
    known = set(out)
    names: list[str] = []
    for word, count in counts.items():
        # Names (snoopy), said by several pieces and in no dictionary.
        if word not in known and count >= 2 and len(word) > 2 and not _is_plural(word, known):
            names.append(word)
    entries = {word: Entry(row[0], row[1], ()) for word, row in out.items()}
    for word in sorted(names, key=lambda w: (len(w), w)):
        # "teddybears" is two words run together, and no name.
        in_dictionary = (
            word in net.others or word in net.senses or word.removesuffix("ing") in net.others
        )
        if in_dictionary or len(word) < JOINED or not split(word, entries):
            out[word] = (counts[word], "*", [])
            entries[word] = Entry(counts[word], "*", ())
    return out


def _is_plural(word: str, known: set[str]) -> bool:
    ends = (("s", ""), ("es", ""), ("ies", "y"))
    return any(word.endswith(e) and word.removesuffix(e) + to in known for e, to in ends)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("corpus", type=Path, help="corpus file whose titles and tags are counted")
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"))
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    net = WordNet.read(args.wordnet)
    rows = table(net, Hand(HERE / "by_hand.txt"), corpus_counts(args.corpus))
    lines = [
        "\t".join((word, str(count), thing, " ".join(kinds))).rstrip()
        for word, (count, thing, kinds) in sorted(rows.items())
    ]
    text = "\n".join(lines) + "\n"
    args.out.mkdir(parents=True, exist_ok=True)
    data = gzip.compress(text.encode(), 9, mtime=0)
    (args.out / "words.tsv.gz").write_bytes(data)
    print(f"{len(rows):,} words, {len(text):,} characters, {len(data):,} bytes")


if __name__ == "__main__":
    main()
