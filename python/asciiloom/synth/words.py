"""Words to set and to say: short, common, harmless, and invented ones beyond any list."""

from random import Random

NOUNS = """
apple bird boat book bread bridge cake candle castle cat cloud coffee comet corn crown daisy deer
desk dog door dragon drum duck earth engine feather fern fire fish flag flower fog forest fox frog
garden ghost gift glass globe goat grape grass guitar hat heart hill honey horse house ice island
jazz kettle key king kite knight lake lamp leaf lemon light lily lion lock maple map mint moon
moss mountain mouse music nest night nova oak ocean olive onion orbit otter owl paint panda paper
park peach pear pearl pen penny piano pine pizza planet plum pony queen rabbit radio rain raven
ring river robot rocket rose sail salt sand seal shell ship silk silver sky snail snow soap song
spark spoon spring star stone storm story sugar summer sun swan table tea tent tiger toast tower
train tree tulip turtle violin wagon water wave whale wheat wheel wind window winter wolf wood
yarn zebra
""".split()
SHOUTS = """
hello welcome thanks yes no stop go start ready done open closed sale news party happy birthday
error warning info debug build test pass fail release alpha beta home menu help exit game over
level score win play pause next back save load one two three four five six seven eight nine ten
red blue green black white gold pink
""".split()
NAMES = """
Ada Alan Bea Cleo Dora Edgar Finn Grace Hugo Iris Juno Kai Lena Milo Nora Otto Pia Quinn Rosa Sam
""".split()
PHRASES = (
    "do not feed the bugs",
    "back in five minutes",
    "under construction",
    "made with love",
    "handle with care",
    "read the manual",
    "all systems go",
    "have a nice day",
    "keep it simple",
    "this way up",
    "please wait",
    "good night",
    "mind the gap",
    "out of office",
    "works on my machine",
    "to be continued",
    "no entry",
    "fresh coffee",
    "ship it",
    "hello world",
)


def invented(rng: Random) -> str:
    """A word of three to seven letters that can be said and means nothing in particular."""
    length = rng.randint(3, 7)
    start = rng.random() < 0.3
    return "".join(
        rng.choice("aeiou" if (position % 2 == 0) == start else "bcdfghjklmnprstvwxyz")
        for position in range(length)
    )
