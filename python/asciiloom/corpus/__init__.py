"""The SQLite store: migrations, writing, selection, search, near-twins, splits."""

from asciiloom.corpus.corpus import Corpus
from asciiloom.corpus.selection import Selection

__all__ = ["Corpus", "Selection"]
