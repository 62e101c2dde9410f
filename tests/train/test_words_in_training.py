"""When a run finds out what words mean: once, at its first evaluation, and again where it is resumed."""

import dataclasses
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from asciiloom.corpus import Corpus
from asciiloom.model import GridTransformer, ModelConfig
from asciiloom.train import RunSettings, Settings, Trainer
from asciiloom.train.settings import WordSettings

MODEL = ModelConfig(d_model=32, layers=1, heads=1, head=32, pair_dimensions=4)
OF_WORDS = {
    "topic_embed.weight",
    "word_head.grams.weight",
}
# Words are learned at step 4; checkpoints are written at 3, 4, 6, 8, 9 and 10.
RUN = RunSettings(
    steps=10,
    tokens=1024,
    log_every=1,
    eval_every=4,
    eval_pieces=20,
    save_every=3,
    keep=100,
    threads=1,
    precision="fp32",
    samples=(),
)
SETTINGS = Settings(model=MODEL, run=RUN, words=WordSettings(drawings=60, least=2))


def _checkpoints(run: Path) -> dict[str, dict[str, torch.Tensor]]:
    return {folder.name: load_file(folder / "model.safetensors") for folder in run.glob("step-*")}


@pytest.fixture(scope="module")
def whole(corpus_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("words") / "whole"
    with Corpus(corpus_file) as corpus:
        Trainer(corpus, SETTINGS, run).train()
    return run


class StopError(Exception):
    pass


@pytest.mark.parametrize(
    ("kind", "step"),
    [("log", 6), ("checkpoint", 4), ("eval", 8)],
)
def test_a_run_broken_off_about_an_evaluation_ends_as_the_unbroken_one(
    corpus_file: Path, whole: Path, tmp_path: Path, kind: str, step: int
) -> None:
    def stop(event: object) -> None:
        if (getattr(event, "kind", ""), getattr(event, "step", 0)) == (kind, step):
            raise StopError

    with Corpus(corpus_file) as corpus, pytest.raises(StopError):
        Trainer(corpus, SETTINGS, tmp_path, stop).train()
    torch.manual_seed(999)
    with Corpus(corpus_file) as corpus:
        Trainer(corpus, SETTINGS, tmp_path).train()
    expected, found = _checkpoints(whole), _checkpoints(tmp_path)
    assert expected.keys() == found.keys() and len(found) == 6
    for name, weights in expected.items():
        assert weights.keys() == found[name].keys()
        differ = [n for n, value in weights.items() if not torch.equal(value, found[name][n])]
        assert not differ, name


def test_words_are_learned_at_the_first_evaluation_and_only_there(whole: Path) -> None:
    steps = {int(name[5:]): weights for name, weights in _checkpoints(whole).items()}
    for before, after, learned in (
        (3, 4, True),
        (4, 6, False),
        (6, 8, False),
        (8, 9, False),
        (9, 10, False),
    ):
        changed = {n for n in steps[3] if not torch.equal(steps[before][n], steps[after][n])}
        assert changed & OF_WORDS == (OF_WORDS if learned else set()), (before, after)
        assert "blocks.0.qkv.weight" in changed
    # Before the first, as a fresh network's: nothing is said.
    assert not bool(steps[3]["topic_embed.weight"].any())
    assert bool(steps[4]["topic_embed.weight"].any())


def test_learning_words_changes_nothing_else(corpus: Corpus, whole: Path, tmp_path: Path) -> None:
    settings = dataclasses.replace(SETTINGS, words=WordSettings(drawings=0))
    trainer = Trainer(corpus, settings, tmp_path)
    begun = {name: trainer.model.state_dict()[name].clone() for name in OF_WORDS}
    assert isinstance(trainer.model, GridTransformer)
    trainer.train()
    with_words, without = (
        _checkpoints(whole)["step-0000010"],
        _checkpoints(tmp_path)["step-0000010"],
    )
    for name, value in without.items():
        if name in OF_WORDS:
            assert torch.equal(value, begun[name]), name
        else:
            assert torch.equal(value, with_words[name]), name
