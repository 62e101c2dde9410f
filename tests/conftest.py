"""Shared fixtures: small real corpora and models, made once per session."""

import importlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import which
from typing import Any, NoReturn

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, settings

from asciiloom import synth
from asciiloom.cli import main
from asciiloom.corpus import Corpus
from asciiloom.resources import resource_dir

# A shell starts commands in the background with interrupts ignored, and what they start inherits it: some
# tests send interrupts, to themselves and to others.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile(
    "suite", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")

SHARED = Path(__file__).resolve().parents[2] / "shared"


# Set to 1 where everything that tests use is installed, so that none of them may be left out.
REQUIRE_TOOLS = "ASCIILOOM_REQUIRE_TOOLS"


def missing(what: str) -> NoReturn:
    """A test's program or library is not here: the test is left out, or fails where all are required."""
    if os.environ.get(REQUIRE_TOOLS) == "1":
        pytest.fail(
            f"{what} is not installed here, and {REQUIRE_TOOLS}=1 requires it", pytrace=False
        )
    pytest.skip(f"{what} is not installed here")


@pytest.fixture(scope="session")
def program() -> Callable[..., str]:
    """``program("gcc")`` is the path of that program (or of the first of several names), wherever it
    lies; the test is left out where there is none."""

    def find(*names: str) -> str:
        found = (which(name) or which(name, path="/usr/games:/usr/bin") for name in names)
        return next(filter(None, found), None) or missing(names[0])

    return find


@pytest.fixture(scope="session")
def library() -> Callable[[str], Any]:
    """``library("py7zr")`` is that module; the test is left out where it is not installed."""

    def load(name: str) -> Any:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name.partition(".")[0]:
                raise
            missing(name)

    return load


@pytest.fixture(scope="session")
def real_files() -> list[Path]:
    """The real collections, where this checkout has them beside it."""
    files = sorted((SHARED / "corpus").glob("*.jsonl.gz"))
    if not files:
        pytest.skip(f"the real collections are not at {SHARED / 'corpus'}")
    return files


@pytest.fixture(scope="session")
def corpus_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of the default data and 600 synthetic pieces, deduplicated and split. Read only."""
    path = tmp_path_factory.mktemp("corpus") / "small.db"
    with Corpus(path, create=True) as corpus:
        corpus.ingest(sorted(resource_dir("data").glob("*.pieces")))
        corpus.add(synth.generate(600, seed=7), "synth")
        corpus.dedup()
    return path


@pytest.fixture
def corpus(corpus_file: Path) -> Iterator[Corpus]:
    with Corpus(corpus_file) as opened:
        yield opened


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory, corpus_file: Path) -> Path:
    """A finished training run of a few steps."""
    import torch

    from asciiloom.model import PRESETS
    from asciiloom.train import RunSettings, Settings, Trainer

    torch.set_num_threads(2)
    folder = tmp_path_factory.mktemp("run")
    run = RunSettings(
        steps=8,
        tokens=2048,
        log_every=2,
        eval_every=4,
        save_every=4,
        eval_pieces=20,
        threads=2,
        samples=("cat",),
    )
    with Corpus(corpus_file) as corpus:
        Trainer(corpus, Settings(model=PRESETS["nano"], run=run), folder).train()
    return folder


class Cli:
    """The real command line in this process: ``cli("search", db, "cat")``."""

    def __call__(self, *args: object, exits: int = 0, given: str | None = None) -> Result:
        result = CliRunner().invoke(main, [str(a) for a in args], input=given)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == exits, result.output
        return result


@pytest.fixture
def cli() -> Cli:
    os.environ.setdefault("COLUMNS", "100")
    return Cli()
