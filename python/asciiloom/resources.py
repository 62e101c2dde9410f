"""Files shipped beside the code: the SQL schema and the default corpus.

In a wheel they lie inside the package; in a source checkout at the top of the repository.
"""

from pathlib import Path

from asciiloom.errors import AsciiloomError

_PACKAGE = Path(__file__).resolve().parent


def resource_dir(name: str) -> Path:
    """The folder ``name`` ("schema" or "data"), wherever this installation keeps it."""
    for base in (_PACKAGE, _PACKAGE.parent.parent):
        folder = base / name
        if folder.is_dir():
            return folder
    raise AsciiloomError(f"this installation has no {name}/ folder; install asciiloom again")
