"""What a piece shows, in words."""

import numpy as np

# How often a training prompt shows a piece's title, and each of its tags.
KEPT_TITLE, KEPT_TAG = 0.9, 0.5


def words_of(title: str | None, tags: list[str], rng: np.random.Generator | None = None) -> str:
    """What a piece shows, in words: its title and plain tags, parted by commas.

    Tags with a colon say how a piece is drawn, not what it shows. Two of them are kept: of ``text:hi``
    the word that is lettered, and ``font:big`` whole.
    With ``rng`` some are left out and the order is shuffled, as people do when they ask.
    """
    phrases = [title.replace(",", " ")] if title else []
    for tag in tags:
        key, colon, value = tag.partition(":")
        if not colon or key in ("text", "font"):
            phrases.append(value if key == "text" else tag)
    distinct: dict[str, str] = {}
    for phrase in phrases:
        distinct.setdefault(phrase.lower(), phrase)
    phrases = list(distinct.values())
    if rng is not None and len(phrases) > 1:
        order = rng.permutation(len(phrases))
        shown = rng.random(len(phrases)) < KEPT_TAG
        shown[0] = rng.random() < KEPT_TITLE
        phrases = [phrases[i] for i in order if shown[i] or not shown.any()]
    return ", ".join(phrases).rstrip(", ")
