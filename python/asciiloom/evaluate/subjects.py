"""Subjects: what drawings are asked for and pieces are sorted by, and the real pieces that show one."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from asciiloom.corpus import Corpus
from asciiloom.errors import AsciiloomError
from asciiloom.evaluate.words import SUBJECTS, subject_of
from asciiloom.piece import LETTERING
from asciiloom.store import Selection

# The word test's, and as many again of which the collections hold a dozen pieces or more.
COMMON = (
    *SUBJECTS,
    *(
        "cow bear pig penguin frog turtle mouse lion owl duck spider apple moon angel ghost snowman"
        " train candle computer sword"
    ).split(),
)
MAX_SUBJECTS = 1000
MAX_WORD = 40


@dataclass(frozen=True, slots=True)
class Shown:
    """A real piece that shows one of some subjects: its id, the subject's place, text, size in cells, kind."""

    id: int
    subject: int
    text: str
    width: int
    height: int
    kind: str


def read_subjects(path: Path) -> tuple[str, ...]:
    """One subject a line, in lower case; empty lines and lines that begin with # are left out."""
    try:
        lines = path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise AsciiloomError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    words = [" ".join(line.lower().split()) for line in lines]
    subjects = tuple(dict.fromkeys(w for w in words if w and not w.startswith("#")))
    if not 2 <= len(subjects) <= MAX_SUBJECTS:
        raise AsciiloomError(
            f"{path} names {len(subjects):,} subjects; from 2 to {MAX_SUBJECTS:,} can be told apart, one a line"
        )
    for word in subjects:
        if len(word) > MAX_WORD or not word.isascii() or not word.isalpha():
            raise AsciiloomError(
                f"{path}: {word[:MAX_WORD]!r} is no single word of letters a to z; write one a line, such as: cat"
            )
    return subjects


def shown(
    corpus: Corpus, selection: Selection, subjects: Sequence[str], limit: int | None = None
) -> Iterator[Shown]:
    """Pieces of ``selection`` that name just one of ``subjects`` and are no lettering, in id order."""
    statement, params = selection.replace(order="id").sql(
        "piece.id, piece.title, piece.tags, piece.text, piece.width, piece.height, piece.kind"
    )
    found = 0
    rows = corpus.connection.execute(statement, params)
    for number, title, tags, text, width, height, kind in rows:
        subject = subject_of(title, json.loads(tags), subjects)
        # Lettering spells its words: whoever can read would be right.
        if subject is None or kind in LETTERING:
            continue
        yield Shown(number, subject, text, width, height, kind)
        found += 1
        if found == limit:
            return
