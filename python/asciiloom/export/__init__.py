"""Files for consumers: weights, config, tokenizer."""

from asciiloom.export.safetensors import export_model
from asciiloom.export.tokenizer_json import tokenizer_json, write_tokenizer

__all__ = ["export_model", "tokenizer_json", "write_tokenizer"]
