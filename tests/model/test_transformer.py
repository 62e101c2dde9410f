import dataclasses

import numpy as np
import pytest
import torch

from asciiloom.model import (
    GridInput,
    GridTransformer,
    KVCache,
    ModelConfig,
)
from asciiloom.tokens import EOS, Example, GridTokenizer, Prompt, pack

TINY = ModelConfig(d_model=32, layers=2, heads=2, head=16, context=256, pair_dimensions=4)
TEXTS = ["/\\_/\\\n(o.o)\n > ^", "+--+\n|  |\n+--+", "x"]


def _noisy(config: ModelConfig) -> GridTransformer:
    """A model whose every weight matters (fresh residual outputs are zero)."""
    torch.manual_seed(1)
    model = GridTransformer(config)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.1 * torch.randn_like(p))
        model.topic_embed.weight.div_(6)  # what the word head multiplies
    return model.eval()


def _batch(texts: list[str], config: ModelConfig = TINY) -> tuple[GridInput, np.ndarray]:  # type: ignore[type-arg]
    t = config.tokenizer
    packed = pack(
        [Example.encode(Prompt("ab", 3, 4), s, t) for s in texts],
        t,
        config.neighbours,
    )
    return GridInput.from_batch(packed), packed.length


@pytest.mark.parametrize("rope", ["axial", "1d", "none"])
@pytest.mark.parametrize("neighbours", [(), ((1, 0),), None])
def test_shapes_of_every_variant(rope: str, neighbours: tuple[tuple[int, int], ...] | None) -> None:
    changes: dict[str, object] = {"rope": rope, "tied": rope == "none"}
    if neighbours is not None:
        changes |= {"neighbours": neighbours, "pairs": ((0, 1),) if neighbours else ()}
    config = dataclasses.replace(TINY, **changes)
    given, _ = _batch(TEXTS, config)
    logits = _noisy(config)(given)
    assert logits.shape == (*given.ids.shape, 97)
    assert torch.isfinite(logits).all()


def test_a_token_sees_only_what_came_before() -> None:
    """Changing later characters changes no earlier prediction; changing an earlier one does."""
    model = _noisy(TINY)
    one, _ = _batch(["/\\_/\\\n(o.o)\n > ^"])
    two, _ = _batch(["/\\_/\\\n(o.o)\n > v"])
    same = 15 + len(TINY.tokenizer.encode_prompt(Prompt("ab", 3, 4)))
    with torch.no_grad():
        a, b = model(one), model(two)
    assert torch.equal(a[:, :same], b[:, :same])
    assert not torch.equal(a[:, same], b[:, same])


def test_pieces_of_a_batch_do_not_see_each_other() -> None:
    model = _noisy(TINY)
    together, length = _batch(TEXTS)
    with torch.no_grad():
        all_logits = model(together)
        for row, text in enumerate(TEXTS):
            alone, _ = _batch([text])
            n = int(length[row])
            torch.testing.assert_close(
                all_logits[row, :n], model(alone)[0, :n], atol=1e-4, rtol=1e-4
            )


def test_the_row_above_matters() -> None:
    """The same text with another glyph straight above the predicted cell gives other logits at once."""
    config = dataclasses.replace(TINY, layers=1)
    torch.manual_seed(0)
    model = GridTransformer(config).eval()  # zero residuals: only the inputs speak
    one, length = _batch(["ab\nc"], config)
    two, _ = _batch(["aX\nc"], config)
    at = int(length[0]) - 1
    with torch.no_grad():
        assert not torch.allclose(model(one)[0, at], model(two)[0, at])


@pytest.mark.parametrize("rope", ["axial", "1d"])
def test_cache_gives_what_the_whole_sequence_gives(rope: str) -> None:
    config = dataclasses.replace(TINY, rope=rope)
    model = _noisy(config)
    given, length = _batch(["/\\_/\\\n(o.o)\n > ^"], config)
    n = int(length[0])
    cache = KVCache(config, 1, n, torch.device("cpu"))
    parts = []
    with torch.no_grad():
        whole = model(given)[:, :n]
        for start, end in [(0, 6), *((k, k + 1) for k in range(6, n))]:
            piece = GridInput(
                *(getattr(given, f)[:, start:end] for f in ("ids", "cell", "next_cell", "above")),
                given.size,
                given.topics,
            )
            parts.append(model(piece, cache))
    torch.testing.assert_close(torch.cat(parts, 1), whole, atol=1e-4, rtol=1e-4)


def test_learns_one_piece_by_heart() -> None:
    """A few steps on one drawing bring its loss near zero: gradients reach where they must."""
    import torch.nn.functional as F

    torch.manual_seed(0)
    model = GridTransformer(TINY)
    t = GridTokenizer()
    packed = pack([Example.encode(Prompt(), TEXTS[0], t)], t, TINY.neighbours)
    given, targets = GridInput.from_batch(packed), torch.from_numpy(packed.targets)
    optim = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(60):
        loss = F.cross_entropy(model(given).flatten(0, 1), targets.flatten(), ignore_index=-100)
        loss.backward()
        optim.step()
        optim.zero_grad()
    assert loss.item() < 0.05
    assert packed.targets[0, len(t.encode_prompt(Prompt())) + len(TEXTS[0]) - 1] == EOS
