"""What is exported is loaded by the libraries that consumers use."""

import dataclasses
import json
import string
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from tokenizers import Tokenizer

from asciiloom.export import export_model, tokenizer_json
from asciiloom.model import PRESETS, Card, load_model, untrained_model
from asciiloom.tokens import GridTokenizer
from asciiloom.tokens.tokenizer import CHARSETS

LOADED = {c: Tokenizer.from_str(json.dumps(tokenizer_json(GridTokenizer(c)))) for c in CHARSETS}
HARD = [
    string.printable.replace("\r", "").replace("\x0b", "").replace("\x0c", "").replace("\t", ""),
    " " * 50 + "\n" * 20 + "  x  ",
    "  /\\_/\\  \n ( o.o ) ",
    "don't 're 've  a  b",
]


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("text", HARD)
def test_hugging_face_reads_the_same_ids(charset: str, text: str) -> None:
    ours = GridTokenizer(charset).encode(text).tolist()
    encoded = LOADED[charset].encode(text)
    assert encoded.ids == [GridTokenizer(charset).bos, *ours]
    assert LOADED[charset].decode(encoded.ids, skip_special_tokens=True) == text


@pytest.mark.parametrize("charset", CHARSETS)
@given(
    text=st.text(
        alphabet=st.one_of(
            st.sampled_from(" \n█▄┌é⠿日\u2500"),
            st.characters(codec="utf-8", exclude_characters="<"),
        ),
        max_size=40,
    )
)
def test_any_text_round_trips(charset: str, text: str) -> None:
    encoded = LOADED[charset].encode(text, add_special_tokens=False)
    assert encoded.ids == GridTokenizer(charset).encode(text).tolist()
    assert LOADED[charset].decode(encoded.ids, skip_special_tokens=False) == text


@pytest.mark.parametrize("charset", CHARSETS)
def test_every_code_point_up_to_the_cjk_block(charset: str) -> None:
    """Alone and beside glyphs: a character without an id of its own must not meet half a merge."""
    tokenizer, loaded = GridTokenizer(charset), LOADED[charset]
    texts = [c for code in range(0x20, 0x3000) for c in (chr(code), f"a{chr(code)}█")]
    encoded = loaded.encode_batch(texts, add_special_tokens=False)
    assert [e.ids for e in encoded] == [tokenizer.encode(t).tolist() for t in texts]
    assert loaded.decode_batch([e.ids for e in encoded], skip_special_tokens=False) == texts


def test_offsets_and_specials() -> None:
    tokenizer = GridTokenizer()
    encoded = LOADED["ascii"].encode("ab c", add_special_tokens=False)
    assert encoded.offsets == [(0, 1), (1, 2), (2, 3), (3, 4)]
    for name in ("<eos>", "<art>", "<w40>", "<kind:maze>"):
        assert LOADED["ascii"].token_to_id(name) == tokenizer.ids[name]


def test_export_of_a_run(run_folder: Path, tmp_path: Path) -> None:
    model, card = load_model(run_folder / "latest")
    summary = export_model(tmp_path / "out", model, card)
    assert set(summary["files"]) == {
        "README.md",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    with safe_open(tmp_path / "out" / "model.safetensors", "pt") as file:
        assert set(file.keys()) == set(model.state_dict())
        assert torch.equal(file.get_tensor("embed.weight"), model.embed.weight)
    again, read = load_model(tmp_path / "out")
    assert read == card and again.config == model.config
    text = (tmp_path / "out" / "README.md").read_text()
    assert "CC0-1.0" in text and card.training["corpus"]["digest"] in text
    assert (
        Tokenizer.from_file(str(tmp_path / "out" / "tokenizer.json")).get_vocab_size()
        >= model.vocabulary
    )


@pytest.mark.parametrize("charset", CHARSETS)
def test_export_of_a_fresh_preset(tmp_path: Path, charset: str) -> None:
    model = untrained_model(dataclasses.replace(PRESETS["nano"], charset=charset))
    summary = export_model(tmp_path, model, Card())
    assert summary["parameters"] == model.parameter_count()
    assert "random" in (tmp_path / "README.md").read_text()
    config = json.loads((tmp_path / "config.json").read_text())
    assert (
        config["model"]["charset"] == charset
        and config["vocab_size"] == GridTokenizer(charset).size
    )
    assert PRESETS["nano"].layers == config["model"]["layers"]
