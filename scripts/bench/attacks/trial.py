"""Running a command under bounds and judging what came of it."""

import contextlib
import json
import os
import re
import select
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

BIN = Path(sys.executable).parent / "asciiloom"
KINDS = ("traceback", "loss", "5xx", "false alarm", "hang", "other")
RUNAWAY_MB = 6000  # a process this large is ended, whatever the promise
_FOLDER = re.compile(r"/\S*?/attacks\w+/tmp\w+/")
_LAST_WORDS = ("Error:", "Aborted", "interrupted", "terminated")
_NOISE = re.compile(r"leaked semaphore|resource_tracker|\w+Warning:")
_ALARM = re.compile(r"malformed|corrupt|damage|restore a backup|kinds of damage|not a corpus", re.I)

Problem = tuple[str, str]


def plain(text: str) -> str:
    """``text`` without control characters, for a terminal and a file."""
    return "".join(c if c == "\n" or c.isprintable() else f"\\x{ord(c):02x}" for c in text)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command did: exit status (negative: ended by that signal), its output, and what it took."""

    command: str
    status: int
    out: bytes
    err: str
    seconds: float
    peak_mb: float
    hung: bool = False
    left_behind: bool = False

    @property
    def tail(self) -> str:
        lines = [line for line in self.err.splitlines() if line.strip()]
        return plain("\n".join(lines[-3:]))[-600:]


def judge(
    outcome: Outcome,
    *,
    statuses: Sequence[int] = (0, 1, 2),
    memory: float = 1500,
    lists: bool = False,
) -> list[Problem]:
    """What must not happen, whatever was asked: a traceback, a hang, more than a line, too much memory.

    ``lists``: exit status 1 goes with a list of findings instead of a line (check, splits --check).
    """
    found: list[Problem] = []
    err = outcome.err
    if outcome.hung:
        found.append(("hang", f"longer than {outcome.seconds:.0f} s"))
    if "Traceback (most recent" in err or "Exception ignored in" in err:
        found.append(("traceback", ""))
    elif not outcome.hung:
        if outcome.status not in statuses:
            found.append(("other", f"exit status {outcome.status}"))
        if outcome.status == 1 and not lists and len(errors(err)) != 1:
            found.append(("other", f"{len(errors(err))} lines of error for exit status 1"))
    if _NOISE.search(err):
        found.append(("other", "a warning of Python's"))
    if any(not (c.isprintable() or c == "\n") for c in err):
        found.append(("other", "control characters in the message"))
    if outcome.peak_mb > memory:
        found.append(("other", f"{outcome.peak_mb:,.0f} MB of memory, more than {memory:,.0f}"))
    if outcome.left_behind:
        found.append(("other", "left a process behind"))
    return found


def errors(err: str) -> list[str]:
    """From the line that says why it ended: one where all is well."""
    lines = [line for line in err.splitlines() if line.strip()]
    at = next((n for n, line in enumerate(lines) if line.startswith(_LAST_WORDS)), None)
    return [] if at is None else lines[at:]


def alarm(outcome: Outcome) -> list[Problem]:
    """Words of damage, where the file is sound."""
    text = outcome.err + outcome.out[:20_000].decode("utf-8", "replace")
    hit = _ALARM.search(text)
    return [("false alarm", f"says {hit[0]!r} of a sound file")] if hit else []


@dataclass
class Group:
    """Counts of one kind of attack, and the failures to be shown."""

    name: str
    trials: int = 0
    seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[str, list[Problem], str]] = field(default_factory=list)
    untried: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def record(self, what: str, problems: Iterable[Problem], tail: str = "") -> None:
        """One trial; each kind of problem counts once."""
        problems = list(problems)
        with self.lock:
            self.trials += 1
            self.counts.update({kind for kind, _ in problems})
            if problems:
                self.failures.append(
                    (plain(_FOLDER.sub("", what)), problems, _FOLDER.sub("", tail))
                )

    @property
    def failed(self) -> int:
        return len(self.failures)


class WarmServer:
    """The other end of ``warm.py``."""

    def __init__(self, kind: str, folder: Path, before: Sequence[str] = ()) -> None:
        self.path = folder / f"{kind}.sock"
        script = Path(__file__).parent / "warm.py"
        self.process = subprocess.Popen(
            [*before, sys.executable, str(script), str(self.path), kind],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        if self.process.stdout.readline() != b"ready\n":
            raise RuntimeError(f"the {kind} server did not start")

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        with contextlib.suppress(OSError):
            os.killpg(self.process.pid, signal.SIGKILL)


class Bench:
    """Runs commands: a fork of a warm process for each, or with ``fresh`` a new interpreter."""

    def __init__(self, folder: Path, fresh: bool, workers: int = 2) -> None:
        self.folder = folder
        self.fresh = fresh
        self.workers = workers
        self._servers: dict[str, WarmServer] = {}
        self._lock = threading.Lock()
        self._quiet = {
            "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
            "ASCIILOOM_BUSY_SECONDS": "1", "COLUMNS": "100", "MPLBACKEND": "Agg",
            "MPLCONFIGDIR": str(folder / "matplotlib"),
            "PYTHONUNBUFFERED": "",
        }  # fmt: skip
        os.environ.update(self._quiet)

    def close(self) -> None:
        for server in self._servers.values():
            server.close()

    def server(self, kind: str, before: Sequence[str] = ()) -> WarmServer:
        with self._lock:
            if kind not in self._servers:
                self._servers[kind] = WarmServer(kind, self.folder, before)
            return self._servers[kind]

    def add(self, kind: str, server: WarmServer) -> None:
        self._servers[kind] = server

    def room(self) -> Path:
        """A new empty folder that others may enter."""
        path = Path(tempfile.mkdtemp(dir=self.folder))
        path.chmod(0o755)
        return path

    def each(self, trials: Iterable[Callable[[], None]], workers: int | None = None) -> None:
        """Run trials side by side, all of them; then raise what one of them raised."""
        with ThreadPoolExecutor(workers or self.workers) as pool:
            jobs = [pool.submit(trial) for trial in trials]
        for job in jobs:
            job.result()

    def run(
        self,
        *arguments: str | Path,
        cwd: Path | None = None,
        timeout: float = 40,
        stdin: Path | None = None,
        file_bytes: int | None = None,
        ordinary: bool = False,
        kind: str = "light",
        fresh: bool = False,
        before: Sequence[str] = (),
        environment: dict[str, str] | None = None,
        stdout: Path | None = None,
    ) -> Outcome:
        """Run ``asciiloom ARGUMENTS``; ``kind`` names the warm process, ``before`` words before the command;
        ``ordinary``: without root's power over files."""
        words = [str(a) for a in arguments]
        with tempfile.TemporaryDirectory(dir=self.folder, prefix="run") as kept:
            Path(kept).chmod(0o777)
            out, err = stdout or Path(kept, "out"), Path(kept, "err")
            asked = {
                "arguments": words,
                "stdin": str(stdin or "/dev/null"),
                "stdout": str(out),
                "stderr": str(err),
                "cwd": str(cwd or kept),
                "environment": environment or {},
                "file_bytes": file_bytes,
                "ordinary": ordinary,
            }
            start = time.monotonic()
            if (self.fresh or fresh or before) and file_bytes is None and not ordinary:
                done = self._new(asked, timeout, before)
            else:
                done = self._forked(asked, timeout, kind)
            status, peak, hung, left = done
            said = err.read_bytes() if err.exists() else b""
            told = b""
            if stdout is None and out.exists():
                with out.open("rb") as stream:
                    told = stream.read(1 << 20)
            return Outcome(
                shlex.join([*before, "asciiloom", *words]),
                status, told, said[-20_000:].decode("utf-8", "backslashreplace"),
                time.monotonic() - start, peak, hung, left,
            )  # fmt: skip

    def _forked(
        self, asked: dict[str, object], timeout: float, kind: str
    ) -> tuple[int, float, bool, bool]:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(self.server(kind).path))
        with connection, connection.makefile("r", encoding="utf-8") as stream:
            connection.sendall((json.dumps(asked) + "\n").encode("utf-8"))
            process = int(stream.readline())
            until = time.monotonic() + timeout
            hung = runaway = False
            while not select.select([connection], [], [], 0.05)[0]:
                runaway = runaway or _resident_mb(process) > RUNAWAY_MB
                if runaway or time.monotonic() > until:
                    hung = not runaway
                    end_group(process)
                    break
            status, peak = stream.readline().split()
        left = end_group(process, patience=5)
        return int(status), int(peak) / 1024, hung, left and not hung

    def _new(
        self, asked: dict[str, object], timeout: float, before: Sequence[str]
    ) -> tuple[int, float, bool, bool]:
        arguments = [os.fsencode(w) for w in asked["arguments"]]  # type: ignore[attr-defined]
        with (
            Path(str(asked["stdin"])).open("rb") as stdin,
            Path(str(asked["stdout"])).open("wb") as stdout,
            Path(str(asked["stderr"])).open("wb") as stderr,
        ):
            child = subprocess.Popen(
                [*before, str(BIN), *arguments], stdin=stdin, stdout=stdout, stderr=stderr,
                cwd=str(asked["cwd"]), start_new_session=True,
                env={**os.environ, **asked["environment"]},  # type: ignore[dict-item]
            )  # fmt: skip
            return wait_for(child, timeout)


def wait_for(child: "subprocess.Popen[bytes]", timeout: float) -> tuple[int, float, bool, bool]:
    """(exit status, peak MB, it hung, it left processes behind) of a child in a session of its own."""
    until = time.monotonic() + timeout
    hung = runaway = False
    while True:
        ended, status, used = os.wait4(child.pid, os.WNOHANG)
        if ended:
            break
        runaway = runaway or _resident_mb(child.pid) > RUNAWAY_MB
        if runaway or time.monotonic() > until:
            hung = not runaway
            end_group(child.pid)
        time.sleep(0.02)
    child.returncode = os.waitstatus_to_exitcode(status)
    left = end_group(child.pid, patience=5)
    return child.returncode, used.ru_maxrss / 1024, hung, left and not hung


def end_group(process: int, patience: float = 0.0) -> bool:
    """Kill what is left of a trial's session after ``patience`` seconds; whether there was anything."""
    until = time.monotonic() + patience
    while True:
        try:
            os.killpg(process, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        if time.monotonic() >= until:
            with contextlib.suppress(OSError):
                os.killpg(process, signal.SIGKILL)
            return True
        time.sleep(0.02)


def _resident_mb(process: int) -> float:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * 4096 / 1e6
    except (OSError, IndexError, ValueError):
        return 0.0
