"""The columns that are kept of signed pieces, under the names by which they are stored."""

PERMUTATIONS = 128
ROWS_PER_BAND = 3
BANDS = PERMUTATIONS // ROWS_PER_BAND
# What is placed is met by chance so rarely that few bands are enough.
PLACED_BANDS = 21
# And for one's mirror image: both sides look for the other.
MIRROR_BANDS = 16
# Buckets of the bands of each signature: of the blocks, of the flat runs, of the blocks each at its place,
# of the blocks seen in a mirror.
BLOCKS = tuple(f"blocks {k}" for k in range(BANDS))
FLAT = tuple(f"flat {k}" for k in range(BANDS))
PLACED = tuple(f"placed {k}" for k in range(PLACED_BANDS))
BANDED = (*BLOCKS, *FLAT, *PLACED)
MIRRORED = tuple(f"mirrored {k}" for k in range(MIRROR_BANDS))
# The hash of the text without whitespace and credits; the lesser of it and its mirror image's; cells of ink.
INK_HASH, MIRROR_HASH, INK = "bare", "mirror", "ink"
# One value a piece.
BY_PIECE = (*BANDED, *MIRRORED, INK_HASH, MIRROR_HASH, INK)
# One value a patch, ascending by hash: the hash, the index of its piece in the run, the cell where it begins.
PATCHES = ("patch", "patch owner", "patch place")
COLUMNS = (*BY_PIECE, *PATCHES)
