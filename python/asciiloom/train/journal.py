"""What a run tells, and keeps in ``metrics.jsonl``: a JSON object a line, each step once; and its curve."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asciiloom.generate import Drawing
from asciiloom.outputs import output_stream
from asciiloom.train.checkpoint import CURVE, METRICS, writing


@dataclass(frozen=True, slots=True)
class Event:
    """Something worth telling: ``kind`` is "log", "eval", "samples", "checkpoint" or "note" (its text
    says what a person should know)."""

    kind: str
    step: int
    figures: Mapping[str, Any]
    drawings: tuple[Drawing, ...] = ()


class Journal:
    """Of the run in the folder ``run``; events go to ``tell`` as well."""

    def __init__(self, run: Path, tell: Callable[[Event], None]) -> None:
        self.run, self.tell = run, tell
        self._path = run / METRICS

    def record(self, event: Event) -> None:
        """Keep ``event`` as a line with ``kind`` and ``step``, and tell it."""
        line = {"kind": event.kind, "step": event.step, **event.figures}
        if event.drawings:
            line["drawings"] = [{"words": d.words, "text": d.text} for d in event.drawings]
        with writing(self.run):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        self.tell(event)

    def note(self, step: int, text: str) -> None:
        """What a person should know."""
        self.record(Event("note", step, {"text": text}))

    def lines(self) -> list[dict[str, Any]]:
        """Every line that is whole: a kill can cut the last one short."""
        if not self._path.exists():
            return []
        out = []
        for text in self._path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                line = json.loads(text)
            except (ValueError, RecursionError):
                continue
            if isinstance(line, dict) and "kind" in line and type(line.get("step")) is int:
                out.append(line)
        return out

    def forget_after(self, step: int) -> None:
        """Drop the lines of steps that were lost with a kill, so that the curve has each step once."""
        if not self._path.exists():
            return
        kept = [json.dumps(line) + "\n" for line in self.lines() if line["step"] <= step]
        with writing(self.run), output_stream(self._path, force=True) as stream:
            stream.write("".join(kept).encode())

    def draw_curve(self) -> None:
        """Draw training and held-out bits per character beside the lines."""
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot

        lines = self.lines()
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
        with writing(self.run), output_stream(self.run / CURVE, force=True) as stream:
            stream.write(drawn.getvalue())
