"""Where every token stands, and what stands above the cell that comes next.

A text model sees a string; the point of this project is that a picture has rows. For each
token the layout gives its own cell, the cell to be predicted after it, and the ids around that
cell in the rows above. One compiled pass over a padded batch, no Python per token.

Coordinates: the art starts at row 1, columns count from 0. The prompt is row 0; a character's column
there counts from the start of its own phrase (phrases are parted by commas), so that the third letter of a
word to be lettered is at column 2 wherever in the prompt the word stands.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asciiloom.jit import njit
from asciiloom.tokens.tokenizer import NEWLINE, GridTokenizer, Ids

I16 = NDArray[np.int16]
# (rows up, columns right) of the inputs about the cell to be predicted.
NEIGHBOURS: tuple[tuple[int, int], ...] = ((1, -1), (1, 0), (1, 1), (2, 0), (0, -2))


@dataclass(frozen=True, slots=True)
class Layout:
    """Positions of a batch. ``cell`` and ``next_cell``: int16 (batch, time, 2) as (row, column);
    ``above``: uint16 ids (batch, time, neighbours)."""

    cell: I16
    next_cell: I16
    above: Ids


@njit
def _prompt_columns(ids: Ids, cells: NDArray[np.int8], comma: int, out: I16) -> None:
    column = 0
    after_comma = False  # the space there is no letter
    for t in range(len(ids)):
        out[t] = column
        if ids[t] == comma:
            column = 0
            after_comma = True
        elif cells[ids[t]] and not after_comma:
            column += 1
        else:
            after_comma = False


@njit
def _fill_layout(
    ids: Ids, prompt: I16, length: I16, cells: NDArray[np.int8], offsets: I16, pad: int, comma: int,
    cell: I16, following: I16, above: Ids,
) -> None:  # fmt: skip
    rows = ids.shape[1] + 2
    row_start = np.zeros(rows + 1, np.int64)
    row_end = np.zeros(rows + 1, np.int64)
    drawn = np.empty(ids.shape[1] + 1, np.uint16)
    columns = np.empty(ids.shape[1] + 1, np.int16)
    for b in range(ids.shape[0]):
        first = prompt[b]
        _prompt_columns(ids[b, :first], cells, comma, columns)
        for t in range(first):
            cell[b, t, 1] = columns[t]
            following[b, t, 1] = columns[t] + 1
            for k in range(offsets.shape[0]):
                # In a prompt there is no row above, but there are letters to the left.
                x = t + 1 + offsets[k, 1]
                if offsets[k, 0] == 0 and x >= 0:
                    above[b, t, k] = ids[b, x]
        row = 1
        column = 0
        count = 0
        row_start[1] = 0
        row_end[1] = 0
        for t in range(first - 1, length[b]):
            token = ids[b, t]
            if t >= first:  # <art> itself draws nothing
                cell[b, t, 0] = row
                cell[b, t, 1] = column
                if token == NEWLINE:
                    row += 1
                    column = 0
                    row_start[row] = count
                    row_end[row] = count
                elif cells[token]:
                    drawn[count] = token
                    count += 1
                    column += 1
                    row_end[row] = count
            following[b, t, 0] = row
            following[b, t, 1] = column
            for k in range(offsets.shape[0]):
                y = row - offsets[k, 0]
                x = column + offsets[k, 1]
                if y < 1 or x < 0:
                    above[b, t, k] = pad
                elif row_start[y] + x < row_end[y]:
                    above[b, t, k] = drawn[row_start[y] + x]
                else:
                    above[b, t, k] = NEWLINE  # right of a row's end


def grid_layout(
    ids: Ids,
    prompt: I16,
    length: I16,
    tokenizer: GridTokenizer,
    offsets: tuple[tuple[int, int], ...] = NEIGHBOURS,
) -> Layout:
    """The layout of right-padded ``ids`` (batch, time); row b has ``prompt[b]`` prompt ids of ``length[b]``."""
    batch, time = ids.shape
    cell = np.zeros((batch, time, 2), np.int16)
    following = np.zeros((batch, time, 2), np.int16)
    above = np.full((batch, time, len(offsets)), tokenizer.pad, np.uint16)
    about = np.array(offsets, np.int16).reshape(-1, 2)
    pad, comma = tokenizer.pad, tokenizer.ids[","]
    _fill_layout(ids, prompt, length, tokenizer.cells, about, pad, comma, cell, following, above)
    return Layout(cell, following, above)
