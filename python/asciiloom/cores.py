"""How many processes or threads are worth having on this machine."""

import os

# More would hold more batches at a time than they save time.
MOST = 8


def cores() -> int:
    """Processors that this process may use, at most ``MOST``."""
    if hasattr(os, "sched_getaffinity"):
        return min(MOST, len(os.sched_getaffinity(0)))
    return min(MOST, os.cpu_count() or 1)
