"""``Corpus``, one object for one file, and corpora on the move."""

from asciiloom.corpus.corpus import Corpus

__all__ = ["Corpus"]
