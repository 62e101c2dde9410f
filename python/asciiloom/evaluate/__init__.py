"""Numbers: bits per character, baselines."""

from asciiloom.evaluate.likelihood import Scores, score
from asciiloom.evaluate.report import evaluate

__all__ = ["Scores", "evaluate", "score"]
