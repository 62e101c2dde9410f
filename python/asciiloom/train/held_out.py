"""The pieces that ``best`` is keyed on: one fixed set, scored the same way every time."""

import math
from hashlib import blake2b
from typing import Any

from asciiloom.corpus import Corpus
from asciiloom.evaluate import score
from asciiloom.model import GridTransformer
from asciiloom.tokens import CorpusLoader
from asciiloom.train.settings import Settings


class HeldOut:
    """``eval_pieces`` pieces of ``eval_split`` (and ``eval_sources``) that are otherwise like the training pieces.

    ``digest`` names them: figures of two sets are never compared. ``left_out`` of them are longer than the context.
    """

    def __init__(self, corpus: Corpus, settings: Settings) -> None:
        self._run, model = settings.run, settings.model
        selection = settings.selection.replace(split=self._run.eval_split)
        if self._run.eval_sources:
            selection = selection.replace(sources=self._run.eval_sources)
        self._loader = CorpusLoader(
            corpus,
            selection,
            model.tokenizer,
            tokens=self._run.tokens,
            context=model.context,
            offsets=model.neighbours,
        )
        self.size = min(self._run.eval_pieces, len(self._loader))
        digest = blake2b(digest_size=16)
        for text in self._loader.texts(limit=self.size):
            digest.update(text.encode() + b"\0")
        self.digest = digest.hexdigest()

    def figures(self, model: GridTransformer, precision: str) -> dict[str, Any]:
        """What ``model`` scores on the set, told nothing; None for a figure that is no number."""
        scores = score(model, self._loader.epoch(limit=self.size), precision=precision)
        figures = {
            "held_out_bits": scores.bits_per_character,
            "standard_error": scores.standard_error,
            "held_out_bits_per_ink": scores.bits_per_ink,
        }
        return {
            **{name: v if math.isfinite(v) else None for name, v in figures.items()},
            "pieces": len(scores.pieces),
            "left_out": self.size - len(scores.pieces),
            "split": self._run.eval_split,
            "sources": list(self._run.eval_sources),
        }
