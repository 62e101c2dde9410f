"""References: what a model is shown of another drawing, and what is taken away from it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asciiloom.errors import SettingsError
from asciiloom.tokens import LEVELS, WINDOW, Example, GridTokenizer, Prompt, Reference, pack, spoil
from asciiloom.tokens.reference import reference_grid
from asciiloom.tokens.tokenizer import EOS, NEWLINE

CAT = " /\\_/\\\n( o.o )\n > ^ <"
TOKENIZER = GridTokenizer()
texts = st.lists(st.text(st.sampled_from(" /\\_|.oO#-"), max_size=12), min_size=1, max_size=8).map(
    "\n".join
)


def shown(text: str, prompt: Prompt) -> tuple[list[str], list[str]]:
    """What the middle of the window shows at each step, and what is drawn there, in words."""
    batch = pack([Example.encode(prompt, text, TOKENIZER)], TOKENIZER)
    assert batch.reference is not None
    middle = batch.reference[0, :, WINDOW.index((0, 0))]
    art = batch.targets[0] >= 0
    names = [*TOKENIZER.tokens[: TOKENIZER.outputs], "none"]
    return [names[n] for n in middle[art]], [names[n] for n in batch.targets[0][art]]


def test_a_drawing_is_seen_where_it_is_drawn() -> None:
    seen, drawn = shown(CAT, Prompt("cat", reference=Reference(CAT, 1)))
    assert seen == drawn and drawn[-1] == "<eos>"


def test_the_window_is_where_it_says() -> None:
    batch = pack([Example.encode(Prompt(reference=Reference(CAT)), CAT, TOKENIZER)], TOKENIZER)
    assert batch.reference is not None and batch.level.tolist() == [2]
    rows = CAT.split("\n")
    for place in np.flatnonzero(batch.targets[0] >= 0):
        row, column = batch.layout.next_cell[0, place].tolist()
        for (down, right), found in zip(WINDOW, batch.reference[0, place].tolist(), strict=True):
            y, x = row - 1 + down, column + right
            if y < 0 or x < 0:
                assert found == TOKENIZER.outputs
            elif y < len(rows) and x < len(rows[y]):
                assert found == TOKENIZER.ids[rows[y][x]]
            else:
                assert found in (NEWLINE, EOS)


def test_rows_without_a_reference_see_nothing() -> None:
    with_one, without = Prompt("cat", reference=Reference(CAT)), Prompt("cat")
    batch = pack([Example.encode(p, CAT, TOKENIZER) for p in (with_one, without)], TOKENIZER)
    assert batch.reference is not None and batch.level.tolist() == [2, 0]
    assert (batch.reference[1] == TOKENIZER.outputs).all()
    assert pack([Example.encode(without, CAT, TOKENIZER)], TOKENIZER).reference is None


@given(texts, st.integers(1, LEVELS), st.integers(0, 99))
def test_what_is_spoilt_follows_from_its_seed_and_keeps_its_rows(
    text: str, level: int, seed: int
) -> None:
    spoilt = spoil(text, level, np.random.default_rng(seed))
    assert spoilt == spoil(text, level, np.random.default_rng(seed))
    assert spoilt.count("\n") == text.count("\n")
    reference_grid(spoilt, TOKENIZER)


def test_more_is_taken_away_above_the_first_level() -> None:
    text = "\n".join(["/\\_|o.#-=" * 4] * 12)

    def kept(level: int) -> float:
        spoilt = (spoil(text, level, np.random.default_rng(seed)) for seed in range(40))
        same = [a == b for s in spoilt for a, b in zip(text, s.ljust(len(text)), strict=False)]
        return sum(same) / len(same)

    shares = [kept(level) for level in range(1, LEVELS + 1)]
    assert shares[0] > 0.8 and max(shares[1:]) < shares[0] - 0.1
    # At the last level a glyph tells no more than its class.
    assert set(spoil(text, LEVELS, np.random.default_rng(0))) <= set("\n /\\.|-(#_")


@pytest.mark.parametrize("level", [0, 5, 1.5, True, "2"])
def test_a_level_is_one_of_four(level: object) -> None:
    with pytest.raises(SettingsError, match="level"):
        Reference(CAT, level)  # type: ignore[arg-type]
