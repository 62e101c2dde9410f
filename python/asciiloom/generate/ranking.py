"""Best of n: which candidate of a drawing to keep, and why.

Sampling decides cell by cell; whether the whole shows what was asked for can be told only afterwards. So
several candidates are drawn and judged whole. A ranker gives named parts of a score, what several rankers
give is added up, and the highest sum is kept. These come with this room: whether the model's word head sees in the
drawing what was asked for (``Named``), or how much likelier the words make it, for models without one
(``WordRatio``), and whether it has the form of a drawing at all (``lint``). Others are put in by whoever has them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from asciiloom.errors import SettingsError
from asciiloom.generate.engine import Drawn, Request
from asciiloom.model import GridInput, GridTransformer
from asciiloom.piece import Form, form
from asciiloom.tokens import IGNORE, Example, PackedBatch, Prompt, batches_by_length, pack

Parts = Mapping[str, float]
# Candidates of a drawing where a command is not told how many: of 24 drawings, 0.71 ended by themselves with
# one, and 0.92 with four.
BEST_OF = 4
MAX_BEST_OF = 1000
_TOKENS = 16_384
# The 95th (of the largest part, the 5th) percentile of 3,489 real drawings up to 40x20.
_BLANK, _RUN, _LARGEST, _LETTERS = 0.78, 0.94, 0.47, 0.30
# Drawn of things. Boxes, mazes and lettering are runs, parts and letters on purpose.
_PICTURES = frozenset([None, "art", "cow", "face", "scene", "tree"])


class Ranker(Protocol):
    """Judges candidates by what was asked for."""

    def __call__(self, requests: Sequence[Request], drawn: Sequence[Drawn]) -> Sequence[Parts]:
        """For each of ``drawn``, made for the request in the same place, named parts of its score: the higher
        the better. All are candidates of one drawing: their requests differ in random numbers only."""
        ...


@dataclass(frozen=True, slots=True)
class WordRatio:
    """log p(drawing | words) - log p(drawing | no words), in nats over characters to the power of ``length``.

    That is how much a drawing says its words (pointwise mutual information; Li et al. 2016 rank so), and not
    how likely, that is how plain, it is. The sum over its characters would favour long drawings, where
    chance has most room, and the mean short ones. Were characters independent, what is due to chance would
    grow with the root of their number; a model errs alike all over a drawing, and the spread under wrong
    words was found to grow with the power of 0.8, so that is what is divided by.
    """

    model: GridTransformer
    weight: float = 1.0
    length: float = 0.8

    def __call__(self, requests: Sequence[Request], drawn: Sequence[Drawn]) -> list[Parts]:
        texts = [d.text for d in drawn]
        if not any(request.prompt.words for request in requests):
            return [{"words": 0.0} for _ in texts]
        wordless = [replace(r, prompt=replace(r.prompt, words="")) for r in requests]
        both = log_likelihoods(self.model, [*requests, *wordless], [*texts, *texts])
        told, untold = both[: len(texts)], both[len(texts) :]
        # The end is drawn, too.
        scale = np.array([len(text) + 1 for text in texts]) ** self.length
        return [{"words": float(ratio)} for ratio in self.weight * (told - untold) / scale]


@dataclass(frozen=True, slots=True)
class Named:
    """log p(words | drawing) in nats, among the words asked for and ``others``, times ``weight``.

    By Bayes' rule that is what makes p(drawing | words) of p(drawing), from which candidates are drawn. With the
    default weight four nats count as much as the worst fault of form. ``SettingsError`` for a model without a word head.
    """

    model: GridTransformer
    others: Sequence[str]
    weight: float = 0.25

    @torch.inference_mode()
    def __call__(self, requests: Sequence[Request], drawn: Sequence[Drawn]) -> list[Parts]:
        head = self.model.word_head
        if head is None:
            raise SettingsError("this model names no drawings: rank them by WordRatio")
        others = self._say(Prompt(words) for words in self.others)
        asked = self._say(request.prompt for request in requests)
        # Of words that the model never saw nothing can be told.
        others = others[others.any(1)]
        if not bool(asked.any()):
            return [{"words": 0.0} for _ in drawn]
        batch = _packed(self.model, requests, [one.text for one in drawn])
        given = GridInput.from_batch(batch, asked.device)
        targets = torch.from_numpy(batch.targets).to(asked.device)
        shown = torch.empty_like(asked)
        shown[batch.pieces] = head.shows(given.ids, given.above, targets, given.size)
        own = (shown * asked).sum(1, keepdim=True)
        named = torch.cat((own, shown @ others.T), 1).log_softmax(1)[:, 0]
        return [{"words": self.weight * nats} for nats in named.tolist()]

    def _say(self, prompts: Iterable[Prompt]) -> Tensor:
        """The words of each prompt, (prompts, dimensions)."""
        table = self.model.topic_embed.weight
        topics = [self.model.config.tokenizer.topics(prompt) for prompt in prompts]
        if not topics:
            return table[:0]
        return self.model.say(torch.from_numpy(np.stack(topics).astype(np.int64)).to(table.device))


def _packed(
    model: GridTransformer, requests: Sequence[Request], texts: Sequence[str]
) -> PackedBatch:
    """One batch of ``texts`` as drawn for ``requests``; ``pieces`` are their places."""
    tokenizer = model.config.tokenizer
    examples = [
        Example.encode(request.prompt, text, tokenizer, place)
        for place, (request, text) in enumerate(zip(requests, texts, strict=True))
    ]
    return pack(examples, tokenizer, model.config.neighbours)


@torch.inference_mode()
def log_likelihoods(
    model: GridTransformer, requests: Sequence[Request], texts: Sequence[str]
) -> NDArray[np.float64]:
    """log p(text and its end | prompt) in nats, float64 (texts,): exact, in one pass with all characters given.

    The texts are of the model's charset, as its own drawings are.
    """
    tokenizer, offsets = model.config.tokenizer, model.config.neighbours
    device = next(model.parameters()).device
    examples = [
        Example.encode(request.prompt, text, tokenizer, place)
        for place, (request, text) in enumerate(zip(requests, texts, strict=True))
    ]
    lengths = np.array([len(example) for example in examples], np.int64)
    out = np.zeros(len(examples))
    for group in batches_by_length(lengths, _TOKENS):
        batch = pack([examples[place] for place in group], tokenizer, offsets)
        logits = model(GridInput.from_batch(batch, device))
        nats = F.cross_entropy(
            logits.double().flatten(0, 1),
            torch.from_numpy(batch.targets).to(device).flatten(),
            ignore_index=IGNORE,
            reduction="none",
        )
        out[batch.pieces] = -nats.view(batch.targets.shape).sum(1).cpu().numpy()
    return out


def lint(requests: Sequence[Request], drawn: Sequence[Drawn]) -> list[Parts]:
    """What is wrong with the form of a drawing of something; of other kinds, only that a limit cut it off.

    Each part is 0 where it is as in 19 of 20 real drawings, and -1 at its worst. So lint sorts out what is no
    drawing, and of the rest the words decide.
    """
    out: list[Parts] = []
    for request, one in zip(requests, drawn, strict=True):
        faults = _faults(form(one.text)) if request.prompt.kind in _PICTURES else {}
        out.append({**faults, "cut": 0.0 if one.ended else -1.0})
    return out


def _faults(seen: Form) -> dict[str, float]:
    def above(value: float, usual: float) -> float:
        return min(0.0, (usual - value) / (1 - usual))

    return {
        "blank": above(seen.blank, _BLANK),
        "run": above(seen.run, _RUN),
        "crumbs": above(1 - seen.largest, 1 - _LARGEST),
        "letters": above(seen.letters, _LETTERS),
        "initials": -1.0 if seen.initials else 0.0,
        "open": 0.0 if seen.closed else -1.0,
    }


def judge(
    rankers: Sequence[Ranker], requests: Sequence[Request], drawn: Sequence[Drawn]
) -> list[dict[str, float]]:
    """The parts of each candidate's score, of all ``rankers``; their sum is the score.

    ``SettingsError`` where a ranker leaves a candidate out or gives what is no number.
    """
    out: list[dict[str, float]] = [{} for _ in drawn]
    for ranker in rankers:
        given = ranker(requests, drawn)
        if len(given) != len(drawn):
            raise SettingsError(f"a ranker judged {len(given)} of {len(drawn)} candidates")
        for parts, more in zip(out, given, strict=True):
            for name, value in more.items():
                if not np.isfinite(value):
                    raise SettingsError(f"a ranker gave {value} for {name!r}, which is no score")
                parts[name] = parts.get(name, 0.0) + float(value)
    return out


def best(scores: Sequence[Mapping[str, float]]) -> int:
    """The place of the highest sum; the first of equals."""
    totals = [sum(parts.values()) for parts in scores]
    return totals.index(max(totals))
