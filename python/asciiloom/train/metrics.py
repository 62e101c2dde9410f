"""``metrics.jsonl``: what happened in a run, a JSON object a line, each step once."""

import json
from pathlib import Path
from typing import Any

from asciiloom.outputs import output_stream


class Metrics:
    """The lines of one file. Each has at least ``kind`` and ``step``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, line: dict[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def lines(self) -> list[dict[str, Any]]:
        """Every line that is whole: a kill can cut the last one short."""
        if not self.path.exists():
            return []
        out = []
        for text in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                line = json.loads(text)
            except (ValueError, RecursionError):
                continue
            if isinstance(line, dict) and "kind" in line and type(line.get("step")) is int:
                out.append(line)
        return out

    def forget_after(self, step: int) -> None:
        """Drop the lines of steps that were lost with a kill, so that the curve has each step once."""
        if not self.path.exists():
            return
        kept = [json.dumps(line) + "\n" for line in self.lines() if line["step"] <= step]
        with output_stream(self.path, force=True) as stream:
            stream.write("".join(kept).encode())
