"""Where settings come from: recipes that are shipped, files in TOML, YAML or JSON, and overrides on top.

A recipe is a TOML file in ``recipes/``, known by its name. What is read is plain data, a table a section;
``Settings.from_dict`` looks at what is inside.
"""

import re
import tomllib
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from asciiloom.errors import SettingsError
from asciiloom.json_file import parse_json, parse_object, read_bounded
from asciiloom.typed import shown

MAX_BYTES = 1 << 20
_FOLDER = Path(__file__).with_name("recipes")
RECIPES = tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))

Tree = dict[str, dict[str, Any]]


def load_settings(source: str | Path | None, overrides: Iterable[str] = ()) -> Tree:
    """A settings tree from a recipe's name or a file, with ``section.name=value`` overrides on top.

    Every section of it is a dict. ``SettingsError`` says in one line why there is none.
    """
    tree = _read(_find(source)) if source is not None else {}
    override(tree, overrides)
    for section, content in tree.items():
        if not isinstance(content, dict):
            raise SettingsError(f"the section {shown(section)} must be a table, not a value")
    return tree


def override(tree: dict[str, Any], overrides: Iterable[str]) -> None:
    """Put the values of ``section.name=value`` (JSON, or bare text) into ``tree``."""
    for text in overrides:
        name, equals, value = text.partition("=")
        section, dot, key = name.partition(".")
        if not (equals and section and dot and key):
            raise SettingsError(f"{shown(text)} is not of the form section.name=value")
        tree.setdefault(section, {})
        if isinstance(tree[section], dict):
            tree[section][key] = _value(value)


def to_yaml(tree: dict[str, Any]) -> str:
    """``tree`` as YAML that ``load_settings`` reads back as it is."""
    return yaml.safe_dump(tree, sort_keys=False, default_flow_style=None, width=100)


def _find(source: str | Path) -> Path:
    if str(source) in RECIPES:
        return _FOLDER / f"{source}.toml"
    path = Path(source)
    if not path.suffix and not path.exists():
        near = get_close_matches(str(source), RECIPES, 1)
        hint = f"did you mean {near[0]}?" if near else f"recipes are {', '.join(RECIPES)}"
        raise SettingsError(f"no recipe or settings file {shown(str(source))}; {hint}")
    return path


def _read(path: Path) -> dict[str, Any]:
    try:
        parse = _PARSERS.get(path.suffix.lower(), parse_object)
        return parse(read_bounded(path, MAX_BYTES))
    except RecursionError as error:
        raise SettingsError(f"settings file {path}: it is nested too deeply") from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SettingsError(f"settings file {path}: {' '.join(why.split())[:300]}") from error


def _value(text: str) -> Any:
    """What ``text`` is as JSON, or itself."""
    try:
        return parse_json(text)
    except ValueError:
        return text


class _Yaml(yaml.SafeLoader):
    """YAML without its traps: ``1e-3`` is a number, no name is given twice, and nothing is an alias, with
    which a short file means an endless one."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise ValueError("it has an alias (*name); write the value out")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        names = [key.value for key, _ in node.value]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"it names {shown(name)} twice")
        return super().construct_mapping(node, deep)


# YAML 1.1 wants a point in 1.0e-3, which nobody types.
_Yaml.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+\Z"), list("-+0123456789")
)


def _from_yaml(data: bytes) -> dict[str, Any]:
    tree = yaml.load(data.decode("utf-8"), _Yaml)
    if not isinstance(tree, dict):
        raise ValueError("it is not a table of names and values")
    return tree


def _from_toml(data: bytes) -> dict[str, Any]:
    return tomllib.loads(data.decode("utf-8"))


_PARSERS: dict[str, Callable[[bytes], dict[str, Any]]] = {
    ".toml": _from_toml,
    ".yaml": _from_yaml,
    ".yml": _from_yaml,
}
