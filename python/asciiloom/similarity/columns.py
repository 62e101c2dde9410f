"""The columns that are kept of signed pieces, under the names by which they are stored."""

PERMUTATIONS = 128
ROWS_PER_BAND = 4
BANDS = PERMUTATIONS // ROWS_PER_BAND
# Fewer bands are enough to meet one's mirror image: both sides look for the other.
MIRROR_BANDS = 16
# Buckets of the bands of each signature: of the blocks, of the flat runs, of the blocks seen in a mirror.
BLOCKS = tuple(f"blocks {k}" for k in range(BANDS))
FLAT = tuple(f"flat {k}" for k in range(BANDS))
MIRRORED = tuple(f"mirrored {k}" for k in range(MIRROR_BANDS))
# The hash of the text without whitespace and credits; the lesser of it and its mirror image's; cells of ink.
INK_HASH, MIRROR_HASH, INK = "bare", "mirror", "ink"
# One value a piece.
BY_PIECE = (*BLOCKS, *FLAT, *MIRRORED, INK_HASH, MIRROR_HASH, INK)
# One value a patch, ascending by hash: the hash, the index of its piece in the run, the cell where it begins.
PATCHES = ("patch", "patch owner", "patch place")
COLUMNS = (*BY_PIECE, *PATCHES)
