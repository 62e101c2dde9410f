"""One corpus into another, with all that it holds.

The other file is somebody else's. It is read as ``store.foreign`` allows, a piece at a time, and each record
and row passes the rules of an import; what cannot be read is one rejection.
"""

from collections.abc import Iterator
from pathlib import Path

from asciiloom.corpus.corpus import Corpus
from asciiloom.corpus.importing import Found
from asciiloom.corpus.reading import Reading
from asciiloom.corpus.taking import Taken, take
from asciiloom.errors import CorpusError
from asciiloom.store.foreign import ForeignCorpus, open_foreign


def merge(corpus: Corpus, other: str | Path) -> Taken:
    """Bring the corpus at ``other`` in: pieces with all that belongs to them, verdicts, rejections, history and
    the names of artists. ``other`` is not written to."""
    path = Path(other)
    if not path.exists():
        raise CorpusError(f"there is no corpus at {path}")
    if path.samefile(corpus.path):
        raise CorpusError(f"{path} and {corpus.path} are the same file: nothing to merge")
    with open_foreign(path) as theirs:
        return take(corpus.connection, _found(theirs, str(path)), f"merge {path}")


def _found(theirs: ForeignCorpus, path: str) -> Iterator[Found]:
    reading = Reading(theirs.connection, theirs.tables, originals=True, lenient=True, whole=True)
    return ((path, place, row) for place, row in reading.everything())
