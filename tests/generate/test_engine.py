import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from asciiloom.errors import CheckpointError, ConstraintError, SettingsError
from asciiloom.generate import Constraint, Engine, Generator, Request, Sampling
from asciiloom.generate import engine as engine_module
from asciiloom.generate.canvas import Canvas
from asciiloom.generate.sampling import barred_share
from asciiloom.model import Card, GridInput, GridTransformer, ModelConfig, Sizes, untrained_model
from asciiloom.tokens import EOS, Example, Prompt, pack

CONFIG = ModelConfig(d_model=32, layers=2, heads=2, head=16, context=512, pair_dimensions=4)


def _model(charset: str = "ascii") -> GridTransformer:
    torch.manual_seed(3)
    model = GridTransformer(ModelConfig(**{**CONFIG.to_dict(), "charset": charset}))
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.2 * torch.randn_like(p))
        model.topic_embed.weight.div_(6)  # what the word head multiplies
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
    requests = [Request(Prompt("cat", 5, 5), c, seed=1, index=i) for i, c in enumerate(limits)]
    texts = list(Engine(_model(charset), lanes=48).run(requests, Sampling(1.0, 0, 1.0)))
    assert len(texts) == 96
    assert [c.violations(t) for c, t in zip(limits, texts, strict=True)] == [[]] * 96
    assert len(set(texts)) > 60


def test_same_seed_same_art_on_any_batch_size() -> None:
    requests = [Request(Prompt("w" * (i % 5)), Constraint(20, 6), 7, i) for i in range(24)]
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
    prompt = Prompt("cat", 12, 5, "shape")
    (text,) = Engine(model).run([Request(prompt, limits)], Sampling(0.0))
    t = CONFIG.tokenizer
    example = Example.encode(prompt, text, t)
    batch = pack([example], t, CONFIG.neighbours)
    with torch.no_grad():
        logits = model.eval()(GridInput.from_batch(batch))[0].double().numpy()
    canvas = Canvas([limits], t, 400)
    for place, wanted in enumerate([*example.art.tolist(), EOS]):
        masked = np.where(canvas.mask()[0], logits[len(example.prompt_ids) - 1 + place], -np.inf)
        assert int(masked.argmax()) == wanted, place
        canvas.step(np.array([wanted]))


def test_subjects_do_not_begin_alike_under_one_seed() -> None:
    """Words that say nothing leave the random numbers to tell drawings apart; no words, and the seed is all."""
    model = _model()
    with torch.no_grad():
        model.topic_embed.weight.zero_()
    generator, limits = Generator(model, Card(_sizes([]))), Constraint.exact(12, 4)

    def draw(words: str, seed: int = 5) -> str:
        return generator.draw(words, kind="shape", constraint=limits, seed=seed)[0].text

    drawn = [draw(words) for words in ("cat", "dog", "")]
    assert len(set(drawn)) == 3
    assert drawn == [draw(words) for words in ("cat", "dog", "")]
    assert draw("cat", 6) not in drawn
    (plain,) = Engine(model).run([Request(Prompt("", 12, 4, "shape"), limits, 5)], Sampling())
    assert draw("") == plain


def _sizes(pieces: list[tuple[str, int, int, str]]) -> Sizes:
    return Sizes.of(((*piece, ()) for piece in pieces), least=1)


def natural_widths(card: Card) -> set[int | None]:
    generator = Generator(_model(), card)
    return {generator._size_to_ask("bar", None, Constraint(20, 5), 5, n)[0] for n in range(40)}


def test_generator_asks_for_natural_sizes(run_folder: Path) -> None:
    sizes = [("shape", 9, 5, "ring"), ("maze", 30, 20, "maze"), ("shape", 7, 7, "big star")]
    natural = Generator(_model(), Card(_sizes(sizes)))._size_to_ask
    assert natural("a ring", "shape", Constraint(40, 12), 0, 0) == (9, 5)
    assert natural("star", "shape", Constraint(40, 12), 3, 0) == (7, 7)
    assert natural("ring", "maze", Constraint(40, 12), 0, 0) == (19, 12)  # a maze, made smaller
    words = [("banner", 9, 3, "cat"), ("banner", 13, 3, "horse"), ("banner", 13, 3, "tiger")]
    banner = Generator(_model(), Card(_sizes(words)))._size_to_ask
    assert banner("robin, font:digital", "banner", Constraint(40, 12), 0, 0) == (13, 3)
    assert banner("dog", "banner", Constraint(40, 12), 0, 0) == (9, 3)
    assert natural("", None, Constraint(5, 5), 0, 0) == (5, 5)  # a star, made smaller
    assert natural("", None, Constraint(4, 2), 0, 0) is None
    assert natural("", "maze", Constraint.exact(7, 3), 0, 0) == (7, 3)
    # Of several, one of the larger half; and what was planned for a size ends at its edge.
    many = Card(_sizes([("shape", n, 3, "bar") for n in range(5, 15)]))
    assert natural_widths(many) == set(range(10, 15))  # each drawing of a request its own
    small = Generator(_model(), Card(_sizes([("shape", 4, 2, "bar")])))
    for drawing in small.draw("bar", constraint=Constraint(40, 12), count=5):
        assert Constraint(4, 2).violations(drawing.text) == []
    loaded = Generator.load(run_folder / "latest")
    drawings = loaded.draw("cat", constraint=Constraint(20, 8), count=3, seed=5)
    assert [d.index for d in drawings] == [0, 1, 2]
    assert drawings == loaded.draw("cat", constraint=Constraint(20, 8), count=3, seed=5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"count": 0}, {"count": 10**30}, {"count": True}, {"kind": "song"}, {"seed": -1}, {"seed": 2**64},
        {"seed": 1.5}, {"words": b"cat"}, {"words": "caf\udce9"},
    ],
)  # fmt: skip
def test_arguments_that_cannot_be_are_refused_in_one_line(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as caught:
        Generator(_model()).draw(**wrong)
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("error")
def test_the_largest_seeds_draw() -> None:
    generator, limits = Generator(_model()), Constraint(9, 4)
    drawn = [generator.draw(seed=2**64 - n, constraint=limits)[0].text for n in range(1, 6)]
    assert len(set(drawn)) == 5 and all(limits.violations(text) == [] for text in drawn)


def test_a_prompt_is_read_to_its_48th_character() -> None:
    generator, limits = Generator(_model()), Constraint(9, 4)
    long = "house with a tree and a cat on the roof, at night" + " and more" * 500
    assert len(long) > 4500
    (drawing,) = generator.draw(long, constraint=limits)
    assert drawing.text == generator.draw(long[:48], constraint=limits)[0].text


def test_limits_beyond_all_bounds_cost_no_memory() -> None:
    limits = Constraint(10**30, 10**30, max_chars=10**30)
    drawings = Generator(_model()).draw(constraint=limits, count=3)
    assert all(limits.violations(d.text) == [] for d in drawings)
    canvas = Canvas([limits] * 64, CONFIG.tokenizer, 32_000)
    assert sum(a.nbytes for a in vars(canvas).values() if isinstance(a, np.ndarray)) < 50_000_000


def test_a_prompt_that_leaves_no_room_is_refused() -> None:
    small = untrained_model(dataclasses.replace(CONFIG, context=64))
    with pytest.raises(ConstraintError, match="fewer words"):
        Generator(small).draw("☃" * 48)


def test_weights_that_overflow_are_refused() -> None:
    model = _model()
    with torch.no_grad():
        model.head.weight.fill_(3e38)
    with pytest.raises(CheckpointError, match="damaged"):
        Generator(model).draw("cat", constraint=Constraint(5, 3))


def test_a_large_cache_means_fewer_lanes(monkeypatch: pytest.MonkeyPatch) -> None:
    requests = [Request(Prompt("cat"), Constraint(8, 3), 1, n) for n in range(9)]
    expected = list(Engine(_model()).run(requests))
    monkeypatch.setattr(engine_module, "CACHE_BYTES", 4 * 2 * 2 * 1 * 16 * 512 * 2)  # two drawings
    told: list[int] = []
    assert list(Engine(_model()).run(requests, progress=told.append)) == expected
    assert told == [2, 2, 2, 2, 1]


def test_a_size_beyond_the_model_is_refused() -> None:
    generator = Generator(_model())
    with pytest.raises(ConstraintError):
        generator.draw(constraint=Constraint.exact(500, 500))


def test_progress_counts_every_drawing() -> None:
    told: list[int] = []
    Generator(_model()).draw(count=70, constraint=Constraint(6, 3), progress=told.append)
    assert sum(told) == 70


def test_guided_drawings_fit_and_do_not_depend_on_their_neighbours() -> None:
    how = Sampling(1.0, 0, 1.0, guidance=3.0)
    limits = [Constraint(9, 4), Constraint.exact(5, 5), Constraint(12, 3, max_chars=9)] * 3
    requests = [Request(Prompt("cat", 5, 5), c, seed=1, index=i) for i, c in enumerate(limits)]
    together = list(Engine(_model(), lanes=24).run(requests, how))
    assert [c.violations(t) for c, t in zip(limits, together, strict=True)] == [[]] * 9
    assert together == list(Engine(_model(), lanes=5).run(requests, how))
    assert together != list(Engine(_model(), lanes=24).run(requests, Sampling(1.0, 0, 1.0)))


def test_guidance_without_words_changes_nothing() -> None:
    requests = [Request(Prompt("", 9, 4, "art"), Constraint(9, 4), 3, i) for i in range(6)]
    plain, guided = (list(Engine(_model()).run(requests, Sampling(guidance=g))) for g in (1.0, 4.0))
    assert plain == guided


def test_who_ended_a_drawing() -> None:
    """A model to which every id is equally likely ends by itself where there is room, and not in a single cell."""
    model = GridTransformer(CONFIG)
    assert model.head is not None
    torch.nn.init.zeros_(model.head.weight)
    wide = Constraint(500, 1)
    limits = [Constraint(1, 1), wide, Constraint.exact(3, 1), wide]
    requests = [Request(constraint=c, seed=2, index=i) for i, c in enumerate(limits)]
    drawn = list(Engine(model).draw(requests, Sampling(1.0, 0, 1.0)))
    assert [d.ended for d in drawn] == [False, True, False, True]
    texts = list(Engine(model).run(requests, Sampling(1.0, 0, 1.0)))
    assert [d.text for d in drawn] == texts
    (told,) = Generator(model).draw(constraint=limits[0])
    assert not told.ended


def test_barred_share_by_hand() -> None:
    legal = np.array([[True, False, False], [True, True, True], [False, False, True]])
    share = barred_share(np.log([[0.7, 0.2, 0.1]] * 3), legal)
    assert share == pytest.approx([0.3, 0.0, 0.9])
