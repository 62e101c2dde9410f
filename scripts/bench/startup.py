"""Start-up of the command line, beside Python itself and sqlite-utils.

Usage: python scripts/bench/startup.py
"""

import subprocess
import sys
from pathlib import Path

from _common import options, report, seconds

BIN = Path(sys.executable).parent


def main() -> None:
    options(__doc__).parse_args()

    def run(*command: object) -> float:
        return seconds(
            lambda: subprocess.run([str(c) for c in command], check=True, capture_output=True), 9
        )

    bare = run(sys.executable, "-c", "pass")
    rows = []
    for name, command in (
        ("python -c pass", (sys.executable, "-c", "pass")),
        ("python -c 'import asciiloom'", (sys.executable, "-c", "import asciiloom")),
        ("asciiloom --help", (BIN / "asciiloom", "--help")),
        ("asciiloom search --help", (BIN / "asciiloom", "search", "--help")),
        ("sqlite-utils --help", (BIN / "sqlite-utils", "--help")),
    ):
        took = run(*command)
        rows.append((name, took, took / bare))
    report("startup", ("command", "seconds (median of 9)", "x python"), rows)


if __name__ == "__main__":
    main()
