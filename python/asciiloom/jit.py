"""``njit`` with its type kept, so that compiled kernels stay visible to the type checker."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")


def njit(function: Callable[P, R]) -> Callable[P, R]:
    """Compile with numba, without the interpreter lock, cached on disk where some folder is writable."""
    import numba

    compiler = cast(Any, numba).njit
    try:
        compiled = compiler(cache=True, nogil=True)(function)
    except RuntimeError:  # numba found no folder to cache in
        compiled = compiler(nogil=True)(function)
    return cast(Callable[P, R], compiled)
