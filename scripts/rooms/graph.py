"""The package as a house, read from its import statements: rooms in order, modules, and who imports whom.

Every import counts, also within a function and for type checkers only: it ties two modules together.
"""

import ast
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "asciiloom"
# In the order in which a piece of art flows through them: a room imports only rooms to its left.
ROOMS = (
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
)
# Stand above all rooms; no room imports them.
ABOVE = ("cli", "web")
# A room has at most so many files on one floor: in one folder.
FLOOR = 14


@dataclass(frozen=True, slots=True)
class House:
    """``imports``: the modules of the package that each module names; ``others``: what else it imports."""

    imports: dict[str, set[str]]
    others: dict[str, set[str]]
    floors: dict[str, int]  # .py files in each folder, as a dotted name

    def room(self, module: str) -> str | None:
        """The room of a module, None for those beside the rooms."""
        name = module.split(".")[1] if "." in module else ""
        return name if name in (*ROOMS, *ABOVE) else None

    def arrows(self) -> dict[tuple[str, str], int]:
        """(room, room that it imports): by how many import statements' modules."""
        out: dict[tuple[str, str], int] = {}
        for module, named in self.imports.items():
            for other in named:
                pair = self.room(module), self.room(other)
                if pair[0] and pair[1] and pair[0] != pair[1]:
                    out[pair[0], pair[1]] = out.get((pair[0], pair[1]), 0) + 1
        return out

    def wrong_arrows(self) -> list[str]:
        """Modules that import a room to their right, or from beside the rooms any room."""
        order = {room: k for k, room in enumerate(ROOMS)} | {room: len(ROOMS) for room in ABOVE}
        wrong = []
        for module, named in sorted(self.imports.items()):
            room = self.room(module)
            beside = room is None and module not in (PACKAGE, f"{PACKAGE}.__main__")
            for other in sorted(named):
                there = self.room(other)
                to_the_right = room and there and order[there] > order[room]
                from_beside = beside and there
                if to_the_right or from_beside:
                    wrong.append(f"{module} imports {other}")
        return wrong

    def circles(self) -> list[list[str]]:
        """Groups of modules that import one another in a loop."""
        return [sorted(group) for group in _components(self.imports) if len(group) > 1]

    def crowded_floors(self) -> list[str]:
        """Folders with more files than a floor has room for."""
        return [f"{folder}: {n} files" for folder, n in self.floors.items() if n > FLOOR]


def read_house(folder: Path) -> House:
    """The house whose package lies in ``folder``."""
    files = {_name(path, folder): path for path in sorted(folder.rglob("*.py"))}
    floors: dict[str, int] = {}
    for path in files.values():
        floor = ".".join((PACKAGE, *path.parent.relative_to(folder).parts))
        floors[floor] = floors.get(floor, 0) + 1
    imports: dict[str, set[str]] = {}
    others: dict[str, set[str]] = {}
    for module, path in files.items():
        named = _named(path)
        # "from asciiloom.store import chosen" names a module, "from asciiloom.store import Selection" does not.
        imports[module] = {other for name in named if (other := _module(name, files)) != module}
        imports[module].discard("")
        others[module] = {name.split(".")[0] for name in named} - {PACKAGE}
    return House(imports, others, floors)


def _name(path: Path, folder: Path) -> str:
    parts = path.relative_to(folder).with_suffix("").parts
    return ".".join((PACKAGE, *(part for part in parts if part != "__init__")))


def _named(path: Path) -> set[str]:
    """Dotted names that the import statements of a file give."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level or not node.module:
                raise ValueError(f"{path}, line {node.lineno}: a relative import")
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def _module(name: str, files: dict[str, Path]) -> str:
    """The module of the package that a dotted name is, or is in; "" for what is not in the package."""
    if name.split(".")[0] != PACKAGE:
        return ""
    return name if name in files else name.rpartition(".")[0]


def _components(graph: dict[str, set[str]]) -> list[list[str]]:
    """Strongly connected components. Source: Tarjan (1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            cut = stack.index(node)
            found.append(stack[cut:])
            del stack[cut:]

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found
