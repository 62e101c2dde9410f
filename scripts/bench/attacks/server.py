"""A real ``asciiloom browse``, and requests sent to it byte by byte."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .trial import BIN, RUNAWAY_MB, plain

BOUND = 20.0  # seconds to answer in
_STARTED = re.compile(r"http://([^/\s]+?):(\d+)(/\S*)")


class Server:
    """A running browse: where it listens, what it has said, the most memory it had."""

    def __init__(self, db: Path, *options: str) -> None:
        self.folder, self.words = db.parent, [BIN, "browse", db.name, "--port", "0", *options]
        self.log = self.folder / "log"
        self.highest = 0.0
        self.start()

    def start(self) -> None:
        """Start it, again where it has ended."""
        self.stream = self.log.open("wb")
        self.process = subprocess.Popen(
            self.words, cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=self.stream, stderr=self.stream, start_new_session=True,
        )  # fmt: skip
        until = time.monotonic() + 90
        while not (found := _STARTED.search(self.said())):
            if time.monotonic() > until or self.process.poll() is not None:
                self.close()
                raise RuntimeError(f"browse did not start: {plain(self.said())[-300:]}")
            time.sleep(0.1)
        threading.Thread(target=self._guard, daemon=True).start()
        self.host, self.port, self.entry = found[1], int(found[2]), found[3]
        token = re.search(r"token=([\w-]+)", self.entry)
        self.token = token[1] if token else ""
        self.base = self.entry.split("/enter")[0].split("?")[0]
        while not self._listening() and time.monotonic() < until:
            time.sleep(0.1)

    def _listening(self) -> bool:
        return ask(self, "GET", "/-/art", seconds=10)[0] > 0

    def _guard(self) -> None:
        """End a server that would take the machine's memory; what it took is told."""
        process = self.process
        while process.poll() is None:
            with contextlib.suppress(OSError, ValueError):
                peak = self.peak_mb()
                self.highest = max(self.highest, peak)
                if peak > RUNAWAY_MB:
                    process.kill()
            time.sleep(0.1)

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def peak_mb(self) -> float:
        found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())
        return int(found[1]) / 1024 if found else 0.0

    def close(self) -> int:
        self.process.send_signal(signal.SIGINT)
        try:
            status = self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            status = self.process.wait()
        self.stream.close()
        return status


@contextmanager
def serving(db: Path, *options: str) -> Iterator[Server]:
    server = Server(db, *options)
    try:
        yield server
    finally:
        server.close()


def ask(
    server: Server, method: str, target: str | bytes, headers: dict[str, str] | None = None,
    body: bytes = b"", host: str | None = "", seconds: float = BOUND, most: int = 64 << 20,
) -> tuple[int, bytes]:  # fmt: skip
    """(status, the answer as it came); status 0: no answer in time, -1: the connection was closed without one,
    -2: more than ``most`` bytes, -3: nobody listens."""
    if host == "":
        host = f"127.0.0.1:{server.port}"
    raw = target if isinstance(target, bytes) else target.encode("latin-1", "replace")
    lines = [method.encode() + b" " + raw + b" HTTP/1.1"]
    if host is not None:
        lines.append(b"Host: " + host.encode("latin-1"))
    given = {
        "Connection": "close",
        **({"Content-Length": str(len(body))} if body else {}),
        **(headers or {}),
    }
    lines += [f"{k}: {v}".encode("latin-1") for k, v in given.items()]
    until = time.monotonic() + seconds
    answer = b""
    taken = 0
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=seconds) as s:
            s.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + body)
            while time.monotonic() < until and taken < most:
                s.settimeout(max(0.05, until - time.monotonic()))
                part = s.recv(1 << 16)
                if not part:
                    break
                taken += len(part)
                if len(answer) < 1 << 20:
                    answer += part
            else:
                if taken >= most:
                    return -2, answer
    except TimeoutError:
        return (status_of(answer) if answer else 0), answer
    except ConnectionRefusedError:
        return -3, b""
    except OSError:
        pass
    return status_of(answer), answer


def status_of(answer: bytes) -> int:
    found = re.match(rb"HTTP/1\.\d (\d{3})", answer)
    return int(found[1]) if found else -1
