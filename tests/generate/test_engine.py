from pathlib import Path

import numpy as np
import pytest
import torch

from asciiloom.errors import ConstraintError, SettingsError
from asciiloom.generate import Constraint, Engine, Generator, Request, Sampling
from asciiloom.model import Card, GridInput, GridTransformer, ModelConfig
from asciiloom.tokens import EOS, Example, pack

CONFIG = ModelConfig(d_model=32, layers=2, heads=2, head=16, context=512, pair_dimensions=4)


def _model(charset: str = "ascii") -> GridTransformer:
    torch.manual_seed(3)
    model = GridTransformer(ModelConfig(**{**CONFIG.to_dict(), "charset": charset}))
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.2 * torch.randn_like(p))
    return model


def _random_limits(count: int, seed: int) -> list[Constraint]:
    rng = np.random.default_rng(seed)
    out = []
    for n in range(count):
        w, h = int(rng.integers(1, 41)), int(rng.integers(1, 13))
        if n % 4 == 0:
            out.append(Constraint.exact(w, h))
        elif n % 4 == 1:
            out.append(Constraint(w, h))
        elif n % 4 == 2:
            least = Constraint.exact(w, h).least_chars()
            out.append(Constraint.exact(w, h, least + int(rng.integers(0, 40))))
        else:
            out.append(Constraint(w, h, 1, 1, int(rng.integers(1, 60)), forbid="`"))
    return out


@pytest.mark.parametrize("charset", ["ascii", "cp437", "bytes"])
def test_untrained_models_always_fit(charset: str) -> None:
    limits = _random_limits(96, 1)
    requests = [Request("cat", None, 5, 5, c, seed=1, index=i) for i, c in enumerate(limits)]
    texts = list(Engine(_model(charset), lanes=48).run(requests, Sampling(1.0, 0, 1.0)))
    assert len(texts) == 96
    assert [c.violations(t) for c, t in zip(limits, texts, strict=True)] == [[]] * 96
    assert len(set(texts)) > 60


def test_same_seed_same_art_on_any_batch_size() -> None:
    requests = [
        Request("w" * (i % 5), None, None, None, Constraint(20, 6), 7, i) for i in range(24)
    ]
    drawn = [list(Engine(_model(), lanes=lanes).run(requests)) for lanes in (1, 5, 24)]
    assert drawn[0] == drawn[1] == drawn[2]
    other = list(
        Engine(_model()).run(
            [Request(constraint=Constraint(20, 6), seed=8, index=i) for i in range(24)]
        )
    )
    assert other != drawn[0]


def test_cached_greedy_decoding_is_the_argmax_of_the_whole_sequence() -> None:
    """Teacher forcing: running the drawing through the uncached model predicts each of its characters."""
    model = _model()
    limits = Constraint(12, 5)
    (text,) = Engine(model).run([Request("cat", "shape", 12, 5, limits)], Sampling(0.0))
    t = CONFIG.tokenizer
    prompt, art = t.prompt("cat", 12, 5, "shape"), t.encode(text)
    batch = pack([Example(prompt, art, size=(5, 12), words="cat")], t, CONFIG.neighbours)
    from asciiloom.generate.canvas import Canvas

    with torch.no_grad():
        logits = model.eval()(GridInput.from_batch(batch))[0].double().numpy()
    canvas = Canvas([limits], t, 400)
    for place, wanted in enumerate([*art.tolist(), EOS]):
        masked = np.where(canvas.mask()[0], logits[len(prompt) - 1 + place], -np.inf)
        assert int(masked.argmax()) == wanted, place
        canvas.step(np.array([wanted]))


def natural_widths(card: Card) -> set[int | None]:
    generator = Generator(_model(), card)
    return {generator._natural_size("bar", None, Constraint(20, 5), 0, n)[0] for n in range(40)}


def test_generator_asks_for_natural_sizes(run_folder: Path) -> None:
    sizes = (("shape", 9, 5, "ring"), ("maze", 30, 20, "maze"), ("shape", 7, 7, "big star"))
    natural = Generator(_model(), Card(sizes))._natural_size
    assert natural("a ring", "shape", Constraint(40, 12), 0, 0) == (9, 5)
    assert natural("star", "shape", Constraint(40, 12), 3, 0) == (7, 7)
    assert natural("ring", "maze", Constraint(40, 12), 0, 0) == (9, 5)  # no maze fits
    words = (("banner", 9, 3, "cat"), ("banner", 13, 3, "horse"), ("banner", 13, 3, "tiger"))
    banner = Generator(_model(), Card(words))._natural_size
    assert banner("robin, font:digital", "banner", Constraint(40, 12), 0, 0) == (13, 3)
    assert banner("dog", "banner", Constraint(40, 12), 0, 0) == (9, 3)
    assert natural("", None, Constraint(5, 5), 0, 0) == (None, None)
    assert natural("", "maze", Constraint.exact(7, 3), 0, 0) == (7, 3)
    # Of several, one of the larger half; and what was planned for a size ends at its edge.
    many = Card(tuple(("shape", n, 3, "bar") for n in range(2, 12)))
    assert natural_widths(many) <= set(range(7, 12))
    small = Generator(_model(), Card((("shape", 4, 2, "bar"),)))
    for drawing in small.draw("bar", constraint=Constraint(40, 12), count=5):
        assert Constraint(4, 2).violations(drawing.text) == []
    loaded = Generator.load(run_folder / "latest")
    drawings = loaded.draw("cat", constraint=Constraint(20, 8), count=3, seed=5)
    assert [d.index for d in drawings] == [0, 1, 2]
    assert drawings == loaded.draw("cat", constraint=Constraint(20, 8), count=3, seed=5)


def test_nonsense_is_refused() -> None:
    generator = Generator(_model())
    with pytest.raises(SettingsError):
        generator.draw(count=0)
    with pytest.raises(SettingsError):
        generator.draw(kind="song")
    with pytest.raises(ConstraintError):
        generator.draw(constraint=Constraint.exact(500, 500))


def test_progress_counts_every_drawing() -> None:
    told: list[int] = []
    Generator(_model()).draw(count=70, constraint=Constraint(6, 3), progress=told.append)
    assert sum(told) == 70


def test_guided_drawings_fit_and_do_not_depend_on_their_neighbours() -> None:
    how = Sampling(1.0, 0, 1.0, guidance=3.0)
    limits = _random_limits(24, 2)
    requests = [Request("cat", None, 5, 5, c, seed=1, index=i) for i, c in enumerate(limits)]
    together = list(Engine(_model(), lanes=24).run(requests, how))
    assert [c.violations(t) for c, t in zip(limits, together, strict=True)] == [[]] * 24
    assert together == list(Engine(_model(), lanes=5).run(requests, how))
    assert together != list(Engine(_model(), lanes=24).run(requests, Sampling(1.0, 0, 1.0)))


def test_guidance_without_words_changes_nothing() -> None:
    requests = [Request("", "art", 9, 4, Constraint(9, 4), 3, i) for i in range(6)]
    plain, guided = (list(Engine(_model()).run(requests, Sampling(guidance=g))) for g in (1.0, 4.0))
    assert plain == guided
