"""From texts to all that is kept of them: signatures, buckets, hashes, patches; and their tight grids."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asciiloom.similarity import columns
from asciiloom.similarity.arrays import U32
from asciiloom.similarity.grids import GridBatch
from asciiloom.similarity.patches import Patches, sample_patches
from asciiloom.similarity.signatures import band_buckets, sign


@dataclass(frozen=True, slots=True)
class Signed:
    """What is kept of some pieces: MinHash values of both sets of shingles, and named columns."""

    blocks: U32  # (pieces, 128)
    flat: U32  # (pieces, 128)
    by_piece: dict[str, U32]  # (pieces,) for each of ``columns.BY_PIECE``
    patches: Patches

    @staticmethod
    def concatenate(parts: "Sequence[Signed]") -> "Signed":
        """The pieces of several parts, one part after another."""
        first = np.cumsum([0, *(len(part.blocks) for part in parts)]).tolist()
        return Signed(
            np.concatenate([part.blocks for part in parts]),
            np.concatenate([part.flat for part in parts]),
            {n: np.concatenate([p.by_piece[n] for p in parts]) for n in columns.BY_PIECE},
            Patches.concatenate([part.patches for part in parts], first[:-1]),
        )


def sign_texts(
    texts: Sequence[str], ink_hashes: Sequence[str], mirror_hashes: Sequence[str]
) -> tuple[Signed, GridBatch]:
    """What is kept of pieces, and their tight grids.

    ``texts`` are as they are compared, credits blanked; the hashes are of the text without whitespace
    and credits, and the lesser of it and its mirror image's, in hexadecimal.
    """
    grids = GridBatch.from_texts(texts).tight()
    ink, counts = grids.histograms()
    blocks, flat = sign(grids, "blocks"), sign(grids, "flat", histograms=(ink, counts))
    placed = sign(grids, "placed", columns.PLACED_BANDS * columns.ROWS_PER_BAND)
    mirrored = sign(grids.mirrored(), "blocks", columns.MIRROR_BANDS * columns.ROWS_PER_BAND)
    by_piece = {
        **dict(zip(columns.BLOCKS, band_buckets(blocks), strict=True)),
        **dict(zip(columns.FLAT, band_buckets(flat), strict=True)),
        **dict(zip(columns.PLACED, band_buckets(placed), strict=True)),
        **dict(zip(columns.MIRRORED, band_buckets(mirrored), strict=True)),
        columns.INK_HASH: _first_half(ink_hashes),
        columns.MIRROR_HASH: _first_half(mirror_hashes),
        columns.INK: ink.astype(np.uint32),
    }
    return Signed(blocks, flat, by_piece, sample_patches(grids)), grids


def _first_half(hashes: Sequence[str]) -> U32:
    """The first 32 bits of each hash, which is bucket enough; never 0, which stands for none."""
    return np.array([int(name[:8], 16) or 1 for name in hashes], np.uint32)
