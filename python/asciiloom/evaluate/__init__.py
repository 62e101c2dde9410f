"""Numbers: bits per character, baselines."""

from asciiloom.evaluate.likelihood import Scores, autocast, score
from asciiloom.evaluate.report import evaluate

__all__ = ["Scores", "autocast", "evaluate", "score"]
