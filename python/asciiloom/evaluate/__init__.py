"""Numbers: bits per character, baselines, whether words reach the drawing."""

from asciiloom.evaluate.likelihood import Scores, score
from asciiloom.evaluate.report import evaluate
from asciiloom.evaluate.words import WordTest, word_test

__all__ = ["Scores", "WordTest", "evaluate", "score", "word_test"]
