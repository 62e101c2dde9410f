"""``Canvas``: the drawings of a batch so far, and which tokens may come next.

A small state per drawing (row, column, characters used, what is still owed) decides legality in
closed form. The heart is ``_shortest_finish``: the fewest characters from a state to a legal
end. A token is legal exactly when, after it, the rest still fits. So from every reachable state
some token is legal, in time this is the end, and no drawing ever has to be thrown away.

Everything is computed for the whole batch at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from asciiloom.errors import ConstraintError
from asciiloom.generate.constraint import Constraint
from asciiloom.tokens import EOS, NEWLINE, GridTokenizer

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

# Classes of tokens, as the rules see them.
END, LINE, SPACE, INK = range(4)
_NEVER = 1 << 40


@dataclass(slots=True)
class _State:
    """Arrays over the batch. ``pending``: the row so far ends in a space; ``wide``: some row
    reached the least width; ``left``: some row has ink in the first column."""

    row: Ints
    column: Ints
    used: Ints
    pending: Bools
    wide: Bools
    left: Bools


class Canvas:
    """A batch of drawings under ``constraints``; ``capacity``: characters that the model can draw at most.

    ``structure`` (outputs,) marks the ids that are no ink: end, newline and blank.
    """

    def __init__(
        self, constraints: Sequence[Constraint], tokenizer: GridTokenizer, capacity: int
    ) -> None:
        for constraint in constraints:
            constraint.check()
            if constraint.least_chars() > capacity:
                raise ConstraintError(
                    f"{constraint.min_width}x{constraint.min_height} needs at least"
                    f" {constraint.least_chars()} characters; this model draws at most {capacity}"
                )
        n = len(constraints)

        def limits(name: str) -> Ints:
            """No limit matters beyond the capacity."""
            values = (getattr(c, name) for c in constraints)
            return np.array([capacity if v is None else min(v, capacity) for v in values], np.int64)

        self._max_width, self._max_height = limits("max_width"), limits("max_height")
        self._min_width, self._min_height = limits("min_width"), limits("min_height")
        self._budget = limits("max_chars")
        self._classes = np.full(tokenizer.outputs, -1, np.int64)
        self._classes[EOS], self._classes[NEWLINE] = END, LINE
        self._classes[2 : 2 + len(tokenizer.glyphs)] = [
            SPACE if glyph == " " else INK for glyph in tokenizer.glyphs
        ]
        self.structure = np.isin(self._classes, (END, LINE, SPACE))
        self._palette = np.stack([self._allowed(c, tokenizer) for c in constraints])
        inks = self._palette & (self._classes == INK)
        if not inks.any(axis=1).all():
            raise ConstraintError("no glyph is left to draw with in this model's charset")
        self._pad = tokenizer.pad
        # What is drawn, character by character, and where in it each row begins.
        self._drawn = np.full((n, capacity), NEWLINE, np.int64)
        self._row_start = np.zeros((n, int(self._max_height.max()) + 1), np.int64)
        zero, no = np.zeros(n, np.int64), np.zeros(n, bool)
        # Never changed in place: every step makes a new state.
        self._state = _State(zero, zero, zero, no, no, no)
        self.done = np.zeros(n, bool)

    def _allowed(self, constraint: Constraint, tokenizer: GridTokenizer) -> Bools:
        """Ids of the palette. Byte tokens are never drawn: half a character is no text."""
        allowed = self._classes >= 0
        for number, glyph in enumerate(tokenizer.glyphs, 2):
            listed = constraint.allow is None or glyph in constraint.allow
            allowed[number] = listed and glyph not in constraint.forbid
        return allowed

    # -- what the network is told

    @property
    def position(self) -> tuple[Ints, Ints]:
        """(row, column) of the next cell of each drawing; the art starts at row 1, as in training."""
        return self._state.row + 1, self._state.column

    def above(self, offsets: Sequence[tuple[int, int]]) -> Ints:
        """Ids about the next cell in the rows above: (batch, neighbours)."""
        s = self._state
        lanes = np.arange(len(self.done))
        out = np.full((len(lanes), len(offsets)), self._pad, np.int64)
        for k, (up, right) in enumerate(offsets):
            y, x = s.row - up, s.column + right
            inside = (y >= 0) & (x >= 0)
            row = np.maximum(y, 0)
            at = self._row_start[lanes, row] + x
            # A row above ends with the newline before the next one; this row with what is drawn so far.
            end = s.used if up == 0 else self._row_start[lanes, row + 1] - 1
            drawn = inside & (at < end)
            out[inside, k] = NEWLINE
            out[drawn, k] = self._drawn[lanes[drawn], at[drawn]]
        return out

    # -- the law

    def mask(self) -> Bools:
        """True for the ids that may come next, (batch, outputs). Never empty before the end."""
        legal = self._legal()
        known = np.where(self._classes < 0, INK, self._classes)
        return legal[:, known] & self._palette

    def _legal(self) -> Bools:
        """(batch, 4) over the token classes."""
        s = self._state
        budget, column, row = self._budget, s.column, s.row
        out = np.zeros((len(row), 4), bool)
        out[:, END] = (column > 0) & ~s.pending & s.wide & s.left & (row + 1 >= self._min_height)
        out[:, LINE] = (
            (row + 1 < self._max_height)
            & ~s.pending
            & ((row > 0) | (column > 0))
            & (self._after(LINE) <= budget)
        )
        out[:, SPACE] = (column + 1 < self._max_width) & (self._after(SPACE) <= budget)
        out[:, INK] = (column < self._max_width) & (self._after(INK) <= budget)
        return out

    def _after(self, kind: int) -> Ints:
        """Characters of the shortest legal drawing that begins with what is there and a ``kind`` token."""
        following = self._moved(self._state, np.full(len(self.done), kind))
        return following.used + self._shortest_finish(following)

    def _moved(self, s: _State, kind: Ints) -> _State:
        """The state after one token of class ``kind`` (per drawing); END changes nothing."""
        line, ink = kind == LINE, kind == INK
        drawn = ink | (kind == SPACE)
        column = np.where(line, 0, s.column + drawn)
        return _State(
            row=s.row + line,
            column=column,
            used=s.used + (kind != END),
            pending=np.where(drawn, kind == SPACE, s.pending & ~line),
            wide=s.wide | (ink & (column >= self._min_width)),
            left=s.left | (ink & (s.column == 0)),
        )

    def _shortest_finish(self, s: _State) -> Ints:
        """Fewest characters from ``s`` to a legal end; huge where there is none.

        Either the drawing ends in this row, or after as few more rows as the least height asks
        for (at least one), the last of which begins with ink. The least width is reached in this
        row or in the last.
        """
        empty_row = s.column == 0
        owed_rows = np.maximum(0, self._min_height - 1 - s.row)
        owed_width = np.where(s.wide, 0, self._min_width)
        rest_of_row = np.maximum(0, np.where(s.wide, 0, self._min_width - s.column))
        here = np.where(empty_row, np.maximum(1, owed_width), np.maximum(s.pending, rest_of_row))
        here = np.where((owed_rows == 0) & (s.left | empty_row), here, _NEVER)
        # A first row needs ink, and a row that ends in a space needs ink after it.
        close_row = np.where(empty_row, (s.row == 0).astype(np.int64), s.pending.astype(np.int64))
        lines = np.maximum(1, owed_rows)
        wide_last = close_row + lines + np.maximum(1, owed_width)
        wide_here = np.maximum(close_row, rest_of_row) + lines + 1
        below = np.where(s.row + lines < self._max_height, np.minimum(wide_last, wide_here), _NEVER)
        return np.asarray(np.minimum(here, below))

    def step(self, ids: Ints) -> None:
        """Draw one id per drawing (ignored where done). The caller draws legal ids only."""
        kind = self._classes[ids]
        kind = np.where(self.done, END, kind)
        s = self._state
        glyph = (kind == SPACE) | (kind == INK)
        lanes = np.flatnonzero(glyph)
        self._drawn[lanes, s.used[lanes]] = ids[lanes]
        lanes = np.flatnonzero(kind == LINE)
        self._row_start[lanes, s.row[lanes] + 1] = s.used[lanes] + 1
        self.done |= kind == END
        self._state = self._moved(s, kind)

    def keep(self, lanes: Ints) -> None:
        """Go on with these drawings only."""
        for name in (
            "_max_width", "_max_height", "_min_width", "_min_height", "_budget",
            "_palette", "_drawn", "_row_start", "done",
        ):  # fmt: skip
            setattr(self, name, getattr(self, name)[lanes])
        self._state = _State(*(getattr(self._state, f.name)[lanes] for f in fields(_State)))
