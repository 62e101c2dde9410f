#!/usr/bin/env python3
"""Try to break every promise against the real command line, and count what must not happen.

What is counted: tracebacks; losses (something that existed changed, or a corpus that plain SQLite finds unsound);
answers of 500 and above; false alarms (a sound file called damaged); hangs (longer than the bound of the trial);
other failures (two lines where one is due, a wrong exit status, leftovers, too much memory, a file that no
command may make). Everything happens in a temporary folder; every trial is a process of its own, bounded in
time. A trial is forked from a process that has imported the command line and done nothing else (--fresh: a
new interpreter each, far slower); where files, signals or servers matter it is a new interpreter anyway.

A whole run is kept as results/attacks.json; --quick and --only print the table only. Exit status 1 when
anything failed.

Example: python scripts/bench/attacks.py --only damage --only models
"""

import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from _common import options, report
from attacks import access, arguments, damage, intake, interrupts, models, outputs, pages, space
from attacks.scene import build
from attacks.trial import KINDS, Bench, Group, plain

GROUPS = {
    "outputs": outputs.attack,
    "disk full": space.attack,
    "lock held": access.locked,
    "read-only": access.read_only,
    "damage": damage.attack,
    "intake": intake.attack,
    "models": models.attack,
    "requests": pages.attack,
    "arguments": arguments.attack,
    "signals": interrupts.attack,
    "stalled stdin": access.stalled,
}
HEADER = (
    "attack",
    "trials",
    "tracebacks",
    "losses",
    "5xx",
    "false alarms",
    "hangs",
    "other failures",
    "seconds",
)


def shown(group: Group, most: int) -> None:
    """What a group came to: its failures with the command, what was wrong, and its last lines."""
    print(f"{group.name}: {group.trials} trials, {group.failed} failed, {group.seconds:.0f} s")
    for line in group.notes:
        print(f"  {line}")
    for line in group.untried:
        print(f"  not tried: {line}")
    for what, problems, tail in group.failures[:most]:
        print(f"  {what[:300]}")
        for kind, detail in problems:
            print(f"    {kind}{': ' if detail else ''}{plain(detail)[:300]}")
        for line in tail.splitlines():
            print(f"      | {line[:200]}")
    if group.failed > most:
        print(f"  {group.failed - most} failures more; --show {group.failed} shows them")
    print(flush=True)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="A part of the trials, in a minute or two."
    )
    parser.add_argument("--only", action="append", choices=list(GROUPS), metavar="GROUP",
                        help=f"Only this group (may be repeated): {', '.join(GROUPS)}.")  # fmt: skip
    parser.add_argument("--show", type=int, default=12, help="Failures shown of each group.")
    parser.add_argument("--workers", type=int, default=2, help="Trials side by side.")
    parser.add_argument("--fresh", action="store_true", help="A new interpreter for every trial.")
    told = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="attacks"))
    folder.chmod(0o755)
    bench = Bench(folder, told.fresh, told.workers)
    groups = []
    stopped = False
    try:
        start = time.monotonic()
        scene = build(bench)
        print(f"the scene is set in {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
        for name in told.only or GROUPS:
            group = Group(name)
            groups.append(group)
            start = time.monotonic()
            try:
                GROUPS[name](bench, scene, group, told.quick)
            except Exception:  # what is left of the group was not tried: that is a failure too
                group.record(
                    "the script itself", [("other", "stopped")], traceback.format_exc(limit=-2)
                )
            finally:
                group.seconds = time.monotonic() - start
                shown(group, told.show)
    except KeyboardInterrupt:
        stopped = True  # what is done is told
    finally:
        bench.close()
        shutil.rmtree(os.fsencode(folder), ignore_errors=True)
    rows = [
        (g.name, g.trials, *(g.counts[kind] for kind in KINDS), round(g.seconds)) for g in groups
    ]
    total = tuple(sum(row[k] for row in rows) for k in range(1, len(HEADER)))
    rows.append(("all", *total))
    report("attacks", HEADER, rows, keep=not (told.quick or told.only or stopped))
    sys.exit(stopped or any(g.failed for g in groups))


if __name__ == "__main__":
    main()
