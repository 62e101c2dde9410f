"""How alike pieces are: tight grids, signatures, candidate pairs, alignment. Pure over arrays: no SQL."""
