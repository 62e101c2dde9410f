"""Text <-> ids, 2D positions and neighbours, packing, the streaming loader."""

from asciiloom.tokens.layout import NEIGHBOURS, Layout, grid_layout
from asciiloom.tokens.loader import CorpusLoader, LoaderState, PromptDropout
from asciiloom.tokens.pack import IGNORE, Example, PackedBatch, batches_by_length, pack
from asciiloom.tokens.prompt import MAX_WORDS, TOPIC_BUCKETS, TOPICS, Prompt
from asciiloom.tokens.tokenizer import EOS, NEWLINE, GridTokenizer
from asciiloom.tokens.words import kinds_of, meanings, phrases_of, thing_of, words_of

__all__ = [
    "EOS",
    "IGNORE",
    "MAX_WORDS",
    "NEIGHBOURS",
    "NEWLINE",
    "TOPICS",
    "TOPIC_BUCKETS",
    "CorpusLoader",
    "Example",
    "GridTokenizer",
    "Layout",
    "LoaderState",
    "PackedBatch",
    "Prompt",
    "PromptDropout",
    "batches_by_length",
    "grid_layout",
    "kinds_of",
    "meanings",
    "pack",
    "phrases_of",
    "thing_of",
    "words_of",
]
