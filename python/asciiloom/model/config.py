"""The model's shape, and presets from half a million to 25 million parameters."""

from dataclasses import asdict, dataclass
from typing import Any

from asciiloom.errors import SettingsError
from asciiloom.tokens import NEIGHBOURS, GridTokenizer

# Pairs of context cells with an embedding of their own; 0 is the cell to the left, k the k-th
# neighbour: left & above, above left & above, above & above right, left & above right.
PAIRS: tuple[tuple[int, int], ...] = ((0, 2), (1, 2), (2, 3), (0, 3), (0, 5))
ROPES = ("axial", "1d", "none")


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """A decoder-only transformer over a grid.

    ``rope``: "axial" turns half of each head by row and half by column, "1d" by place in the
    sequence; ``heads`` of ``head`` dimensions need not add up to ``d_model`` (on a CPU attention costs
    by the head); ``place``: inputs that say where the next cell is and how much of the asked size is
    left; ``neighbours``: (rows up, columns right) of the cells above the one to be
    predicted whose embeddings are inputs; ``kv_heads`` 1 shares one key/value head (MQA).
    """

    charset: str = "ascii"
    d_model: int = 192
    layers: int = 6
    heads: int = 2
    head: int = 64
    kv_heads: int = 1
    mlp: float = 4.0
    context: int = 2048
    rope: str = "axial"
    rope_base: float = 1000.0
    neighbours: tuple[tuple[int, int], ...] = NEIGHBOURS
    pairs: tuple[tuple[int, int], ...] = PAIRS
    pair_dimensions: int = 64
    place: bool = True
    tied: bool = False

    def __post_init__(self) -> None:
        if self.heads % self.kv_heads:
            raise SettingsError(f"{self.heads} heads do not divide by {self.kv_heads} kv_heads")
        if self.head % 4:
            raise SettingsError(f"a head of {self.head} dimensions does not divide by 4")
        if self.rope not in ROPES:
            raise SettingsError(f"no rope {self.rope!r}; one of {', '.join(ROPES)}")
        for up, right in self.neighbours:
            if not (0 <= up <= 8 and abs(right) <= 16) or (up == 0 and right > -2):
                raise SettingsError(
                    f"neighbour ({up}, {right}): up to 8 rows up and 16 columns aside, drawn already"
                )
        if any(not 0 <= k <= len(self.neighbours) for pair in self.pairs for k in pair):
            raise SettingsError("pairs name the left cell (0) and neighbours (1 and up)")

    @property
    def tokenizer(self) -> GridTokenizer:
        return GridTokenizer(self.charset)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "ModelConfig":
        known = dict(data)
        if "neighbours" in known:
            known["neighbours"] = tuple((int(u), int(r)) for u, r in known["neighbours"])
        if "pairs" in known:
            known["pairs"] = tuple((int(a), int(b)) for a, b in known["pairs"])
        try:
            return cls(**known)
        except TypeError as error:
            raise SettingsError(f"model settings: {error}") from error


# About how many parameters (ASCII charset).
PRESETS: dict[str, ModelConfig] = {
    "nano": ModelConfig(d_model=128, layers=2, pair_dimensions=8),  # 1.2 M
    "tiny": ModelConfig(d_model=192, layers=2, pair_dimensions=16),  # 2.1 M
    "small": ModelConfig(d_model=320, layers=3),  # 7 M, most of it pair and word tables
    "medium": ModelConfig(d_model=448, layers=5, heads=4),  # 14 M
    "large": ModelConfig(d_model=576, layers=7, heads=6),  # 26 M
}
