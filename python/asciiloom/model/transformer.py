"""``GridTransformer``: a small decoder-only transformer that knows it is drawing on a grid.

Two inputs make it two-dimensional. *Neighbours*: the embeddings of what stands above the cell
to be predicted are added to the input, so that "continue the line from above" needs no
attention at all. *Axial rotary positions*: half of each head turns by row, half by column;
queries turn by the cell they are about to fill and keys by the cell they hold, so one head
can look "straight up" from anywhere.

RMSNorm before each block, RMSNorm on queries and keys, squared ReLU, no biases.
Sources: Su et al. 2021 (rotary), Shazeer 2019 (one KV head), So et al. 2021 (squared ReLU),
Henry et al. 2020 (QK norm).
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asciiloom.model.config import POSITIONS, ModelConfig
from asciiloom.model.passes import rms_norm, squared_relu, turned, unit
from asciiloom.model.words import WordHead, fresh_grams, made_grams
from asciiloom.tokens import LEVELS, TOPIC_BUCKETS, WINDOW, PackedBatch


@dataclass(slots=True)
class GridInput:
    """What the network sees, as tensors: ``ids`` (B, T), ``cell`` and ``next_cell`` (B, T, 2) as
    (row, column), ``above`` (B, T, neighbours), ``size`` (B, 2) as (height, width) asked for, 0 where
    it was left open, ``topics`` (B, topics) buckets of the prompt's words, 0 for none; ``reference`` (B, T, 12) what
    stands in the drawing to draw after about each next cell, and its ``level`` (B,), 0 for none, or both None
    where no prompt has one; all integer."""

    ids: Tensor
    cell: Tensor
    next_cell: Tensor
    above: Tensor
    size: Tensor
    topics: Tensor
    reference: Tensor | None = None
    level: Tensor | None = None

    @classmethod
    def from_batch(cls, batch: PackedBatch, device: torch.device | str = "cpu") -> "GridInput":
        """The tensors of a packed batch, on ``device``."""
        layout = batch.layout
        arrays = [batch.ids, layout.cell, layout.next_cell, layout.above, batch.size, batch.topics]
        if batch.reference is not None:
            arrays += [batch.reference, batch.level]
        return cls(*(torch.from_numpy(a.astype(np.int64)).to(device) for a in arrays))


# Of words that are an input.
_INPUT_SCALE = 16.0


class KVCache:
    """Keys and values of every layer, allocated once: (layers, 2, B, kv_heads, capacity, head).

    For the word head also ``says`` (B, grams), ``stand`` (B, grams), true for grams that stand in the drawing, and
    ``offered`` (B, contexts, outputs), those that the next glyph would make.
    """

    def __init__(
        self, config: ModelConfig, batch: int, capacity: int, device: torch.device
    ) -> None:
        shape = (config.layers, 2, batch, config.kv_heads, capacity, config.head)
        self.data = torch.zeros(shape, device=device)
        self.length = 0
        self.says: Tensor | None = None
        self.stand: Tensor | None = None
        self.offered: Tensor | None = None

    def keep(self, rows: Tensor) -> None:
        """Of these rows only."""
        self.data = self.data[:, :, rows].contiguous()
        if self.says is not None and self.stand is not None and self.offered is not None:
            self.says, self.stand = self.says[rows], self.stand[rows]
            self.offered = self.offered[rows]


class Rotary(nn.Module):
    """cos and sin tables, gathered by position: row in the first half of the pairs, column in the second."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.kind = config.rope
        pairs = config.head // 2
        per_axis = pairs if config.rope == "1d" else pairs // 2
        frequency = config.rope_base ** (-torch.arange(per_axis, dtype=torch.float32) / per_axis)
        angle = torch.arange(config.context + 2, dtype=torch.float32)[:, None] * frequency
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)

    def forward(self, position: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """(cos, sin), each (B, T, 1, pairs), for ``position`` (B, T) or (B, T, 2)."""
        cos, sin = self.get_buffer("cos")[position], self.get_buffer("sin")[position]
        return cos.flatten(2).unsqueeze(2).to(dtype), sin.flatten(2).unsqueeze(2).to(dtype)


def _compute_dtype(x: Tensor) -> torch.dtype:
    """What matrix products come out as: autocast's type, else the input's."""
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype


class Block(nn.Module):
    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        d, hidden = config.d_model, config.hidden
        self.heads, self.kv_heads, self.head = config.heads, config.kv_heads, config.head
        self.qkv = nn.Linear(d, (config.heads + 2 * config.kv_heads) * config.head, bias=False)
        self.out = nn.Linear(config.heads * config.head, d, bias=False)
        self.up = nn.Linear(d, hidden, bias=False)
        self.down = nn.Linear(hidden, d, bias=False)
        self.norm_attention = nn.RMSNorm(d)
        self.norm_mlp = nn.RMSNorm(d)

    def forward(
        self,
        x: Tensor,
        query_angles: tuple[Tensor, Tensor] | None,
        key_angles: tuple[Tensor, Tensor] | None,
        cache: Tensor | None,
        start: int,
        mask: Tensor | None,
    ) -> Tensor:
        batch, time, _ = x.shape
        qkv = self.qkv(rms_norm(x, self.norm_attention)).view(batch, time, -1, self.head)
        q, k, v = qkv.split((self.heads, self.kv_heads, self.kv_heads), dim=2)
        q, k = unit(q), unit(k)
        if query_angles is not None and key_angles is not None:
            q, k = turned(q, *query_angles), turned(k, *key_angles)
        q, k, v = (part.transpose(1, 2) for part in (q, k, v))
        if cache is not None:
            cache[0, :, :, start : start + time] = k
            cache[1, :, :, start : start + time] = v
            k = cache[0, :, :, : start + time].to(q.dtype)
            v = cache[1, :, :, : start + time].to(q.dtype)
        mixed = F.scaled_dot_product_attention(
            q, k, v, attn_mask=mask, is_causal=mask is None and time > 1, enable_gqa=True
        )
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, time, -1))
        update: Tensor = self.down(squared_relu(self.up(rms_norm(x, self.norm_mlp))))
        return x + update


class GridTransformer(nn.Module):
    """ids on a grid -> logits of the next id, (B, T, outputs)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        tokenizer = config.tokenizer
        self.vocabulary, self.outputs = tokenizer.size, tokenizer.outputs
        self.embed = nn.Embedding(self.vocabulary, config.d_model)
        # One table for all neighbours: entry k * outputs+1 + id, where the last id means "none".
        self.neighbour_embed = nn.Embedding(
            max(1, len(config.neighbours)) * (self.outputs + 1), config.d_model
        )
        # Row, column, rows left and columns left of the next cell; 0 of the last two means unknown.
        self.position_embed = (
            nn.Embedding(2 * sum(POSITIONS), config.d_model) if config.position_inputs else None
        )
        topic = config.topic_dimensions
        self.topic_embed = nn.Embedding(TOPIC_BUCKETS, topic, padding_idx=0)
        rank = config.word_rank
        self.topic_projection = None if rank else nn.Linear(topic, config.d_model, bias=False)
        self.word_head = WordHead(config.neighbours, topic, self.outputs) if rank else None
        # As for the neighbours above: entry k * outputs+1 + id.
        self.reference_embed = (
            nn.Embedding(len(WINDOW) * (self.outputs + 1), config.d_model)
            if config.reference
            else None
        )
        self.level_embed = nn.Embedding(LEVELS + 1, config.d_model) if config.reference else None
        # A narrow table per pair of context cells, brought to d_model by one matrix for all.
        self.symbols = config.symbols
        width = config.pair_dimensions
        count = len(config.pairs)
        self.pair_embed = nn.Embedding(count * self.symbols**2, width) if count else None
        self.pair_projection = (
            nn.Linear(count * width, config.d_model, bias=False) if count else None
        )
        self.rotary = Rotary(config)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.d_model)
        self.head = None if config.tied else nn.Linear(config.d_model, self.outputs, bias=False)
        self._initialise()

    def _initialise(self) -> None:
        """Small embeddings; residual outputs start at zero, so the network starts as its input."""
        nn.init.normal_(self.embed.weight, std=0.5)
        nn.init.normal_(
            self.neighbour_embed.weight, std=0.5 / math.sqrt(max(1, len(self.config.neighbours)))
        )
        if self.position_embed is not None:
            nn.init.normal_(self.position_embed.weight, std=0.1)
        nn.init.zeros_(self.topic_embed.weight)
        if self.topic_projection is not None:
            nn.init.normal_(
                self.topic_projection.weight, std=0.5 / self.config.topic_dimensions**0.5
            )
        if self.reference_embed is not None and self.level_embed is not None:
            nn.init.normal_(self.reference_embed.weight, std=0.3 / len(WINDOW) ** 0.5)
            nn.init.zeros_(self.level_embed.weight)
        for block in self.blocks:
            assert isinstance(block, Block)
            for inner in (block.qkv, block.up):
                nn.init.normal_(inner.weight, std=self.config.d_model**-0.5)
            for residual in (block.out, block.down):
                nn.init.zeros_(residual.weight)
        if self.pair_embed is not None and self.pair_projection is not None:
            nn.init.normal_(self.pair_embed.weight, std=0.5)
            nn.init.normal_(
                self.pair_projection.weight, std=0.5 / self.pair_projection.in_features**0.5
            )
        if self.head is not None:
            nn.init.normal_(self.head.weight, std=0.02)

    def forward(
        self, given: GridInput, cache: KVCache | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Logits, (B, T, outputs). With ``cache`` the ids follow what it holds; ``mask`` (B, 1, T, S) is True
        where a query may look (needed with a cache whose rows were padded)."""
        return self.worded(self.wordless(self.hidden(given, cache, mask)), given, cache)

    def hidden(
        self, given: GridInput, cache: KVCache | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """What the blocks make of the input, (B, T, d_model); with a word head no words are in it."""
        x = self.embed(given.ids)
        x = x + self._surroundings(given)
        if self.position_embed is not None:
            x = x + self._position(given, self.position_embed.weight)
        if self.topic_projection is not None:
            count = (given.topics > 0).sum(1).clamp(min=1).sqrt()[:, None, None]
            x = x + self.topic_projection(
                _INPUT_SCALE * self.topic_embed(given.topics).sum(1, keepdim=True) / count
            )
        if given.reference is not None:
            x = x + self._reference(given)
        start = cache.length if cache is not None else 0
        query, key = self._angles(given, start, _compute_dtype(x))
        for number, block in enumerate(self.blocks):
            held = cache.data[number] if cache is not None else None
            x = block(x, query, key, held, start, mask)
        if cache is not None:
            cache.length += given.ids.shape[1]
        return rms_norm(x, self.norm)

    def wordless(self, hidden: Tensor) -> Tensor:
        """Logits (B, T, outputs) before the word head has its say."""
        weight = self.embed.weight[: self.outputs] if self.head is None else self.head.weight
        return F.linear(hidden, weight)

    def worded(self, logits: Tensor, given: GridInput, cache: KVCache | None = None) -> Tensor:
        """``logits`` (B, T, outputs) with what the word head has to say."""
        head = self.word_head
        if head is None or not bool((given.topics > 0).any()):
            return logits
        grams = head.candidates(given.ids, given.above)
        if cache is None:
            says = head.says(self.say(given.topics))
            # The prompt is row 0.
            fresh = fresh_grams(grams, given.ids, given.next_cell[..., 0] > 0)
        else:
            says, fresh = self._cached_words(head, cache, grams, given)
        worded: Tensor = head(logits, says, grams, fresh, given.size, given.next_cell)
        return worded

    def _cached_words(
        self, head: WordHead, cache: KVCache, grams: Tensor, given: GridInput
    ) -> tuple[Tensor, Tensor]:
        """What the words say, (B, GRAMS), and which of ``grams`` are fresh, from what the cache knows of the drawing."""
        ids = given.ids
        if cache.says is None or cache.stand is None or cache.offered is None:
            cache.says = head.says(self.say(given.topics))
            drawn = given.next_cell[..., 0] > 0
            fresh = fresh_grams(grams, ids, drawn)
            cache.stand = torch.zeros_like(cache.says, dtype=torch.bool)
            for row, (made, known) in enumerate(zip(made_grams(grams, ids), drawn, strict=True)):
                cache.stand[row, made[known[:-1]]] = True
        else:
            assert ids.shape[1] == 1
            glyph = ids.clamp(max=self.outputs - 1).unsqueeze(2)
            glyph = glyph.expand(-1, cache.offered.shape[1], 1)
            cache.stand.scatter_(1, cache.offered.gather(2, glyph).squeeze(2), True)
            fresh = ~cache.stand.gather(1, grams.flatten(1)).view(grams.shape)
        cache.offered = grams[:, -1]
        return cache.says, fresh

    def say(self, topics: Tensor) -> Tensor:
        """The words of prompts (..., topics) as the word head is told them: the sum of what each says,
        (..., dimensions)."""
        return torch.sum(self.topic_embed(topics) * (topics > 0).unsqueeze(-1), dim=-2)

    def _reference(self, given: GridInput) -> Tensor:
        """What the drawing to draw after shows about the next cell, and how far to trust it: (B, T, d_model)."""
        if self.reference_embed is None or self.level_embed is None:
            raise ValueError("this network takes no reference")
        assert given.reference is not None and given.level is not None
        cells = given.reference.clamp(max=self.outputs)
        shift = torch.arange(cells.shape[-1], device=cells.device) * self.symbols
        seen = F.embedding_bag(
            (cells + shift).view(-1, cells.shape[-1]), self.reference_embed.weight, mode="sum"
        ).view(*cells.shape[:2], -1)
        # Without a reference all cells are "none"; that must add nothing.
        there = (given.level > 0)[:, None, None]
        trusted: Tensor = seen + self.level_embed(given.level).unsqueeze(1)
        return trusted * there

    def _surroundings(self, given: GridInput) -> Tensor:
        """What stands about the next cell, one by one and in pairs: (B, T, d_model)."""
        batch, time, kinds = given.above.shape
        if not kinds:
            return torch.zeros((), device=given.above.device)
        above = given.above.clamp(max=self.outputs)
        shift = torch.arange(kinds, device=above.device) * self.symbols
        alone = F.embedding_bag(
            (above + shift).view(-1, kinds), self.neighbour_embed.weight, mode="sum"
        )
        alone = alone.view(batch, time, -1)
        if self.pair_embed is None or self.pair_projection is None:
            return alone
        left = given.ids.clamp(max=self.outputs).unsqueeze(-1)
        around = torch.cat((left, above), dim=-1)
        one, two = (around[..., [pair[k] for pair in self.config.pairs]] for k in (0, 1))
        shift = torch.arange(len(self.config.pairs), device=above.device) * self.symbols**2
        paired: Tensor = self.pair_projection(
            self.pair_embed(one * self.symbols + two + shift).flatten(2)
        )
        return alone + paired

    def _position(self, given: GridInput, table: Tensor) -> Tensor:
        """Where the next cell is and how much room is left, from row 1 on: (B, T, d_model)."""
        cell = given.next_cell
        last = torch.tensor(POSITIONS, device=cell.device) - 1
        asked = given.size[:, None, :]
        left = torch.where(asked > 0, (asked - cell + cell.new_tensor((1, 0))).clamp(min=0) + 1, 0)
        rows, columns = POSITIONS
        shift = torch.tensor((0, rows, rows + columns, 2 * rows + columns), device=cell.device)
        slots = torch.cat((cell.minimum(last), left.minimum(last)), dim=-1) + shift
        return F.embedding_bag(slots.view(-1, 4), table, mode="sum").view(*cell.shape[:2], -1)

    def _angles(
        self, given: GridInput, start: int, dtype: torch.dtype
    ) -> tuple[tuple[Tensor, Tensor] | None, tuple[Tensor, Tensor] | None]:
        if self.config.rope == "none":
            return None, None
        if self.config.rope == "1d":
            index = torch.arange(start, start + given.ids.shape[1], device=given.ids.device)
            angles = self.rotary(index.expand_as(given.ids), dtype)
            return angles, angles
        return self.rotary(given.next_cell, dtype), self.rotary(given.cell, dtype)

    def parameter_count(self) -> int:
        return sum(p.numel() for p in self.parameters())


def untrained_model(config: ModelConfig, seed: int = 0) -> GridTransformer:
    """A network of random weights. Seeds torch's random numbers: same seed, same weights."""
    torch.manual_seed(seed)
    return GridTransformer(config)
