"""Files for consumers: weights, config, tokenizer."""

from asciiloom.export.safetensors import MODEL_FILES, export_model
from asciiloom.export.tokenizer_json import tokenizer_json, write_tokenizer

__all__ = ["MODEL_FILES", "export_model", "tokenizer_json", "write_tokenizer"]
