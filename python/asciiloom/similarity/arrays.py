"""Names of the arrays that similarity computes with; apart, so that naming one loads no compiler."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Flags = NDArray[np.bool_]


def spans(total: int, size: int) -> Iterator[slice]:
    """Slices of ``size`` that cover ``range(total)``; the last one may be shorter."""
    return (slice(k, min(k + size, total)) for k in range(0, total, size))
