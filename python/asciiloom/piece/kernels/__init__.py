"""Compiled passes over the code points of a whole batch of texts; numba is imported when one is called."""
