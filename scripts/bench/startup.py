"""Start-up of the command line and a search of a small corpus, beside Python itself and sqlite-utils.

The search is to answer in less than 0.15 s, on a machine that does nothing else: arrays, frames and sqlite-utils
are loaded only by commands that use them.

Usage: python scripts/bench/startup.py
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from _common import options, report, seconds

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
    def run(*command: object) -> float:
        return seconds(
            lambda: subprocess.run([str(c) for c in command], check=True, capture_output=True), 9
        )

    bare = run(sys.executable, "-c", "pass")
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
        took = run(*command)
        rows.append((name, took, took / bare))
    report("startup", ("command", "seconds (median of 9)", "x python"), rows)


if __name__ == "__main__":
    main()
