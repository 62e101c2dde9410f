"""What a drawing must satisfy. Hard: by masking, never by hoping or retrying."""

from dataclasses import dataclass
from numbers import Integral

from asciiloom.errors import ConstraintError
from asciiloom.piece import Measures, measure

# A request without limits still ends: a terminal page.
DEFAULT_WIDTH = 80
DEFAULT_HEIGHT = 40


@dataclass(frozen=True, slots=True)
class Constraint:
    """Limits on one drawing, in cells, rows and characters (newlines count).

    The drawing is in canonical form: its first and last row, its first column and the end of
    every row show ink. ``allow``: the only glyphs to be used (space is one of them);
    ``forbid``: glyphs not to be used.
    """

    max_width: int = DEFAULT_WIDTH
    max_height: int = DEFAULT_HEIGHT
    min_width: int = 1
    min_height: int = 1
    max_chars: int | None = None
    allow: str | None = None
    forbid: str = ""

    @classmethod
    def exact(cls, width: int, height: int, max_chars: int | None = None) -> "Constraint":
        """Exactly ``width`` x ``height``."""
        return cls(width, height, width, height, max_chars)

    @property
    def is_exact(self) -> bool:
        """Whether one size is left."""
        return (self.min_width, self.min_height) == (self.max_width, self.max_height)

    def check(self) -> None:
        """Raise ``ConstraintError`` with the reason where nothing can satisfy all limits."""
        for name in ("max_width", "max_height", "min_width", "min_height", "max_chars"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, Integral):
                if name == "max_chars" and value is None:
                    continue
                raise ConstraintError(f"{name} must be a whole number, not {ascii(value)[:40]}")
        for name in ("allow", "forbid"):
            value = getattr(self, name)
            if not (isinstance(value, str) or (name == "allow" and value is None)):
                raise ConstraintError(f"{name} must be text, not {ascii(value)[:40]}")
        for axis, low, high in (
            ("width", self.min_width, self.max_width),
            ("height", self.min_height, self.max_height),
        ):
            if high < 1:
                raise ConstraintError(f"a drawing of {axis} {high} has no cell; ask for at least 1")
            if low > high:
                raise ConstraintError(f"{axis}: at least {low} and at most {high} contradict")
        needed = self.least_chars()
        if self.max_chars is not None and self.max_chars < needed:
            raise ConstraintError(
                f"{self.max_chars} characters cannot reach {self.min_width}x{self.min_height}:"
                f" at least {needed} are needed (one full row, and a line end for every other row)"
            )
        if self.allow is not None and not set(self.allow) - {" ", "\n"} - set(self.forbid):
            raise ConstraintError("no glyph is left to draw with: allow more, or forbid less")

    def least_chars(self) -> int:
        """Characters of the smallest text that satisfies the size limits."""
        if self.min_height <= 1:
            return max(1, self.min_width)
        # The first and the last row show ink, rows between may be empty; one of the two is full.
        return self.min_height - 1 + max(1, self.min_width) + 1

    def admits(self, width: int, height: int) -> bool:
        """Whether a full drawing of ``width`` x ``height`` stays inside the limits."""
        return (
            self.min_width <= width <= self.max_width
            and self.min_height <= height <= self.max_height
            and (self.max_chars is None or width * height <= self.max_chars)
        )

    def violations(self, text: str) -> list[str]:
        """Every limit that ``text`` breaks, by name; empty where it satisfies all."""
        found: Measures = measure(text)
        broken = []
        if not found.ink:
            broken.append("empty")
        if not self.min_width <= found.width <= self.max_width:
            broken.append("width")
        if not self.min_height <= found.height <= self.max_height:
            broken.append("height")
        if self.max_chars is not None and found.chars > self.max_chars:
            broken.append("chars")
        used = set(text) - {"\n"}
        if self.allow is not None and used - set(self.allow):
            broken.append("allow")
        if used & set(self.forbid):
            broken.append("forbid")
        return broken
