"""Hard constraints, sampling, the cached batch engine."""

from asciiloom.generate.constraint import Constraint
from asciiloom.generate.engine import Engine, Request
from asciiloom.generate.generator import Drawing, Generator
from asciiloom.generate.sampling import Sampling

__all__ = ["Constraint", "Drawing", "Engine", "Generator", "Request", "Sampling"]
