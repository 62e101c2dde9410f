"""The house itself: rooms import only rooms to their left, and curating needs no torch."""

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import asciiloom

PACKAGE = Path(asciiloom.__file__).parent
ROOMS = [
    "piece",
    "emit",
    "readers",
    "synth",
    "similarity",
    "store",
    "ingest",
    "twins",
    "curate",
    "corpus",
    "tokens",
    "model",
    "generate",
    "evaluate",
    "train",
    "export",
]
ABOVE = {"cli", "web"}
FOUNDATION = {"errors", "resources", "jit", "cores", "outputs", "signals", "_version"}


def _imported_rooms(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{file}: relative import"
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            parts = name.split(".")
            if parts[0] == "asciiloom" and len(parts) > 1:
                found.add(parts[1])
    return found


def test_rooms_import_only_to_their_left() -> None:
    wrong = []
    seen = 0
    for place, room in enumerate(ROOMS):
        for file in (PACKAGE / room).rglob("*.py"):
            seen += 1
            allowed = {*ROOMS[: place + 1], *FOUNDATION}
            wrong += [
                f"{file.name} of {room} imports {r}"
                for r in _imported_rooms(file) & {*ROOMS, *ABOVE} - allowed
            ]
    assert seen > 30
    assert wrong == []


@pytest.mark.parametrize("room", ["piece", "emit", "readers", "synth"])
def test_no_floor_holds_more_than_fourteen_files(room: str) -> None:
    floors = Counter(file.parent for file in (PACKAGE / room).rglob("*.py"))
    assert floors and {str(folder): n for folder, n in floors.items() if n > 14} == {}


def test_foundation_imports_no_room() -> None:
    for name in FOUNDATION:
        assert not _imported_rooms(PACKAGE / f"{name}.py") & {*ROOMS, *ABOVE}


def test_every_public_name_is_there() -> None:
    for name in asciiloom.__all__:
        assert getattr(asciiloom, name) is not None
    assert set(asciiloom._ROOM_OF) <= set(asciiloom.__all__)


def test_unknown_public_name_is_an_attribute_error() -> None:
    try:
        asciiloom.nonsense  # noqa: B018
    except AttributeError as error:
        assert "nonsense" in str(error)
    else:
        raise AssertionError("no error")


_WITHOUT_TORCH = """
import sys
class Ban:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "safetensors"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name.split(".")[0])
sys.meta_path.insert(0, Ban())
from asciiloom.cli import main
main(sys.argv[1:], standalone_mode=True)
"""


def _without_torch(*args: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _WITHOUT_TORCH, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_corpus_commands_work_without_torch(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    art = tmp_path / "cat.txt"
    art.write_text(" /\\_/\\\n( o.o )\n > ^ <\n")
    for args in (
        ("init", db),
        ("ingest", db, art),
        ("dedup", db),
        ("search", db, "--glyphs", "o.o"),
        ("show", db, 1),
        ("tag", "add", db, "cat", 1),
        ("stats", db),
    ):
        done = _without_torch(*args)
        assert done.returncode == 0, (args, done.stderr)


def test_training_commands_name_the_extra(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    _without_torch("init", db)
    done = _without_torch("train", db)
    assert done.returncode == 1
    assert "asciiloom[train]" in done.stderr and "Traceback" not in done.stderr


def test_import_pulls_in_nothing_heavy() -> None:
    code = "import sys, asciiloom; print(sorted({'torch','numpy','numba','pandas','sqlite_utils'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_looking_and_curating_load_no_compiler() -> None:
    code = (
        "import sys, asciiloom.cli.search, asciiloom.cli.curate, asciiloom.cli.tag, asciiloom.cli.keep, asciiloom.cli.browse;"
        "print(sorted({'torch', 'numba', 'scipy', 'datasette', 'matplotlib', 'ray'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
