"""Plain data (JSON, TOML, YAML) to dataclasses, with every value held against its field's type by ``msgspec``.

A field says what it takes where it is declared: ``layers: Annotated[int, Between(1, 128)]``. Nothing
is converted on the way but lists to tuples: ``true`` is no number, ``6.0`` no whole number, and
text no list of letters. What does not fit is a ``SettingsError`` of one line that names the field.
"""

import dataclasses
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

import msgspec

from asciiloom.errors import SettingsError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

# What SQLite, numpy and torch count with.
_LARGEST = 2**63 - 1
_WORDS = {
    "int": "a whole number", "float": "a number", "str": "text", "bool": "true or false",
    "array": "a list", "object": "a table of names and values",
}  # fmt: skip
_EXPECTED = re.compile(r"Expected `([^`]*)`(?: (.*?))??(?:, got .*)?\Z")
_STEP = re.compile(r"\[(\d+)\]|\.(\w+)")


def Between(low: float, high: float) -> msgspec.Meta:  # noqa: N802
    """A number from ``low`` to ``high``, both included."""
    return msgspec.Meta(ge=low, le=high, description=f" from {low:,} to {high:,}")


def OneOf(values: Iterable[str]) -> msgspec.Meta:  # noqa: N802
    """One of these texts."""
    values = tuple(values)
    pattern = rf"\A(?:{'|'.join(map(re.escape, values))})\Z"
    return msgspec.Meta(pattern=pattern, description=f", one of {', '.join(values)}")


def AtMost(entries: int) -> msgspec.Meta:  # noqa: N802
    """A list of at most so many entries."""
    return msgspec.Meta(max_length=entries, description=f" of at most {entries:,} entries")


def from_plain(kind: type[T], data: object, where: str, base: T | None = None) -> T:
    """The dataclass ``kind`` with the values of ``data``; what is missing is as in ``base``, or its default."""
    hints, fields = _hints(kind), dataclasses.fields(kind)
    values = {
        name: check(value, hints[name], f"{where}.{name}")
        for name, value in entries(data, [field.name for field in fields], where).items()
    }
    for field in fields:
        needed = field.default is field.default_factory is dataclasses.MISSING
        if needed and base is None and field.name not in values:
            raise SettingsError(f"{where} has no {field.name}")
    return kind(**values) if base is None else dataclasses.replace(base, **values)


def check_fields(record: Any, where: str) -> None:
    """Hold every field of a dataclass against its type."""
    kind: Any = type(record)
    for name, hint in _hints(kind).items():
        value = check(getattr(record, name), hint, f"{where}.{name}")
        object.__setattr__(record, name, value)  # frozen, but not yet seen by anybody


def entries(data: object, names: "list[str] | tuple[str, ...]", where: str) -> dict[str, Any]:
    """``data`` as a dict of some of ``names``; an unknown name is refused beside the nearest known."""
    if not isinstance(data, Mapping):
        raise SettingsError(f"{where} must be a table of names and values, not {shown(data)}")
    for name in data:
        if name not in names:
            near = get_close_matches(str(name)[:60], names, 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(names)}"
            raise SettingsError(f"{where} has no {shown(name)}{hint}")
    return dict(data)


def check(value: object, hint: Any, where: str) -> Any:
    """``value``, lists as tuples where ``hint`` says so; ``SettingsError`` where it is not what ``hint`` says."""
    try:
        taken = msgspec.convert(value, hint, strict=True)
    except msgspec.ValidationError as error:
        expected, _, path = str(error).partition(" - at ")
        inner, name = _inside(value, path, where)
        raise SettingsError(
            f"{name} must be {_in_words(expected, hint)}, not {shown(inner)}"
        ) from None
    _check_sound(taken, where)
    return taken


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _inside(value: Any, path: str, where: str) -> tuple[Any, str]:
    """The value that ``path`` (``$[0].name``) leads to, as far as it does, and its name."""
    for index, key in _STEP.findall(path):
        if index and isinstance(value, list | tuple):
            value, where = value[int(index)], f"{where}[{index}]"
        elif key and isinstance(value, Mapping) and key in value:
            value, where = value[key], f"{where}.{key}"
    return value, where


def _in_words(expected: str, hint: Any) -> str:
    """What msgspec expected, for people, with the rule of ``hint`` that is about it."""
    found = _EXPECTED.match(expected)
    if found is None:
        return "a number that computers count with"
    kinds = found[1].split(" | ")
    about = {"int": "ge", "float": "ge", "str": "pattern", "array": "max_length"}.get(kinds[0], "")
    rules = {
        rule.description or "" for rule in _rules(hint) if getattr(rule, about, None) is not None
    }
    words = " or ".join(_WORDS.get(kind, kind) for kind in kinds)
    # Several rules of one kind (a table of counts and shares): msgspec says itself which was broken.
    return words + (rules.pop() if len(rules) == 1 else f" {found[2] or ''}".rstrip())


def _rules(hint: Any) -> Iterator[msgspec.Meta]:
    """Every rule within a type."""
    for part in (*get_args(hint), *getattr(hint, "__metadata__", ())):
        if isinstance(part, msgspec.Meta):
            yield part
        else:
            yield from _rules(part)


def is_utf8(text: str) -> bool:
    """Whether UTF-8 can write ``text``: half a surrogate pair comes from bytes that were none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_sound(value: Any, where: str) -> None:
    """Numbers that SQLite, numpy and torch count with, and text that a file can hold, at any depth."""
    if isinstance(value, str):
        if not is_utf8(value):
            raise SettingsError(f"{where} must be text that UTF-8 can write, not {shown(value)}")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise SettingsError(f"{where} must be a number, not {shown(value)}")
    elif isinstance(value, int):
        if abs(value) > _LARGEST:
            raise SettingsError(f"{where} must be a smaller number, not {shown(value)}")
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            _check_sound(inner, f"{where}.{name}")
    elif isinstance(value, tuple | list):
        for number, inner in enumerate(value):
            _check_sound(inner, f"{where}[{number}]")


def shown(value: object) -> str:
    """A value for an error line: short, and without what a terminal would obey."""
    if type(value) is int and value.bit_length() > 64:
        return f"a whole number of about {int(value.bit_length() * 0.30103) + 1} digits"
    if isinstance(value, tuple | list):
        text = f"[{', '.join(map(shown, value[:4]))}{', ...' if len(value) > 4 else ''}]"
    elif isinstance(value, Mapping):
        text = "a table of names and values"
    else:
        text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."
