"""Text <-> ids, 2D positions and neighbours, packing, the streaming loader."""

from asciiloom.tokens.augment import Augmentation
from asciiloom.tokens.layout import NEIGHBOURS, Layout, grid_layout
from asciiloom.tokens.loader import CorpusLoader, LoaderState
from asciiloom.tokens.mixing import Mixing, parse_mix
from asciiloom.tokens.pack import IGNORE, Example, PackedBatch, batches_by_length, pack
from asciiloom.tokens.prompt import LEVELS, MAX_WORDS, TOPIC_BUCKETS, TOPICS, Prompt, Reference
from asciiloom.tokens.reference import WINDOW, reference_window, spoil
from asciiloom.tokens.tokenizer import EOS, NEWLINE, GridTokenizer
from asciiloom.tokens.view import PromptDropout
from asciiloom.tokens.words import kinds_of, meanings, phrases_of, thing_of, words_of

__all__ = [
    "EOS",
    "IGNORE",
    "LEVELS",
    "MAX_WORDS",
    "NEIGHBOURS",
    "NEWLINE",
    "TOPICS",
    "TOPIC_BUCKETS",
    "WINDOW",
    "Augmentation",
    "CorpusLoader",
    "Example",
    "GridTokenizer",
    "Layout",
    "LoaderState",
    "Mixing",
    "PackedBatch",
    "Prompt",
    "PromptDropout",
    "Reference",
    "batches_by_length",
    "grid_layout",
    "kinds_of",
    "meanings",
    "pack",
    "parse_mix",
    "phrases_of",
    "reference_window",
    "spoil",
    "thing_of",
    "words_of",
]
