"""What every benchmark shares: medians over repeats, time of processes, a table, and a JSON file beside the scripts."""

import argparse
import json
import os
import platform
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def options(text: str | None) -> argparse.ArgumentParser:
    """A parser whose --help is the script's own docstring."""
    form = argparse.RawDescriptionHelpFormatter
    return argparse.ArgumentParser(description=text, formatter_class=form)


def seconds(run: Callable[[], object], repeats: int = 5) -> float:
    """Median wall time of ``run``."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def cpu_seconds() -> float:
    """Of this process and of all its children that have ended."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def report(
    name: str, header: Sequence[str], rows: Sequence[Sequence[Any]], keep: bool = True
) -> None:
    """Print the rows as a table and keep them as results/NAME.json, unless ``keep`` is false (a partial run)."""
    from asciiloom.cli.output import table

    print(table(rows, header))
    if not keep:
        return
    RESULTS.mkdir(exist_ok=True)
    machine = {
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
    }
    kept = {
        "name": name,
        "machine": machine,
        "rows": [dict(zip(header, r, strict=True)) for r in rows],
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(kept, indent=1) + "\n")
