"""The best of several is the best, in its limits, and hangs on nothing but its own seed and index."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from asciiloom.corpus import Corpus
from asciiloom.errors import SettingsError
from asciiloom.evaluate.likelihood import score
from asciiloom.generate import Constraint, Engine, Generator, Request, Sampling, WordRatio, lint
from asciiloom.generate.engine import Drawn
from asciiloom.generate.generator import seed_of
from asciiloom.generate.ranking import best, judge, log_likelihoods
from asciiloom.generate.signature import unsigned
from asciiloom.model import GridInput, GridTransformer, KVCache, ModelConfig
from asciiloom.piece import canonicalize, find_credits
from asciiloom.store import Selection
from asciiloom.tokens import Example, Prompt, pack

CONFIG = ModelConfig(d_model=32, layers=2, heads=2, head=16, context=512, pair_dimensions=4)
T = CONFIG.tokenizer


def _model() -> GridTransformer:
    torch.manual_seed(3)
    model = GridTransformer(CONFIG)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.2 * torch.randn_like(p))
        model.topic_embed.weight.div_(6)  # what the word head multiplies
    return model.eval()


MODEL = _model()


class Signing(GridTransformer):
    """Signs wherever it can: after "j" comes "g", after "g" "s", and after that a blank, a line or the end."""

    def forward(
        self, given: GridInput, cache: KVCache | None = None, mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        if cache is not None:
            cache.length += given.ids.shape[1]
        after = {T.ids["j"]: "g", T.ids["g"]: "s"}
        out = torch.zeros(*given.ids.shape, self.outputs)
        for row, column in product(*map(range, given.ids.shape)):
            last = int(given.ids[row, column])
            for glyph in after.get(last, "j #"):
                out[row, column, T.ids[glyph]] += 6.0
            out[row, column, :2] += 4.0 * (last == T.ids["s"])
        return out


class Wordy(GridTransformer):
    """Told a word it draws walls, without words it draws dots."""

    def forward(
        self, given: GridInput, cache: KVCache | None = None, mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        if cache is not None:
            cache.length += given.ids.shape[1]
        told = (given.topics > 0).any(dim=1)
        out = torch.zeros(*given.ids.shape, self.outputs)
        out[told, :, T.ids["#"]] = 1.0
        out[~told, :, T.ids["."]] = 1.0
        return out


def longest(requests: Sequence[Request], drawn: Sequence[Drawn]) -> list[dict[str, float]]:
    return [{"characters": len(d.text)} for d in drawn]


# -- what is kept


def test_one_candidate_is_the_drawing_without_ranking() -> None:
    limits = Constraint(12, 5)
    requests = [Request(Prompt("cat"), limits, seed_of(7, "cat"), n) for n in range(5)]
    drawn = list(Engine(MODEL).run(requests))
    plain = Generator(MODEL).draw("cat", constraint=limits, seed=7, count=5, signature=True)
    assert [d.text for d in plain] == drawn
    assert all(d.score is None and d.candidate == 0 and d.credit is None for d in plain)


def test_the_highest_of_the_candidates_streams_is_kept() -> None:
    limits = Constraint(12, 5)
    seed = seed_of(7, "cat")
    streams = [Request(Prompt("cat"), limits, seed, 2 + (k << 32)) for k in range(6)]
    how = Sampling(2.0, 0, 1.0)
    drawn = list(Engine(MODEL).run(streams, how))
    assert len(set(drawn)) == 6
    kept = Generator(MODEL).draw(
        "cat",
        constraint=limits,
        seed=7,
        count=3,
        sampling=how,
        best_of=6,
        rankers=[longest],
        signature=True,
    )[2]
    assert kept.text == max(drawn, key=len) == drawn[kept.candidate]
    assert kept.score == {"characters": len(kept.text)}


def test_a_drawing_does_not_hang_on_those_beside_it() -> None:
    draw, limits = Generator(MODEL).draw, Constraint(11, 4)
    many = draw("cat", constraint=limits, seed=3, count=9, best_of=4)
    assert {d.candidate for d in many} != {0}
    few = Generator(MODEL)
    few.engine.lanes = 5
    assert few.draw("cat", constraint=limits, seed=3, count=4, best_of=4) == many[:4]
    assert draw("cat", constraint=limits, seed=3, count=1, best_of=4) == many[:1]


def test_progress_counts_drawings_not_candidates() -> None:
    told: list[int] = []
    Generator(MODEL).draw(count=20, best_of=5, constraint=Constraint(5, 2), progress=told.append)
    assert sum(told) == 20 and len(told) == 2


@pytest.mark.parametrize("wrong", [0, -1, 1001, True, 2.0])
def test_a_number_of_candidates_that_cannot_be_is_refused(wrong: int) -> None:
    with pytest.raises(SettingsError, match="best_of"):
        Generator(MODEL).draw(best_of=wrong)


def test_rankers_that_give_no_scores_are_refused() -> None:
    def short(requests: Sequence[Request], drawn: Sequence[Drawn]) -> list[dict[str, float]]:
        return [{}]

    def broken(requests: Sequence[Request], drawn: Sequence[Drawn]) -> list[dict[str, float]]:
        return [{"words": float("nan")} for _ in drawn]

    for ranker, says in ((short, "1 of 3"), (broken, "no score")):
        with pytest.raises(SettingsError, match=says):
            Generator(MODEL).draw(best_of=3, rankers=[ranker], constraint=Constraint(4, 2))


def test_parts_of_several_rankers_are_added_up_and_the_first_of_equals_is_kept() -> None:
    requests = [Request()] * 2
    parts = judge([longest, longest], requests, [Drawn("##", True), Drawn("#", True)])
    assert parts == [{"characters": 4.0}, {"characters": 2.0}]
    assert best(parts) == 0 == best([{}, {}]) and best([{"a": -1.0}, {"b": 0.0}]) == 1


# -- the likelihood ratio


def test_likelihoods_are_those_of_the_evaluation_and_of_the_product_of_the_steps() -> None:
    texts = [" /\\\n/__\\", "#", "o-o\n\n  |", "~" * 30]
    requests = [Request(Prompt("house" * (k % 2), 4, 2, "art")) for k in range(4)]
    found = log_likelihoods(MODEL, requests, texts)
    examples = [
        Example.encode(r.prompt, t, T, k)
        for k, (r, t) in enumerate(zip(requests, texts, strict=True))
    ]
    assert found == pytest.approx(-score(MODEL, [pack(examples, T)]).nats, rel=1e-5)
    for request, text, whole in zip(requests, texts, found, strict=True):
        ids = [*T.encode(text).tolist(), 0]
        steps = 0.0
        for place, wanted in enumerate(ids):
            so_far = Example(
                request.prompt, T.encode_prompt(request.prompt), T.encode(text)[:place]
            )
            with torch.no_grad():
                logits = MODEL(GridInput.from_batch(pack([so_far], T)))[0, len(so_far) - 1]
            steps += float(torch.log_softmax(logits.double(), -1)[wanted])
        assert whole == pytest.approx(steps, rel=1e-5)


def test_the_ratio_prefers_what_the_words_make_likelier_at_any_length() -> None:
    model = Wordy(CONFIG)
    drawn = [Drawn(t, True) for t in ("...", "###", "..#", "#" * 40, "." * 40)]
    parts = WordRatio(model)([Request(Prompt("wall"))] * 5, drawn)
    dots, walls, mixed, long_walls, long_dots = (part["words"] for part in parts)
    assert long_dots < dots < mixed < 0 < walls < long_walls
    assert walls == pytest.approx(-dots) and walls == pytest.approx(3 / 4**0.8)
    assert WordRatio(model, 2.0, 1.0)([Request(Prompt("wall"))], [Drawn("###", True)]) == [
        {"words": pytest.approx(2 * 3 / 4)}
    ]
    assert WordRatio(model)([Request()] * 5, drawn) == [{"words": 0.0}] * 5
    kept = Generator(model).draw(
        "wall", constraint=Constraint(8, 1), best_of=12, rankers=[WordRatio(model)]
    )[0]
    first = Generator(model).draw("wall", constraint=Constraint(8, 1))[0]
    assert kept.text.count("#") > first.text.count("#")


# -- lint


def test_lint_sorts_out_what_is_spoiled(corpus: Corpus) -> None:
    """Of real drawings and the same spoiled as models spoil them, the real ones are kept."""
    chosen = Selection(kinds=("art",), height=(5, 20), width=(8, 40), limit=60)
    texts = [unsigned(row["text"], Constraint(200, 200)) for row in corpus.select(chosen)]
    assert len(texts) > 20
    request = Request(Prompt(kind="art"))
    width = max(map(len, "\n".join(texts).split("\n")))

    def total(text: str, ended: bool = True) -> float:
        (parts,) = lint([request], [Drawn(text, ended)])
        assert all(-1 <= part <= 0 for part in parts.values())
        return sum(parts.values())

    def wall(text: str) -> str:
        return "\n".join(row.ljust(3 * width) + "|" for row in text.split("\n"))

    spoiled = {
        "wall": [total(wall(t)) for t in texts],
        "signed": [total(f"{t}  jgs") for t in texts],
        "cut": [total(t, ended=False) for t in texts],
    }
    real = np.array([total(t) for t in texts])
    for name, scores in spoiled.items():
        assert np.mean(real > scores) > 0.85, name
        assert np.mean(real >= scores) == 1, name
    assert np.mean(real > -0.5) > 0.6


def test_of_lettering_lint_says_only_whether_it_was_cut_off() -> None:
    request = Request(Prompt("hi", kind="banner"))
    assert lint([request], [Drawn("jgs", False)]) == [{"cut": -1.0}]
    assert lint([request], [Drawn("jgs", True)]) == [{"cut": 0.0}]


# -- the laws, also of a model that signs everything


@settings(max_examples=15)
@given(
    st.lists(
        st.tuples(st.integers(1, 14), st.integers(1, 6), st.booleans()), min_size=1, max_size=3
    ),
    st.sampled_from([None, 30]),
    st.sampled_from(["", " ", "`"]),
    st.integers(1, 3),
    st.booleans(),
    st.integers(0, 99),
)
def test_limits_hold_and_what_could_be_unsigned_is(
    sizes: list[tuple[int, int, bool]],
    chars: int | None,
    forbid: str,
    best_of: int,
    signature: bool,
    seed: int,
) -> None:
    generator = Generator(Signing(CONFIG))
    for width, height, exact in sizes:
        limits = Constraint(width, height, *(width, height) if exact else (1, 1), forbid=forbid)
        if chars is not None and limits.least_chars() <= chars:
            limits = Constraint(
                width, height, limits.min_width, limits.min_height, chars, None, forbid
            )
        drawings = generator.draw(
            "a boat", constraint=limits, seed=seed, count=2, best_of=best_of, signature=signature,
            rankers=[longest, lint], sampling=Sampling(1.0, 0, 1.0),
        )  # fmt: skip
        for drawing in drawings:
            assert limits.violations(drawing.text) == []
            assert canonicalize(drawing.text).text == drawing.text
            assert signature or unsigned(drawing.text, limits) == drawing.text


def test_the_signing_model_signs_when_asked_and_not_else() -> None:
    draw, limits = Generator(Signing(CONFIG)).draw, Constraint(12, 4)
    signed = draw(constraint=limits, count=8, signature=True)
    bare = draw(constraint=limits, count=8)
    assert sum("jgs" in d.text for d in signed) > 4
    assert all(not find_credits(d.text) for d in bare if d.text.replace("jgs", "").strip())
    asked = draw("jgs", constraint=limits, count=8)
    assert any("jgs" in d.text for d in asked)


def test_a_credit_goes_unless_a_limit_or_the_words_need_it() -> None:
    cat = " /\\_/\\\n( o.o )\n > ^ <  jgs"
    bare = " /\\_/\\\n( o.o )\n > ^ <"
    assert unsigned(cat, Constraint()) == bare
    assert unsigned(cat, Constraint.exact(11, 3)) == cat
    assert unsigned(cat, Constraint(min_height=3, min_width=7)) == bare
    assert unsigned(cat, Constraint(), "a cat, JGS") == cat
    assert unsigned("jgs", Constraint()) == "jgs"
    # Without its last row, the row above is the last, where two letters are initials.
    assert unsigned("###\n###  VK\n\n\n   jgs", Constraint()) == "###\n###"
    # A hole in the middle is a blank, which may be forbidden.
    assert unsigned("#:jgs:#", Constraint(forbid=" ")) == "#:jgs:#"
    assert unsigned("  jgs\n####", Constraint()) == "####"


@given(st.lists(st.text("#|/ jgsVK'9", max_size=12), min_size=1, max_size=5), st.data())
def test_without_its_credits_a_text_keeps_to_every_limit_that_it_kept_to(
    rows: list[str], data: st.DataObject
) -> None:
    text = canonicalize("\n".join(rows)).text
    if not text:
        return
    width, height = max(map(len, text.split("\n"))), text.count("\n") + 1
    limits = Constraint(
        width, height, data.draw(st.integers(1, width)), data.draw(st.integers(1, height))
    )
    out = unsigned(text, limits)
    assert limits.violations(out) == []
    assert unsigned(out, limits) == out and canonicalize(out).text == out
    assert len(out) <= len(text)
