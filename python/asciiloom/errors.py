"""The errors asciiloom raises on purpose: what happened, where, and what to do.

The command line prints ``str(error)`` as one line and exits 1; anything that is not an
``AsciiloomError`` is a defect.
"""


class AsciiloomError(Exception):
    """Base of every expected failure."""


class CorpusError(AsciiloomError):
    """A file is not a corpus, is too new, or cannot be opened."""


class ReaderError(AsciiloomError):
    """An input cannot be read at all (a bad *part* of it is a rejection instead)."""


class OutputError(AsciiloomError):
    """A file or folder cannot be written, or what is there must not be written over."""


class SelectionError(AsciiloomError):
    """A selection that cannot mean anything, such as ``--width 9..3``."""


class ConstraintError(AsciiloomError):
    """A generation request that no text can satisfy."""


class CheckpointError(AsciiloomError):
    """A checkpoint or export is missing, incomplete or does not fit."""


class SettingsError(AsciiloomError):
    """A training setting is out of range or contradicts another."""


class MissingExtraError(AsciiloomError):
    """An optional dependency is not installed."""

    def __init__(self, module: str, extra: str) -> None:
        super().__init__(
            f"{module} is not installed; it comes with: pip install 'asciiloom[{extra}]'"
        )
