"""Encoding speed: our byte table beside Hugging Face tokenizers reading our own tokenizer.json.

Usage: python scripts/bench/tokenizer.py
"""

import json

from _common import options, report, seconds
from tokenizers import Tokenizer

from asciiloom import synth
from asciiloom.export import tokenizer_json
from asciiloom.tokens import GridTokenizer


def main() -> None:
    options(__doc__).parse_args()
    texts = [p.text for p in synth.generate(5000)]
    chars = sum(map(len, texts))
    ours = GridTokenizer()
    theirs = Tokenizer.from_str(json.dumps(tokenizer_json(ours)))
    assert all(
        theirs.encode(t, add_special_tokens=False).ids == ours.encode(t).tolist()
        for t in texts[:500]
    )
    joined = "\n".join(texts)
    rows = []
    peer = chars / seconds(lambda: theirs.encode_batch(texts, add_special_tokens=False))
    for name, rate in (
        ("tokenizers, encode_batch", peer),
        ("asciiloom, piece by piece", chars / seconds(lambda: [ours.encode(t) for t in texts])),
        ("asciiloom, one text", len(joined) / seconds(lambda: ours.encode(joined))),
    ):
        rows.append((name, round(rate / 1e6, 2), rate / peer))
    report("tokenizer", ("encoder", "million characters/s", "x tokenizers"), rows)


if __name__ == "__main__":
    main()
