"""DUR (Durdraw): a film of coloured text as deflated JSON, one piece a frame, frames linked.

``contents`` has the rows of a frame, ``colorMap`` its colours by column and row: xterm's indices in
the 256-colour format, the DOS order in the 16-colour one, where 0 is the terminal's own.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from asciiloom.piece import Rejection
from asciiloom.readers.base import Input, Item, read_whole
from asciiloom.readers.frames import distinct_frames
from asciiloom.readers.screens.screen import MAX_COLUMNS, MAX_ROWS, VGA, Screen, screen_item

MAX_FILE = 64 << 20
_MAX_CELLS = 4 << 20


class DurdrawReader:
    name = "durdraw"
    rank = 160
    extensions = (".dur",)
    summary = "DUR: Durdraw, a film of coloured text"
    recognised = "a JSON object with DurMovie; .dur"
    oracle = "a writer of its specification, in the tests"

    def sniff(self, head: bytes, path: str) -> bool:
        return b'"DurMovie"' in head[:512]

    def read(self, source: Input) -> Iterator[Item]:
        data = read_whole(source, MAX_FILE)
        if isinstance(data, Rejection):
            yield data
            return
        name = source.options.source_name()
        try:
            movie = json.loads(data)["DurMovie"]
            frames = [_screen(frame, movie) for frame in movie["frames"]]
        except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
            detail = f"not a Durdraw film: {type(error).__name__} {error}"[:200]
            yield Rejection("bad-json", detail, name, source.path)
            return
        if not frames:
            yield Rejection("empty", "a film without frames", name, source.path)
            return
        title = movie.get("name") or None
        kept = distinct_frames(["\n".join(screen.rows()) for screen in frames])
        for number in kept:
            yield screen_item(
                frames[number],
                source,
                data,
                encoding="utf-8",
                title=str(title) if title else None,
                artist=str(movie["artist"]) if movie.get("artist") else None,
                locator=f"frame {number + 1}" if len(frames) > 1 else "",
                sequence=f"{name}/{source.path}" if len(frames) > 1 else None,
                kind="frame" if len(frames) > 1 else "art",
            )
        if len(kept) < len(frames):
            detail = f"{len(frames) - len(kept):,} of {len(frames):,} frames are near-copies"
            yield Rejection("near-frames", detail, name, source.path)


def _screen(frame: Mapping[str, Any], movie: Mapping[str, Any]) -> Screen:
    """One frame; raises for anything that is not one."""
    rows = [str(row) for row in frame["contents"]]
    columns = max(1, max(map(len, rows), default=1))
    if len(rows) > MAX_ROWS or columns > MAX_COLUMNS or len(rows) * columns > _MAX_CELLS:
        raise ValueError(f"a frame of {columns}x{len(rows)}")
    glyphs = np.full((len(rows), columns), 32, np.uint32)
    for number, row in enumerate(rows):
        codes = np.array([ord(c) if c.isprintable() else 32 for c in row], np.uint32)
        glyphs[number, : len(codes)] = codes
    fore = np.full(glyphs.shape, -1, np.int32)
    back = np.full(glyphs.shape, -1, np.int32)
    from asciiloom.readers.screens.emulator.render import xterm_palette

    deep = str(movie.get("colorFormat", "16")) == "256"
    palette = xterm_palette() if deep else VGA
    colours = frame.get("colorMap") or []
    for column, entries in enumerate(colours[:columns]):
        for number, pair in enumerate(entries[: len(rows)]):
            first, second = int(pair[0]), int(pair[1])
            # Durdraw counts its 16 foregrounds from 1.
            first = first if deep else first - 1
            if 0 <= first < len(palette):
                fore[number, column] = palette[first]
            if 0 < second < len(palette):
                back[number, column] = palette[second]
    return Screen(glyphs, fore, back)
