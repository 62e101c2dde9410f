"""The compiled layout against a plain reading of its definition."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from asciiloom.tokens import (
    IGNORE,
    NEIGHBOURS,
    NEWLINE,
    Example,
    GridTokenizer,
    Prompt,
    grid_layout,
    pack,
)
from asciiloom.tokens.pack import batches_by_length

TOKENIZER = GridTokenizer()
ART = st.text(alphabet=" \n/\\|_o", min_size=1, max_size=40)


def _plain_layout(
    text: str,
) -> tuple[list[tuple[int, int]], list[tuple[int, int]], list[list[int]]]:
    """(own cell, next cell, ids about the next cell) of <art> and each character, by brute force."""
    cell, following, above = [], [], []
    for n in range(len(text) + 1):
        drawn = text[:n]
        rows = drawn.split("\n")
        y, x = len(rows), len(rows[-1])
        following.append((y, x))
        if n:
            before = text[: n - 1].split("\n")
            cell.append((len(before), len(before[-1])))
        near = []
        for up, right in NEIGHBOURS:
            r, c = y - 1 - up, x + right
            if r < 0 or c < 0:
                near.append(TOKENIZER.pad)
            elif c < len(rows[r]):
                near.append(int(TOKENIZER.encode(rows[r][c])[0]))
            else:
                near.append(NEWLINE)
        above.append(near)
    return cell, following, above


@given(st.lists(st.tuples(ART, st.text(alphabet="abc", max_size=5)), min_size=1, max_size=5))
def test_layout_and_targets(pieces: list[tuple[str, str]]) -> None:
    examples = [
        Example.encode(Prompt(words, 3, 4), text, TOKENIZER, n)
        for n, (text, words) in enumerate(pieces)
    ]
    batch = pack(examples, TOKENIZER)
    assert batch.characters == sum(len(t) for t, _ in pieces)
    for row, (text, _) in enumerate(pieces):
        p, n = len(examples[row].prompt_ids), len(examples[row])
        assert batch.length[row] == n
        cell, following, above = _plain_layout(text)
        assert [tuple(c) for c in batch.layout.cell[row, p:n].tolist()] == cell
        assert [tuple(c) for c in batch.layout.next_cell[row, p - 1 : n].tolist()] == following
        assert batch.layout.above[row, p - 1 : n].tolist() == above
        targets = batch.targets[row]
        assert (targets[: p - 1] == IGNORE).all() and (targets[n:] == IGNORE).all()
        assert targets[p - 1 : n].tolist() == [*TOKENIZER.encode(text).tolist(), 0]
        assert (batch.ids[row, n:] == TOKENIZER.pad).all()
    assert 0 < batch.fill <= 1


@given(st.lists(st.integers(1, 300), min_size=1, max_size=60), st.integers(300, 2000))
def test_groups_hold_everything_once_within_the_budget(lengths: list[int], tokens: int) -> None:
    groups = batches_by_length(np.array(lengths), tokens)
    assert sorted(i for g in groups for i in g.tolist()) == list(range(len(lengths)))
    for group in groups:
        longest = -(-max(lengths[i] for i in group) // 16) * 16
        assert len(group) == 1 or longest * len(group) <= tokens


def test_prompt_columns_count_inside_each_phrase() -> None:
    ids = TOKENIZER.encode_prompt(Prompt("ab, font:x", 3, 4))
    names = [TOKENIZER.tokens[i] for i in ids]
    length = np.array([len(ids)], np.int16)
    layout = grid_layout(ids[None], length, length, TOKENIZER)
    columns = layout.cell[0, :, 1].tolist()
    # Two to the left of the next letter is the letter before this one, in a prompt as in art.
    assert layout.above[0, 1:-1, NEIGHBOURS.index((0, -2))].tolist() == ids[:-2].tolist()
    assert names[:4] == ["<bos>", "<w3>", "<h4>", "a"]
    assert columns == [0, 0, 0, 0, 1, 2, 0, 0, 1, 2, 3, 4, 5, 6]
