"""Numbers: bits per character, baselines, whether words reach the drawing, whether drawings show their subject."""

from asciiloom.evaluate.drawings import Attempt, DrawingTest, attempts
from asciiloom.evaluate.likelihood import Scores, score
from asciiloom.evaluate.report import evaluate
from asciiloom.evaluate.subject_classifier import Judges, SubjectClassifier
from asciiloom.evaluate.subjects import COMMON, read_subjects, shown
from asciiloom.evaluate.words import WordTest, word_test

__all__ = [
    "COMMON",
    "Attempt",
    "DrawingTest",
    "Judges",
    "Scores",
    "SubjectClassifier",
    "WordTest",
    "attempts",
    "evaluate",
    "read_subjects",
    "score",
    "shown",
    "word_test",
]
