"""The card of a dataset folder: what the Hugging Face hub reads of it, and what people do."""

from collections.abc import Mapping
from typing import Any

import yaml

from asciiloom.piece import spdx

# Where pieces stand that no dedup has looked at: they may have twins in any split.
UNSPLIT = "unassigned"
_SIZES = (
    ("n<1K", 1e3),
    ("1K<n<10K", 1e4),
    ("10K<n<100K", 1e5),
    ("100K<n<1M", 1e6),
    ("1M<n<10M", 1e7),
)


def card(
    name: str,
    facts: Mapping[str, Any],
    columns: Mapping[str, str],
    sizes: Mapping[str, int],
    weights: Mapping[str, int],
) -> str:
    """The text of README.md: ``facts`` are ``Corpus.fingerprint``, ``columns`` types by name, ``sizes``
    pieces by split and ``weights`` their bytes unpacked, without which the hub takes no number of pieces."""
    total = sum(sizes.values())
    licences = facts["licences"]
    one = next(iter(licences)) if len(licences) == 1 else None
    head = {
        "license": "cc0-1.0" if spdx(one) == "CC0-1.0" else "other",
        "pretty_name": name,
        "size_categories": [next((label for label, top in _SIZES if total < top), "n>10M")],
        "tags": ["ascii-art", "text-art"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": split, "path": f"data/{split}-*.parquet"} for split in sizes
                ],
            }
        ],
        "dataset_info": {
            "features": [_feature(*column) for column in columns.items()],
            "splits": [
                {"name": split, "num_bytes": weights[split], "num_examples": count}
                for split, count in sizes.items()
            ],
            "dataset_size": sum(weights.values()),
        },
    }
    front = yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=1000)
    return f"""---
{front}---

# {name}

{total:,} pieces of text art from an asciiloom corpus, one a row: `text` is the drawing in canonical form
(LF, no tabs, no common indent), `width` and `height` its size in terminal cells. `credits` (signatures
in the art) and `origins` (every place where a piece was seen) are JSON, `colour` is a packed plane. Near-twins
share `cluster`, one of each is `canonical`, and no cluster straddles two splits.{_unsplit(sizes)}

Content digest: `{facts["digest"]}`.

{_table("split", sizes)}

{_table("licence", licences)}

{_table("source", facts["sources"])}
"""


def _feature(name: str, kind: str) -> dict[str, str]:
    if kind.startswith("list<"):
        return {"name": name, "list": kind.removeprefix("list<").removesuffix(">")}
    return {"name": name, "dtype": kind}


def _unsplit(sizes: Mapping[str, int]) -> str:
    if UNSPLIT not in sizes:
        return ""
    return (
        f"\nWhat came after the last search for twins stands in `{UNSPLIT}` ({sizes[UNSPLIT]:,}): it may have twins"
        " in any\nother split, so neither train nor measure on it beside those."
    )


def _table(what: str, counts: Mapping[str, int]) -> str:
    rows = "\n".join(f"| {_cell(name)} | {count:,} |" for name, count in counts.items())
    return f"| {what} | pieces |\n| --- | --- |\n{rows}"


def _cell(value: str) -> str:
    return value.replace("|", "\\|").replace("\n", " ")
