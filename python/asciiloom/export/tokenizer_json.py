"""The tokenizer as Hugging Face files that every consumer reads alike.

The recipe is the one that tokenizers, transformers and llguidance agree on: a ByteLevel
pre-tokenizer and decoder around a BPE model whose vocabulary is single bytes. A glyph of two bytes
that has an id of its own is one merge; one of three bytes is an added token, because merges would
pass through pairs of bytes that other characters begin with too. ``tokenizer_config.json`` is
written by hand, because what one transformers version saves another refuses.
"""

import json
from pathlib import Path
from typing import Any

from asciiloom.tokens import GridTokenizer


def byte_letters() -> dict[int, str]:
    """The printable stand-in of every byte in a ByteLevel vocabulary (as GPT-2 fixed it)."""
    kept = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters = {byte: chr(byte) for byte in kept}
    missing = (byte for byte in range(256) if byte not in letters)
    return letters | {byte: chr(256 + number) for number, byte in enumerate(missing)}


def tokenizer_json(tokenizer: GridTokenizer) -> dict[str, Any]:
    """The content of ``tokenizer.json``; ids are those of ``tokenizer``."""
    letters = byte_letters()

    def spell(data: bytes) -> str:
        return "".join(letters[b] for b in data)

    vocabulary: dict[str, int] = {}
    merges: list[list[str]] = []
    added: list[tuple[int, str, bool]] = []
    for number, token in enumerate(tokenizer.tokens):
        data = tokenizer.decode_bytes([number])
        if 0 < len(data) < 3:
            vocabulary[spell(data)] = number
            if len(data) == 2:
                merges.append([spell(data[:1]), spell(data[1:])])
        else:
            # Also in the model's vocabulary: an added token that is not gets an id of the library's own.
            vocabulary[token] = number
            added.append((number, token, not data))
    bos = tokenizer.tokens[tokenizer.bos]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": number,
                "content": token,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": special,
            }
            for number, token, special in added
        ],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "ByteLevel",
            "add_prefix_space": False,
            "trim_offsets": False,
            "use_regex": False,
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": bos, "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
            ],
            "pair": [
                {"SpecialToken": {"id": bos, "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"Sequence": {"id": "B", "type_id": 1}},
            ],
            "special_tokens": {bos: {"id": bos, "ids": [tokenizer.bos], "tokens": [bos]}},
        },
        "decoder": {
            "type": "ByteLevel",
            "add_prefix_space": False,
            "trim_offsets": False,
            "use_regex": False,
        },
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": "<pad>",
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": vocabulary,
            "merges": merges,
        },
    }


def write_tokenizer(folder: Path, tokenizer: GridTokenizer, context: int) -> None:
    """Write ``tokenizer.json`` and ``tokenizer_config.json`` into ``folder``."""
    content = json.dumps(tokenizer_json(tokenizer), ensure_ascii=False, indent=1)
    (folder / "tokenizer.json").write_text(content + "\n", encoding="utf-8")
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<bos>",
        "eos_token": "<eos>",
        "pad_token": "<pad>",
        "unk_token": "<pad>",
        "clean_up_tokenization_spaces": False,
        "model_max_length": context,
    }
    text = json.dumps(config, indent=1)
    (folder / "tokenizer_config.json").write_text(text + "\n", encoding="utf-8")
