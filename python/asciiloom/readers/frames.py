"""Frames of a film that show something new; most differ from the one before by an eyelid."""

from collections.abc import Sequence

import numpy as np

from asciiloom.piece import Grid

# Share of inked cells that must agree with a kept frame for a frame to be nothing new.
SAME = 0.8
_REMEMBERED = 12


def distinct_frames(frames: Sequence[str], same: float = SAME) -> list[int]:
    """Indices of the frames that differ from each of the last few kept ones."""
    kept: list[int] = []
    recent: list[np.ndarray] = []
    for number, frame in enumerate(frames):
        cells = Grid.from_text(frame).cells if frame.strip() else np.zeros((0, 0), np.uint32)
        if not cells.size:
            continue
        if any(agreement(cells, other) >= same for other in recent):
            continue
        kept.append(number)
        recent = [*recent, cells][-_REMEMBERED:]
    return kept


def agreement(a: np.ndarray, b: np.ndarray) -> float:
    """Equal inked cells over the cells inked in either, at the better of shifts by a column or row."""
    best = 0.0
    for down in (-1, 0, 1):
        for right in (-2, -1, 0, 1, 2):
            if down and right:
                continue
            best = max(best, _overlap(a, b, down, right))
    return best


def _overlap(a: np.ndarray, b: np.ndarray, down: int, right: int) -> float:
    rows, columns = max(a.shape[0], b.shape[0]) + 1, max(a.shape[1], b.shape[1]) + 2
    left, other = np.full((rows, columns), 32, np.uint32), np.full((rows, columns), 32, np.uint32)
    left[max(0, -down) :, max(0, -right) :][: a.shape[0], : a.shape[1]] = a
    other[max(0, down) :, max(0, right) :][: b.shape[0], : b.shape[1]] = b
    either = (left != 32) | (other != 32)
    return float(((left == other) & either).sum() / max(1, either.sum()))
