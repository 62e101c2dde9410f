"""Hard constraints, sampling, the cached batch engine; the best of several, and examples to draw after."""

from asciiloom.generate.constraint import Constraint
from asciiloom.generate.engine import Engine, Request
from asciiloom.generate.exemplars import NEAR, Credit, Exemplar, exemplar, exemplars
from asciiloom.generate.generator import Drawing, Generator
from asciiloom.generate.ranking import BEST_OF, Named, Ranker, WordRatio, lint
from asciiloom.generate.sampling import Sampling

__all__ = [
    "BEST_OF",
    "NEAR",
    "Constraint",
    "Credit",
    "Drawing",
    "Engine",
    "Exemplar",
    "Generator",
    "Named",
    "Ranker",
    "Request",
    "Sampling",
    "WordRatio",
    "exemplar",
    "exemplars",
    "lint",
]
