"""WordNet's nouns, as a drawer reads them: of a word's senses the first that can be drawn.

Format: ``man 5 wndb``. https://wordnet.princeton.edu/
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

# Files of the lexicographers, by number: animal, artifact, body, food, object, person, plant, shape.
DRAWABLE = frozenset((5, 6, 8, 13, 17, 18, 20, 25))
# How far down the list of senses one that can be drawn is looked for.
SENSES = 4


@dataclass(frozen=True, slots=True)
class Synset:
    """One meaning: its ``words`` (spaces in phrases), the file it is in, and what it is a kind of."""

    words: tuple[str, ...]
    file: int
    above: tuple[int, ...]
    is_instance: bool


@dataclass(slots=True)
class WordNet:
    """``senses``: synsets of a noun, most frequent first. ``uses``: how often texts used a word, by part of
    speech (1 noun, 2 verb, 3 and 5 adjective, 4 adverb). ``irregular``: plural -> singular. ``others``: verbs,
    adjectives and adverbs."""

    synsets: dict[int, Synset] = field(default_factory=dict)
    senses: dict[str, list[int]] = field(default_factory=dict)
    uses: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    irregular: dict[str, str] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, folder: Path) -> "WordNet":
        """From the ``dict`` folder of WordNet 3 (Debian: /usr/share/wordnet)."""
        net = cls()
        for line in _lines(folder / "data.noun"):
            offset, synset = _synset(line)
            net.synsets[offset] = synset
        for line in _lines(folder / "index.noun"):
            word, _, count, pointers, *rest = line.split()
            offsets = rest[int(pointers) + 2 :][: int(count)]
            net.senses[word.replace("_", " ")] = [int(o) for o in offsets]
        for part in ("adj", "adv", "verb"):
            net.others |= {line.split()[0] for line in _lines(folder / f"index.{part}")}
        for line in _lines(folder / "cntlist.rev"):
            key, _, count = line.split()
            word, _, sense = key.partition("%")
            net.uses[word.replace("_", " ")][int(sense[0])] += int(count)
        for line in _lines(folder / "noun.exc"):
            plural, singular, *_ = line.split()
            net.irregular[plural] = singular
        return net

    def sense(self, word: str) -> int | None:
        """The sense in which a drawing shows ``word``; None where there is none (names of single things)."""
        plain = [o for o in self.senses.get(word, ()) if not self.synsets[o].is_instance]
        drawable = [o for o in plain[:SENSES] if self.synsets[o].file in DRAWABLE]
        # A person is meant where nothing else is: a mule is no stubborn fellow.
        things = [o for o in drawable if self.synsets[o].file != 18]
        alive = [o for o in things if self.synsets[o].file == 5]
        first = self.synsets[plain[0]].file if plain else 0
        if first == 13 and alive:
            return alive[0]  # what is eaten was drawn alive
        if first in DRAWABLE and (first != 18 or self.uses[word][1]):
            return plain[0]
        return next(iter(things or drawable or plain), None)

    def above(self, sense: int) -> Iterator[int]:
        """What a meaning is a kind of, nearest first, each once."""
        seen: set[int] = set()
        line = [sense]
        while line:
            line = [o for s in line for o in self.synsets[s].above if o not in seen]
            for offset in dict.fromkeys(line):
                if offset not in seen:
                    seen.add(offset)
                    yield offset

    def is_quality(self, word: str) -> bool:
        """Whether texts use ``word`` mostly as an adjective or adverb ("small", "happy")."""
        uses = self.uses.get(word, Counter())
        return uses[3] + uses[4] + uses[5] > 4 * uses[1] + 4

    def is_deed(self, word: str) -> bool:
        """Whether texts use ``word`` far more often as a verb ("go", "have")."""
        uses = self.uses.get(word, Counter())
        return uses[2] > 20 * uses[1] + 50


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            if not line.startswith("  "):  # the licence, at the top
                yield line


def _synset(line: str) -> tuple[int, Synset]:
    fields = line.partition(" | ")[0].split()
    count = int(fields[3], 16)
    words = tuple(w.replace("_", " ") for w in fields[4 : 4 + 2 * count : 2])
    pointers = fields[5 + 2 * count :]
    above = [(p, int(o)) for p, o in zip(pointers[::4], pointers[1::4], strict=False)]
    kinds = tuple(o for p, o in above if p in ("@", "@i"))
    return int(fields[0]), Synset(words, int(fields[1]), kinds, any(p == "@i" for p, _ in above))
