"""``ScreenReader``: what every format of this folder has in common. A format adds how it is recognised
and a function from bytes to a ``Drawn`` screen."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from asciiloom.piece import Rejection, artist_in_note
from asciiloom.readers.base import Input, Item, read_whole
from asciiloom.readers.screens.sauce import Sauce
from asciiloom.readers.screens.screen import Screen, screen_item


class ScreenError(ValueError):
    """The bytes draw no screen: ``reason`` (one of the rejection reasons) and what was found."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a file draws, what it says of itself (in its record, and in a ``note`` below the drawing), and
    what a curator should look at."""

    screen: Screen
    sauce: Sauce | None = None
    encoding: str = "cp437"
    flags: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class ScreenReader:
    """One format. ``draw`` raises ``ScreenError`` where the bytes are none of it."""

    name: str
    rank: int
    extensions: tuple[str, ...]
    summary: str
    recognised: str
    oracle: str
    knows: Callable[[bytes, str], bool]
    draw: Callable[[bytes, str | None], Drawn]
    limit: int = 32 << 20

    def sniff(self, head: bytes, path: str) -> bool:
        return self.knows(head, path.lower())

    def read(self, source: Input) -> Iterator[Item]:
        data = read_whole(source, self.limit)
        if isinstance(data, Rejection):
            yield data
            return
        yield self.item(data, source)

    def item(self, data: bytes, source: Input) -> Item:
        """The one piece of ``data``, or why it is none."""
        try:
            drawn = self.draw(data, source.options.encoding)
        except ScreenError as error:
            name = source.options.source_name()
            return Rejection(error.reason, str(error), name, source.path)
        return screen_item(
            drawn.screen,
            source,
            data,
            sauce=drawn.sauce,
            encoding=drawn.encoding,
            artist=(drawn.sauce and drawn.sauce.artist) or artist_in_note(drawn.note),
            description=drawn.note or None,
            flags=drawn.flags,
        )
