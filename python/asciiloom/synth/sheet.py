"""A sheet to draw on: rows of characters, clipped at the edges."""

from collections.abc import Sequence


class Sheet:
    """``width`` x ``height`` cells of spaces; ``put`` writes over what is there."""

    def __init__(self, width: int, height: int, fill: str = " ") -> None:
        self.width, self.height = width, height
        self._rows = [[fill] * width for _ in range(height)]

    def put(self, x: int, y: int, text: str | Sequence[str], *, clear: str = "") -> None:
        """Write rows with their upper left at (x, y); a ``clear`` glyph leaves what is below."""
        rows = [text] if isinstance(text, str) else text
        for dy, row in enumerate(rows):
            for dx, glyph in enumerate(row):
                if 0 <= y + dy < self.height and 0 <= x + dx < self.width and glyph != clear:
                    self._rows[y + dy][x + dx] = glyph

    def at(self, x: int, y: int) -> str:
        """The glyph at (x, y), a space outside."""
        inside = 0 <= x < self.width and 0 <= y < self.height
        return self._rows[y][x] if inside else " "

    def __str__(self) -> str:
        return "\n".join("".join(row).rstrip() for row in self._rows)
