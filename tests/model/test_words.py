"""Words at the output: what they add, where they add nothing, and one pass for many of them."""

import dataclasses

import pytest
import torch

from asciiloom.model import GridInput, GridTransformer, KVCache, ModelConfig
from asciiloom.model.words import CONTEXTS, WordHead, earliness, loudness
from asciiloom.tokens import Example, Prompt, pack

TINY = ModelConfig(d_model=32, layers=2, heads=2, head=16, context=256, pair_dimensions=4)
CAT, BOX = "/\\_/\\\n(o.o)\n > ^", "+--+\n|  |\n+--+"


@pytest.fixture
def model() -> GridTransformer:
    """A network whose every weight matters, to which every word means something."""
    torch.manual_seed(1)
    model = GridTransformer(TINY)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.1 * torch.randn_like(p))
        model.topic_embed.weight.normal_(std=0.3)
    return model.eval()


def _given(*asked: tuple[Prompt, str]) -> GridInput:
    t = TINY.tokenizer
    return GridInput.from_batch(pack([Example.encode(*one, t) for one in asked], t))


def _targets(*asked: tuple[Prompt, str]) -> torch.Tensor:
    t = TINY.tokenizer
    return torch.from_numpy(pack([Example.encode(*one, t) for one in asked], t).targets)


def _asked(words: str, width: int | None = 5, height: int | None = 3) -> Prompt:
    return Prompt(words, width, height, "art")


@torch.no_grad()
def test_nothing_is_added_without_words_whoever_else_is_in_the_batch(
    model: GridTransformer,
) -> None:
    alone = _given((_asked(""), CAT))
    among = _given((_asked("cat"), CAT), (_asked(""), CAT), (_asked("red house"), BOX))
    one, many = model(alone), model(among)
    assert torch.equal(one, model.wordless(model.hidden(alone)))
    n = alone.ids.shape[1]
    torch.testing.assert_close(many[1, :n], one[0], atol=1e-4, rtol=1e-4)
    wordless = model.wordless(model.hidden(among))
    assert torch.equal(many[1], wordless[1])
    assert not torch.allclose(many[0], wordless[0], atol=0.01)
    assert not torch.allclose(many[2], wordless[2], atol=0.01)


@torch.no_grad()
def test_the_blocks_do_not_see_the_words(model: GridTransformer) -> None:
    cat, dog = (_given((_asked(words), CAT)) for words in ("cat", "dog"))
    assert torch.equal(model.hidden(cat), model.hidden(dog))
    assert not torch.allclose(model(cat), model(dog), atol=0.01)


@torch.no_grad()
def test_what_words_say_is_the_sum_of_what_each_says(model: GridTransformer) -> None:
    table = model.topic_embed.weight
    said = model.say(torch.tensor([[7, 9, 0], [9, 0, 0], [0, 0, 0]]))
    torch.testing.assert_close(said, torch.stack((table[7] + table[9], table[9], 0 * table[9])))
    # Bucket 0 is no word, whatever its row of the table holds.
    table[0] = 5.0
    assert torch.equal(said, model.say(torch.tensor([[7, 9, 0], [9, 0, 0], [0, 0, 0]])))
    assert model.say(torch.zeros(2, 4, 3, dtype=torch.long)).shape == (2, 4, table.shape[1])


def _grams(head: WordHead, text: str) -> set[int]:
    """The grams of a drawing, found cell by cell, where the head finds them at once."""
    given, targets = _given((_asked(""), text)), _targets((_asked(""), text))
    out: set[int] = set()
    for t in torch.nonzero(targets[0] >= 0)[:, 0].tolist():
        one = head.candidates(given.ids[:, t : t + 1], given.above[:, t : t + 1])
        out |= set(one[0, 0, :, int(targets[0, t])].tolist())
    return out


@torch.no_grad()
def test_a_drawing_says_the_sum_of_its_grams_each_once(model: GridTransformer) -> None:
    head = model.word_head
    assert head is not None
    asked = [(_asked(""), CAT), (_asked("", 20, 20), BOX)]
    given, targets = _given(*asked), _targets(*asked)
    shown = head.shows(given.ids, given.above, targets, given.size)
    for row, text in enumerate((CAT, BOX)):
        grams = _grams(head, text)
        assert set(head.standing(given.ids, given.above, targets)[row].tolist()) == grams
        expected = head.grams.weight[sorted(grams)].sum(0) * loudness(given.size)[row]
        torch.testing.assert_close(shown[row], expected, atol=1e-4, rtol=1e-4)
    # A row of one glyph has few grams, however long it is.
    assert _grams(head, "=" * 30) == _grams(head, "=" * 9)
    assert len(_grams(head, CAT) & _grams(head, BOX)) < len(_grams(head, CAT)) / 3


@torch.no_grad()
def test_what_is_added_is_what_the_new_grams_of_each_glyph_say(model: GridTransformer) -> None:
    """Cell by cell by the definition: grams that stand already say nothing, and what comes first says more."""
    head = model.word_head
    assert head is not None
    given, targets = _given((_asked("cat"), CAT)), _targets((_asked("cat"), CAT))
    before, after = model.wordless(model.hidden(given))[0], model(given)[0]
    word = model.say(given.topics)[0]
    stand: set[int] = set()
    for t in torch.nonzero(targets[0] >= 0)[:, 0].tolist():
        offered = head.candidates(given.ids[:, t : t + 1], given.above[:, t : t + 1])[0, 0]
        fresh = torch.tensor([[int(g) not in stand for g in row] for row in offered])
        row, column = given.next_cell[0, t].tolist()
        share = ((row - 1) * 5 + column) / 15
        loud = loudness(given.size) * (0.05 + share) ** -0.5
        says = (head.grams(offered) @ word * fresh).sum(0) * loud
        shares = after[t].softmax(0)
        expected = (before[t, 2:] + says[2:]).softmax(0) * before[t].softmax(0)[2:].sum()
        torch.testing.assert_close(shares[2:], expected, atol=1e-5, rtol=1e-3)
        # Rows and drawings end as they did without words.
        torch.testing.assert_close(shares[:2], before[t].softmax(0)[:2], atol=1e-5, rtol=1e-3)
        stand |= set(offered[:, int(targets[0, t])].tolist())
    assert stand == _grams(head, CAT)


def test_grams_are_of_cells_that_the_network_sees() -> None:
    alone, beside, all_ = (
        WordHead(cells, 4, 97).contexts for cells in ((), ((0, -2),), TINY.neighbours)
    )
    assert (len(alone), len(beside), len(all_)) == (2, 3, len(CONTEXTS))


def test_a_large_drawing_is_told_less_per_cell() -> None:
    sizes = torch.tensor([[1, 1], [4, 5], [10, 20], [20, 40], [0, 0], [0, 80], [12, 0]])
    tiny, small, usual, large, *left_open = loudness(sizes).tolist()
    assert tiny == small == pytest.approx(10**0.5)  # as loud as it gets
    assert usual == 1.0 and left_open == [1.0, 1.0, 1.0]
    # Four times the cells, half as loud at each: the whole is told as much.
    assert large == pytest.approx(0.5)


def test_what_is_drawn_first_is_told_most() -> None:
    size = torch.tensor([[20, 10], [0, 0], [0, 10]])
    cells = torch.tensor([[0, 0], [1, 0], [2, 0], [10, 5], [20, 9], [40, 0]]).expand(3, 6, 2)
    known, unknown, half = earliness(cells, size).tolist()
    # The prompt counts as the first cell.
    assert known[0] == known[1] == unknown[1] == half[1] == pytest.approx(0.05**-0.5)
    assert known == sorted(known, reverse=True) and unknown == sorted(unknown, reverse=True)
    assert known[4] == pytest.approx(1.0, abs=0.03)
    assert known[2] == pytest.approx(0.1**-0.5) and half == known


@torch.no_grad()
def test_a_network_adds_by_the_size_asked_for(model: GridTransformer) -> None:
    told = []
    for height in (5, 20):
        given = _given((_asked("cat", 40, height), CAT))
        logits = torch.zeros(*given.ids.shape, TINY.tokenizer.outputs)
        worded = model.worded(logits, given)[0, :, 2:]
        loud = loudness(given.size) * earliness(given.next_cell, given.size)[0]
        told.append((worded - worded.mean(-1, keepdim=True)) / loud.unsqueeze(1))
    assert bool(told[0].any())
    torch.testing.assert_close(told[1], told[0], atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("rank", [48, 0])
@torch.no_grad()
def test_drawing_on_from_a_cache_is_the_full_pass_with_words_told(
    rank: int,
) -> None:
    config = dataclasses.replace(TINY, word_rank=rank)
    torch.manual_seed(2)
    model = GridTransformer(config).eval()
    for p in model.parameters():
        p.add_(0.1 * torch.randn_like(p))
    model.topic_embed.weight.normal_(std=0.3 if rank else 0.02)
    t = config.tokenizer
    packed = pack([Example.encode(_asked("cat, small house"), text, t) for text in (CAT, BOX)], t)
    given, n = GridInput.from_batch(packed), int(packed.length.min())
    whole = model(given)[:, :n]
    assert not torch.allclose(
        whole,
        model(dataclasses.replace(given, topics=torch.zeros_like(given.topics)))[:, :n],
        atol=0.01,
    )
    cache, parts = KVCache(config, 2, n, torch.device("cpu")), []
    for start, end in [(0, 6), *((k, k + 1) for k in range(6, n))]:
        seen = {f: getattr(given, f)[:, start:end] for f in ("ids", "cell", "next_cell", "above")}
        parts.append(model(dataclasses.replace(given, **seen), cache))
    torch.testing.assert_close(torch.cat(parts, 1), whole, atol=1e-4, rtol=1e-4)
