"""Compiled passes over the bytes of a batch: which texts are canonical as they stand, and what is left of
each without its whitespace. Imported only when called."""

import numpy as np
from numpy.typing import NDArray

from asciiloom.jit import njit
from asciiloom.piece.kernels.codes import Codes

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]


@njit
def mark_canonical(codes: Codes, first: I64, out: NDArray[np.bool_]) -> None:
    """True where a text is printable ASCII with nothing to trim: the canonical form of itself."""
    for i in range(first.shape[0] - 1):
        begin, end = first[i], first[i + 1] - 1
        fine = begin < end and codes[begin] != 10
        flush = False  # whether some row has no indent
        before = np.int64(10)
        for k in range(begin, end):
            code = np.int64(codes[k])
            if code == 10:
                if before == 32:
                    fine = False
                    break
            elif code < 32 or code > 126:
                fine = False
                break
            elif before == 10 and code != 32:
                flush = True
            before = code
        out[i] = fine and flush and before != 32 and before != 10


@njit
def strip_whitespace(codes: U8, first: I64, mirror: U8, inked: U8, mirrored: U8, ends: I64) -> None:
    """Write each text without spaces and blank rows to ``inked``, and with every row turned round through
    the table ``mirror`` to ``mirrored``; text ``i`` lies between ``ends[i]`` and ``ends[i + 1]`` of both."""
    at = 0
    for i in range(first.shape[0] - 1):
        row = at
        for k in range(first[i], first[i + 1]):
            code = codes[k]
            if code == 10:
                if at > row:
                    for m in range(row, at):
                        mirrored[m] = mirror[inked[row + at - 1 - m]]
                    inked[at] = mirrored[at] = 10
                    at += 1
                    row = at
            elif code != 32:
                inked[at] = code
                at += 1
        if at > ends[i]:
            at -= 1  # the break after the last row
        ends[i + 1] = at
