"""The model's shape, and presets from three to 29 million parameters.

A config comes from files that strangers wrote, so it is held against its types and ranges when it is
made, and says which tensors it needs (``tensor_shapes``) before any memory is taken for them.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from asciiloom.errors import SettingsError
from asciiloom.tokens import LEVELS, NEIGHBOURS, TOPIC_BUCKETS, WINDOW, GridTokenizer
from asciiloom.tokens.tokenizer import CHARSETS
from asciiloom.typed import AtMost, Between, OneOf, check_fields, from_plain

# Pairs of context cells with an embedding of their own; 0 is the cell to the left, k the k-th
# neighbour: left & above, above left & above, above & above right, left & above right.
PAIRS: tuple[tuple[int, int], ...] = ((0, 2), (1, 2), (2, 3), (0, 3), (0, 5))
ROPES = ("axial", "1d", "none")
# Rows and columns that are told apart; beyond, the last entry serves.
POSITIONS = (64, 128)
# Numbers that a word is as an input.
INPUT_DIMENSIONS = 64
# Rows of the word head's table of grams, which are hashed.
GRAMS = 1 << 15
# 1 GB of weights: ten times the largest preset. More is a damaged or hostile file, or another project.
MAX_PARAMETERS = 250_000_000
# What a setting was called in files of format 1.
_FORMER_NAMES = {"place": "position_inputs"}

Cells = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """A decoder-only transformer over a grid.

    ``rope``: "axial" turns half of each head by row and half by column, "1d" by place in the sequence.
    ``heads`` of ``head`` dimensions need not add up to ``d_model`` (on a CPU attention costs by the head);
    ``kv_heads`` 1 shares one key/value head (MQA). ``mlp``: width of the hidden layer in ``d_model``s.
    ``neighbours``: (rows up, columns right) of the cells above the next one whose embeddings are inputs.
    ``position_inputs``: whether inputs say where the next cell is and how much of the asked size is left.
    ``word_rank``: numbers that a word is, and each gram of a drawing, at the output (see ``WordHead``); 0, words are
    an input as others are, which takes many drawings of each.
    ``reference``: whether another drawing can be shown to draw after.
    ``relatives``: whether the words of a prompt are told with their relatives (kitten: cat, animal).
    Raises ``SettingsError`` for shapes that cannot be, or of more than 250 million parameters.
    """

    charset: Annotated[str, OneOf(tuple(CHARSETS))] = "ascii"
    d_model: Annotated[int, Between(4, 8192)] = 192
    layers: Annotated[int, Between(1, 128)] = 6
    heads: Annotated[int, Between(1, 128)] = 2
    head: Annotated[int, Between(4, 1024)] = 64
    kv_heads: Annotated[int, Between(1, 128)] = 1
    mlp: Annotated[float, Between(0.25, 64)] = 4.0
    context: Annotated[int, Between(64, 32_000)] = 2048
    rope: Annotated[str, OneOf(ROPES)] = "axial"
    rope_base: Annotated[float, Between(1, 1e9)] = 1000.0
    neighbours: Annotated[Cells, AtMost(16)] = NEIGHBOURS
    pairs: Annotated[Cells, AtMost(32)] = PAIRS
    pair_dimensions: Annotated[int, Between(1, 1024)] = 64
    position_inputs: bool = True
    tied: bool = False
    word_rank: Annotated[int, Between(0, 512)] = 48
    reference: bool = True
    relatives: bool = True

    def __post_init__(self) -> None:
        check_fields(self, "model")
        if self.heads % self.kv_heads:
            raise SettingsError(f"{self.heads} heads do not divide by {self.kv_heads} kv_heads")
        if self.head % 4:
            raise SettingsError(f"a head of {self.head} dimensions does not divide by 4")
        for up, right in self.neighbours:
            if not (0 <= up <= 8 and abs(right) <= 16) or (up == 0 and right > -2):
                raise SettingsError(
                    f"neighbour ({up}, {right}): up to 8 rows up and 16 columns aside, drawn already"
                )
        if any(not 0 <= k <= len(self.neighbours) for pair in self.pairs for k in pair):
            raise SettingsError("model.pairs names the left cell (0) and neighbours (1 and up)")
        if self.parameter_count > MAX_PARAMETERS:
            raise SettingsError(
                f"a model of {self.parameter_count:,} parameters is too large: at most"
                f" {MAX_PARAMETERS:,}; take fewer layers or a smaller d_model"
            )

    @property
    def tokenizer(self) -> GridTokenizer:
        return GridTokenizer(self.charset, self.relatives, not self.word_rank)

    @property
    def topic_dimensions(self) -> int:
        """Numbers that a word is."""
        return self.word_rank or INPUT_DIMENSIONS

    @property
    def hidden(self) -> int:
        """Width of a block's hidden layer."""
        return int(self.d_model * self.mlp)

    @property
    def symbols(self) -> int:
        """What a cell about the next one can show: each output id, and nothing."""
        return self.tokenizer.outputs + 1

    def tensor_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every tensor of the network, as they stand in ``model.safetensors``."""
        d, outputs = self.d_model, self.tokenizer.outputs
        shapes: dict[str, tuple[int, ...]] = {
            "embed.weight": (self.tokenizer.size, d),
            "neighbour_embed.weight": (max(1, len(self.neighbours)) * self.symbols, d),
            "topic_embed.weight": (TOPIC_BUCKETS, self.topic_dimensions),
            "norm.weight": (d,),
        }
        if self.word_rank:
            shapes["word_head.grams.weight"] = (GRAMS, self.word_rank)
        else:
            shapes["topic_projection.weight"] = (d, self.topic_dimensions)
        if self.reference:
            shapes["reference_embed.weight"] = (len(WINDOW) * self.symbols, d)
            shapes["level_embed.weight"] = (LEVELS + 1, d)
        if self.position_inputs:
            shapes["position_embed.weight"] = (2 * sum(POSITIONS), d)
        if self.pairs:
            width = len(self.pairs) * self.pair_dimensions
            shapes["pair_embed.weight"] = (
                len(self.pairs) * self.symbols**2,
                self.pair_dimensions,
            )
            shapes["pair_projection.weight"] = (d, width)
        if not self.tied:
            shapes["head.weight"] = (outputs, d)
        block = {
            "qkv.weight": ((self.heads + 2 * self.kv_heads) * self.head, d),
            "out.weight": (d, self.heads * self.head),
            "up.weight": (self.hidden, d),
            "down.weight": (d, self.hidden),
            "norm_attention.weight": (d,),
            "norm_mlp.weight": (d,),
        }
        for number in range(self.layers):
            shapes |= {f"blocks.{number}.{name}": shape for name, shape in block.items()}
        return shapes

    @property
    def parameter_count(self) -> int:
        return sum(map(math.prod, self.tensor_shapes().values()))

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: object, base: "ModelConfig | None" = None) -> "ModelConfig":
        """The config with the values of ``data``; what is missing is as in ``base``, or its default.

        ``SettingsError`` names what does not fit.
        """
        if isinstance(data, Mapping):
            renamed = {_FORMER_NAMES.get(str(name), name): value for name, value in data.items()}
            if len(renamed) < len(data):
                raise SettingsError("model names one setting by its former and its present name")
            data = renamed
        return from_plain(cls, data, "model", base)


# About how many parameters (ASCII charset).
PRESETS: dict[str, ModelConfig] = {
    "nano": ModelConfig(d_model=128, layers=2, pair_dimensions=8),  # 2.9 M, most of it word tables
    "tiny": ModelConfig(d_model=192, layers=2, pair_dimensions=16),  # 3.8 M
    "small": ModelConfig(d_model=320, layers=3),  # 8.6 M, most of it pair and word tables
    "medium": ModelConfig(d_model=448, layers=5, heads=4),  # 16 M
    "large": ModelConfig(d_model=576, layers=7, heads=6),  # 29 M
}
