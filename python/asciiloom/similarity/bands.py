"""The columns that a run of signatures keeps, by name."""

PERMUTATIONS = 128
ROWS_PER_BAND = 4
BANDS = PERMUTATIONS // ROWS_PER_BAND
# Fewer bands are enough to meet one's mirror image: it is asked of both sides.
MIRROR_BANDS = 16
BLOCKS = tuple(f"blocks {k}" for k in range(BANDS))
FLAT = tuple(f"flat {k}" for k in range(BANDS))
MIRRORED = tuple(f"mirrored {k}" for k in range(MIRROR_BANDS))
# All that a run keeps of a piece beside its signature.
BY_PIECE = (*BLOCKS, *FLAT, *MIRRORED, "bare", "mirror", "ink")
# Ascending by hash: the patches of all its pieces, whose each is (its place in the run), and where in it.
PATCHES = ("patch", "patch owner", "patch place")
COLUMNS = (*BY_PIECE, *PATCHES)
