"""A piece -> text that is safe where it is pasted. Pure, no torch."""

from asciiloom.emit.paint import paint_classes, paint_html, paint_terminal
from asciiloom.emit.targets import TARGETS, emit
from asciiloom.emit.terminal import neutral

__all__ = ["TARGETS", "emit", "neutral", "paint_classes", "paint_html", "paint_terminal"]
