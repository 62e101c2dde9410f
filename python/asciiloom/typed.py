"""Plain data (JSON, TOML) to dataclasses, with every value held against its field's type.

A field says what it takes where it is declared: ``layers: Annotated[int, Between(1, 128)]``. Nothing
is converted on the way but lists to tuples: ``true`` is no number, ``6.0`` no whole number, and
text no list of letters. What does not fit is a ``SettingsError`` of one line that names the field.
"""

import dataclasses
import math
import types
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from asciiloom.errors import SettingsError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

# What SQLite, numpy and torch count with.
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Between:
    """A number from ``low`` to ``high``, both included."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of these texts."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AtMost:
    """A list of at most so many entries."""

    entries: int


def from_plain(kind: type[T], data: object, where: str, base: T | None = None) -> T:
    """The dataclass ``kind`` with the values of ``data``; what is missing is as in ``base``, or its default."""
    hints = _hints(kind)
    names = [field.name for field in dataclasses.fields(kind)]
    values = {name: _tuples(value) for name, value in entries(data, names, where).items()}
    for name, value in values.items():
        check(value, hints[name], f"{where}.{name}")
    for field in dataclasses.fields(kind):
        needed = field.default is field.default_factory is dataclasses.MISSING
        if needed and base is None and field.name not in values:
            raise SettingsError(f"{where} has no {field.name}")
    return kind(**values) if base is None else dataclasses.replace(base, **values)


def check_fields(record: Any, where: str) -> None:
    """Hold every field of a dataclass against its type."""
    hints = _hints(type(record))
    for field in dataclasses.fields(record):
        check(getattr(record, field.name), hints[field.name], f"{where}.{field.name}")


def entries(data: object, names: "list[str] | tuple[str, ...]", where: str) -> dict[str, Any]:
    """``data`` as a dict of some of ``names``; an unknown name is refused beside the nearest known."""
    if not isinstance(data, Mapping):
        raise SettingsError(f"{where} must be a table of names and values, not {_shown(data)}")
    for name in data:
        if name not in names:
            near = get_close_matches(str(name)[:60], names, 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(names)}"
            raise SettingsError(f"{where} has no {_shown(name)}{hint}")
    return dict(data)


def check(value: object, hint: Any, where: str) -> None:
    """Raise ``SettingsError`` where ``value`` is not what ``hint`` says."""
    if not _fits(value, hint):
        raise SettingsError(f"{where} must be {_described(hint)}, not {_shown(value)}")


def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _fits(value: object, hint: Any) -> bool:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _fits(value, inner[0]) and all(_meets(value, rule) for rule in inner[1:])
    if origin in (Union, types.UnionType):
        return any(_fits(value, option) for option in inner)
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        each = [inner[0]] * len(value) if inner[-1] is Ellipsis else list(inner)
        return len(each) == len(value) and all(map(_fits, value, each))
    if origin is dict:
        return isinstance(value, dict) and all(
            _fits(k, inner[0]) and _fits(v, inner[1]) for k, v in value.items()
        )
    if hint is int:
        return type(value) is int and abs(value) <= _LARGEST
    if hint is float:
        whole = type(value) is int and abs(value) <= _LARGEST
        return whole or (type(value) is float and math.isfinite(value))
    if hint is str:
        return isinstance(value, str) and is_utf8(value)
    return hint is Any or (value is None if hint is type(None) else isinstance(value, hint))


def is_utf8(text: str) -> bool:
    """Whether UTF-8 can write ``text``: half a surrogate pair comes from bytes that were none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _meets(value: Any, rule: Any) -> bool:
    if value is None:
        return True
    if isinstance(rule, Between):
        return bool(rule.low <= value <= rule.high)
    if isinstance(rule, OneOf):
        return value in rule.values
    return not isinstance(rule, AtMost) or len(value) <= rule.entries


def _described(hint: Any) -> str:
    """A type in words."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        rules = [rule for rule in inner[1:] if isinstance(rule, Between | OneOf | AtMost)]
        return _described(inner[0]) + "".join(map(_rule_in_words, rules))
    if origin in (Union, types.UnionType):
        options = [_described(option) for option in inner if option is not type(None)]
        return " or ".join([*options, *(["null"] if type(None) in inner else [])])
    if origin is tuple:
        if inner[-1] is Ellipsis:
            return f"a list, each entry {_described(inner[0])}"
        return f"a list of {len(inner)}: {', '.join(map(_described, inner))}"
    if origin is dict or hint is dict:
        return "a table of names and values"
    words = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
    return words.get(hint, getattr(hint, "__name__", str(hint)))


def _rule_in_words(rule: Between | OneOf | AtMost) -> str:
    if isinstance(rule, Between):
        return f" from {rule.low:,} to {rule.high:,}"
    if isinstance(rule, OneOf):
        return f", one of {', '.join(rule.values)}"
    return f" (at most {rule.entries:,} entries)"


def _shown(value: object) -> str:
    """A value for an error line: short, and without what a terminal would obey."""
    if type(value) is int and value.bit_length() > 64:
        return f"a whole number of about {int(value.bit_length() * 0.30103) + 1} digits"
    if isinstance(value, tuple | list):
        shown = f"[{', '.join(map(_shown, value[:4]))}{', ...' if len(value) > 4 else ''}]"
    elif isinstance(value, Mapping):
        shown = "a table of names and values"
    else:
        shown = ascii(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."


def _tuples(value: object) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
