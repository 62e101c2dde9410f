"""Text <-> ids, 2D positions and neighbours, packing, the streaming loader."""

from asciiloom.tokens.layout import NEIGHBOURS, Layout, lay_out
from asciiloom.tokens.loader import CorpusLoader, LoaderState, PromptDropout, words_of
from asciiloom.tokens.pack import IGNORE, Example, PackedBatch, batches_by_length, pack
from asciiloom.tokens.tokenizer import (
    EOS,
    NEWLINE,
    TOPIC_BUCKETS,
    TOPICS,
    GridTokenizer,
    topics,
)

__all__ = [
    "EOS",
    "IGNORE",
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
    "PromptDropout",
    "batches_by_length",
    "lay_out",
    "pack",
    "topics",
    "words_of",
]
