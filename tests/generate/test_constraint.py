"""The two laws: what comes out satisfies the limits, and there is always a way on and a way out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asciiloom.errors import ConstraintError, SettingsError
from asciiloom.generate import Constraint, Sampling
from asciiloom.generate.canvas import Canvas
from asciiloom.generate.sampling import guide, sample
from asciiloom.piece import canonicalize
from asciiloom.tokens import EOS, NEWLINE, GridTokenizer

TOKENIZER = GridTokenizer()
SPACE = int(TOKENIZER.encode(" ")[0])
MOST = 400


@st.composite
def constraints(draw: st.DrawFn) -> Constraint:
    width, height = draw(st.integers(1, 24)), draw(st.integers(1, 12))
    least_width, least_height = draw(st.integers(1, width)), draw(st.integers(1, height))
    made = Constraint(width, height, least_width, least_height)
    chars = draw(st.one_of(st.none(), st.integers(made.least_chars(), MOST)))
    forbid = draw(st.sampled_from(["", "`", "ab ", "".join(map(chr, range(33, 120)))]))
    allow = draw(st.sampled_from([None, "#", "# ", "/\\|_ -"]))
    made = Constraint(width, height, least_width, least_height, chars, allow, forbid)
    if allow is not None and not set(allow) - {" "} - set(forbid):
        made = Constraint(width, height, least_width, least_height, chars)
    return made


def _play(wanted: list[Constraint], logits: np.ndarray, seed: int) -> list[str]:  # type: ignore[type-arg]
    """Draw with constant ``logits`` (outputs,) and random numbers until all have ended."""
    canvas = Canvas(wanted, TOKENIZER, MOST)
    rng = np.random.default_rng(seed)
    drawn: list[list[int]] = [[] for _ in wanted]
    for _ in range(MOST + 2):
        mask = canvas.mask()
        alive = np.flatnonzero(~canvas.done)
        assert mask[alive].any(axis=1).all(), "a dead end"
        ids = sample(
            np.tile(logits, (len(wanted), 1)),
            mask | canvas.done[:, None],
            Sampling(1.0, 0, 1.0),
            rng.random(len(wanted)),
            canvas.structure,
        )
        for lane in alive.tolist():
            assert mask[lane, ids[lane]]
            if ids[lane] != EOS:
                drawn[lane].append(int(ids[lane]))
        canvas.step(ids)
        if canvas.done.all():
            break
    assert canvas.done.all(), "no end"
    return [TOKENIZER.decode(d) for d in drawn]


def _logits(kind: str) -> np.ndarray:  # type: ignore[type-arg]
    out = np.zeros(TOKENIZER.outputs)
    loves = {"spaces": SPACE, "lines": NEWLINE, "end": EOS, "ink": int(TOKENIZER.encode("#")[0])}
    if kind in loves:
        out[loves[kind]] = 12.0
    elif kind == "never ends":
        out[EOS] = -1e9
    elif kind == "broken":
        out[::3], out[1::3], out[2::3] = np.nan, np.inf, -np.inf
    return out


@given(
    st.lists(constraints(), min_size=1, max_size=6),
    st.sampled_from(["flat", "spaces", "lines", "end", "ink", "never ends", "broken"]),
    st.integers(0, 1000),
)
def test_laws(wanted: list[Constraint], kind: str, seed: int) -> None:
    for constraint, text in zip(wanted, _play(wanted, _logits(kind), seed), strict=True):
        assert canonicalize(text).text == text, "canonical as drawn"
        assert constraint.violations(text) == []


def test_least_chars_is_reachable_and_least() -> None:
    """Brute force over all small texts: nothing shorter satisfies the size."""
    from itertools import product

    for width, height in product(range(1, 4), range(1, 4)):
        exact = Constraint.exact(width, height)
        found = None
        for length in range(1, 8):
            texts = ("".join(t) for t in product("#\n ", repeat=length))
            if any(canonicalize(t).text == t and not exact.violations(t) for t in texts):
                found = length
                break
        assert found == exact.least_chars(), (width, height)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (Constraint(max_width=0), "no cell"),
        (Constraint(max_width=3, min_width=4), "contradict"),
        (Constraint.exact(40, 12, max_chars=30), "at least"),
        (Constraint(allow=" "), "no glyph"),
        (Constraint(allow="ab", forbid="ba"), "no glyph"),
        (Constraint(max_width=2.5), "max_width must be a whole number"),  # type: ignore[arg-type]
        (Constraint(min_height=True), "min_height"),
        (Constraint(max_chars="9"), "max_chars"),  # type: ignore[arg-type]
        (Constraint(forbid=None), "forbid must be text"),  # type: ignore[arg-type]
    ],
)
def test_contradictions_are_refused_with_the_reason(wrong: Constraint, says: str) -> None:
    with pytest.raises(ConstraintError, match=says):
        wrong.check()
    with pytest.raises(ConstraintError, match=says):
        Canvas([wrong], TOKENIZER, MOST)


def test_what_the_model_cannot_draw_is_refused() -> None:
    with pytest.raises(ConstraintError, match="at most 400"):
        Canvas([Constraint.exact(300, 300)], TOKENIZER, MOST)
    with pytest.raises(ConstraintError, match="at most 400"):
        Canvas([Constraint.exact(10**30, 1)], TOKENIZER, MOST)
    with pytest.raises(ConstraintError, match="charset"):
        Canvas([Constraint(allow="█")], TOKENIZER, MOST)


def test_violations_name_what_is_broken() -> None:
    limits = Constraint(4, 2, 2, 2, 8, allow="ab ", forbid="b")
    assert limits.violations("aa\naa") == []
    assert limits.violations("aaaaaaa") == ["width", "height"]
    assert limits.violations("ab\ncc") == ["allow", "forbid"]
    assert limits.violations("aaaa\naaaa") == ["chars"]
    assert "empty" in limits.violations("")


NO_STRUCTURE = np.zeros(4, bool)


def _shares(share: list[float], how: Sampling, structure: list[int] | None = None) -> list[float]:
    """How often each id comes out of ``sample`` over evenly spread random numbers."""
    marked = np.isin(np.arange(len(share)), structure or [])
    logits = np.log(np.tile(share, (4000, 1)))
    ids = sample(logits, np.ones_like(logits, bool), how, np.arange(4000) / 4000, marked)
    return [round(float((ids == n).mean()), 3) for n in range(len(share))]


def test_sampling_stays_inside_the_cuts() -> None:
    share = [0.5, 0.3, 0.15, 0.05]
    assert _shares(share, Sampling(1.0, 0, 1.0)) == pytest.approx(share, abs=0.002)
    assert _shares(share, Sampling(1.0, 2, 1.0)) == pytest.approx([5 / 8, 3 / 8, 0, 0], abs=0.002)
    assert _shares(share, Sampling(1.0, 0, 0.75)) == pytest.approx([5 / 8, 3 / 8, 0, 0], abs=0.002)
    assert _shares(share, Sampling(1.0, 0, 1.0, 0.4)) == pytest.approx(
        [5 / 8, 3 / 8, 0, 0], abs=0.002
    )
    assert _shares(share, Sampling(0.0)) == [1, 0, 0, 0]
    legal = np.array([[False, True, True, True]])
    assert sample(np.log([share]), legal, Sampling(0.0), np.array([0.0]), NO_STRUCTURE) == [1]
    for u in (0.0, 0.5, 1 - 2**-53):
        assert sample(np.log([share]), legal, Sampling(), np.array([u]), NO_STRUCTURE)[0] != 0


def test_structure_keeps_its_share_however_ink_is_cut() -> None:
    """A blank at 0.96 must still give way to ink in 4 of 100 steps: a cut of all would never end the run."""
    share = [0.005, 0.005, 0.95, 0.02, 0.015, 0.005]
    for how in (Sampling(), Sampling(0.2, 1, 0.5), Sampling(1.0, 0, 1.0, 0.9)):
        out = _shares(share, how, [0, 1, 2])
        assert out[:3] == pytest.approx(share[:3], abs=0.002)
        assert sum(out[3:]) == pytest.approx(0.04, abs=0.002)
    assert _shares(share, Sampling(1.0, 1, 1.0), [0, 1, 2])[3:] == pytest.approx(
        [0.04, 0, 0], abs=0.002
    )


def test_structure_has_a_temperature_of_its_own() -> None:
    share, how = [0.6, 0.2, 0.15, 0.05], Sampling(1.0, 0, 1.0, structure=0.5)
    # End and ink as a whole are squared; ink among itself stays 3 to 1.
    total = 0.6**2 + 0.2**2 + 0.2**2
    expected = [0.36 / total, 0.04 / total, 0.03 / total, 0.01 / total]
    assert _shares(share, how, [0, 1]) == pytest.approx(expected, abs=0.002)
    with pytest.raises(SettingsError):
        Sampling(structure=0.0)


def test_where_no_ink_is_legal_structure_is_drawn_and_the_other_way_round() -> None:
    logits, structure = np.zeros((1, 4)), np.array([True, True, False, False])
    for legal in ([True, False, False, False], [False, False, False, True]):
        mask = np.array([legal])
        for u in (0.0, 0.7, 1 - 2**-53):
            assert mask[0, sample(logits, mask, Sampling(), np.array([u]), structure)[0]]


def test_guidance_takes_what_words_change_several_times() -> None:
    told, untold = np.log([[0.6, 0.4]]), np.log([[0.5, 0.5]])
    assert guide(told, untold, 1.0) == pytest.approx(told)
    assert guide(told, untold, 0.0) == pytest.approx(untold)
    ratio = guide(told, untold, 3.0)[0]
    assert ratio[0] - ratio[1] == pytest.approx(3 * np.log(0.6 / 0.4))
    wild = guide(np.array([[np.nan, np.inf]]), np.array([[-np.inf, 1.0]]), 4.0)
    assert np.isfinite(wild).all()


@pytest.mark.parametrize("wrong", [(-1.0, 0, 1.0), (1.0, -1, 1.0), (1.0, 0, 0.0), (1.0, 0, 1.5)])
def test_impossible_sampling_is_refused(wrong: tuple[float, int, float]) -> None:
    with pytest.raises(SettingsError):
        Sampling(*wrong)
