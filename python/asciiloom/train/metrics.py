"""``metrics.jsonl``: what happened in a run, a JSON object a line, each step once; and its curve."""

import io
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


def draw_curve(metrics: Metrics, target: Path) -> None:
    """Draw training and held-out bits per character of ``metrics`` into ``target``."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    lines = metrics.lines()
    figure, axes = pyplot.subplots(figsize=(8, 4.5), dpi=120)
    for kind, key, label, style in (
        ("log", "train_bits", "training (bits a token)", "-"),
        ("eval", "held_out_bits", "held out (bits a character)", "o-"),
    ):
        points = [
            (line["step"], line[key]) for line in lines if line["kind"] == kind and key in line
        ]
        if points:
            axes.plot(*zip(*points, strict=True), style, label=label, markersize=3)
    axes.set(xlabel="step", ylabel="bits")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    pyplot.close(figure)
    with output_stream(target, force=True) as stream:
        stream.write(drawn.getvalue())
