"""The house itself: rooms import only rooms to their left, no circles, small floors, and curating needs no torch."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import asciiloom
from asciiloom.corpus import Corpus

PACKAGE = Path(asciiloom.__file__).parent


def _load_graph() -> ModuleType:
    """What ``scripts/rooms`` draws from, so that the picture and these tests are of one house."""
    path = Path(__file__).parents[1] / "scripts" / "rooms" / "graph.py"
    spec = importlib.util.spec_from_file_location("rooms_graph", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclass looks itself up there
    spec.loader.exec_module(module)
    return module


graph = _load_graph()
HOUSE = graph.read_house(PACKAGE)


def test_rooms_import_only_to_their_left() -> None:
    """Nor does a module beside the rooms import one."""
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert folders == {*graph.ROOMS, *graph.ABOVE}
    assert HOUSE.arrows()["twins", "similarity"] > 5
    assert HOUSE.wrong_arrows() == []


def test_no_circle_among_modules() -> None:
    assert HOUSE.circles() == []


def test_no_room_above_14_files_on_one_floor() -> None:
    assert HOUSE.floors["asciiloom.similarity"] > 5
    assert HOUSE.crowded_floors() == []


def test_similarity_imports_no_sqlite3() -> None:
    """And nothing of the package but pieces: it is pure over arrays."""
    modules = {m for m in HOUSE.imports if HOUSE.room(m) == "similarity"}
    assert "asciiloom.similarity.candidates" in modules
    outside = set().union(*(HOUSE.others[m] for m in modules))
    assert "numpy" in outside and not outside & {"sqlite3", "sqlite_utils"}
    named = {HOUSE.room(n) for m in modules for n in HOUSE.imports[m]}
    assert named == {"similarity", "piece", None}


def test_a_wrong_house_is_seen(tmp_path: Path) -> None:
    files = {
        "__init__": "",
        "errors": "from asciiloom.store import chosen",
        "store/__init__": "",
        "store/chosen": "def f():\n    from asciiloom.twins.dedup import g",
        "twins/__init__": "",
        "twins/dedup": "import asciiloom.twins.ray_engine",
        "twins/ray_engine": "from asciiloom.twins.dedup import CONSTANT",
        **{f"twins/t{k}": "import sqlite3" for k in range(12)},
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.py").write_text(text)
    house = graph.read_house(tmp_path)
    assert house.circles() == [["asciiloom.twins.dedup", "asciiloom.twins.ray_engine"]]
    assert house.wrong_arrows() == [
        "asciiloom.errors imports asciiloom.store.chosen",
        "asciiloom.store.chosen imports asciiloom.twins.dedup",
    ]
    assert house.crowded_floors() == ["asciiloom.twins: 15 files"]
    assert house.others["asciiloom.twins.t3"] == {"sqlite3"}
    (tmp_path / "errors.py").write_text("from . import store")
    with pytest.raises(ValueError, match="relative"):
        graph.read_house(tmp_path)


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
        "import sys, asciiloom.cli.search, asciiloom.cli.curate, asciiloom.cli.names, asciiloom.cli.keep, asciiloom.cli.browse;"
        "print(sorted({'torch', 'numba', 'scipy', 'datasette', 'matplotlib', 'ray'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_a_search_loads_what_it_needs(corpus_file: Path) -> None:
    """Arrays and frames take longer to load than a search takes."""
    code = (
        "import sys\nfrom asciiloom.cli import main\n"
        f"main(['search', {str(corpus_file)!r}, 'cat', '--max', '40x12'], standalone_mode=False)\n"
        "print(sorted({'numpy', 'pandas', 'sqlite_utils', 'pyarrow', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert len(done.stdout.splitlines()) > 10
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr


def test_sqlite_utils_works_on_the_connection_of_a_corpus(corpus_file: Path) -> None:
    with Corpus(corpus_file) as corpus:
        assert corpus.db.conn is corpus.connection and corpus.db is corpus.db
        assert corpus.db["piece"].count == corpus.count()
        assert corpus.connection.execute("PRAGMA recursive_triggers").fetchone() == (1,)
