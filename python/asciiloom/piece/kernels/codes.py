"""The code points of many texts end to end in one array, which is how compiled passes read them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint8] | NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class CodeArray:
    """``codes``: code points with a newline after each text, bytes where all are ASCII, else uint32;
    ``first``: int64 (texts + 1,), where each begins."""

    codes: Codes
    first: NDArray[np.int64]

    @property
    def is_ascii(self) -> bool:
        return self.codes.itemsize == 1

    @classmethod
    def of(cls, texts: Sequence[str]) -> "CodeArray":
        joined = "\n".join(texts) + "\n"
        codes: Codes
        if joined.isascii():
            codes = np.frombuffer(joined.encode(), np.uint8)
        else:
            codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
        first = np.zeros(len(texts) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)) + 1, out=first[1:])
        return cls(codes, first)
