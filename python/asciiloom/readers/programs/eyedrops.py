"""Acme::EyeDrops: a picture in an ``.eye`` file, and what it shows in the ``.eyp`` file beside it."""

import re
from collections.abc import Iterator
from pathlib import Path

from asciiloom.piece import Rejection, one_line
from asciiloom.readers.base import Input, Item, make_item, read_whole
from asciiloom.readers.decode import decode

MAX_FILE = 4 << 20
_MAX_ABOUT = 1 << 16


def facts(text: str) -> dict[str, str]:
    """``key : value`` lines; a backslash at the end of a line continues it."""
    joined = re.sub(r"\\\n\s*", "", text.replace("\r\n", "\n"))
    pairs = (line.partition(":") for line in joined.split("\n"))
    return {key.strip().lower(): value.strip() for key, colon, value in pairs if colon}


class EyeDropsReader:
    name = "eyedrops"
    rank = 280
    extensions = (".eye", ".eyp")
    summary = "Acme::EyeDrops pictures, with the words of the .eyp file beside each"
    recognised = ".eye, .eyp"
    oracle = "a public collection of the same pictures"

    def sniff(self, head: bytes, path: str) -> bool:
        return path.lower().endswith(self.extensions)

    def read(self, source: Input) -> Iterator[Item]:
        data = read_whole(source, MAX_FILE)
        if isinstance(data, Rejection):
            yield data
            return
        name = source.options.source_name()
        decoded = decode(data, source.options.encoding)
        if source.name.lower().endswith(".eyp"):
            about = facts(decoded.text)
            detail = f"says of the picture beside it: {about.get('description', '')}"
            yield Rejection("metadata", one_line(detail, 200) or "", name, source.path)
            return
        about = facts(_beside(source.path))
        yield make_item(
            decoded.text, options=source.options, path=source.path, original=data,
            title=about.get("description"), artist=about.get("authorname"),
            tags=tuple(about.get("keywords", "").split()), encoding=decoded.encoding,
        )  # fmt: skip


def _beside(path: str) -> str:
    """The text of the ``.eyp`` file of the same name, empty where there is none."""
    beside = Path(re.sub(r"\.eye\Z", ".eyp", path, flags=re.IGNORECASE))
    try:
        if not beside.is_file():
            return ""
        with beside.open("rb") as stream:
            return decode(stream.read(_MAX_ABOUT)).text
    except (OSError, ValueError):
        return ""
