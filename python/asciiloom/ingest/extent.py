"""How much there is to read, and how far a reading has come: in bytes of the files, which are known beforehand."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from asciiloom.readers import ReadOptions
from asciiloom.readers.base import storable
from asciiloom.readers.registry import is_walkable, walk


class Extent:
    """The files of an input in the order in which they are read. ``total``: their bytes; None where there
    is none but a stream, a data set on the hub or a single file, whose inside nobody can see from here."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.total: int | None = None
        self._end_of: dict[str, int] = {}
        self._ends: list[int] = []
        self._done = 0
        if not all(map(is_walkable, paths)):
            return
        files = [file for path in paths for file, _ in walk(path, ReadOptions())]
        if len(files) < 2:
            return
        self._ends = list(accumulate(file.stat().st_size if file.exists() else 0 for file in files))
        self._end_of = dict(zip(map(storable, files), self._ends, strict=True))
        self.total = self._ends[-1]

    def before(self, path: str) -> int:
        """Bytes of the files that were read when ``path`` (a file, or a member of one) is; never fewer than
        when it was asked last."""
        end = self._end_of.get(path) or self._end_of.get(path.partition("!")[0])
        if end is not None:
            place = bisect_right(self._ends, end - 1)
            self._done = max(self._done, self._ends[place - 1] if place else 0)
        return self._done
