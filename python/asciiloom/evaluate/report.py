"""One evaluation: the model's figures on a split, by kind and source, beside the baselines."""

from collections.abc import Callable
from typing import Any

import numpy as np

from asciiloom.corpus import Corpus
from asciiloom.errors import AsciiloomError
from asciiloom.evaluate.baselines import (
    GRID,
    OFFSETS,
    ORDER_3,
    contexts,
    counting_bits,
    packer_bits,
)
from asciiloom.evaluate.likelihood import Scores, score
from asciiloom.evaluate.subject_classifier import Judges
from asciiloom.evaluate.words import SUBJECTS, WordTest, word_test
from asciiloom.model import GridTransformer
from asciiloom.store import Selection
from asciiloom.store.chosen import chosen_ids
from asciiloom.tokens import CorpusLoader

EVAL_TOKENS = 16384
# Groups smaller than this say nothing.
MIN_GROUP = 10
# Drawings that the word test asks about, each under every subject.
WORD_PIECES = 100

Progress = Callable[[str, int, int], None]


def _loader(
    corpus: Corpus, selection: Selection, model: GridTransformer, offsets: Any = None
) -> CorpusLoader:
    return CorpusLoader(
        corpus,
        selection,
        model.config.tokenizer,
        tokens=EVAL_TOKENS,
        context=model.config.context,
        offsets=model.config.neighbours if offsets is None else offsets,
    )


def evaluate(
    corpus: Corpus,
    selection: Selection,
    model: GridTransformer,
    *,
    baselines: bool = False,
    precision: str = "fp32",
    limit: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Figures of ``model`` on ``selection`` (its ``split`` says which; "validation" if it names none).

    The headline is unprompted: the model is told nothing about a piece, as the compressors are
    not. ``prompted`` repeats it with size, kind and words given; ``words`` asks whether the model tells
    from a drawing which of some subjects it shows.
    """
    if selection.split is None:
        selection = selection.replace(split="validation")
    loader = _loader(corpus, selection, model)
    total = min(len(loader), limit or len(loader))
    sets: dict[str, Scores] = {}
    for name, prompted in (("unprompted", False), ("prompted", True)):
        done = 0

        def tick(pieces: int, name: str = name) -> None:
            nonlocal done
            done += pieces
            if progress:
                progress(name, done, total)

        sets[name] = score(
            model, loader.epoch(prompted=prompted, limit=limit), precision=precision, progress=tick
        )
    # A prompt takes room: a piece that fits into the context only without one must not count on one side alone.
    both = np.intersect1d(sets["unprompted"].pieces, sets["prompted"].pieces)
    sets = {name: scores.where(np.isin(scores.pieces, both)) for name, scores in sets.items()}
    plain = sets["unprompted"]
    report: dict[str, Any] = {
        "split": selection.split,
        "selection": loader.selection.to_dict(),
        "left_out": total - len(both),  # longer than the context with their prompt
        **plain.to_dict(),
        "prompted": sets["prompted"].to_dict(),
        "by_kind": _groups(corpus, plain, "piece.kind"),
        "by_source": _groups(
            corpus, plain, "(SELECT name FROM source WHERE source.id = piece.source_id)"
        ),
    }
    report["words"] = _words(corpus, loader.selection, model, limit, precision, progress)
    if baselines:
        report["baselines"] = _baselines(corpus, selection, model, plain, limit, progress)
    return report


def _words(
    corpus: Corpus,
    selection: Selection,
    model: GridTransformer,
    limit: int | None,
    precision: str,
    progress: Progress | None,
) -> dict[str, float | int]:
    total = min(WORD_PIECES, limit or WORD_PIECES)
    done = 0

    def tick(scored: int) -> None:
        nonlocal done
        done += scored
        if progress:
            progress("words", done, total * len(SUBJECTS))

    tested = word_test(corpus, selection, model, limit=total, precision=precision, progress=tick)
    return tested.to_dict() | _judged(corpus, selection, tested)


def _judged(corpus: Corpus, selection: Selection, tested: WordTest) -> dict[str, float]:
    """What a classifier that sees only the finished piece, and its control, get right of the same pieces.

    Nothing where there are no pieces, or none to learn from.
    """
    if not len(tested.pieces):
        return {}
    try:
        judges = Judges.learn(corpus, selection, tested.subjects)
    except AsciiloomError:
        return {}
    with chosen_ids(corpus.connection, tested.pieces) as table:
        text_of = dict(
            corpus.connection.execute(f"SELECT piece.id, text FROM {table} JOIN piece USING (id)")
        )
    texts = [text_of[number] for number in tested.pieces.tolist()]
    ranks, control = judges.ranks(texts, tested.right)
    return {
        "classifier_first": float((ranks == 0).mean()),
        "classifier_in_three": float((ranks < 3).mean()),
        "control_first": float((control == 0).mean()),
    }


def _groups(corpus: Corpus, scores: Scores, expression: str) -> dict[str, dict[str, float | int]]:
    """Figures per value of an SQL expression over ``piece``."""
    value_of = dict(corpus.connection.execute(f"SELECT id, {expression} FROM piece"))
    values = np.array([value_of[int(n)] for n in scores.pieces])
    out = {}
    for value in sorted(set(values.tolist())):
        chosen = values == value
        if chosen.sum() >= MIN_GROUP:
            out[str(value)] = scores.where(chosen).to_dict()
    return out


def _baselines(
    corpus: Corpus,
    selection: Selection,
    model: GridTransformer,
    scores: Scores,
    limit: int | None,
    progress: Progress | None,
) -> dict[str, dict[str, float] | None]:
    """Bits per character (and per ink character) of each baseline on the pieces in ``scores``."""
    tokenizer = model.config.tokenizer
    training = _loader(corpus, selection.replace(split="train"), model, OFFSETS)
    held_out = _loader(corpus, selection, model, OFFSETS)

    def step(name: str, number: int) -> None:
        if progress:
            progress(f"baseline {name}", number, 4)

    step("counts", 0)
    seen, asked = contexts(training.epoch()), contexts(held_out.epoch(limit=limit))
    bits: dict[str, float | None] = {}
    for number, (name, columns) in enumerate((("order-3 counts", ORDER_3), ("2D counts", GRID)), 1):
        step(name, number)
        bits[name] = counting_bits(seen, asked, columns, tokenizer)
    step("packers", 3)
    bits |= packer_bits(_text(training, None), _text(held_out, limit))
    step("done", 4)
    characters, ink = int(scores.characters.sum()), int(scores.ink.sum())
    return {
        name: None
        if total is None
        else {"bits_per_character": total / characters, "bits_per_ink": total / ink}
        for name, total in bits.items()
    }


def _text(loader: CorpusLoader, limit: int | None) -> bytes:
    """The pieces that a loader reads, as one text, each closed by a NUL row (what an end token says)."""
    return b"".join(text.encode() + b"\0" for text in loader.texts(limit=limit))
