"""From pairs to clusters: a cluster is one canonical piece and those that are the same as *it*.

Chains (a like b, b like c, so a with c) are how near-twin search goes wrong on art: a row of small
changes joins strangers. So a cluster is a star: its centre, and the pieces that are the same as the
centre. The centre is the piece to keep: a credited one before an uncredited one, then the most complete
(most ink), then the one that was seen first.

Source: star clustering, Aslam, Pelekhov and Rus (2004).
"""

from collections.abc import Iterable, Mapping

Pair = tuple[int, int]
Rank = tuple[bool, bool, int, int]


def rank(credit: object, ink: int, number: int, withdrawn: object = False) -> Rank:
    """How good a canonical piece this is; the greatest wins. A withdrawn one never does."""
    return (not withdrawn, bool(credit), ink, -number)


def reason(chosen: Rank, other: Rank) -> str:
    """Why ``chosen`` stands before ``other``."""
    if chosen[0] != other[0]:
        return "the other was withdrawn"
    if chosen[1] != other[1]:
        return "it is credited"
    if chosen[2] != other[2]:
        return f"it is more complete ({chosen[2]} cells of ink, not {other[2]})"
    return "it was seen first"


def stars(ranks: Mapping[int, Rank], pairs: Iterable[Pair]) -> dict[int, int]:
    """The centre of each piece in ``ranks``, given the pairs that are the same.

    The best piece becomes a centre and takes all its free partners; then the best of those left, and so on.
    """
    partners: dict[int, list[int]] = {}
    for a, b in pairs:
        partners.setdefault(a, []).append(b)
        partners.setdefault(b, []).append(a)
    centres: dict[int, int] = {}
    for number in sorted(ranks, key=ranks.__getitem__, reverse=True):
        if number not in centres:
            centres[number] = number
            for other in partners.get(number, ()):
                centres.setdefault(other, number)
    return centres


def questions(centres: Mapping[int, int], pairs: Iterable[Pair]) -> list[Pair]:
    """What could join two stars that have a pair between them: a side with the other star's centre, and
    both centres. Ascending; each is to be measured, where it never was."""
    asked = {
        (min(x, y), max(x, y))
        for a, b in pairs
        if centres[a] != centres[b]
        for x, y in ((a, centres[b]), (centres[a], b), (centres[a], centres[b]))
        if x != y
    }
    return sorted(asked)


def cluster_numbers(centres: Mapping[int, int]) -> dict[int, int]:
    """The smallest member of each star, by its centre."""
    smallest: dict[int, int] = {}
    for number, centre in centres.items():
        smallest[centre] = min(number, smallest.get(centre, number))
    return smallest
