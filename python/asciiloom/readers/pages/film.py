"""Films for a telnet screen: how long a frame stays, then its rows, over and over.

A film is one sequence. Most frames differ from the one before by an eyelid, so only those that
show something new become pieces; the rest are counted in one rejection.
"""

import re
from collections.abc import Iterator

from asciiloom.piece import Rejection
from asciiloom.readers.base import Input, Item, file_stem, make_item, read_whole
from asciiloom.readers.decode import decode
from asciiloom.readers.frames import distinct_frames

MAX_FILE = 64 << 20
_COUNT = re.compile(r"\d{1,5}\Z")
_MAX_ROWS = 100


class FilmReader:
    name = "film"
    rank = 320
    extensions = (".txt", ".vtf")
    summary = "telnet films: frames of equal height, each after its duration"
    recognised = "a number alone on the first line and again every so many rows"
    oracle = "films made frame by frame, in the tests"

    def sniff(self, head: bytes, path: str) -> bool:
        rows = [row.rstrip(b"\r") for row in head.split(b"\n")]
        return _period([row.decode("latin-1") for row in rows[:-1]]) > 0

    def read(self, source: Input) -> Iterator[Item]:
        data = read_whole(source, MAX_FILE)
        if isinstance(data, Rejection):
            yield data
            return
        name = source.options.source_name()
        decoded = decode(data, source.options.encoding)
        rows = decoded.text.replace("\r\n", "\n").split("\n")
        period = _period(rows)
        starts = [
            n for n in range(0, len(rows), period or len(rows)) if _COUNT.match(rows[n].strip())
        ]
        frames = ["\n".join(rows[n + 1 : n + period]) for n in starts]
        title = file_stem(source.name)
        kept = range(len(frames)) if source.options.frames else distinct_frames(frames)
        drawn = 0
        for number in kept:
            if not frames[number].strip():
                continue
            drawn += 1
            first = starts[number] + 2
            yield make_item(
                frames[number], options=source.options, path=source.path, original=data,
                locator=f"frame {number + 1}, lines {first}-{first + period - 2}", title=title,
                tags=(f"film:{title}",), kind="frame", sequence=f"{name}/{title}",
                encoding=decoded.encoding,
            )  # fmt: skip
        if drawn < len(frames):
            detail = (
                f"{len(frames) - drawn:,} of {len(frames):,} frames are blank or show nothing new"
            )
            yield Rejection("near-frames", detail, name, source.path)


def _period(rows: list[str]) -> int:
    """Rows from one count to the next, or 0 where the text is no film."""
    if not rows or not _COUNT.match(rows[0].strip()):
        return 0
    for period in range(3, min(_MAX_ROWS, len(rows) // 3) + 1):
        counts = rows[0 : period * min(8, len(rows) // period) : period]
        if len(counts) >= 3 and all(_COUNT.match(row.strip()) for row in counts):
            return period
    return 0
