"""Patches of 3 rows x 6 columns, of which about one in ``SCALE`` is kept.

Whether a patch is kept goes by its own hash. So a patch that is kept in a scene is kept in every crop
of the scene that has it.

Source: FracMinHash, Irber, Brooks, Reiter, Pierce-Ward, Hera, Koslicki and Brown (2022).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asciiloom.jit import njit
from asciiloom.similarity.arrays import I64, U8, U32
from asciiloom.similarity.grids import GridBatch

ROWS, COLUMNS = 3, 6
SCALE = 16
# A patch must have so many cells of ink, and so many distinct glyphs among them.
PATCH_INK = 6
PATCH_GLYPHS = 3
_STEP = 0x100000001B3
_MIX = -49064778989728563  # 0xFF51AFD7ED558CCD as a signed word


@dataclass(frozen=True, slots=True)
class Patches:
    """Kept patches of some pieces, ascending by hash and then by owner; uint32 (patches,) each."""

    hashes: U32
    owner: U32  # index of the piece
    position: U32  # row << 16 | column of the cell where the patch begins

    def __len__(self) -> int:
        return len(self.hashes)

    def take(self, which: slice | I64) -> "Patches":
        return Patches(self.hashes[which], self.owner[which], self.position[which])

    @staticmethod
    def concatenate(parts: "Sequence[Patches]", first_owner: Sequence[int]) -> "Patches":
        """The patches of several parts, whose owners are counted on from ``first_owner`` of their part."""
        hashes = np.concatenate([part.hashes for part in parts])
        owner = [p.owner + np.uint32(first) for p, first in zip(parts, first_owner, strict=True)]
        position = np.concatenate([part.position for part in parts])
        # Equal hashes stay in the order of their owners, as parts are in it.
        order = np.argsort(hashes, kind="stable")
        return Patches(hashes[order], np.concatenate(owner)[order], position[order])


@njit
def _sample(
    cells: U8, start: I64, height: I64, width: I64, write: bool, out: U32, owner: U32, position: U32
) -> int:
    """Find the patches to keep and, with ``write``, write them down; return how many there are."""
    count = 0
    top = np.int64(1)
    for _ in range(COLUMNS - 1):
        top *= _STEP
    widest = 1
    for i in range(len(start)):
        widest = max(widest, width[i])
    rolling = np.empty((ROWS, widest), np.int64)
    seen = np.zeros(PATCH_GLYPHS, np.int64)
    for i in range(len(start)):
        h, w = height[i], width[i]
        if h < ROWS or w < COLUMNS or h > 0xFFFF or w > 0xFFFF:
            continue
        for y in range(h):
            # A hash of every run of COLUMNS cells of this row; those of the last ROWS rows are held.
            line = start[i] + y * w
            rolling_row = rolling[y % ROWS]
            value = np.int64(0)
            for x in range(w):
                if x >= COLUMNS:
                    value -= np.int64(cells[line + x - COLUMNS]) * top
                value = value * _STEP + np.int64(cells[line + x])
                if x >= COLUMNS - 1:
                    rolling_row[x - COLUMNS + 1] = value
            if y < ROWS - 1:
                continue
            for x in range(w - COLUMNS + 1):
                mixed = np.int64(0)
                for k in range(ROWS):
                    mixed = (mixed ^ rolling[(y + 1 + k) % ROWS, x]) * _MIX
                    mixed ^= (mixed >> 29) & 0x7FFFFFFFF
                if mixed & (SCALE - 1):
                    continue
                ink = kinds = 0
                for dy in range(ROWS):
                    row = start[i] + (y - ROWS + 1 + dy) * w + x
                    for k in range(row, row + COLUMNS):
                        code = np.int64(cells[k])
                        if code > 32:
                            ink += 1
                            known = kinds >= PATCH_GLYPHS
                            for m in range(min(kinds, PATCH_GLYPHS)):
                                known = known or seen[m] == code
                            if not known:
                                seen[kinds] = code
                                kinds += 1
                if ink < PATCH_INK or kinds < PATCH_GLYPHS:
                    continue
                if write:
                    out[count] = np.uint32((mixed >> 8) & 0xFFFFFFFF)
                    owner[count] = i
                    position[count] = np.uint32((y - ROWS + 1) << 16 | x)
                count += 1
    return count


def sample_patches(batch: GridBatch) -> Patches:
    """The patches to keep of a batch's grids; an owner is the index of its grid."""
    none = np.empty(0, np.uint32)
    shape = (batch.cells, batch.start, batch.height, batch.width)
    count = _sample(*shape, False, none, none, none)
    hashes, owner, position = (np.empty(count, np.uint32) for _ in range(3))
    _sample(*shape, True, hashes, owner, position)
    return Patches(hashes, owner, position).take(np.argsort(hashes, kind="stable"))
