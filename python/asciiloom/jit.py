"""``njit`` with its type kept, so that compiled kernels stay visible to the type checker."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")


def njit(function: Callable[P, R]) -> Callable[P, R]:
    """Compile with numba, without the interpreter lock, cached on disk."""
    import numba

    return cast(Callable[P, R], cast(Any, numba).njit(cache=True, nogil=True)(function))
