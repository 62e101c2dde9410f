"""Start-up of the command line and a search of a small corpus, beside Python itself and sqlite-utils.

The search is to answer in less than 0.15 s, on a machine that does nothing else: arrays, frames and sqlite-utils
are loaded only by commands that use them. "CPU s" is what a command costs on a machine that does other things, too.
Modules are compiled beforehand, as an installer does it.

Usage: python scripts/bench/startup.py
"""

import compileall
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _common import cpu_seconds, options, report

import asciiloom
from asciiloom.corpus import Corpus
from asciiloom.resources import resource_dir

BIN = Path(sys.executable).parent


def main() -> None:
    options(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        db = Path(folder) / "small.db"
        with Corpus(db, create=True) as corpus:
            corpus.ingest(sorted(resource_dir("data").glob("*.pieces")))
        measure(db)


def measure(db: Path) -> None:
    compileall.compile_dir(Path(asciiloom.__file__).parent, quiet=1)

    def run(*command: object) -> tuple[float, float]:
        """Medians of nine: (seconds, CPU seconds)."""
        took = []
        for _ in range(9):
            start, spent = time.perf_counter(), cpu_seconds()
            subprocess.run([str(word) for word in command], check=True, capture_output=True)
            took.append((time.perf_counter() - start, cpu_seconds() - spent))
        return statistics.median(t[0] for t in took), statistics.median(t[1] for t in took)

    bare, _ = run(sys.executable, "-c", "pass")
    rows = []
    for name, command in (
        ("python -c pass", (sys.executable, "-c", "pass")),
        ("python -c 'import click'", (sys.executable, "-c", "import click")),
        ("python -c 'import asciiloom'", (sys.executable, "-c", "import asciiloom")),
        ("asciiloom --help", (BIN / "asciiloom", "--help")),
        ("asciiloom search --help", (BIN / "asciiloom", "search", "--help")),
        ("asciiloom search small.db cat", (BIN / "asciiloom", "search", db, "cat")),
        ("asciiloom show small.db 1", (BIN / "asciiloom", "show", db, 1)),
        ("asciiloom stats small.db", (BIN / "asciiloom", "stats", db)),
        ("sqlite-utils --help", (BIN / "sqlite-utils", "--help")),
        (
            "sqlite-utils search small.db piece cat",
            (BIN / "sqlite-utils", "search", db, "piece", "cat"),
        ),
    ):
        took, spent = run(*command)
        rows.append((name, took, took / bare, spent))
    report("startup", ("command", "seconds (median of 9)", "x python", "CPU s"), rows)


if __name__ == "__main__":
    main()
