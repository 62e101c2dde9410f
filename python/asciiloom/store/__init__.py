"""The SQLite file: opening, migrating, transactions, and ``Selection``, the one filter of the project."""

from asciiloom.store.selection import Selection

__all__ = ["Selection"]
