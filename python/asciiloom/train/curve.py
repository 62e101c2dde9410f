"""The loss curve of a run as a PNG."""

import io
from pathlib import Path

from asciiloom.outputs import output_stream
from asciiloom.train.metrics import Metrics


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
